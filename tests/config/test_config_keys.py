"""Several keys for one provider."""

from isthmus.config.compile import compile_config
from isthmus.core.secret import Secret
from support.configured import config_of, problems_of

FILE = """
providers:
  openai:
    api-key: sk-first-0123456789
    api-keys:
      - sk-second-0123456789
      - {name: night, key: sk-third-0123456789}
  groq:
    api-keys: [gsk-one-0123456789, gsk-two-0123456789]
  vllm: {}
"""


def test_every_key_makes_its_own_way_to_the_provider() -> None:
    snapshot = compile_config(config_of(FILE))
    assert {name: tuple(keys) for name, keys in snapshot.keys.items()} == {
        "openai": ("key-1", "key-2", "night"),
        "groq": ("key-1", "key-2"),
    }
    assert snapshot.keyed("openai", "night").secret == Secret("sk-third-0123456789")
    assert snapshot.keyed("openai", "key-1") is snapshot.providers["openai"]
    assert snapshot.keyed("vllm", "key") is snapshot.providers["vllm"]


def test_a_provider_whose_keys_stand_only_in_the_list_is_asked_for_its_models_with_the_first() -> None:
    assert compile_config(config_of(FILE)).providers["groq"].secret == Secret("gsk-one-0123456789")


def test_no_key_may_be_there_twice_or_hold_what_no_header_can() -> None:
    text = """
providers:
  openai:
    api-key: sk-first-0123456789
    api-keys:
      - sk-first-0123456789
      - {name: a, key: sk-second-0123456789}
      - {name: a, key: sk-third-0123456789}
      - "sk with space 0123"
"""
    told = [(problem.key, problem.message) for problem in problems_of(text)]
    assert [key for key, _ in told] == [
        "providers.openai.api-keys[0]",
        "providers.openai.api-keys[2]",
        "providers.openai.api-keys[3]",
    ]
    assert told[0][1] == "is the same as api-key"
    assert told[1][1] == "has the same name as providers.openai.api-keys[1]"
    assert "sk" not in " ".join(message for _, message in told)


def test_no_key_may_have_the_name_that_another_has_by_its_position() -> None:
    text = "providers: {openai: {api-keys: [{name: key-2, key: sk-first-0123456789}, sk-second-0123456789]}}"
    (problem,) = problems_of(text)
    assert problem.key == "providers.openai.api-keys[1]"
    assert problem.message == "has the same name as providers.openai.api-keys[0]"


def test_no_client_may_have_the_name_that_another_has_by_its_position() -> None:
    (problem,) = problems_of("client-keys: [{name: client-2, key: key-0123456789}, key-9876543210]")
    assert problem.message == "is the same name as that of client-keys[0]"
