"""Which row a method and a path mean."""

import pytest

from isthmus.server.admin.call import AdminCall, Facade, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.dispatch import LONGEST, Rows
from isthmus.server.admin.refusals import refuse
from isthmus.server.pages import Page


async def answered(call: AdminCall, desk: Desk) -> Page:
    return Page(200, b"")


def row(method: str, path: str) -> Row:
    return Row(method=method, path=path, role=Role.VIEWER, handler=answered, about="For tests.")


def facade(*rows: Row, name: str = "one", realm: str = "/one/") -> Facade:
    return Facade(name=name, rows=rows, refuse=refuse, realm=realm)


ROWS = Rows(
    [
        facade(
            row("GET", "/one/things"),
            row("POST", "/one/things"),
            row("GET", "/one/things/{id}"),
            row("DELETE", "/one/things/{id}"),
            row("GET", "/one/things/latest"),
            row("GET", "/one/files/{path...}"),
            row("PUT", "/one/things/{id}/parts/{part}"),
        ),
        facade(row("GET", "/status"), name="two", realm="/two/"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "template", "params"),
    [
        ("GET", "/one/things", "/one/things", {}),
        ("GET", "/one/things/", "/one/things", {}),
        ("HEAD", "/one/things", "/one/things", {}),
        ("GET", "/one/things/7", "/one/things/{id}", {"id": "7"}),
        ("GET", "/one/things/7/", "/one/things/{id}", {"id": "7"}),
        ("GET", "/one/things/latest", "/one/things/latest", {}),
        ("GET", "/one/files/a/b.c", "/one/files/{path...}", {"path": "a/b.c"}),
        ("PUT", "/one/things/a b/parts/c\nd", "/one/things/{id}/parts/{part}", {"id": "a b", "part": "c\nd"}),
        ("GET", "/status", "/status", {}),
    ],
)
def test_a_path_means_its_row(method: str, path: str, template: str, params: dict[str, str]) -> None:
    found = ROWS.find(method, path)
    assert found is not None
    assert found.row is not None
    assert (found.row.path, found.params) == (template, params)


@pytest.mark.parametrize("path", ["/one/nothing", "/one/things/7/8", "/one/things//", "/one/files/"])
def test_an_unknown_path_in_a_realm_is_its_facades(path: str) -> None:
    found = ROWS.find("GET", path)
    assert found is not None
    assert (found.facade.name, found.row) == ("one", None)
    assert found.methods == ()


@pytest.mark.parametrize("path", ["/", "/statuses", "/onething", "/one", "/v1/models", "/one/" + "a" * LONGEST])
def test_a_path_outside_of_every_realm_is_nobodys(path: str) -> None:
    assert ROWS.find("GET", path) is None


def test_a_method_that_a_path_does_not_take_is_told_those_that_it_does() -> None:
    found = ROWS.find("PATCH", "/one/things/7")
    assert found is not None
    assert (found.row, found.methods) == (None, ("GET", "DELETE"))


def test_a_method_that_only_a_pattern_takes_is_not_taken_by_the_path_that_is_served_exactly() -> None:
    found = ROWS.find("DELETE", "/one/things/latest")
    assert found is not None
    assert (found.row, found.methods) == (None, ("GET",))


def test_a_facade_without_a_path_of_the_realm_answers_for_its_own_methods() -> None:
    found = ROWS.find("POST", "/status")
    assert found is not None
    assert (found.facade.name, found.methods) == ("two", ("GET",))


def test_a_realm_within_another_is_its_own_facades() -> None:
    rows = Rows([facade(realm="/one/"), facade(name="inner", realm="/one/v1/")])
    inner, outer = rows.find("GET", "/one/v1/nothing"), rows.find("GET", "/one/v2")
    assert inner is not None
    assert outer is not None
    assert (inner.facade.name, outer.facade.name) == ("inner", "one")


@pytest.mark.parametrize(("one", "two"), [("/one/a", "/one/a"), ("/one/{id}", "/one/{id}")])
def test_two_rows_that_mean_the_same_are_refused(one: str, two: str) -> None:
    with pytest.raises(ValueError, match="served twice"):
        Rows([facade(row("GET", one)), facade(row("GET", two), name="two")])


@pytest.mark.parametrize("path", ["/one/th.ngs", "/one/things+", "/One/things"])
def test_templates_are_words_and_not_patterns(path: str) -> None:
    found = ROWS.find("GET", path)
    assert found is None or found.row is None
