"""By dialect, strategies for the requests and answers that it says whole, in the normal form."""

from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from isthmus.core.chat import ChatRequest
from isthmus.core.reply import ChatReply
from support import sayable_bedrock as bedrock
from support import sayable_completions as completions
from support import sayable_gemini as gemini
from support import sayable_ollama as ollama
from support import sayable_responses as responses
from support import strategies

_REQUESTS: Mapping[str, Callable[[], st.SearchStrategy[ChatRequest]]] = {
    "openai_chat": strategies.openai_requests,
    "anthropic": strategies.anthropic_requests,
    "bedrock": bedrock.requests,
    "gemini": gemini.requests,
    "ollama": ollama.requests,
    "ollama_generate": ollama.prompts,
    "openai_responses": responses.requests,
    "openai_completions": completions.requests,
}
_REPLIES: Mapping[str, Callable[[], st.SearchStrategy[ChatReply]]] = {
    "openai_chat": strategies.openai_replies,
    "anthropic": strategies.anthropic_replies,
    "bedrock": bedrock.replies,
    "gemini": gemini.replies,
    "ollama": ollama.replies,
    "ollama_generate": ollama.replies,
    "openai_responses": responses.replies,
    "openai_completions": completions.replies,
}


def sayable_requests(dialect: str) -> st.SearchStrategy[ChatRequest]:
    """Requests that the dialect says whole."""
    return _REQUESTS[dialect]()


def sayable_replies(dialect: str) -> st.SearchStrategy[ChatReply]:
    """Answers that the dialect tells whole."""
    return _REPLIES[dialect]()
