"""Fixtures of the talk page: Chromium with a fake microphone, and agents to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from console.chromium import ALLOW, CHROMIUM, METER, OpenPage, launch
from console.scripted_site import ScriptedAgents, running_site
from console.widget_build import build_widget


@pytest.fixture(scope="session", autouse=True)
def _widget() -> None:
    """All pages are of the build."""
    build_widget()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if not CHROMIUM.exists():
        pytest.skip("needs the Debian package chromium")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests whose microphone only has to be there: it beeps."""
    browser = launch(playwright, ALLOW)
    yield browser
    browser.close()


@pytest.fixture
def agents() -> ScriptedAgents:
    return ScriptedAgents()


@pytest.fixture
def site(agents: ScriptedAgents) -> Iterator[str]:
    with running_site(agents.app) as url:
        yield url


@pytest.fixture
def open_page() -> Iterator[OpenPage]:
    """Opens a URL in a new tab; a page that throws or logs an error fails the test."""
    problems: list[str] = []
    with ExitStack() as closing:

        def open_page(browser: Browser, url: str) -> Page:
            context = browser.new_context(viewport={"width": 1100, "height": 760})
            closing.callback(context.close)
            context.add_init_script(METER)
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on(
                "console", lambda log: problems.append(log.text) if log.type == "error" else None
            )
            page.goto(url)
            return page

        yield open_page
    assert not problems
