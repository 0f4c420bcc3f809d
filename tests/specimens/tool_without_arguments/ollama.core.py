from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import Tool
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_SCHEMA = Raw(b'{"type":"object","properties":{}}')
REQUEST = replace(_REQUEST, tools=(Tool("clock", "The time of day.", _SCHEMA),))
