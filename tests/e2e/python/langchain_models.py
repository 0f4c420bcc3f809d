"""LangChain's chat models, and LlamaIndex's."""

from collections.abc import Callable
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from tell import KEY, QUESTION, ROOT, WRONG, Scenario, Weather, at, get_weather, status_of, tell

Make = Callable[[str, str], BaseChatModel]


def chat(name: str, key: str) -> BaseChatModel:
    return ChatOpenAI(model=name, base_url=f"{ROOT}/v1", api_key=key, max_retries=0)


def messages(name: str, key: str) -> BaseChatModel:
    return ChatAnthropic(model=name, base_url=ROOT, api_key=key, max_retries=0, max_tokens=512)


def gemini(name: str, key: str) -> BaseChatModel:
    return ChatGoogleGenerativeAI(model=name, base_url=ROOT, google_api_key=key, max_retries=0)


def ollama(name: str, key: str) -> BaseChatModel:
    return ChatOllama(model=name, base_url=ROOT, client_kwargs={"headers": {"Authorization": f"Bearer {key}"}})


def words(message: Any) -> str:
    content = message.content
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def scenarios(make: Make) -> dict[str, Scenario]:
    def tools(provider: str) -> str:
        model = make(at("calls-two", provider), KEY).bind_tools([get_weather])
        said: list[Any] = [HumanMessage(QUESTION)]
        said.append(model.invoke(said))
        said += [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in said[-1].tool_calls]
        return words(model.invoke(said))

    return {
        "text": lambda at_: words(make(at("says-hello", at_), KEY).invoke(QUESTION)),
        "stream": lambda at_: "".join(words(piece) for piece in make(at("says-hello", at_), KEY).stream(QUESTION)),
        "tools": tools,
        "structured": lambda at_: (
            make(at("gives-json", at_), KEY).with_structured_output(Weather).invoke(QUESTION).model_dump()
        ),
        "bad key": lambda at_: status_of(lambda: make(at("says-hello", at_), WRONG).invoke(QUESTION)),
        "unknown model": lambda at_: status_of(lambda: make(at("nobody", at_), KEY).invoke(QUESTION)),
    }


def indexed(script: str, provider: str, key: str = KEY) -> OpenAILike:
    return OpenAILike(
        model=at(script, provider),
        api_base=f"{ROOT}/v1",
        api_key=key,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
    )


def index_tools(provider: str) -> str:
    tool = FunctionTool.from_defaults(get_weather)
    answer = indexed("calls-two", provider).chat_with_tools([tool], user_msg=QUESTION, allow_parallel_tool_calls=True)
    said = [ChatMessage(role="user", content=QUESTION), answer.message]
    for call in indexed("calls-two", provider).get_tool_calls_from_response(answer):
        told = get_weather(**call.tool_kwargs)
        said.append(ChatMessage(role="tool", content=told, additional_kwargs={"tool_call_id": call.tool_id}))
    return str(indexed("calls-two", provider).chat_with_tools([tool], chat_history=said).message.content)


tell(
    {
        "langchain openai": scenarios(chat),
        "langchain anthropic": scenarios(messages),
        "langchain google": scenarios(gemini),
        "langchain ollama": scenarios(ollama),
        "llama-index": {
            "text": lambda at_: indexed("says-hello", at_).complete(QUESTION).text,
            "stream": lambda at_: "".join(
                piece.delta or "" for piece in indexed("says-hello", at_).stream_complete(QUESTION)
            ),
            "tools": index_tools,
            "bad key": lambda at_: status_of(lambda: indexed("says-hello", at_, WRONG).complete(QUESTION)),
            "unknown model": lambda at_: status_of(lambda: indexed("nobody", at_).complete(QUESTION)),
        },
    }
)
