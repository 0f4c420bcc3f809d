from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Media, MediaKind, Text, Url
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_PICTURE = Media(MediaKind.IMAGE, Url("https://example.com/cat.jpg"))

REQUEST = replace(_REQUEST, messages=(Message(Role.USER, (_PICTURE, Text("What is it?"))),))
