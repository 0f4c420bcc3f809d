"""Who guesses waits longer and longer."""

import pytest

from isthmus.server.admin.attempts import FIRST, FORGOTTEN, FREE, LONGEST, MOST_PEERS, Attempts


def guessed(times: int, peer: str = "198.51.100.7", at: float = 0.0) -> Attempts:
    attempts = Attempts()
    for _ in range(times):
        attempts.wrong(peer, at)
    return attempts


def test_a_few_mistakes_cost_nothing() -> None:
    assert guessed(FREE - 1).wait("198.51.100.7", 0.0) == 0


def test_then_each_doubles_the_time_to_wait() -> None:
    waits = [guessed(FREE + more).wait("198.51.100.7", 0.0) for more in range(4)]
    assert waits == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]


@pytest.mark.parametrize("times", [FREE + 20, FREE + 5000])
def test_nobody_waits_for_longer_than_a_few_minutes(times: int) -> None:
    assert guessed(times).wait("198.51.100.7", 0.0) == LONGEST


def test_the_wait_ends() -> None:
    assert guessed(FREE).wait("198.51.100.7", FIRST) == 0


def test_the_count_goes_on_after_the_wait() -> None:
    attempts = guessed(FREE)
    attempts.wrong("198.51.100.7", FIRST + 1)
    assert attempts.wait("198.51.100.7", FIRST + 1) == 2 * FIRST


def test_a_right_one_forgives_all() -> None:
    attempts = guessed(FREE + 3)
    attempts.right("198.51.100.7")
    assert attempts.wait("198.51.100.7", 0.0) == 0
    assert len(attempts) == 0


def test_mistakes_are_forgotten_in_time() -> None:
    attempts = guessed(FREE)
    later = FIRST + FORGOTTEN + 1
    attempts.wrong("198.51.100.7", later)
    assert attempts.wait("198.51.100.7", later) == 0


def test_peers_are_told_apart() -> None:
    assert guessed(FREE + 3).wait("198.51.100.8", 0.0) == 0


def test_all_addresses_of_one_ipv6_network_are_one_peer() -> None:
    attempts = guessed(FREE, "2001:db8:1:2::1")
    assert attempts.wait("2001:db8:1:2:ffff::9", 0.0) == FIRST
    assert attempts.wait("2001:db8:1:3::1", 0.0) == 0


def test_an_ipv4_address_is_the_same_peer_in_its_ipv6_form() -> None:
    assert guessed(FREE, "::ffff:198.51.100.7").wait("198.51.100.7", 0.0) == FIRST


def test_what_is_remembered_is_bounded() -> None:
    attempts = Attempts()
    for number in range(MOST_PEERS + 50):
        attempts.wrong(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}", 0.0)
    assert len(attempts) == MOST_PEERS
