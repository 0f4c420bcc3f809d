"""The section `log`: where it writes, how much is kept, and what is taken out of it."""

import pytest

from isthmus.config.compile import compile_config
from isthmus.config.reload import takes_restart
from isthmus.engine.body_rule import BodyRule
from support.configured import config_of, problems_of


def test_a_file_is_put_aside_at_100_mib_and_five_are_kept_unless_it_says_otherwise() -> None:
    entry = config_of("log: {file: out.log}").log
    assert (entry.max_size, entry.backups) == (100 * 1024 * 1024, 5)


def test_the_ring_has_its_bounds() -> None:
    entry = config_of("log: {ring: {lines: 50, size: 1MiB}}").log.ring
    assert (entry.lines, entry.size) == (50, 1024 * 1024)


def test_nothing_of_what_failed_is_dumped_unless_it_says_so() -> None:
    assert config_of("").log.dumps is False


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("'a('", "is no regular expression"), ("'a*'", "matches where there is nothing"), ("x" * 1001, "longer than")],
)
def test_a_pattern_that_could_not_be_meant_is_a_problem_with_its_place(pattern: str, words: str) -> None:
    (problem,) = problems_of(f"log:\n  redact: [good, {pattern}]")
    assert (problem.line, problem.key) == (2, "log.redact[1]")
    assert words in problem.message


def test_whose_bodies_are_kept_is_changed_without_a_restart() -> None:
    before, after = config_of("log: {level: info}"), config_of("log: {bodies: {requests: true}}")
    assert not takes_restart("log", before, after)


@pytest.mark.parametrize("after", ["{level: error}", "{bodies: {keep-days: 3}}", "{file: out.log}"])
def test_all_else_of_the_log_takes_a_restart(after: str) -> None:
    assert takes_restart("log", config_of(""), config_of(f"log: {after}"))


def test_bodies_are_compiled_where_either_of_them_is_kept() -> None:
    assert compile_config(config_of("log: {bodies: {keep-days: 3}}")).bodies is None
    rule = compile_config(config_of("log: {bodies: {answers: true, most-bytes: 2KiB, without: [hr-*]}}")).bodies
    assert rule == BodyRule(answers=True, without=("hr-*",), most=2048)
