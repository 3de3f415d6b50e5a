"""Which page a browser's request comes from, and whether that is one of ours. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

_ORIGIN = re.compile(
    r"(https?)://([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"
)
_USUAL_PORT: Final = {"http": ":80", "https": ":443"}
ORIGIN_PATTERN: Final = (
    r"^https?://([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$"
)
"""What `read_origin` takes, as JSON Schema says it."""
OUR_SITES: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of a request by a page of ours, and of one typed into the address bar."""


def read_origin(text: str) -> str | None:
    """`text` as a browser writes an origin: lower case, no usual port, no slash; or None.

    Args:
        text: such as `https://Shop.example/`.
    """
    found = _ORIGIN.fullmatch(text.lower().removesuffix("/"))
    if found is None:
        return None
    scheme, host, port = found[1], found[2], found[4] or ""
    return f"{scheme}://{host}{'' if port == _USUAL_PORT[scheme] else port}"


def is_ours(origin: str, host: str | None, url: str) -> bool:
    """Whether a page at `origin` is one that this server served.

    Args:
        origin: the request's `Origin`.
        host: its `Host`. A proxy may have taken TLS off on the way, so the scheme may differ.
        url: the base URL of this server.
    """
    read = read_origin(origin)
    if read is None:
        return False
    ours = {origin_of(url)} | {read_origin(f"{scheme}://{host}") for scheme in _USUAL_PORT}
    return read in ours


def origin_of(url: str) -> str | None:
    """The origin of a page at `url`."""
    parts = urlsplit(url)
    return read_origin(f"{parts.scheme}://{parts.netloc}")


def address_of(peer: str | None, forwarded: str | None, proxies: int) -> str:
    """Whose requests count together: an IPv4 address, or the /64 network of an IPv6 one.

    Args:
        peer: who opened the connection.
        forwarded: `X-Forwarded-For`; its last entry was written by the nearest proxy.
        proxies: how many of ours are in front. What stands before their entries is hearsay.
    """
    told = [part.strip() for part in (forwarded or "").split(",")] if proxies else []
    text = told[-proxies] if len(told) >= proxies > 0 else peer or ""
    try:
        address = ip_address(text)
    except ValueError:
        return peer or "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{address.exploded[:19]}::/64"
    return str(address)
