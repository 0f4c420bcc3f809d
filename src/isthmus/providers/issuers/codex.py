"""ChatGPT accounts, as the Codex CLI signs in to them.

Its client is public, and known to OpenAI as the Codex CLI's. Who asks is said by our own name: other programs that are
let in do the same. OpenAI's device codes are none of RFC 8628 and are left out.

Source: the Codex CLI, https://github.com/openai/codex, codex-rs/login: server.rs for the sign-in (of the fall-back
ports OpenAI's list has 1457), auth/manager.rs for refreshes, token_data.rs for the claims. The other ports are those
of codex-claude-proxy.
"""

from isthmus.providers.codex import BASE, CLIENT_VERSION, ORIGINATOR
from isthmus.providers.issuer import Claims, Issuer, SignInFlow

_AUTH = "https://api.openai.com/auth"

CODEX = Issuer(
    name="codex",
    title="ChatGPT",
    client_id="app_EMoamEEZ73f0CkXaXp7hrann",
    flows=(SignInFlow.CODE, SignInFlow.PASTED, SignInFlow.FILE),
    authorize_url="https://auth.openai.com/oauth/authorize",
    token_url="https://auth.openai.com/oauth/token",  # noqa: S106  an address
    usage_url="https://chatgpt.com/backend-api/wham/usage",
    models_url=f"{BASE}/models?client_version={CLIENT_VERSION}",
    scopes=("openid", "profile", "email", "offline_access"),
    refresh_scopes=("openid", "profile", "email"),
    callback_ports=(1455, 1457, 1456, 1458, 1459, 1460),
    parameters={
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
        "originator": ORIGINATOR[1].decode(),
        "prompt": "login",
        "max_age": "0",
    },
    subject_header=b"chatgpt-account-id",
    claims=Claims(subject=(_AUTH, "chatgpt_account_id"), plan=(_AUTH, "chatgpt_plan_type")),
    files=("${CODEX_HOME:-.codex}/auth.json", ".codex-claude-proxy/accounts.json"),
    subscription=True,
    terms=(
        "A ChatGPT subscription is for the person who has it, in OpenAI's own products. OpenAI may limit or close an"
        " account that is used in another way: read https://openai.com/policies/ before you sign in. Isthmus is"
        " neither made nor endorsed by OpenAI, and nothing is signed in to unless you do it."
    ),
)
