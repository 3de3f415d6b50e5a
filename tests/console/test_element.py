"""<sayso-talk> on a page of another website, in Chromium, talking to scripted agents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from console.chromium import OpenPage
from console.foreign_site import EVENTS, foreign_site
from console.scripted_site import Caller, ScriptedAgents, wait_for
from console.test_talk_page import echo, greet

pytestmark = pytest.mark.browser

TAG = '<script src="{server}/widget.js" async></script><sayso-talk agent-id="a1" %s></sayso-talk>'

NOTE_EVENTS = f"""
() => {{
  window.told = [];
  const element = document.querySelector("sayso-talk");
  for (const name of {json.dumps(EVENTS)})
    element.addEventListener(name, (event) => told.push([name, event.detail]));
}}
"""


def told(page: Page, name: str) -> list[Any]:
    """The details of the element's events of this name."""
    events: list[tuple[str, Any]] = page.evaluate("told")
    return [detail for kind, detail in events if kind == name]


def open_widget(page: Page, name: str = "Talk to us") -> None:
    page.evaluate(NOTE_EVENTS)
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def see_state(page: Page, state: str) -> None:
    expect(page.locator("sayso-talk [data-state]")).to_have_attribute("data-state", state)


def test_a_visitor_talks_and_types_on_a_page_with_a_strict_policy(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = echo
    attributes = """greeting="Welcome!" prompt="Be brief." variables='{"cart": 3}'"""
    with foreign_site(site, TAG % attributes) as url:
        page = open_page(chromium, url)
        open_widget(page)
        expect(page.get_by_role("button", name="Start talking")).to_be_focused()
        page.keyboard.press("Enter")
        see_state(page, "listening")
        page.get_by_label("Message to the agent").fill("Hi")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log")).to_contain_text("You said: Hi")
        see_state(page, "listening")
        page.get_by_role("button", name="Hang up").click()
        see_state(page, "ended")
        lines = [(line["who"], line["text"]) for line in told(page, "transcript")]
        assert lines == [("agent", "Hello!"), ("caller", "Hi"), ("agent", "You said: Hi")]
        assert told(page, "open") == [{}]
        assert told(page, "connect") == [{"conversationId": "c"}]
        assert told(page, "ended") == [{"by": "caller", "reason": ""}]
        assert told(page, "error") == []
    [caller] = agents.callers
    setup = caller.sent[0]
    assert setup["customGreeting"] == "Welcome!"
    assert (setup["prompt"], setup["variables"]) == ("Be brief.", {"cart": 3})
    assert "audioIn" in caller.kinds()


def test_sound_goes_where_the_echo_canceller_hears_it(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    """Out of an <audio> element at the far end of a peer connection, at full strength."""
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate(
        """() => {
          window.far = [];
          const play = HTMLAudioElement.prototype.play;
          HTMLAudioElement.prototype.play = function () {
            const context = new AudioContext();
            const meter = new AnalyserNode(context, { fftSize: 2048 });
            context.createMediaStreamSource(this.srcObject).connect(meter);
            const samples = new Float32Array(2048);
            setInterval(() => {
              meter.getFloatTimeDomainData(samples);
              window.far.push(Math.max(...samples.map(Math.abs)));
            }, 40);
            return play.call(this);
          };
        }"""
    )
    page.get_by_role("button", name="Start talking").click()
    expect(page.locator("main")).to_have_attribute("data-state", "listening")
    wait_for(lambda: page.evaluate("Math.max(0, ...far)") > 0.2)


async def acts(caller: Caller) -> None:
    await greet(caller)
    await caller.say("customEvent", name="show", data={"item": "tea"})
    await caller.wait_for("customInput")
    await caller.say("hangup", endedBy="agent")


def test_the_page_is_asked_and_tells_what_came_of_it(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = acts
    events = json.dumps([{"name": "show", "when": "asked"}])
    with foreign_site(site, TAG % f"mode='voice' events='{events}'") as url:
        page = open_page(chromium, url)
        open_widget(page)
        expect(page.get_by_role("button", name="Type instead")).to_be_hidden()
        page.get_by_role("button", name="Start talking").click()
        wait_for(lambda: told(page, "customevent"))
        assert told(page, "customevent") == [{"name": "show", "data": {"item": "tea"}}]
        expect(page.get_by_label("Message to the agent")).to_be_hidden()
        page.evaluate("document.querySelector('sayso-talk').tell('show is done')")
        wait_for(lambda: told(page, "ended"))
        assert told(page, "ended") == [{"by": "agent", "reason": "The agent hung up."}]
    assert agents.callers[0].sent[0]["events"] == [{"name": "show", "when": "asked"}]


def test_a_ticket_is_fetched_as_the_call_starts_and_a_refusal_is_an_event(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    async def refuse(caller: Caller) -> None:
        await caller.say("error", code=4401, message="no", isFatal=True)
        await caller.socket.close(4401)

    agents.scripts["a1"] = refuse
    with foreign_site(site, TAG % "mode=text text-launcher='Chat'") as url:
        page = open_page(chromium, url)
        page.evaluate("document.querySelector('sayso-talk').getTicket = async () => 'ticket-1'")
        open_widget(page, "Chat")
        page.get_by_role("button", name="Start chatting").click()
        expect(page.get_by_role("alert")).to_contain_text("This agent is private")
        [error] = told(page, "error")
        assert error["code"] == 4401
        assert told(page, "ended")[0]["by"] == "error"
    assert agents.callers[0].sent[0]["apiKey"] == "ticket-1"


def test_text_alone_needs_neither_microphone_nor_loudspeaker(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = echo
    with foreign_site(site, TAG % "mode=text position=inline name='Tea shop'") as url:
        page = open_page(chromium, url)
        page.evaluate("() => { window.AudioContext = null; }")
        expect(page.get_by_role("dialog", name="Tea shop")).to_be_visible()
        page.get_by_role("button", name="Start chatting").click()
        expect(page.get_by_label("Message to the agent")).to_be_focused()
        page.keyboard.type("Hi")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log")).to_contain_text("You said: Hi")
        assert page.evaluate("heard.length") == 0


def test_it_is_used_with_the_keyboard_alone_and_goes_on_while_closed(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    with foreign_site(site, TAG % "position='bottom-left' theme=dark accent='#ffcc00'") as url:
        page = open_page(chromium, url)
        page.set_viewport_size({"width": 360, "height": 640})
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Talk to us")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        see_state(page, "listening")
        box = page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        launcher = page.get_by_role("button", name="Talk to us")
        expect(launcher).to_be_focused()
        assert launcher.evaluate("button => getComputedStyle(button).color") == "rgb(17, 17, 17)"
        page.keyboard.press("Enter")
        see_state(page, "listening")
        expect(page.get_by_role("button", name="Hang up")).to_be_focused()


def test_there_is_one_call_at_a_time(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = agents.scripts["a2"] = greet
    two = "mode=text position=inline id=one"
    second = "<sayso-talk agent-id=a2 mode=text position=inline id=two></sayso-talk>"
    with foreign_site(site, TAG % two + second) as url:
        page = open_page(chromium, url)
        one, other = page.locator("#one"), page.locator("#two")
        one.get_by_role("button", name="Start chatting").click()
        expect(one.get_by_role("log")).to_contain_text("Hello!")
        other.get_by_role("button", name="Start chatting").click()
        expect(other.get_by_role("log")).to_contain_text("Hello!")
        expect(one.get_by_role("alert")).to_have_text(
            "Another conversation was started on this page."
        )
    wait_for(lambda: agents.callers[0].gone)


def test_it_hangs_up_when_it_is_taken_off_the_page(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    with foreign_site(site, TAG % "mode=text position=inline") as url:
        page = open_page(chromium, url)
        page.get_by_role("button", name="Start chatting").click()
        see_state(page, "listening")
        page.evaluate("document.querySelector('sayso-talk').remove()")
        wait_for(lambda: agents.callers[0].gone == 1000)
