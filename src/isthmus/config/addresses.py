"""Which addresses other machines can reach, and which are those of proxies."""

import ipaddress
from urllib.parse import urlsplit

PROXIES = ("http", "https", "socks5", "socks5h")
NO_PROXY = f"is not a proxy's address; write it like socks5://127.0.0.1:1080 ({', '.join(PROXIES)})"


def is_loopback(host: str) -> bool:
    """Is this an address that only this machine can reach?"""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in PROXIES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
