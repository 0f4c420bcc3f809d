"""The keys of a provider that may be used, by the names under which they are known to routing, limits and the log."""

from isthmus.config.schema_providers import KeyEntry, ProviderEntry


def named_keys(entry: ProviderEntry) -> dict[str, KeyEntry]:
    """The keys in use of a provider that has `api-keys`, its `api-key` first; none of one that has not."""
    if not entry.api_keys:
        return {}
    first = () if entry.api_key is None else (KeyEntry(key=entry.api_key),)
    numbered = enumerate((*first, *entry.api_keys), 1)
    return {key_name(key.name, number): key for number, key in numbered if key.enabled}


def key_name(name: str, position: int) -> str:
    """What a key is called that has this name, or none. `position` counts from 1, the `api-key` first."""
    return name or f"key-{position}"
