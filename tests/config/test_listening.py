"""Where it listens, by the file and by the command line."""

import pytest

from isthmus.config.listening import ALL, PORTS, Listen
from isthmus.config.schema import ListenerEntry
from isthmus.engine.compat import Compat
from support.configured import load_text

FILE = "listeners: [{host: 127.0.0.2, port: 9000, compat: mux}, {port: 9001}]"


def listeners(listen: Listen, text: str = FILE) -> tuple[ListenerEntry, ...]:
    return load_text(text, listen=listen).config.listeners


def test_a_listener_of_the_file_may_have_the_manners_of_another_system() -> None:
    assert [one.compat for one in listeners(Listen())] == [Compat.MUX, Compat.UNIFIED]


@pytest.mark.parametrize("compat", Compat)
def test_with_the_manners_of_a_system_it_listens_where_its_clients_look(compat: Compat) -> None:
    assert listeners(Listen(compat=compat), "") == (ListenerEntry("127.0.0.1", PORTS[compat], compat),)


def test_a_port_and_an_address_that_are_given_hold() -> None:
    assert listeners(Listen(compat=Compat.TRUCK, port=7000)) == (ListenerEntry("127.0.0.2", 7000, Compat.TRUCK),)
    assert listeners(Listen(host="127.0.0.3")) == (ListenerEntry("127.0.0.3", 9000, Compat.MUX),)


def test_all_ports_are_one_listener_each() -> None:
    found = listeners(Listen(all_ports=True), "")
    assert [(one.port, one.compat) for one in found] == [(PORTS[compat], compat) for compat in ALL]
    assert [one.port for one in found] == [8317, 8080, 8000, 8081]


def test_the_words_of_the_command_line_say_the_same() -> None:
    said = Listen(host="127.0.0.2", port=1, compat=Compat.LLMS, all_ports=True)
    assert said.words() == ["--host", "127.0.0.2", "--port", "1", "--compat", "llms", "--all-ports"]
    assert Listen().words() == []
