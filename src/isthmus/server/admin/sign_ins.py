"""Sign-ins: begun, looked at, ended with a code, given up; and the issuers that there are to sign in at.

Whoever knows a sign-in's `state` can end it, so it is told to owners alone.
"""

from collections import Counter

from isthmus.engine.accounts import AccountBook
from isthmus.server.admin.account_shapes import (
    AccountTold,
    Cancelled,
    Finish,
    IssuersTold,
    IssuerTold,
    NewSignIn,
    SignInTold,
    told,
    told_sign_in,
)
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, accounts_of
from isthmus.server.admin.readers import reader
from isthmus.server.pages import Page
from isthmus.wire import json

_read_new, _read_finish = reader(NewSignIn), reader(Finish)


def issuers_told(book: AccountBook) -> IssuersTold:
    counted = Counter(account.issuer for account in book.all())
    return IssuersTold(
        tuple(
            IssuerTold(
                name=name,
                title=issuer.title,
                flows=issuer.flows,
                callback_ports=issuer.callback_ports,
                terms=issuer.terms,
                accounts=counted[name],
            )
            for name, issuer in book.issuers().items()
        )
    )


async def list_issuers(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(issuers_told(accounts_of(desk))))


async def begin(call: AdminCall, desk: Desk) -> Page:
    asked, book = _read_new(call.body), accounts_of(desk)
    sign_in = await book.begin(asked.issuer, asked.flow, port=asked.port)
    return Page(201, json.encode(told_sign_in(sign_in, book.issuers())))


async def show(call: AdminCall, desk: Desk) -> Page:
    book = accounts_of(desk)
    return Page(200, json.encode(told_sign_in(book.sign_in(call.params["state"]), book.issuers())))


async def finish(call: AdminCall, desk: Desk) -> Page:
    account = await accounts_of(desk).finish(call.params["state"], _read_finish(call.body).code)
    return Page(200, json.encode(told(account)))


async def cancel(call: AdminCall, desk: Desk) -> Page:
    book = accounts_of(desk)
    return Page(200, json.encode(told_sign_in(await book.cancel(call.params["state"]), book.issuers())))


async def cancel_all(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(Cancelled(await accounts_of(desk).stop_listening())))


ROWS = (
    Row(
        method="GET",
        path="/admin/issuers",
        role=Role.VIEWER,
        handler=list_issuers,
        about="Where accounts can be signed in to: how, and what to know of the vendor's terms.",
        gives=IssuersTold,
    ),
    Row(
        method="POST",
        path="/admin/sign-ins",
        role=Role.OWNER,
        handler=begin,
        about="Begin a sign-in: somebody opens its URL, and what their browser comes back with ends it.",
        takes=NewSignIn,
        gives=SignInTold,
        status=201,
        audited=True,
    ),
    Row(
        method="DELETE",
        path="/admin/sign-ins",
        role=Role.OWNER,
        handler=cancel_all,
        about="Give up every sign-in that waits for a browser.",
        gives=Cancelled,
        audited=True,
    ),
    Row(
        method="GET",
        path="/admin/sign-ins/{state}",
        role=Role.OWNER,
        handler=show,
        about="How far a sign-in is.",
        gives=SignInTold,
    ),
    Row(
        method="POST",
        path="/admin/sign-ins/{state}/finish",
        role=Role.OWNER,
        handler=finish,
        about="End a sign-in with the code, or with the whole URL that the browser was sent back to.",
        takes=Finish,
        gives=AccountTold,
        audited=True,
    ),
    Row(
        method="DELETE",
        path="/admin/sign-ins/{state}",
        role=Role.OWNER,
        handler=cancel,
        about="Give a sign-in up.",
        gives=SignInTold,
        audited=True,
    ),
)
