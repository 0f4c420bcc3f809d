"""The section `admin`: who may manage the gateway, and from where."""

from enum import StrEnum
from typing import Annotated

from isthmus.config.about import About
from isthmus.core.secret import Secret
from isthmus.core.value import Value


class AdminRole(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"


class AdminKeyEntry(Value, frozen=True, rename="kebab"):
    name: Annotated[str, About("Who uses the key, for the audit log.")]
    key: Annotated[Secret, About("What is sent as `x-management-key`, or as a bearer token.")]
    role: Annotated[
        AdminRole,
        About(
            "A viewer changes nothing, an operator runs the gateway, an owner also gives out keys and changes the"
            " configuration."
        ),
    ] = AdminRole.VIEWER


class AdminListenerEntry(Value, frozen=True, rename="kebab"):
    host: Annotated[str, About("The address to listen on. Anything but this machine's own needs a key.")] = "127.0.0.1"
    port: Annotated[int, About("The port to listen on; 0 takes any free one.", least=0, most=65535)] = 8318


class AdminEntry(Value, frozen=True, rename="kebab"):
    keys: Annotated[tuple[AdminKeyEntry, ...], About("Further management keys, each with a role of its own.")] = ()
    remote: Annotated[
        bool, About("Whether other machines may manage the gateway with a key, where clients connect.")
    ] = False
    local: Annotated[
        bool,
        About(
            "Whether programs on this machine need no key: to do everything while there is none, and else to look."
            " Say false where a proxy on this machine passes on what others send."
        ),
    ] = True
    listener: Annotated[
        AdminListenerEntry | None,
        About("A listener for management alone. Other machines then manage there, and nowhere else."),
    ] = None
