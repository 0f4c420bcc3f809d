"""What would change is shown, and no secret with it."""

from isthmus.tools.formats.documents import Format
from isthmus.tools.showing import difference

BEFORE = b"""{
  "theme": "dark",
  "args": ["--api", "planted-0"],
  "env": {"GITHUB_TOKEN": "planted-2", "LIST_OF_KEYS": ["planted-3 \\"quoted\\""], "EDITOR": "vi", "X": "shown"},
  "headers": {"Authorization": "Bearer planted-1"}
}
"""


def test_secrets_of_anybody_are_hidden_whether_they_change_or_stand_beside() -> None:
    after = BEFORE.replace(b'"dark"', b'"light"').replace(b'"vi"', b'"vi", "ISTHMUS_API_KEY": "planted-4"')
    shown = "\n".join(difference("~/settings.json", Format.JSON, BEFORE, after))
    assert '-  "theme": "dark",' in shown
    assert '+  "theme": "light",' in shown
    assert '"ISTHMUS_API_KEY": "********"' in shown
    assert '"X": "shown"' in shown
    assert "planted" not in shown


def test_a_new_file_and_one_that_goes_are_shown_as_such() -> None:
    assert list(difference("~/.env", Format.ENV, None, b"A=1\nA_KEY=planted\n")) == [
        "--- /dev/null",
        "+++ ~/.env",
        "@@ -0,0 +1,2 @@",
        "+A=1",
        "+A_KEY=********",
    ]
    assert list(difference("~/.env", Format.ENV, b"A=1\n", None))[:2] == ["--- ~/.env", "+++ /dev/null"]
