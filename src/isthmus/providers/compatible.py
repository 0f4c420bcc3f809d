"""Hosts that speak OpenAI's chat dialect, one row each.

Addresses and key variables were read in each host's own documentation or, where that was
silent, in two independent client libraries, on 2026-11-21. A quirk is listed only when the
host refuses a request for it, or knows a field by one name alone; its witness stands beside it.

`openai_responses` is named only where the host's Responses do what its chat does not (they keep
state, or give thinking back to be kept) and take what the clients of that dialect send; the others
are asked by chat, which loses nothing. `openai_completions` is named where the host documents it.
"""

from isthmus.core.operations import Operation
from isthmus.providers.host import OPENAI_CHAT, Host, Spoken
from isthmus.providers.quirks import Quirks

_RESPONSES, _COMPLETIONS = "openai_responses", "openai_completions"


def _chat(*dialects: str) -> Spoken:
    return {Operation.CHAT: dialects}


_MAX_TOKENS = Quirks(rename={"max_completion_tokens": "max_tokens"})
_RESPONDS = _chat(OPENAI_CHAT, _RESPONSES)
_CONTINUES = _chat(OPENAI_CHAT, _COMPLETIONS)
_BOTH = _chat(OPENAI_CHAT, _RESPONSES, _COMPLETIONS)
_NO_EMBEDDINGS: Spoken = {Operation.EMBED: ()}

COMPATIBLE: tuple[Host, ...] = (
    # console.groq.com/docs/openai: the first three fields are answered with 400. Any other that it does not know is
    # answered "property ... is unsupported": github.com/fanenr/chatbot/issues/21 (store),
    # github.com/eigent-ai/eigent/issues/1827 (prompt_cache_key),
    # github.com/skye-harris/hass_local_openai_llm/issues/59 (metadata). console.groq.com/docs/responses-api: neither
    # `include` nor state.
    Host(
        "groq",
        "https://api.groq.com/openai/v1",
        ("GROQ_API_KEY",),
        quirks=Quirks(
            drop=frozenset(
                {
                    "logprobs",
                    "top_logprobs",
                    "logit_bias",
                    "store",
                    "metadata",
                    "prompt_cache_key",
                    "prompt_cache_retention",
                    "safety_identifier",
                    "verbosity",
                }
            )
        ),
        also=_NO_EMBEDDINGS,
    ),
    # openrouter.ai/docs/api/reference/responses: stateless, with encrypted reasoning.
    Host("openrouter", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",), also=_BOTH),
    # api-docs.deepseek.com/api/create-chat-completion knows max_tokens only; /guides/responses_api was made for Codex.
    Host(
        "deepseek",
        "https://api.deepseek.com",
        ("DEEPSEEK_API_KEY",),
        quirks=_MAX_TOKENS,
        also={**_RESPONDS, **_NO_EMBEDDINGS},
    ),
    # docs.mistral.ai/api: every field it does not know is answered with 422 extra_forbidden. Seen for
    # max_completion_tokens and store (github.com/Gitlawb/openclaude/issues/739) and for
    # stream_options.include_usage (github.com/avante-corp/avante.nvim/issues/2347); a stream's last
    # chunk carries usage unasked. The seed is called random_seed. Which fields it knows:
    # github.com/mistralai/client-python, models/chatcompletionrequest.py.
    Host(
        "mistral",
        "https://api.mistral.ai/v1",
        ("MISTRAL_API_KEY",),
        quirks=Quirks(
            rename={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
            drop=frozenset(
                {
                    "store",
                    "stream_options",
                    "user",
                    "logit_bias",
                    "logprobs",
                    "top_logprobs",
                    "service_tier",
                    "verbosity",
                    "safety_identifier",
                    "prompt_cache_retention",
                    "modalities",
                    "audio",
                    "web_search_options",
                }
            ),
        ),
        # docs.mistral.ai/deployment/ai-studio/tier: limits are those of the organisation.
        limits_account=True,
    ),
    # docs.x.ai/developers/model-capabilities/text/comparison: Responses are the API that is kept, and the only one that
    # gives thinking back. Both penalties are refused by models that think, which all are by now:
    # github.com/miaoxworld/NativeTavern/issues/83, github.com/open-webui/open-webui/issues/21266.
    Host(
        "xai",
        "https://api.x.ai/v1",
        ("XAI_API_KEY",),
        quirks=Quirks(drop=frozenset({"frequency_penalty", "presence_penalty"})),
        also={**_chat(_RESPONSES, OPENAI_CHAT), **_NO_EMBEDDINGS},
    ),
    # docs.together.ai/reference: chat, completions and embeddings.
    Host("together", "https://api.together.xyz/v1", ("TOGETHER_API_KEY",), also=_CONTINUES),
    # docs.fireworks.ai/guides/response-api (stateful), /api-reference/post-completions.
    Host("fireworks", "https://api.fireworks.ai/inference/v1", ("FIREWORKS_API_KEY",), also=_BOTH),
    # inference-docs.cerebras.ai/resources/openai: the first three fields are answered with 400, as is store:
    # github.com/huggingface/huggingface.js/pull/2268, github.com/Gitlawb/openclaude/issues/740.
    Host(
        "cerebras",
        "https://api.cerebras.ai/v1",
        ("CEREBRAS_API_KEY",),
        quirks=Quirks(drop=frozenset({"frequency_penalty", "presence_penalty", "logit_bias", "store"})),
        also={**_CONTINUES, **_NO_EMBEDDINGS},
    ),
    # docs.perplexity.ai/docs/agent-api/openai-compatibility. Chat was switched off on 2026-09-27:
    # .../agent-api/migrate-from-sonar. Models of other makers are called maker/model there.
    Host(
        "perplexity",
        "https://api.perplexity.ai/v1",
        ("PERPLEXITY_API_KEY",),
        also=_chat(_RESPONSES),
        models=("perplexity/*",),
        listed=False,
    ),
    # docs.api.nvidia.com/nim/reference/llm-apis: each model's request schema is closed and has max_tokens.
    Host("nvidia", "https://integrate.api.nvidia.com/v1", ("NVIDIA_API_KEY",), quirks=_MAX_TOKENS),
    # HF_TOKEN is set by whoever downloads models, which is no wish to send prompts there.
    Host("huggingface", "https://router.huggingface.co/v1", ("HF_TOKEN",), automatic=False),
    Host("moonshot", "https://api.moonshot.ai/v1", ("MOONSHOT_API_KEY",)),
    Host("zai", "https://api.z.ai/api/paas/v4", ("ZAI_API_KEY", "ZHIPU_API_KEY"), listed=False, models=("glm-*",)),
    Host("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", ("DASHSCOPE_API_KEY",)),
    Host("minimax", "https://api.minimax.io/v1", ("MINIMAX_API_KEY",)),
    # docs.github.com/en/rest/models: the catalogue lives elsewhere, in another shape. GITHUB_TOKEN is
    # set on every build machine, which is no wish to send prompts there.
    Host(
        "github",
        "https://models.github.ai/inference",
        ("GITHUB_TOKEN",),
        models=("openai/*", "meta/*", "microsoft/*", "mistral-ai/*", "deepseek/*", "xai/*", "cohere/*"),
        listed=False,
        automatic=False,
    ),
    # docs.sambanova.ai/docs/api-reference/completions.
    Host("sambanova", "https://api.sambanova.ai/v1", ("SAMBANOVA_API_KEY",), also=_CONTINUES),
    Host("hyperbolic", "https://api.hyperbolic.xyz/v1", ("HYPERBOLIC_API_KEY",)),
    # novita.ai/docs/api-reference/model-apis-llm-create-completion.
    Host("novita", "https://api.novita.ai/openai/v1", ("NOVITA_API_KEY",), also=_CONTINUES),
    Host("nebius", "https://api.tokenfactory.nebius.com/v1", ("NEBIUS_API_KEY",)),
    Host("deepinfra", "https://api.deepinfra.com/v1/openai", ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN")),
    Host("siliconflow", "https://api.siliconflow.com/v1", ("SILICONFLOW_API_KEY",)),
    # docs.cohere.com/docs/compatibility-api; its list of supported fields has max_tokens.
    Host(
        "cohere",
        "https://api.cohere.ai/compatibility/v1",
        ("CO_API_KEY", "COHERE_API_KEY"),
        quirks=_MAX_TOKENS,
        models=("command-*",),
        listed=False,
    ),
    Host("ai21", "https://api.ai21.com/studio/v1", ("AI21_API_KEY",), models=("jamba-*",), listed=False),
    Host("upstage", "https://api.upstage.ai/v1/solar", ("UPSTAGE_API_KEY",), models=("solar-*",), listed=False),
    Host("baseten", "https://inference.baseten.co/v1", ("BASETEN_API_KEY",)),
    Host("venice", "https://api.venice.ai/api/v1", ("VENICE_API_KEY",)),
    # The host's own examples set max_tokens.
    Host("chutes", "https://llm.chutes.ai/v1", ("CHUTES_API_KEY",), quirks=_MAX_TOKENS),
    Host(
        "friendli",
        "https://api.friendli.ai/serverless/v1",
        ("FRIENDLI_TOKEN",),
    ),
    Host("nscale", "https://inference.api.nscale.com/v1", ("NSCALE_API_KEY",)),
    Host("featherless", "https://api.featherless.ai/v1", ("FEATHERLESS_API_KEY",)),
    Host("scaleway", "https://api.scaleway.ai/v1", ("SCALEWAY_API_KEY",)),
    Host("inference-net", "https://api.inference.net/v1", ("INFERENCE_API_KEY",)),
    # creator.poe.com/docs/external-applications/openai-compatible-api: reasoning and state by Responses only.
    Host("poe", "https://api.poe.com/v1", ("POE_API_KEY",), quirks=_MAX_TOKENS, also=_RESPONDS),
    Host("vercel", "https://ai-gateway.vercel.sh/v1", ("AI_GATEWAY_API_KEY",)),
    Host("meta-llama", "https://api.llama.com/compat/v1", ("LLAMA_API_KEY",)),
    # Servers on the user's own machine, at the ports they choose by themselves.
    # lmstudio.ai/docs/app/api/endpoints/openai and /blog/lmstudio-v0.3.29 (stateful Responses).
    Host("lmstudio", "http://127.0.0.1:1234/v1", also=_BOTH),
    # docs.vllm.ai/en/latest/serving/openai_compatible_server.html.
    Host("vllm", "http://127.0.0.1:8000/v1", also=_BOTH),
    # github.com/ggml-org/llama.cpp, tools/server/README.md: its Responses are made of chat.
    Host("llamacpp", "http://127.0.0.1:8080/v1", also=_CONTINUES),
    Host("compatible", None),
)
