"""Whose bodies are kept, and how much of them."""

from isthmus.core.value import Value
from isthmus.routing.naming import any_matches


class BodyRule(Value, frozen=True, kw_only=True):
    """Whose bodies are kept: of these clients and routes, all where none is named, but never of `without`.

    Names may hold `*`. `most` is how many bytes of each body are kept.
    """

    requests: bool = False
    answers: bool = False
    clients: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    most: int = 64 * 1024

    def wants(self, client: str, route: str) -> bool:
        if any_matches(client, self.without):
            return False
        return all(
            not names or any_matches(name, names) for name, names in ((client, self.clients), (route, self.routes))
        )
