"""LiteLLM's keys of one deployment: how it is reached, and what is known of its model."""

from functools import partial

from isthmus.catalog.litellm import ABILITIES, RATES
from isthmus.config.imports.draft import (
    BESIDE,
    Draft,
    Row,
    Table,
    differs,
    lost,
    mapping,
    number,
    reads,
    same,
    text,
    whole,
)
from isthmus.config.imports.prices import per_million
from isthmus.config.imports.report import Fit
from isthmus.config.problems import Path
from isthmus.core.facts import Ability

PER_TOKEN = 1_000_000
"""What a price for one token is multiplied with."""
_NOT_WRITTEN = "parameters are not written into requests here"
_OWN_AWS = "is not written down here; AWS's own variables, files and roles are used, as its tools use them"
_ONLY_TIMES = "is a way of counting that is not there"


def _headers(draft: Draft, value: object, path: Path) -> None:
    for name, one in mapping(draft, value, path):
        draft.put(("headers", name), text(draft, one, (*path, name)), (*path, name))


def _credentials(draft: Draft, value: object, path: Path) -> None:
    said = text(draft, value, path)
    if said.lstrip().startswith("{"):
        draft.note(Fit.NO_EQUAL, path, "holds credentials; put them into a file and name it by credentials-file")
    elif said:
        draft.put(("credentials-file",), said, path)


def _budget(draft: Draft, value: object, path: Path) -> None:
    """A budget is one for a day where nothing else is said; `budget_duration` is looked at on its own."""
    draft.note(Fit.DIFFERS, path, "is taken for one day")
    if (dollars := number(draft, value, path)) is not None:
        draft.put(("dollars-per-day",), max(0.01, dollars), path)


def _count(draft: Draft, value: object, path: Path, *, ours: tuple[str, ...]) -> None:
    if (many := whole(draft, value, path)) is not None:
        draft.put(ours, many, path)


def _counted(*ours: str) -> Row:
    return reads(partial(_count, ours=ours))


def _rate(ours: str) -> Row:
    def read(draft: Draft, value: object, path: Path) -> None:
        if (cost := number(draft, value, path)) is None:
            return
        for missing in {"input", "output"} - draft.under("price").known():
            draft.put(("price", missing), 0, path)
        draft.put(("price", ours), per_million(max(0.0, cost), PER_TOKEN), path)

    return reads(read)


def _ability(ability: Ability) -> Row:
    def read(draft: Draft, value: object, path: Path) -> None:
        which = "can" if text(draft, value, path) == "true" else "cannot"
        if not (draft.holds(ability, "can") or draft.holds(ability, "cannot")):
            draft.append((which,), str(ability), path)

    return reads(read)


_COSTS: Table = {field: _rate(ours.replace("_", "-")) for field, ours in RATES.items()}
PARAMS: Table = {
    **{name: BESIDE for name in ("model", "api_base", "base_url", "custom_llm_provider", "weight", "order", *_COSTS)},
    "api_key": same("api-key"),
    "api_version": same("api-version"),
    "organization": same("headers", "OpenAI-Organization"),
    "extra_headers": reads(_headers),
    "headers": reads(_headers),
    "rpm": _counted("requests-per-minute"),
    "tpm": _counted("tokens-per-minute"),
    "max_parallel_requests": _counted("concurrency", "most"),
    "timeout": same("deadlines", "total"),
    "stream_timeout": differs("is the time to the first byte", "deadlines", "first-byte"),
    "aws_region_name": same("region"),
    "aws_profile_name": same("profile"),
    "vertex_project": same("project"),
    "vertex_location": same("region"),
    "vertex_credentials": reads(_credentials),
    "tenant_id": same("tenant-id"),
    "client_id": same("client-id"),
    "client_secret": same("client-secret"),
    "max_budget": reads(_budget),
    "budget_duration": lost("budgets of a provider are for a day", "1d", "24h"),
    "drop_params": lost("what a provider cannot be told is left out and reported; see on-loss", True),
    "additional_drop_params": lost("what a provider cannot be told is left out and reported; see on-loss"),
    "num_retries": lost("tries are counted for all providers together, by limits.attempts"),
    "max_retries": lost("tries are counted for all providers together, by limits.attempts"),
    "cooldown_time": lost("how long a place rests follows from what it answered"),
    "tags": lost("write a branch of the route with when.tags"),
    "mock_response": lost("nothing is answered that no provider said"),
    "litellm_credential_name": lost("write the key here"),
    "azure_ad_token": lost("tokens are fetched, with tenant-id and client-id or what the machine can prove"),
    **{
        name: lost(_OWN_AWS)
        for name in (
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
            "aws_role_name",
            "aws_session_name",
            "aws_web_identity_token",
            "aws_sts_endpoint",
            "aws_bedrock_runtime_endpoint",
            "aws_external_id",
        )
    },
    **{
        name: lost(_NOT_WRITTEN)
        for name in (
            "allowed_openai_params",
            "cache_control_injection_points",
            "extra_body",
            "frequency_penalty",
            "guardrails",
            "input_type",
            "logit_bias",
            "max_completion_tokens",
            "max_tokens",
            "merge_reasoning_content_in_choices",
            "modify_params",
            "n",
            "presence_penalty",
            "prompt_id",
            "reasoning_effort",
            "response_format",
            "seed",
            "service_tier",
            "stop",
            "stream",
            "temperature",
            "thinking",
            "tool_choice",
            "tools",
            "top_k",
            "top_p",
            "user",
        )
    },
    "configurable_clientside_auth_params": lost("clients do not name keys or addresses of providers", False),
    "input_cost_per_second": lost(_ONLY_TIMES),
    "output_cost_per_second": lost(_ONLY_TIMES),
    "max_file_size_mb": lost("bodies are bounded for all, by limits.request-body"),
    "ssl_verify": lost("certificates are always checked; ca-file names others to trust", True),
    "use_in_pass_through": lost("there are no pass-through routes beside those of the dialects", False),
    "use_litellm_proxy": lost("name the other gateway as a provider", False),
}
FACTS: Table = {
    **_COSTS,
    **{field: _ability(ability) for field, ability in ABILITIES.items()},
    "max_tokens": _counted("output-limit"),
    "max_input_tokens": _counted("input-limit"),
    "max_output_tokens": _counted("output-limit"),
    "input_cost_per_second": lost(_ONLY_TIMES),
    "output_cost_per_second": lost(_ONLY_TIMES),
    "access_groups": lost("a client key names the models it may ask"),
    "health_check_model": lost("providers are not asked anything to check them"),
    "disable_background_health_check": lost("providers are not asked anything to check them", True),
    "base_model": lost("name the model's facts under models, where the catalogue does not know it"),
    "litellm_provider": BESIDE,
    **{
        name: Row()
        for name in (
            "created_at",
            "created_by",
            "db_model",
            "description",
            "id",
            "key",
            "metadata",
            "mode",
            "supports_native_streaming",
            "supports_system_messages",
            "supports_tool_choice",
            "tags",
            "team_id",
            "team_public_model_name",
            "updated_at",
            "updated_by",
            "version",
        )
    },
}
"""Those without a reader describe a deployment to people, or what is found out here."""
DEPLOYMENT: Table = {
    "model_name": BESIDE,
    "litellm_params": BESIDE,
    "model_info": BESIDE,
    "rpm": BESIDE,
    "tpm": BESIDE,
    "model_group_alias": lost("stands under router_settings"),
}
