"""The page in an embed's frame, with our own loader around it."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from console.chromium import OpenPage
from console.foreign_site import foreign_site
from console.scripted_site import Caller, ScriptedAgents, wait_for
from console.test_talk_page import greet

pytestmark = pytest.mark.browser

LOADER = '<script src="{server}/embed.js"></script>'
EVENTS = [{"name": "show", "when": "asked", "data": {}}]
OPTIONS = {"events": EVENTS, "customGreeting": "Welcome!", "prompt": "Be brief."}
OPEN = """
(options) => {
  window.told = [];
  window.embed = PlayAI.openEmbed("a1", { ...options, onEvent: (event) => told.push(event) });
}
"""


async def asks(caller: Caller) -> None:
    await greet(caller)
    await caller.say("customEvent", name="show", data={"item": "tea"})


def frame_of(page: Page) -> Frame:
    wait_for(lambda: len(page.frames) == 2)
    return page.frames[1]


def size_of(page: Page) -> tuple[float, float]:
    box = page.locator("#play-ai-embed").bounding_box()
    assert box is not None
    return box["width"], box["height"]


def test_the_frame_talks_to_the_agent_and_to_the_page(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = asks
    with foreign_site(site, LOADER) as url:
        page = open_page(chromium, url)
        page.evaluate(OPEN, OPTIONS)
        frame = frame_of(page)
        frame.get_by_role("button", name="Talk to us").click()
        frame.get_by_role("button", name="Start talking").click()
        wait_for(lambda: page.evaluate("told"))
        assert page.evaluate("told") == [{"name": "show", "data": {"item": "tea"}}]
        assert page.locator("#play-ai-embed").evaluate("frame => frame.style.opacity") == "1"
        open_size = size_of(page)
        assert open_size[0] > 300
        assert open_size[1] > 400
        page.evaluate("embed.setMinimized(true)")
        expect(frame.get_by_role("button", name="Talk to us")).to_be_visible()
        wait_for(lambda: size_of(page)[1] < 120)
        page.evaluate("embed.setOrToggleMinimized()")
        wait_for(lambda: size_of(page) == open_size)
    setup = agents.callers[0].sent[0]
    assert (setup["customGreeting"], setup["prompt"]) == ("Welcome!", "Be brief.")
    assert setup["events"] == EVENTS
    wait_for(lambda: "audioIn" in agents.callers[0].kinds())


def test_events_that_come_by_message_alone_are_taken_too(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    """Clients before 0.2.12 do not put them into the address."""
    agents.scripts["a1"] = greet
    body = '<iframe src="{server}/embed/talk/a1?origin=%s" allow="microphone"></iframe>'
    with foreign_site(site, "") as url:
        page = open_page(chromium, url)
        page.set_content(body.replace("{server}", site) % quote(quote(url, safe=""), safe=""))
        frame = frame_of(page)
        expect(frame.get_by_role("button", name="Talk to us")).to_be_visible()
        message = json.dumps({"type": "extendConversationSetup", "events": EVENTS})
        page.evaluate(f"frames[0].postMessage({message}, '*')")
        page.evaluate(
            "frames[0].postMessage({ type: 'setOrToggleMinimized', minimize: false }, '*')"
        )
        frame.get_by_role("button", name="Type instead").click(force=True)
        wait_for(lambda: agents.callers and agents.callers[0].sent)
    assert agents.callers[0].sent[0]["events"] == EVENTS


def test_a_frame_without_permission_says_what_its_website_has_to_do(
    chromium: Browser, agents: ScriptedAgents, site: str
) -> None:
    agents.scripts["a1"] = greet
    with foreign_site(site, "") as url, chromium.new_page() as page:  # it logs the refusal
        page.goto(url)
        page.set_content(f'<iframe src="{site}/embed/talk/a1" width=400 height=640></iframe>')
        frame = frame_of(page)
        frame.get_by_role("button", name="Talk to us").click()
        frame.get_by_role("button", name="Start talking").click()
        expect(frame.get_by_role("alert")).to_contain_text('allow="microphone"')


def test_the_preview_shows_the_button_over_a_website(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    with foreign_site(site, "") as website:
        preview = f"{site}/embed/talk/preview?websiteUrl={quote(website)}&webEmbedId=a1"
        page = open_page(chromium, preview)
        button = page.frame_locator("#play-ai-embed").get_by_role("button", name="Talk to us")
        expect(button).to_be_visible()
        expect(page.locator("iframe.site")).to_have_attribute("src", website)


def test_a_preview_of_nothing_says_what_it_needs(
    chromium: Browser, site: str, open_page: OpenPage
) -> None:
    page = open_page(chromium, f"{site}/embed/talk/preview?websiteUrl=javascript:alert(1)")
    expect(page.get_by_role("main")).to_contain_text("webEmbedId")
    assert page.locator("iframe").count() == 0
