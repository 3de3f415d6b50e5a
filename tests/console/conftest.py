"""Fixtures of pages: Chromium with a fake microphone, and agents to talk to.

The pages are those that `make console` built; who changes them builds them again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from console.chromium import ALLOW, CHROMIUM, OpenPage, launch
from console.scripted_site import ScriptedAgents, running_site
from console.visits import WITHIN_MS, visiting

expect.set_options(timeout=WITHIN_MS)


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
    """Opens a URL in a new tab; a page that throws, logs an error or asks a stranger fails."""
    with visiting() as visits:
        yield visits.open
