"""Where a browser comes back to after a sign-in, on the gateway's own port. Answered as a page for people.

A browser is sent here by the issuer's site, so that alone is no ground to refuse it. What protects a sign-in is its
`state`, which nobody can guess: with another one nothing is changed. The query reaches no line of the log.
"""

from html import escape

from isthmus.core.errors import GatewayError
from isthmus.server.admin.call import AdminCall, Media, Role, Row
from isthmus.server.admin.desk import Desk, accounts_of
from isthmus.server.admin.refusals import headers_of
from isthmus.server.compat.codex_accounts import finish
from isthmus.server.pages import Page
from isthmus.wire.headers import Headers

PATH = "/auth/callback"
HTML = "text/html"
_GUARDED: Headers = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<h1>{title}</h1>
<p>{words}</p>
</html>
"""


async def arrive(call: AdminCall, desk: Desk) -> Page:
    if call.method != "GET":
        return page(200, "Sign-in", "A browser comes back here.")
    url = f"http://localhost{PATH}?{call.query.decode('latin-1')}"
    account = await finish(accounts_of(desk), call.asked("state"), url)
    return page(200, "Signed in", f"{account.email or account.name} is an account now. You can close this page.")


def refuse(error: GatewayError) -> Page:
    told = page(error.status, "Not signed in", f"{error.message}. Begin the sign-in again, or paste the code.")
    return Page(told.status, told.body, (*told.headers, *headers_of(error)), told.content_type)


def page(status: int, title: str, words: str) -> Page:
    """Without a script, and with nothing that is not escaped."""
    body = _PAGE.format(title=escape(title), words=escape(words))
    return Page(status, body.encode(), _GUARDED, HTML.encode() + b"; charset=utf-8")


ROWS = (
    Row(
        method="GET",
        path=PATH,
        role=Role.OWNER,
        handler=arrive,
        about="End a sign-in with what the browser came back with.",
        gives=Media(HTML),
        query={"code": "What the issuer gave.", "state": "Which sign-in it is for."},
        audited=True,
        refuse=refuse,
        landing=True,
    ),
)
