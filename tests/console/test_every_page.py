"""Every page: no violation of accessibility, no sideways scrolling, keyboard alone, both themes.

Opening one takes longer than most checks do, so those of a wide page follow each other on one tab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from console.inspection import (
    AXE,
    find_violations,
    find_wider,
    list_operable,
    settle,
    tab_through,
)
from console.sample import Sample, running_sample
from console.visits import WIDE, Visits, visiting

pytestmark = pytest.mark.browser

MOST_FILES = 60
LOADED = """
() => new Promise((told) => new PerformanceObserver((_, observer) => {
  observer.disconnect();
  told([performance.now(), performance.getEntriesByType("resource").length]);
}).observe({ type: "largest-contentful-paint", buffered: true }))
"""
"""When the page had painted its content, and how many files it took."""

UNASKED = """
() => [...document.querySelectorAll("link[rel=preload][as=fetch]")]
  .map((link) => link.href).filter((url) => !window.fetched.includes(url))
"""
"""What was fetched ahead of a page for nothing."""

NARROW = {"width": 360, "height": 740}
PAGES = (
    "home agents editor-identity editor-behaviour editor-llm editor-knowledge editor-actions "
    "editor-deploy functions conversations conversation analytics keys account empty-functions "
    "empty-conversations empty-analytics empty-developers sign-in sign-up shared talk embed preview"
).split()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    if not AXE.exists():
        pytest.skip("needs axe-core: `npm ci`")
    with running_sample(tmp_path_factory.mktemp("sample")) as sample:
        yield sample


@pytest.fixture
def visits() -> Iterator[Visits]:
    with visiting() as visits:
        yield visits


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest, chromium: Browser, sample: Sample) -> Iterator[Page]:
    """A page by its name, wide; pytest puts the tests of each behind one another."""
    with visiting() as visits:
        yield open_page(visits, chromium, sample, request.param)


def open_page(
    visits: Visits, chromium: Browser, sample: Sample, name: str, **context: object
) -> Page:
    """A page by its name, once everything is on it."""
    path, session = {each: (path, session) for each, path, session in sample.visitors()}[name]
    page = visits.open(
        chromium, f"{sample.url}{path}", storage_state=session, reduced_motion="reduce", **context
    )
    settle(page)
    return page


def resize(page: Page, viewport: Mapping[str, int]) -> None:
    """Give the window another size, and let the page follow."""
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    settle(page)


def test_every_page_is_looked_at(sample: Sample) -> None:
    assert [name for name, _, _ in sample.visitors()] == PAGES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES, indirect=True)
def test_it_is_accessible(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    resize(page, WIDE)
    assert find_violations(page) == []
    resize(page, NARROW)
    assert find_violations(page) == []


def test_the_cold_load_is_told(
    visits: Visits,
    chromium: Browser,
    sample: Sample,
    record_property: Callable[[str, object], None],
) -> None:
    page = visits.open(chromium, storage_state=sample.owner)
    page.goto(f"{sample.url}/")
    page.get_by_role("heading", level=1).wait_for()
    shown_ms, parts = page.evaluate(LOADED)
    record_property("told", f"console: cold load in {shown_ms:.0f} ms, {parts} files")
    assert 0 < parts < MOST_FILES


@pytest.mark.parametrize("page", PAGES, indirect=True)
def test_it_asks_for_what_its_head_has_the_browser_fetch(page: Page) -> None:
    unasked = page.evaluate(UNASKED)
    assert unasked == []


@pytest.mark.parametrize("name", PAGES)
def test_it_fits_into_360_px(visits: Visits, chromium: Browser, sample: Sample, name: str) -> None:
    page = open_page(visits, chromium, sample, name, viewport=NARROW, has_touch=True)
    assert find_wider(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize("page", [name for name in PAGES if name != "preview"], indirect=True)
def test_the_keyboard_reaches_everything_in_order(page: Page) -> None:
    # The preview is nothing but a frame with the embed, which is a page of its own here.
    resize(page, WIDE)
    operable = list_operable(page)
    steps = tab_through(page)
    assert [step.name for step in steps] == operable
    assert [step.name for step in steps if not step.isSeen] == []
    assert [step.name for step in steps if not step.isInside] == []
