"""Which base URL was meant when the given one is wrong. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit, urlunsplit

from sayso.llm.findings import show_url

MAX_CANDIDATES = 6
"""How many other base URLs are tried when the given one is wrong."""

_PASTED = re.compile(
    r"(/chat)?/completions$|/(chat|models|responses|embeddings|messages|docs)$", re.IGNORECASE
)
_HOST = re.compile(r"[a-z0-9_.:-]+")
_NEAR = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
_DOUBLED = re.compile(r"(/[^/]+)\1+(?=/|$)")


def list_candidates(base_url: str, location: str | None = None) -> list[str]:
    """Base URLs that may have been meant, likeliest first; all on the same host.

    A pasted path is cut off, doubled parts are folded, `/v1` is added or taken away, and a
    redirect on the same host is followed: the key goes nowhere else.
    """
    parts = urlsplit(base_url.strip())
    path = parts.path.rstrip("/")
    bare = _PASTED.sub("", path)
    folded = _DOUBLED.sub(r"\1", bare)
    paths = [bare, folded]
    for start in (folded, bare):
        paths += [start.removesuffix("/v1") if start.endswith("/v1") else f"{start}/v1"]
    paths += ["/v1", "", "/api/v1", "/openai/v1", "/api"]
    found = [urlunsplit((parts.scheme, parts.netloc, p, parts.query, "")) for p in paths]
    if location and (redirected := _follow(base_url, location)):
        found.insert(0, redirected)
    given = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    return [url for url in dict.fromkeys(found) if url != given][:MAX_CANDIDATES]


def advise_url(base_url: str) -> str | None:
    """What to do about a base URL that cannot be called, if its mistake is a usual one."""
    given = base_url.strip()
    scheme, mark, rest = given.partition("://")
    authority = re.split(r"[/?#]", rest if mark else given, maxsplit=1)[0]
    if "@" in authority:
        return "Put the key into llm.apiKey, and take the user and the password out of baseURL."
    if mark or given.lower().startswith(("http:", "https:")) or not (host := _read_host(authority)):
        return None
    scheme = "http" if _is_near(host) else "https"
    return f"Set baseURL to {show_url(f'{scheme}://{given}')}, if that is what you meant."


def _read_host(authority: str) -> str:
    """The host in `authority`; "" if that cannot be one."""
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port  # raises ValueError when it is not a port
    except ValueError:
        return ""
    host = parts.hostname or ""
    return host if _HOST.fullmatch(host) else ""


def _is_near(host: str) -> bool:
    """Whether `host` hardly has a certificate: an address, a name without dots, one of a home."""
    try:
        ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_NEAR)
    return True


def _follow(base_url: str, location: str) -> str | None:
    """The base URL a redirect points to, if that is on the same host and no less private."""
    called = base_url.strip().rstrip("/") + "/chat/completions"
    try:
        here, there = urlsplit(called), urlsplit(urljoin(called, location))
        same = here.hostname == there.hostname and here.port == there.port
    except ValueError:
        return None
    upgraded = same and (here.scheme, there.scheme) == ("http", "https") and here.port is None
    if not upgraded and not (same and here.scheme == there.scheme):
        return None
    path = there.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((there.scheme, there.netloc, path, there.query, ""))
