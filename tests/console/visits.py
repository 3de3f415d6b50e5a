"""Tabs of a browser that are watched: what goes wrong in one, and what it asks other hosts for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from console.chromium import METER
from console.states import RECORDER

HERE = frozenset({"127.0.0.1", "localhost", "insecure.test"})
"""This machine; the last is what Chromium is told to call it, for a page that is not secure."""

WIDE: Mapping[str, int] = {"width": 1100, "height": 760}
WITHIN_MS = 20_000
"""What a page has time for; a busy machine needs it, an idle one never."""
REFUSED = re.compile("the server responded with a status of 40[04]")
SIGNED_OUT = "the server responded with a status of 401"
"""Chromium logs that the console asks who is signed in, when nobody is."""

COUNTER = """
(() => {
  const fetch = window.fetch;
  window.fetching = 0;
  window.fetched = [];
  window.fetch = (...asked) => {
    window.fetching += 1;
    window.fetched.push(new URL(asked[0]?.url ?? asked[0], location.href).href);
    return fetch(...asked).finally(() => setTimeout(() => (window.fetching -= 1)));
  };
  for (const kind of ["json", "text"]) {
    const read = Response.prototype[kind];
    Response.prototype[kind] = function () {
      window.fetching += 1;
      return read.call(this).finally(() => setTimeout(() => (window.fetching -= 1)));
    };
  }
})();
"""
"""Counts the answers that a page waits for, and keeps what it asked in `fetched`."""


@dataclass
class Visits:
    """Tabs of one test, or of several that follow each other.

    Attributes:
        problems: what pages threw, and what they logged as errors.
        elsewhere: every request for another host; nothing of it leaves the machine.
        asked: how many requests there were in all.
        refused: paths that a test has answered with 400 or 404, which Chromium logs as an error.
    """

    problems: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    asked: int = 0
    refused: set[str] = field(default_factory=set)
    _closing: ExitStack = field(default_factory=ExitStack)

    def open(self, browser: Browser, url: str | None = None, **context: Any) -> Page:  # noqa: ANN401
        """A new tab in a profile of its own, on `url` if there is one."""
        opened = browser.new_context(**{"viewport": WIDE, **context})
        self._closing.callback(opened.close)
        page = self.watch(opened).new_page()
        page.set_default_timeout(WITHIN_MS)
        if url is not None:
            page.goto(url)
        return page

    def watch(self, context: BrowserContext) -> BrowserContext:
        """Note what happens in every tab of `context`."""
        context.add_init_script(METER)
        context.add_init_script(COUNTER)
        context.add_init_script(RECORDER)
        context.route(lambda url: not _is_here(url), lambda route: route.abort())
        context.on("request", lambda request: self._note(request.url))
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("console", self._read)
        context.on("page", lambda page: page.on("websocket", lambda socket: self._note(socket.url)))
        return context

    def close(self) -> None:
        """Close every tab."""
        self._closing.close()

    def _note(self, url: str) -> None:
        self.asked += 1
        if not _is_here(url):
            self.elsewhere.append(url)

    def _read(self, log: ConsoleMessage) -> None:
        url = log.location.get("url", "")
        if REFUSED.search(log.text) and urlsplit(url).path in self.refused:
            return
        if log.type == "error" and SIGNED_OUT not in log.text:
            self.problems.append(f"{log.text} ({url})")


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname in HERE


@contextmanager
def visiting() -> Iterator[Visits]:
    """Tabs that are closed at the end; fails if a page threw, or asked another host."""
    visits = Visits()
    try:
        yield visits
    finally:
        visits.close()
    assert not visits.problems, visits.problems
    assert not visits.elsewhere, visits.elsewhere
