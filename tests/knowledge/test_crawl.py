"""Visits to a site of 50 pages with traps in it, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web

from sayso.errors import FetchCode, FetchError
from sayso.knowledge.crawl import Crawler, _pages
from sayso.knowledge.web import VisitLimits, WebPage
from sayso.llm.fake import running_app
from sayso.security.outbound import USER_AGENT

LIMITS = VisitLimits(page_bytes=100_000, page_s=5.0, total_s=120.0)
PAGES = 50
METADATA = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def page(*links: str, text: str = "") -> web.Response:
    anchors = "".join(f'<a href="{link}">x</a>' for link in links)
    return web.Response(text=f"<html><p>{text}</p>{anchors}</html>", content_type="text/html")


@dataclass
class Site:
    """What is asked of it, and what it says about robots."""

    robots: str = "User-agent: *\nDisallow: /private\n"
    robots_status: int = 200
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    at_once: int = 0
    most_at_once: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        self.agents.add(request.headers["User-Agent"])
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            return self.make(request)
        finally:
            self.at_once -= 1

    def make(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/robots.txt":
            return web.Response(text=self.robots, status=self.robots_status)
        if path == "/":
            traps = ("/loop/1", "/private/x", "/huge", "/metadata", "/away", "/picture", "/gone")
            return page("/page/1", *traps, "/bomb", "/turn", "/copy?sid=1", text="Start.")
        name, _, number = path.removeprefix("/").partition("/")
        made = getattr(self, f"make_{name}", None)
        if made is None:
            return web.Response(status=404)
        answer: web.StreamResponse = made(number)
        return answer

    def make_page(self, number: str) -> web.Response:
        n = int(number)
        links = [f"/page/{m}" for m in (2 * n, 2 * n + 1) if m <= PAGES]
        return page(*links, "/page/1#top", text=f"Page {n}.")

    def make_loop(self, number: str) -> web.Response:
        return page(f"/loop/{number}/{number}", text="The same for ever.")

    def make_private(self, _: str) -> web.Response:
        raise AssertionError("robots.txt was not obeyed")

    def make_huge(self, _: str) -> web.Response:
        return page(text="x" * 1_000_000)

    def make_bomb(self, _: str) -> web.Response:
        packed = gzip.compress(b"<p>" + b"x" * 50_000_000)
        return web.Response(
            body=packed, content_type="text/html", headers={"Content-Encoding": "gzip"}
        )

    def make_metadata(self, _: str) -> web.Response:
        return web.Response(status=302, headers={"Location": METADATA})

    def make_away(self, _: str) -> web.Response:
        return web.Response(status=301, headers={"Location": "http://away.invalid/"})

    def make_turn(self, _: str) -> web.Response:
        return web.Response(status=302, headers={"Location": "/turn"})

    def make_picture(self, _: str) -> web.Response:
        return web.Response(body=b"\x89PNG", content_type="image/png")

    def make_copy(self, _: str) -> web.Response:
        link = '<link rel="canonical" href="/copy"><a href="/copy?sid=2">x</a>'
        return web.Response(text=f"{link}{len(self.asked)}", content_type="text/html")


@asynccontextmanager
async def running(site: Site) -> AsyncGenerator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    async with running_app(app) as url:
        yield url


@dataclass
class Visit:
    pages: list[WebPage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def make(
        self, url: str, most: int | None = 200, limits: VisitLimits = LIMITS, private: bool = True
    ) -> Visit:
        crawler = Crawler(limits, private=private)
        async with aclosing(crawler.visit(url, most, self.notes.append)) as pages:
            async for one in pages:
                self.pages.append(one)
        return self

    def paths(self, base: str) -> list[str]:
        return [one.url.removeprefix(base) for one in self.pages]


async def test_a_site_is_visited_whole_and_no_trap_is_stepped_into() -> None:
    site = Site()
    async with running(site) as url:
        visit = await Visit().make(url)
    paths = visit.paths(url)
    wanted = {"/", "/loop/1", "/copy", *(f"/page/{n}" for n in range(1, PAGES + 1))}
    assert set(paths) == wanted
    assert len(paths) == len(wanted)
    assert paths[0] == "/"
    assert len(site.asked) == len(set(site.asked)) + site.asked.count("/turn") - 1
    assert site.most_at_once <= LIMITS.parallel
    assert site.agents == {USER_AGENT}
    assert "/private/x" not in site.asked
    assert len(visit.notes) == 1
    assert "pages could not be read" in visit.notes[0]


async def test_no_more_pages_than_wanted() -> None:
    site = Site()
    async with running(site) as url:
        visit = await Visit().make(url, 7)
    assert len(visit.pages) == 7
    assert visit.notes[-1] == "There is more: 7 pages and no more should be read."


async def test_no_deeper_than_allowed() -> None:
    async with running(Site()) as url:
        visit = await Visit().make(url, limits=replace(LIMITS, depth=2))
    assert {f"/page/{n}" for n in range(1, 4)} == {
        path for path in visit.paths(url) if path.startswith("/page")
    }


async def test_a_single_page_is_fetched_alone_and_asks_no_robots() -> None:
    site = Site(robots="User-agent: *\nDisallow: /")
    async with running(site) as url:
        visit = await Visit().make(f"{url}/page/3", None)
    assert visit.paths(url) == ["/page/3"]
    assert site.asked == ["/page/3"]


@pytest.mark.parametrize("most", [None, 10])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/metadata", FetchCode.NOT_ALLOWED),
        ("/huge", FetchCode.TOO_BIG),
        ("/bomb", FetchCode.TOO_BIG),
        ("/turn", FetchCode.UNREACHABLE),
        ("/picture", FetchCode.NO_PAGE),
        ("/gone", FetchCode.REFUSED),
    ],
)
async def test_the_first_page_says_why_it_cannot_be_had(
    path: str, code: FetchCode, most: int | None
) -> None:
    async with running(Site()) as url:
        with pytest.raises(FetchError) as caught:
            await Visit().make(url + path, most)
    assert caught.value.code is code


@pytest.mark.parametrize("most", [None, 10])
async def test_a_refusal_is_a_sentence_without_what_the_system_says(most: int | None) -> None:
    async with running(Site()) as url:
        with pytest.raises(FetchError) as led:
            await Visit().make(f"{url}/metadata", most)
        by_name = url.replace("127.0.0.1", "localhost")
        with pytest.raises(FetchError) as named:
            await Visit().make(by_name, most, private=False)
    assert led.value.message.startswith("http://169.254.169.254/")
    assert led.value.message.endswith(
        " must not be called: the address 169.254.169.254 is refused by the outbound policy "
        "(link-local, metadata, multicast or reserved)."
    )
    assert "is refused by the outbound policy (the setting" in named.value.message
    for one in (led, named):
        assert not re.search(r"Errno|errno|Cannot connect|ssl:|\[", one.value.message)


async def test_private_addresses_are_the_operators_to_allow() -> None:
    site = Site()
    async with running(site) as url:
        for most in (None, 10):
            with pytest.raises(FetchError) as caught:
                await Visit().make(url, most, private=False)
            assert caught.value.code is FetchCode.NOT_ALLOWED
        with pytest.raises(FetchError):
            await Visit().make(url.replace("127.0.0.1", "localhost"), None, private=False)
    assert site.asked == []


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (200, "User-agent: sayso\nDisallow: /", FetchCode.ROBOTS),
        (404, "", None),
        (403, "", None),
        (503, "", FetchCode.UNREACHABLE),
        (302, "", FetchCode.UNREACHABLE),
    ],
)
async def test_robots_decide_whether_a_site_is_visited(
    status: int, text: str, code: FetchCode | None
) -> None:
    site = Site(robots=text, robots_status=status)
    async with running(site) as url:
        if code is None:
            assert len((await Visit().make(url, 1)).pages) == 1
            return
        with pytest.raises(FetchError) as caught:
            await Visit().make(url, 1)
    assert caught.value.code is code
    assert "/" not in site.asked


async def test_a_site_that_wants_pauses_gets_them() -> None:
    site = Site(robots="User-agent: *\nCrawl-delay: 0.01")
    async with running(site) as url:
        await Visit().make(f"{url}/page/1", 5)
    assert site.most_at_once == 1


async def test_a_server_that_never_answers_is_given_up() -> None:
    class Slow(Site):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

    async with running(Slow()) as url:
        with pytest.raises(FetchError) as caught:
            await Visit().make(url, None, replace(LIMITS, page_s=0.05))
    assert caught.value.code is FetchCode.TOO_SLOW


async def test_a_site_that_breaks_is_left() -> None:
    class Broken(Site):
        def make_page(self, number: str) -> web.Response:
            if number == "1":
                return page(*(f"/page/{n}" for n in range(2, 50)))
            return web.Response(status=500)

    site = Broken()
    async with running(site) as url:
        visit = await Visit().make(f"{url}/page/1", limits=replace(LIMITS, failures=4))
    assert len(visit.pages) == 1
    assert len(site.asked) <= 8
    assert visit.notes[-1].startswith("The site stopped answering")


async def test_a_visit_has_an_end() -> None:
    class Endless(Site):
        def make(self, request: web.Request) -> web.StreamResponse:
            if request.path == "/robots.txt":
                return web.Response(status=404)
            n = len(self.asked)
            return page(f"/a/{n}", f"/b/{n}", text=str(n))

    async with running(Endless()) as url:
        visit = await Visit().make(url, 10_000, replace(LIMITS, total_s=0.3, depth=10_000))
    assert "The visit ended after 0.3 s" in visit.notes[-1]


async def test_where_the_first_page_is_found_is_the_site() -> None:
    class Moved(Site):
        def make(self, request: web.Request) -> web.StreamResponse:
            if request.path == "/":
                return web.Response(status=301, headers={"Location": "/page/40"})
            return super().make(request)

    async with running(Moved()) as url:
        visit = await Visit().make(url, 1)
    assert visit.paths(url) == ["/page/40"]


@pytest.mark.parametrize(
    ("charset", "sent", "marked"),
    [
        ("iso-8859-1", "é".encode("latin-1"), True),
        ("utf-8", "é".encode(), True),
        ("windows-1252", "€".encode("cp1252"), True),
        ("punycode", b"x", False),
        ("rot13", b"x", False),
        ("nonsense", b"x", False),
    ],
)
async def test_a_page_keeps_the_letters_its_server_named(
    charset: str, sent: bytes, marked: bool
) -> None:
    class Named(Site):
        def make(self, request: web.Request) -> web.StreamResponse:
            return web.Response(
                body=sent, headers={"Content-Type": f"text/html; charset={charset}"}
            )

    async with running(Named()) as url:
        (one,) = (await Visit().make(url, None)).pages
    assert one.html == (b"\xef\xbb\xbf" + sent.decode(charset).encode() if marked else sent)


async def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(FetchError) as caught:
        await Visit().make("ftp://example.com", None)
    assert caught.value.code is FetchCode.NOT_ALLOWED


def test_one_page_is_one_page() -> None:
    assert (_pages(1), _pages(2)) == ("1 page", "2 pages")
