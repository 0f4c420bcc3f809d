"""Every codec: for chat by dialect and operation, for embeddings and counting by dialect."""

from collections.abc import Mapping

from isthmus.core.operations import Operation
from isthmus.dialects.anthropic.messages import CODEC as ANTHROPIC_MESSAGES
from isthmus.dialects.codec import Codec, CountCodec, EmbedCodec
from isthmus.dialects.openai.chat import CODEC as OPENAI_CHAT

CODECS: Mapping[tuple[str, Operation], Codec] = {
    (codec.dialect, codec.operation): codec for codec in (OPENAI_CHAT, ANTHROPIC_MESSAGES)
}

EMBED_CODECS: Mapping[str, EmbedCodec] = {}

COUNT_CODECS: Mapping[str, CountCodec] = {}
