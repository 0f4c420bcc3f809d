"""Every codec: for chat by dialect and operation, for embeddings and counting by dialect."""

from collections.abc import Mapping

from isthmus.core.operations import Operation
from isthmus.dialects.anthropic import count_tokens as anthropic_count
from isthmus.dialects.anthropic.messages import CODEC as ANTHROPIC_MESSAGES
from isthmus.dialects.bedrock import count_tokens as bedrock_count
from isthmus.dialects.bedrock import embed as bedrock_embed
from isthmus.dialects.bedrock.converse import CODEC as BEDROCK_CONVERSE
from isthmus.dialects.codec import Codec, CountCodec, EmbedCodec
from isthmus.dialects.gemini import count_tokens as gemini_count
from isthmus.dialects.gemini import embed as gemini_embed
from isthmus.dialects.gemini import predict as vertex_embed
from isthmus.dialects.gemini.generate import ARRAY_CODEC as GEMINI_ARRAY
from isthmus.dialects.gemini.generate import CODEC as GEMINI
from isthmus.dialects.ollama import embed as ollama_embed
from isthmus.dialects.ollama.chat import CODEC as OLLAMA_CHAT
from isthmus.dialects.ollama.generate import CODEC as OLLAMA_GENERATE
from isthmus.dialects.openai import count_tokens as openai_count
from isthmus.dialects.openai import embeddings as openai_embeddings
from isthmus.dialects.openai.chat import CODEC as OPENAI_CHAT
from isthmus.dialects.openai.completions import CODEC as OPENAI_COMPLETIONS
from isthmus.dialects.openai.responses import CODEC as OPENAI_RESPONSES

CODECS: Mapping[tuple[str, Operation], Codec] = {
    (codec.dialect, codec.operation): codec
    for codec in (
        OPENAI_CHAT,
        OPENAI_RESPONSES,
        OPENAI_COMPLETIONS,
        ANTHROPIC_MESSAGES,
        GEMINI,
        BEDROCK_CONVERSE,
        OLLAMA_CHAT,
        OLLAMA_GENERATE,
    )
} | {("gemini_array", Operation.CHAT): GEMINI_ARRAY}
"""A client that takes an array in place of events has a codec of its own, which is no provider's."""

EMBED_CODECS: Mapping[str, EmbedCodec] = {
    codec.dialect: codec
    for codec in (
        openai_embeddings.CODEC,
        gemini_embed.CODEC,
        gemini_embed.SINGLE_CODEC,
        vertex_embed.CODEC,
        vertex_embed.SINGLE_CODEC,
        bedrock_embed.TITAN_CODEC,
        bedrock_embed.COHERE_CODEC,
        ollama_embed.CODEC,
        ollama_embed.SINGLE,
    )
}

COUNT_CODECS: Mapping[str, CountCodec] = {
    codec.dialect: codec
    for codec in (openai_count.CODEC, anthropic_count.CODEC, gemini_count.CODEC, bedrock_count.CODEC)
}
