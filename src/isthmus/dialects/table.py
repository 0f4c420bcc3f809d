"""Every codec: for chat by dialect and operation, for embeddings and counting by dialect."""

from collections.abc import Mapping

from isthmus.core.operations import Operation
from isthmus.dialects.anthropic.messages import CODEC as ANTHROPIC_MESSAGES
from isthmus.dialects.bedrock.converse import CODEC as BEDROCK_CONVERSE
from isthmus.dialects.codec import Codec, CountCodec, EmbedCodec
from isthmus.dialects.ollama import embed as ollama_embed
from isthmus.dialects.ollama.chat import CODEC as OLLAMA_CHAT
from isthmus.dialects.ollama.generate import CODEC as OLLAMA_GENERATE
from isthmus.dialects.openai import embeddings as openai_embeddings
from isthmus.dialects.openai.chat import CODEC as OPENAI_CHAT

CODECS: Mapping[tuple[str, Operation], Codec] = {
    (codec.dialect, codec.operation): codec
    for codec in (OPENAI_CHAT, ANTHROPIC_MESSAGES, BEDROCK_CONVERSE, OLLAMA_CHAT, OLLAMA_GENERATE)
}

EMBED_CODECS: Mapping[str, EmbedCodec] = {
    codec.dialect: codec for codec in (openai_embeddings.CODEC, ollama_embed.CODEC, ollama_embed.SINGLE)
}

COUNT_CODECS: Mapping[str, CountCodec] = {}
