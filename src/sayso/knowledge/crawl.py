"""Visits web pages: one, or those of a site that it leads to, in a polite and bounded way.

Everything goes through a guarded session, which judges each address when it connects; redirects are
followed here, one by one, so each hop is judged, too. A site is visited on the origin where its
first page is found in the end; its `robots.txt` is obeyed. A page its owner names alone is fetched
as a browser would fetch it.
"""

from __future__ import annotations

import asyncio
import codecs
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from sayso.errors import FetchCode, FetchError
from sayso.knowledge.links import (
    LinkFinder,
    Links,
    is_variant,
    normalise,
    origin_of,
    path_of,
    windows,
    without_tags,
)
from sayso.knowledge.robots import EVERYTHING, MAX_CHARS, Robots, parse_robots
from sayso.knowledge.web import VisitLimits, WebPage
from sayso.security.outbound import find_refusal, hang_up, open_session, refuse_literal

KINDS = ("text/html", "application/xhtml+xml")
_HEADERS = {"Accept": "text/html,application/xhtml+xml;q=0.9", "Accept-Encoding": "gzip, deflate"}
_PIECE_BYTES = 65_536
_CODECS = ("big5", "cp", "euc", "gb", "iso", "koi8", "mac", "shift_jis", "utf-16")
"""Encodings of web pages; others that Python knows may take quadratic time (punycode)."""
_MAX_WAITING = 20_000
"""Addresses that wait; beyond it new ones are not remembered."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str
    body: bytes
    charset: str | None


class Crawler:
    """Makes visits, each with a session of its own."""

    def __init__(self, limits: VisitLimits, *, private: bool) -> None:
        """`private` is the setting `outbound_private`."""
        self._limits = limits
        self._private = private

    async def visit(self, url: str, max_pages: int | None, note: Note) -> AsyncGenerator[WebPage]:
        """The page at `url` and, unless `max_pages` is None, those of its site it leads to.

        `note` hears in sentences what was left out.

        Raises:
            FetchError: the first page cannot be had.
        """
        limits = self._limits
        async with open_session(
            private=self._private, limit=limits.parallel, headers=_HEADERS
        ) as session:
            fetcher = _Fetcher(session, limits, private=self._private)
            if max_pages is None:
                answer = await fetcher.fetch(_address(url))
                yield WebPage(answer.url, _marked(answer))
                return
            site = _Site(fetcher, limits, max_pages, note)
            async for page in site.walk(_address(url)):
                yield page


class _Fetcher:
    """Fetches pages, within the time of the visit."""

    def __init__(
        self, session: aiohttp.ClientSession, limits: VisitLimits, *, private: bool
    ) -> None:
        self._session = session
        self._limits = limits
        self._private = private
        self._until_s = self._now_s() + limits.total_s

    @property
    def is_over(self) -> bool:
        """Whether the time of the visit is over."""
        return self._now_s() >= self._until_s

    async def fetch(self, url: str, allow: Callable[[str], bool] = lambda _: True) -> _Answer:
        """The page at `url` or where that leads to, as long as `allow` likes each hop.

        Raises FetchError.
        """
        for _ in range(self._limits.redirects + 1):
            if not allow(url):
                raise FetchError(
                    f"{url} is left out by the site's robots.txt, or on another site.",
                    code=FetchCode.ROBOTS,
                )
            found = await self._guarded(url, KINDS, self._limits.page_bytes)
            if isinstance(found, _Answer):
                return found
            url = found
        raise FetchError(
            f"{url} only leads from one address to the next.", code=FetchCode.UNREACHABLE
        )

    async def fetch_robots(self, origin: str) -> Robots:
        """What a site allows: all if it says nothing (RFC 9309).

        Raises:
            FetchError: it cannot be asked, and then it allows nothing.
        """
        url = f"{origin}/robots.txt"
        try:
            for _ in range(self._limits.redirects + 1):
                found = await self._guarded(url, (), MAX_CHARS)
                if isinstance(found, _Answer):
                    return parse_robots(found.body.decode("utf-8", "replace"))
                url = found
        except FetchError as error:
            if error.code is not FetchCode.REFUSED:
                raise
        return EVERYTHING

    async def _guarded(self, url: str, kinds: Sequence[str], max_bytes: int) -> _Answer | str:
        """One request, with whatever can go wrong as a FetchError."""
        left_s = min(self._limits.page_s, self._until_s - self._now_s())
        try:
            refuse_literal(urlsplit(url).hostname or "", private=self._private)
            async with asyncio.timeout(max(left_s, 0.0)):
                return await self._request(url, kinds, max_bytes)
        except TimeoutError:
            raise FetchError(
                f"{url} did not come within {self._limits.page_s:g} s.", code=FetchCode.TOO_SLOW
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explain(url, error) from error

    async def _request(self, url: str, kinds: Sequence[str], max_bytes: int) -> _Answer | str:
        async with self._session.get(URL(url), allow_redirects=False) as response:
            try:
                return await _take(url, response, kinds, max_bytes)
            finally:
                hang_up(response)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


async def _take(
    url: str, response: aiohttp.ClientResponse, kinds: Sequence[str], max_bytes: int
) -> _Answer | str:
    """The body, or where it is said to be. Raises FetchError."""
    if response.status in {301, 302, 303, 307, 308}:
        location = response.headers.get("Location", "")
        target = normalise(location, url)
        if not location or target is None:
            raise FetchError(f"{url} leads nowhere.", code=FetchCode.UNREACHABLE)
        return target
    if response.status != 200:
        raise _refusal(url, response.status)
    if kinds and response.content_type not in kinds:
        raise FetchError(
            f"{url} is no web page but {response.content_type}.",
            code=FetchCode.NO_PAGE,
            hint="Upload it as a file, if it is a document.",
        )
    body = await _read_body(url, response, max_bytes, cut=not kinds)
    return _Answer(url, body, response.charset)


async def _read_body(
    url: str, response: aiohttp.ClientResponse, max_bytes: int, *, cut: bool
) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(_PIECE_BYTES):
        body += piece
        if len(body) > max_bytes:
            if cut:
                return bytes(body[:max_bytes])
            raise FetchError(
                f"{url} has more than {max_bytes:,} bytes, the most that are taken.",
                code=FetchCode.TOO_BIG,
                hint="The operator can raise SAYSO_MAX_PAGE_BYTES.",
            )
    return bytes(body)


def _refusal(url: str, status: int) -> FetchError:
    if status >= 500 or status == 429:
        return FetchError(f"The server of {url} answered {status}.", code=FetchCode.UNREACHABLE)
    hint = "It asks for a login." if status in {401, 403} else None
    return FetchError(f"{url} answered {status}.", code=FetchCode.REFUSED, hint=hint)


def _explain(url: str, error: Exception) -> FetchError:
    if why := find_refusal(error):
        return FetchError(
            f"{url} must not be called: {why}.",
            code=FetchCode.NOT_ALLOWED,
            hint="Name a public address.",
        )
    return FetchError(
        f"{url} cannot be reached ({type(error).__name__}).",
        code=FetchCode.UNREACHABLE,
        hint="Open it in a browser to see whether it is there.",
    )


class _Site:
    """One visit to a site: breadth first, each page once."""

    def __init__(self, fetcher: _Fetcher, limits: VisitLimits, most: int, note: Note) -> None:
        self._fetcher = fetcher
        self._limits = limits
        self._most = most
        self._note = note
        self._robots = EVERYTHING
        self._origin = ""
        self._waiting: deque[tuple[str, int]] = deque()
        self._seen: set[str] = set()
        self._contents: set[bytes] = set()
        self._count = 0
        self._failed: list[FetchError] = []
        self._in_a_row = 0

    async def walk(self, start: str) -> AsyncGenerator[WebPage]:
        """The pages, the first one first. Raises FetchError if that one cannot be had."""
        first = await self._enter(start)
        page = await self._open(first, 0)
        if page is not None:
            yield page
        while self._goes_on():
            wave = [self._waiting.popleft() for _ in range(self._width())]
            for page in await self._fetch_wave(wave):
                yield page
        self._tell()

    async def _enter(self, start: str) -> _Answer:
        """The first page; where it is found in the end is the site."""
        robots: dict[str, Robots] = {}
        url = start
        for _ in range(self._limits.redirects + 1):
            origin = origin_of(url)
            if origin not in robots:
                robots[origin] = await self._fetcher.fetch_robots(origin)
            if not robots[origin].allow(path_of(url)):
                raise FetchError(
                    f"{url} is left out by the site's robots.txt.",
                    code=FetchCode.ROBOTS,
                    hint="Allow it there for the user agent sayso, or add single pages.",
                )
            found = await self._fetcher._guarded(  # noqa: SLF001 - two halves of one thing
                url, KINDS, self._limits.page_bytes
            )
            if isinstance(found, _Answer):
                self._origin, self._robots = origin, robots[origin]
                self._seen |= {start, found.url}
                return found
            url = found
        raise FetchError(
            f"{start} only leads from one address to the next.", code=FetchCode.UNREACHABLE
        )

    def _goes_on(self) -> bool:
        return (
            bool(self._waiting)
            and self._count < self._most
            and self._in_a_row < self._limits.failures
            and not self._fetcher.is_over
        )

    def _width(self) -> int:
        """How many pages are fetched side by side now."""
        most = 1 if self._robots.delay_s else self._limits.parallel
        return min(most, len(self._waiting), self._most - self._count)

    async def _fetch_wave(self, wave: Sequence[tuple[str, int]]) -> list[WebPage]:
        if self._robots.delay_s:
            await asyncio.sleep(self._robots.delay_s)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._try(url)) for url, _ in wave]
        pages = []
        for task, (_, depth) in zip(tasks, wave, strict=True):
            answer = task.result()
            page = None if answer is None else await self._open(answer, depth)
            if page is not None:
                pages.append(page)
        return pages

    async def _try(self, url: str) -> _Answer | None:
        try:
            answer = await self._fetcher.fetch(url, self._may)
        except FetchError as error:
            if error.code not in {FetchCode.NO_PAGE, FetchCode.ROBOTS}:
                self._failed.append(error)
                self._in_a_row += 1
            return None
        self._in_a_row = 0
        return answer

    def _may(self, url: str) -> bool:
        return origin_of(url) == self._origin and self._robots.allow(path_of(url))

    async def _open(self, answer: _Answer, depth: int) -> WebPage | None:
        """A page that was not seen before, by whatever name, and what it leads to; else None."""
        links, digest = await _look_through(answer)
        own = answer.url
        if links.canonical is not None and is_variant(links.canonical, own):
            own = links.canonical
        known = digest in self._contents or (depth > 0 and own != answer.url and own in self._seen)
        self._contents.add(digest)
        self._seen |= {answer.url, own}
        if known:
            return None
        if depth < self._limits.depth:
            self._remember(links.leads_to, depth + 1)
        self._count += 1
        return WebPage(own, _marked(answer), len(self._waiting))

    def _remember(self, urls: Sequence[str], depth: int) -> None:
        for url in urls:
            here = self._upgrade(url)
            if here in self._seen or len(self._waiting) >= _MAX_WAITING or not self._may(here):
                continue
            self._seen.add(here)
            self._waiting.append((here, depth))

    def _upgrade(self, url: str) -> str:
        """Old links of a site that has moved to TLS mean the site."""
        secure = url.replace("http://", "https://", 1)
        return secure if origin_of(secure) == self._origin else url

    def _tell(self) -> None:
        """Say what was left out."""
        if self._failed:
            self._note(f"{_pages(len(self._failed))} could not be read: {self._failed[0].message}")
        if self._in_a_row >= self._limits.failures:
            self._note("The site stopped answering; what came until then is known.")
        elif self._fetcher.is_over:
            self._note(f"The visit ended after {self._limits.total_s:g} s; there may be more.")
        elif self._waiting:
            self._note(f"There is more: {_pages(self._most)} and no more should be read.")


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"


async def _look_through(answer: _Answer) -> tuple[Links, bytes]:
    """The page's links, and a digest of what it says beside its tags; in short steps."""
    finder, digest = LinkFinder(answer.url), hashlib.sha256()
    for window in windows(answer.body.decode("utf-8", "replace")):
        finder.feed(window)
        digest.update(without_tags(window).encode())
        await asyncio.sleep(0)
    return finder.finish(), digest.digest()


def _address(url: str) -> str:
    """The address in our spelling. Raises FetchError."""
    normal = normalise(url)
    if normal is None:
        raise FetchError(f"{url} is no web address.", code=FetchCode.NOT_ALLOWED)
    return normal


def _marked(answer: _Answer) -> bytes:
    """The page in UTF-8 with a mark that says so, where its server named an encoding."""
    try:
        codec = codecs.lookup(answer.charset or "").name
    except LookupError:
        return answer.body
    if codec == "utf-8":
        return codecs.BOM_UTF8 + answer.body.removeprefix(codecs.BOM_UTF8)
    if not codec.startswith(_CODECS):
        return answer.body
    return codecs.BOM_UTF8 + answer.body.decode(codec, "replace").encode("utf-8", "replace")
