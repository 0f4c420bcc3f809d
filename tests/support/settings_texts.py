"""Settings as people and programs write them, made by Hypothesis: a text of each kind, spaced in any way.

It has comments wherever it may have them. Each holds a word of its own, so that a test can look for it afterwards.
"""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import strategies as st

from isthmus.tools.formats.documents import Format

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
NAMES = st.sampled_from(["a", "b", "env", "model", "providers", "with space", "é", "isthmus", "list", "x-y", "1"])
TEXTS = st.sampled_from(
    ["", "plain", "http://127.0.0.1:1/v1", 'quote " and \\', "# no comment", "// nor this", "é 🙂", "yes"]
)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(-9, 9), st.just(1.5))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


class Comments:
    """Numbered comments, some of the time."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.made: list[str] = []

    def maybe(self, opens: str, closes: str = "") -> str:
        if self._draw(st.integers(0, 3)) != 0:
            return ""
        word = f"remark-{len(self.made)}"
        self.made.append(word)
        return f"{opens} {word}{closes}"


@st.composite
def jsonc_texts(draw: Draw) -> tuple[str, list[str]]:
    """A text, and the words of its comments."""
    comments, newline = Comments(draw), draw(st.sampled_from(["\n", "\r\n"]))
    unit = draw(st.sampled_from(["  ", "    ", "\t"]))
    loose = draw(st.booleans())

    def gap(margin: str) -> str:
        lines = [comments.maybe("//") + newline + margin, comments.maybe("/*", " */") + newline + margin]
        return draw(st.sampled_from(lines)) if loose else newline + margin

    def written(value: Any, margin: str) -> str:
        if not isinstance(value, dict | list) or not value:
            return json.dumps(value, ensure_ascii=False)
        opens, closes = "{}" if isinstance(value, dict) else "[]"
        inner = margin + unit
        items = (
            [f"{json.dumps(k, ensure_ascii=False)}: {written(v, inner)}" for k, v in value.items()]
            if isinstance(value, dict)
            else [written(one, inner) for one in value]
        )
        if loose and draw(st.integers(0, 3)) == 0:
            return f"{opens}{', '.join(items)}{closes}"
        lines = "".join(f"{gap(inner)}{item}," for item in items)
        return opens + (lines if loose and draw(st.booleans()) else lines[:-1]) + gap(margin) + closes

    head = comments.maybe("//")
    text = (head + newline if head else "") + written(draw(OBJECTS), "") + newline
    return text, [word for word in comments.made if word in text]


@st.composite
def toml_texts(draw: Draw) -> tuple[str, list[str]]:
    comments, lines = Comments(draw), []

    def pairs(values: dict[str, Any]) -> None:
        for name, value in values.items():
            lines.append(comments.maybe("#"))
            lines.append(f"{json.dumps(name, ensure_ascii=False)} = {inline(value)} {comments.maybe('#')}".rstrip())

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            inside = ", ".join(f"{json.dumps(k, ensure_ascii=False)} = {inline(v)}" for k, v in value.items())
            return f"{{{inside}}}"
        if isinstance(value, list):
            return f"[{', '.join(map(inline, value))}]"
        return json.dumps(value, ensure_ascii=False)

    pairs(draw(OBJECTS))
    for name in draw(
        st.lists(st.sampled_from(["t", "u.v", "model_providers.other", '"w x"']), unique=True, max_size=3)
    ):
        lines += ["" if draw(st.booleans()) else comments.maybe("#"), f"[{name}] {comments.maybe('#')}".rstrip()]
        pairs(draw(OBJECTS))
    text = "\n".join(lines) + draw(st.sampled_from(["\n", ""]))
    return text, [word for word in comments.made if word in text]


@st.composite
def yaml_texts(draw: Draw) -> tuple[str, list[str]]:
    comments, unit = Comments(draw), draw(st.sampled_from([2, 4]))
    apart = draw(st.sampled_from([0, 2]))

    def block(value: Any, column: int) -> list[str]:
        margin, lines = " " * column, []
        entries = value.items() if isinstance(value, dict) else ((None, one) for one in value)
        for name, one in entries:
            if remark := comments.maybe("#"):
                lines.append(margin + remark)
            said = "-" if name is None else f"{json.dumps(name, ensure_ascii=False)}:"
            if isinstance(one, dict | list) and one and draw(st.booleans()):
                inner = column + (apart if isinstance(one, list) and name is not None else unit)
                lines += [f"{margin}{said} {comments.maybe('#')}".rstrip(), *block(one, inner)]
            else:
                shown = json.dumps(one, ensure_ascii=False)
                lines.append(f"{margin}{said} {shown} {comments.maybe('#')}".rstrip())
        return lines

    values = draw(OBJECTS)
    lines = [comments.maybe("#"), *block(values, 0), comments.maybe("#")]
    text = "\n".join(lines) + draw(st.sampled_from(["\n", ""]))
    return text, [word for word in comments.made if word in text]


@st.composite
def env_texts(draw: Draw) -> tuple[str, list[str]]:
    comments, lines = Comments(draw), []
    for name in draw(st.lists(st.sampled_from(["A", "B_C", "OPENAI_API_KEY", "D"]), max_size=5)):
        lines.append(comments.maybe("#"))
        value = draw(st.sampled_from(["", "1", "'x y'", '"a # b"', "http://h/v1", '"say \\"hi\\""']))
        lines.append(f"{draw(st.sampled_from(['', 'export ', ' ']))}{name}={value} {comments.maybe('#')}".rstrip())
    text = "\n".join(lines) + draw(st.sampled_from(["\n", ""]))
    return text, [word for word in comments.made if word in text]


KINDS: dict[Format, st.SearchStrategy[tuple[str, list[str]]]] = {
    Format.JSONC: jsonc_texts(),
    Format.TOML: toml_texts(),
    Format.YAML: yaml_texts(),
    Format.ENV: env_texts(),
}
