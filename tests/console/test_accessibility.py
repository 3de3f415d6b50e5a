"""What axe-core finds in the pages a visitor sees, light and dark, wide and narrow."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from console.chromium import OpenPage
from console.foreign_site import foreign_site
from console.inspection import AXE
from console.scripted_site import ScriptedAgents
from console.states import see_state
from console.test_element import TAG
from console.test_talk_page import echo, is_interrupted

pytestmark = pytest.mark.browser

WIDTHS = (360, 1100)
LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("needs the npm package axe-core")
    return AXE.read_text("utf-8")


def find_violations(page: Page, axe: str) -> list[str]:
    """What is wrong, and where; the page's policy does not matter to what a debugger runs."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "(runOnly) => axe.run({ runOnly })", [*LEVELS, "best-practice"]
    )
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled to sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_talk_page(
    chromium: Browser,
    agents: ScriptedAgents,
    site: str,
    open_page: OpenPage,
    axe: str,
    theme: Literal["light", "dark"],
) -> None:
    agents.scripts["a1"] = is_interrupted
    page = open_page(chromium, f"{site}/agent/a1")
    page.emulate_media(color_scheme=theme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        assert find_violations(page, axe) == []
        assert fits(page)
    page.get_by_role("button", name="Start talking").click()
    see_state(page, "speaking")
    page.get_by_label("Message to the agent").fill("Stop!")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("All right.")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        assert find_violations(page, axe) == []
        assert fits(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_element(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage, axe: str, theme: str
) -> None:
    agents.scripts["a1"] = echo
    with foreign_site(site, TAG % f"theme={theme}") as url:
        page = open_page(chromium, url)
        page.get_by_role("button", name="Talk to us").click()
        assert find_violations(page, axe) == []
        page.get_by_role("button", name="Start talking").click()
        expect(page.get_by_role("log")).to_contain_text("Hello!")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            assert find_violations(page, axe) == []
            assert fits(page)


def test_the_embed(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage, axe: str
) -> None:
    agents.scripts["a1"] = echo
    page = open_page(chromium, f"{site}/embed/talk/a1?maxWidth=360px&maxHeight=640px")
    page.set_viewport_size({"width": 360, "height": 640})
    assert find_violations(page, axe) == []
    page.get_by_role("button", name="Talk to us").click()
    page.get_by_role("button", name="Type instead").click()
    expect(page.get_by_role("log")).to_contain_text("Hello!")
    assert find_violations(page, axe) == []
    assert fits(page)
