"""The section `accounts`: where the key is that they are sealed with, and who issues them."""

from collections.abc import Mapping
from typing import Annotated

from isthmus.config.about import About
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.providers.issuer import SignInFlow


class ClaimsEntry(Value, frozen=True, rename="kebab"):
    """Each is a path of names into the tokens."""

    email: Annotated[tuple[str, ...] | None, About("The e-mail address, as a list of the names that lead to it.")] = (
        None
    )
    subject: Annotated[tuple[str, ...] | None, About("What the issuer calls the account.")] = None
    plan: Annotated[tuple[str, ...] | None, About("What the account has subscribed to.")] = None


class IssuerEntry(Value, frozen=True, rename="kebab"):
    """What is not said is as it is known of the issuer, or as `Issuer` has it."""

    title: Annotated[str | None, About("What people call it. Without it: NAME.")] = None
    client_id: Annotated[str | None, About("The client that the issuer knows this program as.")] = None
    client_secret: Annotated[Secret | None, About("Its secret, where it has one.")] = None
    flows: Annotated[
        tuple[SignInFlow, ...] | None,
        About(
            "How somebody signs in, the usual way first: `code` in a browser, `device` with a code to type elsewhere,"
            " `pasted` a refresh token, `service-account` a key file, `file` what another tool left."
        ),
    ] = None
    authorize_url: Annotated[str | None, About("Where somebody signs in, https, or http on this machine.")] = None
    token_url: Annotated[str | None, About("Where codes and refresh tokens become tokens.")] = None
    device_url: Annotated[str | None, About("Where device codes come from.")] = None
    usage_url: Annotated[str | None, About("Where it tells how much of its limits an account has used.")] = None
    models_url: Annotated[str | None, About("Where it tells which models an account may use.")] = None
    scopes: Annotated[tuple[str, ...] | None, About("Scopes asked for at sign-in.")] = None
    refresh_scopes: Annotated[tuple[str, ...] | None, About("Scopes asked for at a refresh.")] = None
    callback_host: Annotated[str | None, About("The host in the address that the browser is sent back to.")] = None
    callback_path: Annotated[str | None, About("The path in that address.")] = None
    callback_ports: Annotated[tuple[int, ...] | None, About("Ports on this machine for it, tried in their order.")] = (
        None
    )
    parameters: Annotated[
        Mapping[str, str] | None, About("Further parameters of the address where somebody signs in.")
    ] = None
    json_tokens: Annotated[bool | None, About("Whether the token-url takes JSON, not forms.")] = None
    subject_header: Annotated[str | None, About("The header in which requests name the account.")] = None
    claims: Annotated[ClaimsEntry, About("Where facts of an account stand in its tokens.")] = ClaimsEntry()
    files: Annotated[
        tuple[str, ...] | None, About("Where other tools leave what they were given, below the home folder.")
    ] = None
    subscription: Annotated[
        bool | None, About("Whether the plans of its accounts cover what is asked under them, at no further cost.")
    ] = None
    terms: Annotated[str | None, About("The notice about its terms, shown before the first sign-in.")] = None
    audience: Annotated[str | None, About("What service accounts name as such.")] = None
    proxy_url: Annotated[Secret | None, About("An http, https, socks5 or socks5h proxy to go through.")] = None
    ca_file: Annotated[
        str | None,
        About("A PEM file of authorities to trust in place of the system's, relative to the configuration file."),
    ] = None


class AccountsEntry(Value, frozen=True, rename="kebab"):
    key_file: Annotated[
        str | None,
        About(
            "The file of the key that tokens are encrypted with, relative to the configuration file. It is made when"
            " it is first needed, for its owner's eyes alone. Without it: `accounts.key` in the folder for data. The"
            " variable ISTHMUS_ACCOUNTS_KEY comes before it."
        ),
    ] = None
    keyring: Annotated[
        bool, About("Whether that key is in the keyring of the system in place of a file; takes the extra `keyring`.")
    ] = False
    issuers: Annotated[
        Mapping[str, IssuerEntry],
        About("Who accounts are signed in to at, by NAME: one of your own, or what is other of one that is known."),
    ] = {}
