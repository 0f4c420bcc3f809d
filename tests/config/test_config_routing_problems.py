"""Every mistake in routes, keys and limits is found at its line, and the nearest right word is told."""

import pytest

from support.configured import problems_of

BEFORE = "providers: {vllm: {}, ollama: {}}\nclient-keys: [{name: alice, key: key-0123456789}]\n"
ROUTES = {
    "both targets and tiers": ("targets: [vllm/a]\n    tiers: [vllm/b]", 6, "r.tiers", "stands beside targets"),
    "no targets but much else": ("affinity: true", 5, "r", "has no targets"),
    "an empty tier": ("tiers: [vllm/a, []]", 5, "r.tiers[1]", "has no targets"),
    "an unknown strategy": ("{strategy: wheighted, targets: [vllm/a]}", 5, "r.strategy", "one of first, round_robin"),
    "a weight of nothing": (
        "{strategy: weighted, targets: [{provider: vllm, model: a, weight: 0}]}",
        5,
        "r.targets[0].weight",
        "a number from 0.001",
    ),
    "a weight that nobody looks at": (
        "targets: [vllm/b, {provider: vllm, model: a, weight: 2}]",
        5,
        "r.targets[1].weight",
        "means nothing to the strategy first",
    ),
    "a weight in a tier of another strategy": (
        "strategy: weighted\n    tiers: [{strategy: fastest, targets: [{provider: vllm, model: a, weight: 2}]}]",
        6,
        "r.tiers[0].targets[0].weight",
        "means nothing to the strategy fastest",
    ),
    "a tier to nobody": ("tiers: [vllm/a, [vllm/b, vlm/c]]", 5, "r.tiers[1][1]", "did you mean 'vllm'?"),
    "a tier of one target to nobody": ("tiers: [vllm/a, vlm/c]", 5, "r.tiers[1]", "did you mean 'vllm'?"),
    "a tier in full to nobody": (
        "tiers: [{targets: [{provider: vlm, model: c}]}]",
        5,
        "r.tiers[0].targets[0].provider",
        "did you mean 'vllm'?",
    ),
    "a branch to nobody": (
        "targets: [vllm/a]\n    branches:\n      - {share: 10%, targets: [vlm/c]}",
        7,
        "r.branches[0].targets[0]",
        "did you mean 'vllm'?",
    ),
    "a branch to nowhere": (
        "targets: [vllm/a]\n    branches:\n      - share: 10%",
        7,
        "r.branches[0]",
        "has no targets",
    ),
    "a branch for everybody": (
        "targets: [vllm/a]\n    branches:\n      - targets: [vllm/b]",
        7,
        "r.branches[0]",
        "it needs when or share",
    ),
    "a share of too much": (
        "targets: [vllm/a]\n    branches: [{share: 101%, targets: [vllm/b]}]",
        6,
        "r.branches[0].share",
        "a share such as 10% or 0.1, from 0% to 100%",
    ),
    "a share of 10, which is not 10 %": (
        "targets: [vllm/a]\n    branches: [{share: 10, targets: [vllm/b]}]",
        6,
        "r.branches[0].share",
        "from 0% to 100%",
    ),
    "shares of more than there is": (
        "targets: [vllm/a]\n    branches: [{share: 70%, targets: [vllm/b]},\n      {share: 40%, targets: [ollama/c]}]",
        7,
        "r.branches[1].share",
        "makes more than 100%",
    ),
    "a branch that nothing is left for": (
        "branches: [{share: 1, targets: [vllm/b]},\n      {when: {tools: no}, targets: [vllm/c]}]\n    tiers: [vllm/a]",
        6,
        "r.branches[1]",
        "gets no request",
    ),
    "a shadow to nobody": (
        "targets: [vllm/a]\n    shadow: {target: vlm/c}",
        6,
        "r.shadow.target",
        "did you mean 'vllm'?",
    ),
    "a shadow without a target": ("targets: [vllm/a]\n    shadow: {share: 5%}", 6, "r.shadow", "needs 'target'"),
    "a quantile of one": (
        "targets: [vllm/a]\n    hedge: {quantile: 1}",
        6,
        "r.hedge.quantile",
        "a number from 0.5 to 0.999",
    ),
    "a hedge in another word": ("targets: [vllm/a]\n    hedge: perhaps", 6, "r.hedge", "must be true or false"),
    "a deadline of nothing": (
        "targets: [vllm/a]\n    deadlines: {total: 0}",
        6,
        "r.deadlines.total",
        "a number of seconds from 0.1",
    ),
    "room for nobody": ("targets: [vllm/a]\n    concurrency: 0", 6, "r.concurrency", "a whole number from 1"),
}
WHEN = {
    "an unknown client": ("{clients: [alise]}", "when.clients[0]", "did you mean 'alice'?"),
    "an unknown dialect": ("{dialects: [antropic]}", "when.dialects[0]", "one of openai"),
    "no header's name": ("{header: {a b: c}}", "when.header.a b", "is not a header's name"),
    "two headers": ("{header: {a: b, c: d}}", "when.header", "names more than one header"),
    "no number between": ("{tokens-over: 5, tokens-under: 6}", "when.tokens-under", "leaves nothing above tokens-over"),
    "an unknown condition": ("{image: true}", "when.image", "did you mean 'images'?"),
}
REST = {
    "more at least than at most": (
        "providers: {vllm: {concurrency: {most: 3, adaptive: true, least: 4}}}",
        "providers.vllm.concurrency.least",
        "is more than the most",
    ),
    "a bound without its most": (
        "providers: {vllm: {concurrency: {adaptive: true}}}",
        "providers.vllm.concurrency",
        "needs 'most'",
    ),
    "a bound that is no number": (
        "providers: {vllm: {concurrency: many}}",
        "providers.vllm.concurrency",
        "a whole number from 1",
    ),
    "a key for no request": (
        "providers: {openai: {api-keys: [{key: sk-0123456789, requests-per-minute: 0}]}}",
        "providers.openai.api-keys[0].requests-per-minute",
        "a whole number from 1",
    ),
    "a key's budget too small": (
        "providers: {openai: {api-keys: [{key: sk-0123456789, dollars-per-day: 0.001}]}}",
        "providers.openai.api-keys[0].dollars-per-day",
        "an amount of US dollars from 0.01",
    ),
    "no proxy for a key": (
        "providers: {openai: {api-keys: [{key: sk-0123456789, proxy-url: example.com}]}}",
        "providers.openai.api-keys[0].proxy-url",
        "socks5",
    ),
    "half a price": (
        "providers: {openai: {api-keys: [{key: sk-0123456789, price: {input: 1}}]}}",
        "providers.openai.api-keys[0].price",
        "needs 'output'",
    ),
    "an unknown key of a key": (
        "providers: {openai: {api-keys: [{key: sk-0123456789, request-per-minute: 1}]}}",
        "providers.openai.api-keys[0].request-per-minute",
        "did you mean 'requests-per-minute'?",
    ),
    "a weight below nothing": (
        "routing: {hybrid-weights: {cost: -1}}",
        "routing.hybrid-weights.cost",
        "a number from 0 to 1000",
    ),
    "affinity in another word": ("routing: {affinity: maybe}", "routing.affinity", "one of auto, true, false"),
    "no place in the queue": ("routing: {queue: {wait: 4000}}", "routing.queue.wait", "from 0 to 3600"),
}


@pytest.mark.parametrize(("entry", "line", "key", "words"), ROUTES.values(), ids=ROUTES.keys())
def test_a_mistake_in_a_route_is_told_with_its_line(entry: str, line: int, key: str, words: str) -> None:
    (problem,) = problems_of(f"{BEFORE}routes:\n  r:\n    {entry}\n")
    assert (problem.line, problem.key) == (line, f"routes.{key}")
    assert words in problem.message


@pytest.mark.parametrize(("when", "key", "words"), WHEN.values(), ids=WHEN.keys())
def test_a_mistake_in_a_condition_is_told(when: str, key: str, words: str) -> None:
    (problem,) = problems_of(
        f"{BEFORE}routes: {{r: {{targets: [vllm/a], branches: [{{when: {when}, targets: [vllm/b]}}]}}}}"
    )
    assert problem.key == f"routes.r.branches[0].{key}"
    assert words in problem.message


@pytest.mark.parametrize(("text", "key", "words"), REST.values(), ids=REST.keys())
def test_a_mistake_in_keys_and_limits_is_told(text: str, key: str, words: str) -> None:
    (problem,) = problems_of(text)
    assert problem.key == key
    assert words in problem.message
    assert "0123456789" not in problem.message


def test_shares_may_come_to_all_requests_and_those_of_conditions_are_not_among_them() -> None:
    shares = "{share: 70%, targets: [vllm/b]}, {share: 30%, targets: [vllm/c]}"
    told = "{when: {tools: true}, share: 90%, targets: [vllm/b]}"
    assert not problems_of(f"{BEFORE}routes: {{r: {{targets: [vllm/a], branches: [{told}, {shares}]}}}}")


def test_what_one_mistake_leaves_unread_is_not_told_again() -> None:
    text = "providers: {vllm: {}}\nroutes: {r: {tiers: [novalue], branches: [{when: {images: maybe}, targets: [nix]}]}}"
    assert [problem.key for problem in problems_of(text)] == [
        "routes.r.tiers[0]",
        "routes.r.branches[0].when.images",
        "routes.r.branches[0].targets[0]",
    ]
