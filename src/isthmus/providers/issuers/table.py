"""All issuers that are known without configuration, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.providers.issuer import Issuer
from isthmus.providers.issuers.codex import CODEX
from isthmus.providers.issuers.google_service_account import GOOGLE_SERVICE_ACCOUNT

ISSUERS: Mapping[str, Issuer] = MappingProxyType({row.name: row for row in (CODEX, GOOGLE_SERVICE_ACCOUNT)})
