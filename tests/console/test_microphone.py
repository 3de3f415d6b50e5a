"""Everything a microphone can do to a call, in Chromium with fake ones."""

from __future__ import annotations

import base64
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from console.chromium import OpenPage
from console.scripted_site import Caller, ScriptedAgents, wait_for
from console.states import see_state
from console.test_talk_page import greet, init

pytestmark = pytest.mark.browser

WATCH = """
() => {
  window.streams = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (what) => {
    const stream = await ask(what);
    streams.push(stream);
    return stream;
  };
}
"""
LAST = "streams.at(-1).getAudioTracks()[0]"
FAILURES = {
    "NotAllowedError": "was refused",
    "NotFoundError": "No microphone was found",
    "NotReadableError": "busy in another program",
    "AbortError": "did not start",
    "OddError": "does not work",
}


def talk(page: Page) -> None:
    page.evaluate(WATCH)
    page.get_by_role("button", name="Start talking").click()
    see_state(page, "listening")


def frames(caller: Caller) -> list[bytes]:
    return [base64.b64decode(m["data"]) for m in caller.sent if m["type"] == "audioIn"]


@pytest.mark.parametrize(("name", "sentence"), FAILURES.items())
def test_each_failure_has_a_sentence_of_its_own(
    chromium: Browser,
    agents: ScriptedAgents,
    site: str,
    open_page: OpenPage,
    name: str,
    sentence: str,
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate(
        """(name) => { navigator.mediaDevices.getUserMedia =
             () => Promise.reject(new DOMException("so it is", name)); }""",
        name,
    )
    page.get_by_role("button", name="Start talking").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile(rf"{sentence}.*You can still type", re.DOTALL))
    expect(page.get_by_role("status")).to_have_text("Your turn to type")


def test_another_microphone_can_be_chosen_during_the_call(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    talk(page)
    menu = page.get_by_label("Microphone", exact=True)
    expect(menu).to_be_visible()
    labels = menu.locator("option").all_inner_texts()
    assert len(labels) >= 2
    page.get_by_role("button", name="Mute").click()
    menu.select_option(index=1)
    wait_for(lambda: page.evaluate("streams.length") == 2)
    wait_for(lambda: page.evaluate("streams[0].getTracks()[0].readyState") == "ended")
    assert page.evaluate(f"{LAST}.label") == labels[1]
    wait_for(lambda: not page.evaluate(f"{LAST}.enabled"))  # it is muted, too
    page.get_by_role("button", name="Unmute").click()
    already = len(frames(agents.callers[0]))
    wait_for(lambda: any(b"".join(frames(agents.callers[0])[already:])))
    expect(page.get_by_role("alert")).to_be_empty()


SINKS = """
() => {
  window.sinks = [];
  for (const [kind, name] of [[AudioContext, "context"], [HTMLMediaElement, "element"]]) {
    const choose = kind.prototype.setSinkId;
    kind.prototype.setSinkId = function (id) {
      sinks.push([name, id]);
      return choose.call(this, id);
    };
  }
}
"""
"""Notes where each way of the sound is sent."""


def test_another_loudspeaker_can_be_chosen_and_stays_for_the_next_call(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate(SINKS)
    talk(page)
    menu = page.get_by_label("Speaker", exact=True)
    expect(menu).to_be_visible()
    [_, chosen, *_] = [option.get_attribute("value") for option in menu.locator("option").all()]
    menu.select_option(chosen)
    wait_for(lambda: page.evaluate("sinks") == [["context", chosen], ["element", chosen]])
    expect(menu).to_have_value(chosen or "")
    expect(page.get_by_role("alert")).to_be_empty()
    page.get_by_role("button", name="Hang up").click()
    see_state(page, "ended")
    page.get_by_role("button", name="Start again").click()
    see_state(page, "listening")
    expect(menu).to_have_value(chosen or "")
    again = [["context", chosen], ["element", chosen]]
    wait_for(lambda: page.evaluate("sinks.slice(2)") == again)


def test_a_loudspeaker_that_is_gone_gives_way_to_the_usual_one(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate(SINKS)
    talk(page)
    menu = page.get_by_label("Speaker", exact=True)
    menu.select_option(index=1)
    wait_for(lambda: page.evaluate("sinks.length") == 2)
    page.evaluate("""async () => {
        const all = (await navigator.mediaDevices.enumerateDevices())
          .filter(({ kind, deviceId }) => kind !== "audiooutput" || deviceId !== sinks[0][1]);
        navigator.mediaDevices.enumerateDevices = async () => all;
        navigator.mediaDevices.ondevicechange();
    }""")
    wait_for(lambda: page.evaluate("sinks.slice(2)") == [["context", ""], ["element", ""]])
    expect(menu).to_have_value("default")


def test_where_the_browser_has_no_choice_of_loudspeakers_none_is_shown(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate("() => { delete AudioContext.prototype.setSinkId; }")
    talk(page)
    expect(page.get_by_label("Microphone", exact=True)).to_be_visible()
    expect(page.get_by_label("Speaker", exact=True)).to_be_hidden()


def test_one_that_cannot_be_opened_leaves_the_one_in_use(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    talk(page)
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia =
             () => Promise.reject(new DOMException("", "NotReadableError")); }"""
    )
    page.get_by_label("Microphone", exact=True).select_option(index=1)
    expect(page.get_by_role("alert")).to_contain_text("busy in another program")
    assert page.evaluate(f"{LAST}.readyState") == "live"
    expect(page.get_by_role("button", name="Mute")).to_be_visible()


def test_another_one_takes_the_place_of_one_that_was_unplugged(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    talk(page)
    page.evaluate(f"{LAST}.dispatchEvent(new Event('ended'))")
    expect(page.get_by_role("alert")).to_contain_text("another microphone took its place")
    assert page.evaluate("streams.length") == 2
    already = len(frames(agents.callers[0]))
    wait_for(lambda: any(b"".join(frames(agents.callers[0])[already:])))


def test_one_that_is_muted_outside_is_told_of_until_it_is_not(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    talk(page)
    page.evaluate(f"{LAST}.dispatchEvent(new Event('mute'))")
    expect(page.get_by_role("alert")).to_contain_text("muted on the device itself")
    page.evaluate(f"{LAST}.dispatchEvent(new Event('unmute'))")
    expect(page.get_by_role("alert")).to_be_empty()


def test_one_that_gives_nothing_but_silence_is_told_of(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () =>
             new MediaStreamAudioDestinationNode(new AudioContext()).stream; }"""
    )
    page.get_by_role("button", name="Start talking").click()
    expect(page.get_by_role("alert")).to_contain_text("Only silence comes", timeout=15_000)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("alert")).to_be_empty()


async def tells_a_story(caller: Caller) -> None:
    await init(caller)
    await caller.speak(30, "A long story.", number=1, end=False)
    await caller.wait_for("textIn")
    await caller.say("audioStreamHeld")
    await caller.wait_for("textIn")
    await caller.say("audioStreamResumed")


def is_silent(page: Page) -> bool:
    peaks: list[float] = page.evaluate("heard.slice(-4)")
    return max(peaks) < 0.001


def test_on_hold_nothing_is_heard_on_either_side(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = tells_a_story
    page = open_page(chromium, f"{site}/agent/a1")
    page.get_by_role("button", name="Start talking").click()
    see_state(page, "speaking")
    wait_for(lambda: not is_silent(page))
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("status")).to_have_text("On hold")
    wait_for(lambda: is_silent(page))
    already = len(frames(agents.callers[0]))
    wait_for(lambda: len(frames(agents.callers[0])) > already + 3)
    assert not any(b"".join(frames(agents.callers[0])[already + 1 :]))
    page.get_by_role("button", name="Go on").click()
    wait_for(lambda: not is_silent(page))


def test_a_held_reply_is_silent_and_goes_on_where_it_was(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    """The server doubts whether the caller interrupts, and finds that they do not."""
    agents.scripts["a1"] = tells_a_story
    page = open_page(chromium, f"{site}/agent/a1")
    page.get_by_role("button", name="Type instead").click()
    see_state(page, "speaking")
    wait_for(lambda: not is_silent(page))

    def say(text: str) -> None:
        page.get_by_label("Message to the agent").fill(text)
        page.keyboard.press("Enter")

    say("Hm.")
    see_state(page, "hearing")
    wait_for(lambda: is_silent(page))
    held = [m["seconds"] for m in agents.callers[0].sent if m["type"] == "played"]
    wait_for(lambda: len(agents.callers[0].sent) > len(held) + 5)
    played = [m["seconds"] for m in agents.callers[0].sent if m["type"] == "played"]
    assert played[-1] == played[len(held)]
    say("Go on.")
    see_state(page, "speaking")
    wait_for(lambda: not is_silent(page))
