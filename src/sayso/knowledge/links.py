"""Where a web page leads: its links as addresses that can be compared.

Only tags are looked for, with patterns that look at each character a fixed number of times: what
is in a page was written by strangers, and is read properly in a child (`read.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

MAX_URL_CHARS = 2048
MAX_LINKS = 2000
"""Links of one page that are looked at."""
WINDOW_CHARS = 65_536
"""A page is looked through in windows of this size: about 1 ms each."""
_TAG_CHARS = 4096
"""Longer tags are not looked at."""

_TAG = re.compile(rf"<(a|area|base|link)\b([^<>]{{1,{_TAG_CHARS}}})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(href|rel)[ \t\r\n]{0,9}=[ \t\r\n]{0,9}"""
    r"""(?:"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\s"'>]+))""",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"<[^<>]*>")
_NO_PAGES = re.compile(
    r"\.(?:7z|avi|bmp|bz2|css|csv|doc|docx|eot|epub|exe|gif|gz|ico|iso|jpe?g|js|json|m4a|mov|mp3|"
    r"mp4|mpe?g|ods|odt|ogg|pdf|png|ppt|pptx|rar|rss|svg|tar|tgz|tiff?|ttf|txt|wav|webm|webp|woff2?"
    r"|xls|xlsx|xml|zip)$",
    re.IGNORECASE,
)
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|msclkid|mc_[ce]id|_ga|phpsessid|jsessionid", re.IGNORECASE
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Links:
    """What a page says about addresses: where it leads, and what its own is."""

    leads_to: tuple[str, ...] = ()
    canonical: str | None = None


def origin_of(url: str) -> str:
    """Scheme, host and port of a normal address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(url: str) -> str:
    """Path and query of a normal address."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def normalise(href: str, base: str = "") -> str | None:
    """The address `href` means on the page `base`, so that equal ones are equal; None for none.

    Without fragment, user, default port, dots in the path, and parameters that only track people.
    """
    try:
        parts = urlsplit(urljoin(base, href.strip()))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.username is not None:
        return None
    shown = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        shown += f":{port}"
    path = quote(_without_dots(parts.path or "/"), safe="/%:@!$&'()*+,;=~")
    url = urlunsplit((parts.scheme, shown, path, _without_tracking(parts.query), ""))
    return url if len(url) <= MAX_URL_CHARS else None


def _without_dots(path: str) -> str:
    kept: list[str] = []
    pieces = path.split("/")
    for piece in pieces:
        if piece == "..":
            kept = kept[:-1] if len(kept) > 1 else kept
        elif piece != ".":
            kept.append(piece)
    if pieces[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept) or "/"


def _without_tracking(query: str) -> str:
    if not query:
        return ""
    if _TRACKING.search(query):
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
        query = urlencode([pair for pair in pairs if not _TRACKING.fullmatch(pair[0])])
    return quote(query, safe="=&%:@!$'()*+,;/?~[]")


def may_be_page(url: str) -> bool:
    """Whether an address does not end like that of a picture, an archive or a film."""
    return _NO_PAGES.search(urlsplit(url).path) is None


def windows(text: str, size: int = WINDOW_CHARS) -> Iterator[str]:
    """`text` in pieces that no short tag is cut by."""
    start = 0
    while start < len(text):
        end = start + size
        if end < len(text):
            tag = text.rfind("<", max(start + 1, end - _TAG_CHARS), end)
            end = tag if tag > start else end
        yield text[start:end]
        start = end


def without_tags(window: str) -> str:
    """What is left of a window when tags are taken out: pages that say the same are the same."""
    return _ANY_TAG.sub("", window)


class LinkFinder:
    """Finds the links of one page, window by window."""

    def __init__(self, url: str) -> None:
        self._url = self._base = url
        self._found: dict[str, None] = {}
        self._canonical: str | None = None

    def feed(self, window: str) -> None:
        """Look through the next piece."""
        for tag in _TAG.finditer(window):
            self._take(tag[1].lower(), _attributes(tag[2]))

    def finish(self) -> Links:
        """What was found, each once, in order."""
        return Links(tuple(self._found), self._canonical)

    def _take(self, tag: str, attributes: dict[str, str]) -> None:
        href = attributes.get("href", "")
        rel = attributes.get("rel", "").lower().split()
        if not href or href.startswith("#"):
            return
        if tag == "base":
            self._base = urljoin_or(self._base, href)
        elif tag == "link":
            if "canonical" in rel:
                self._canonical = normalise(href, self._base)
        elif "nofollow" not in rel and len(self._found) < MAX_LINKS:
            url = normalise(href, self._base)
            if url is not None and may_be_page(url):
                self._found[url] = None


def urljoin_or(base: str, href: str) -> str:
    """`href` seen from `base`, or `base` if that makes no sense."""
    try:
        return urljoin(base, href)
    except ValueError:
        return base


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), unescape(double or single or bare).strip())
    return found


def is_variant(canonical: str, url: str) -> bool:
    """Whether a page that calls itself `canonical` is the same page under another query.

    Sites are known to call all their pages by the address of the first; those are different ones.
    """
    one, other = urlsplit(canonical), urlsplit(url)
    same_path = one.path.rstrip("/") == other.path.rstrip("/")
    return one.netloc == other.netloc and same_path and canonical != url
