"""The talk page in Chromium, talking to agents that follow a script."""

from __future__ import annotations

import asyncio
import base64
import re
import threading

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from console.chromium import REFUSE, OpenPage, launch
from console.scripted_site import Caller, ScriptedAgents, wait_for
from console.states import see_state

pytestmark = pytest.mark.browser

FRAME_BYTES = 3200
WITHIN_S = 10.0


async def init(caller: Caller) -> None:
    await caller.say(
        "init", agentOwnerId="u", conversationId="c", recordingPresignedUrl="https://none.test"
    )


async def hear_out(caller: Caller, seconds: float) -> None:
    """Wait until the page has told that it played this much, but for the loudspeaker's delay.

    Without a loudspeaker it says at once that nothing is left.
    """
    while (await caller.wait_for("played", "bufferEmpty")).get("seconds", seconds) < seconds - 0.15:
        pass


async def greet(caller: Caller) -> None:
    await init(caller)
    await caller.say("onAgentGreeting", message="Hello!")
    await caller.speak(0.4, "Hello!", number=1)
    await hear_out(caller, 0.4)
    await caller.say("onAgentGreetingEnd", message="Hello!")


async def echo(caller: Caller) -> None:
    """Greets, and says what is typed."""
    await greet(caller)
    while True:
        text = (await caller.wait_for("textIn"))["data"]
        await caller.say("onUserTranscript", message=text)
        await caller.say("voiceActivityEnd")
        await caller.speak(0.3, f"You said: {text}", number=2)


def lines_of(page: Page) -> list[tuple[str, str]]:
    """(who, words) of each line of the transcript."""
    return [
        (item.get_attribute("class") or "", item.locator("p").inner_text())
        for item in page.locator("ol li").all()
    ]


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_call_from_start_to_hang_up(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = echo
    page = open_page(chromium, f"{site}/agent/a1")
    expect(page.get_by_role("status")).to_have_text("Ready when you are")
    click(page, "Start talking")
    see_state(page, "speaking")
    see_state(page, "listening")
    expect(page.get_by_role("log")).to_contain_text("Hello!")
    assert 0.25 < max(page.evaluate("heard")) < 0.35

    page.get_by_label("Message to the agent").fill("How are you?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("You said: How are you?")
    see_state(page, "speaking")
    see_state(page, "listening")
    assert lines_of(page) == [
        ("agent", "Hello!"),
        ("caller", "How are you?"),
        ("agent", "You said: How are you?"),
    ]

    click(page, "Hang up")
    see_state(page, "ended")
    expect(page.get_by_role("status")).to_have_text("The call has ended")
    expect(page.get_by_role("alert")).to_be_empty()
    [caller] = agents.callers
    wait_for(lambda: caller.gone)
    assert caller.gone == 1000
    assert caller.sent[0] == {
        "type": "setup",
        "inputEncoding": "linear16",
        "inputSampleRate": 16_000,
        "outputFormat": "raw",
        "outputSampleRate": 24_000,
        "details": True,
    }
    assert "bufferEmpty" not in caller.kinds()
    for stream, seconds in ((1, 0.4), (2, 0.3)):
        played = [m["seconds"] for m in caller.sent if m.get("stream") == stream]
        assert played[0] == 0
        assert played == sorted(played)
        assert len(played) <= 4
        assert seconds - 0.15 < played[-1] <= seconds + 0.001


def test_the_microphone_is_sent_as_frames_of_100_ms_and_muted_as_silence(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Start talking")
    see_state(page, "listening")
    [caller] = agents.callers

    def frames() -> list[bytes]:
        return [base64.b64decode(m["data"]) for m in caller.sent if m["type"] == "audioIn"]

    wait_for(lambda: any(any(frame) for frame in frames()))
    assert {len(frame) for frame in frames()} == {FRAME_BYTES}
    click(page, "Mute")
    expect(page.get_by_role("status")).to_have_text("You are muted")
    wait_for(lambda: len(frames()) > 3 and not any(b"".join(frames()[-3:])))
    already = len(frames())
    wait_for(lambda: len(frames()) > already + 12)
    assert not any(b"".join(frames()[already : already + 12]))
    click(page, "Unmute")
    expect(page.get_by_role("status")).to_have_text("Listening")
    already = len(frames())
    wait_for(lambda: any(b"".join(frames()[already:])))


def test_it_can_be_started_again(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    for name in ("Start talking", "Start again", "Start again"):
        click(page, name)
        see_state(page, "listening")
        expect(page.get_by_role("log").locator("li")).to_have_count(1)
        wait_for(lambda: {"played", "audioIn"} <= set(agents.callers[-1].kinds()))
        click(page, "Hang up")
        see_state(page, "ended")
    assert [caller.kinds().count("setup") for caller in agents.callers] == [1, 1, 1]


async def is_interrupted(caller: Caller) -> None:
    """Is cut off three times: in the middle, before a word was heard, before its text came."""
    await init(caller)
    await caller.speak(20, "This is a very long answer.", number=1, end=False)
    await caller.wait_for("textIn")
    await caller.say("onAgentInterrupted", updatedMessage="This is")
    await caller.say("voiceActivityStart")
    await caller.say("onUserTranscript", message="Stop!")
    await caller.say("onUserTranscript", message="Please.")
    await caller.say("voiceActivityEnd")
    await caller.speak(20, "Nobody hears this.", number=2, end=False)
    await caller.say("onAgentInterrupted", updatedMessage="")
    await caller.say("newAudioStream")
    await caller.say("onAgentInterrupted", updatedMessage="")
    await caller.say("newAudioStream")
    await caller.say("onAgentInterrupted", updatedMessage="And")
    await caller.speak(0.3, "All right.", number=5)


def test_an_interrupted_answer_falls_silent_and_shows_what_was_heard(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = is_interrupted
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Type instead")
    see_state(page, "speaking")
    expect(page.get_by_role("log")).to_contain_text("a very long answer")
    page.keyboard.type("Stop!")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("All right.")
    see_state(page, "listening")
    assert lines_of(page) == [
        ("agent interrupted", "This is"),
        ("caller", "Stop!"),
        ("caller", "Please."),
        ("agent interrupted", "And"),
        ("agent", "All right."),
    ]
    assert page.evaluate("heard.at(-1)") < 0.001
    played = [m for m in agents.callers[0].sent if m["type"] == "played"]
    assert {1, 5} <= {m["stream"] for m in played} <= {1, 2, 3, 4, 5}
    assert played[-1]["seconds"] == pytest.approx(0.3, abs=0.15)


async def happens(event: threading.Event) -> None:
    """Wait for what a test does."""
    await asyncio.to_thread(event.wait, WITHIN_S)


def test_what_is_typed_over_a_greeting_is_seen_waiting_and_then_answered(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    seen = threading.Event()

    async def is_heard_out(caller: Caller) -> None:
        """Nobody may interrupt it: what is typed meanwhile waits."""
        await init(caller)
        await caller.speak(20, "Welcome, this takes a moment.", number=1)
        texts = [(await caller.wait_for("textIn"))["data"] for _ in range(2)]
        await happens(seen)
        await caller.say("onUserTranscript", message=" ".join(texts))
        await caller.say("voiceActivityEnd")
        await caller.speak(0.3, "At six.", number=2)

    agents.scripts["a1"] = is_heard_out
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Type instead")
    see_state(page, "speaking")
    for text in ("When do you open?", "On Sunday."):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Message to the agent")).to_be_empty()
    waiting = page.locator("li.waiting")
    expect(waiting).to_contain_text(["When do you open?", "On Sunday."])
    expect(waiting.first).to_contain_text("(waits for the agent)")
    seen.set()
    expect(page.get_by_role("log")).to_contain_text("At six.")
    expect(waiting).to_have_count(0)
    assert lines_of(page) == [
        ("agent", "Welcome, this takes a moment."),
        ("caller", "When do you open? On Sunday."),
        ("agent", "At six."),
    ]


def test_what_is_typed_before_the_server_answered_is_sent_once_it_has(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    answering = threading.Event()

    async def is_late(caller: Caller) -> None:
        await happens(answering)
        await echo(caller)

    agents.scripts["a1"] = is_late
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Type instead")
    expect(page.get_by_label("Message to the agent")).to_be_focused()
    page.keyboard.type("Hi")
    page.keyboard.press("Enter")
    expect(page.locator("li.waiting")).to_contain_text("Hi")
    see_state(page, "connecting")
    answering.set()
    expect(page.get_by_role("log")).to_contain_text("You said: Hi")
    assert lines_of(page) == [("agent", "Hello!"), ("caller", "Hi"), ("agent", "You said: Hi")]


def test_what_nobody_took_is_marked_at_the_end(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = init
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Type instead")
    see_state(page, "listening")
    page.keyboard.type("Hi")
    page.keyboard.press("Enter")
    click(page, "Hang up")
    expect(page.locator("li.waiting")).to_contain_text("(not answered)")


REFUSALS = {
    1002: "no agent at this address",
    4401: "This agent is private",
    4429: "Everybody is talking right now",
    4999: "The moon is full.",
}


@pytest.mark.parametrize(("code", "sentence"), REFUSALS.items())
def test_a_refusal_is_a_plain_sentence(
    chromium: Browser,
    agents: ScriptedAgents,
    site: str,
    open_page: OpenPage,
    code: int,
    sentence: str,
) -> None:
    async def refuse(caller: Caller) -> None:
        await caller.say("error", code=code, message="the moon is full", isFatal=True)
        await caller.socket.close(4401 if code < 4000 else code)

    agents.scripts["a1"] = refuse
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Type instead")
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    see_state(page, "ended")
    expect(page.get_by_role("button", name="Start again")).to_be_focused()


async def goes_away(caller: Caller) -> None:
    await greet(caller)
    await caller.socket.close(1011)


async def refuses_by_close_code_alone(caller: Caller) -> None:
    await caller.socket.close(4429)


async def hangs_up(caller: Caller) -> None:
    await greet(caller)
    await caller.say("hangup", endedBy="agent")


async def stops(caller: Caller) -> None:
    await greet(caller)
    await caller.say("hangup", endedBy="system")


async def hears_nothing(caller: Caller) -> None:
    await stops(caller)
    await caller.socket.close(1000, "silence")


async def takes_too_long(caller: Caller) -> None:
    await stops(caller)
    await caller.socket.close(1000, "time_up")


async def is_done(caller: Caller) -> None:
    await hangs_up(caller)
    await caller.socket.close(1000, "agent_done")


async def is_handed_on(caller: Caller) -> None:
    await hangs_up(caller)
    await caller.socket.close(1000, "transferred")


async def is_restarted(caller: Caller) -> None:
    await stops(caller)
    await caller.socket.close(1000, "server_stopped")


async def breaks_off(caller: Caller) -> None:
    await greet(caller)
    await caller.say("hangup", endedBy="error")
    await caller.socket.close(1011)


ENDINGS = {
    "Nobody spoke for a while, so the agent hung up.": hears_nothing,
    "as long as it may": takes_too_long,
    "The agent said goodbye and hung up.": is_done,
    "The agent handed you on to somebody else.": is_handed_on,
    "The server was stopped.": is_restarted,
    "The conversation broke off.": breaks_off,
    "The connection was lost": goes_away,
    "Everybody is talking right now": refuses_by_close_code_alone,
    "The agent hung up.": hangs_up,
    "The server ended the conversation.": stops,
}


@pytest.mark.parametrize("sentence", ENDINGS)
def test_an_ending_is_explained(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage, sentence: str
) -> None:
    agents.scripts["a1"] = ENDINGS[sentence]
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Type instead")
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    see_state(page, "ended")


async def is_disturbed(caller: Caller) -> None:
    await greet(caller)
    await caller.say("voiceActivityStart")
    await caller.say("error", code=4500, message="the LLM is late", isFatal=False)
    await caller.say("exchangeMetrics", exchangeId="1")


def test_a_disturbance_is_shown_and_the_call_goes_on(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = is_disturbed
    page = open_page(chromium, f"{site}/agent/a1")
    click(page, "Type instead")
    expect(page.get_by_role("alert")).to_have_text("The LLM is late.")
    see_state(page, "hearing")
    see_state(page, "listening")  # nothing came of it
    expect(page.get_by_role("button", name="Hang up")).to_be_visible()


def test_typing_needs_no_microphone(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = echo
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = null; }")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Start talking")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Your turn to type")
    expect(page.get_by_label("Message to the agent")).to_be_focused()
    expect(page.get_by_role("button", name="Mute")).to_be_hidden()
    page.keyboard.type("Hi")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("You said: Hi")
    assert "audioIn" not in agents.callers[0].kinds()


def test_a_refused_microphone_leaves_the_keyboard(
    playwright: Playwright, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = echo
    browser = launch(playwright, REFUSE)
    try:
        page = open_page(browser, f"{site}/agent/a1")
        click(page, "Start talking")
        expect(page.get_by_role("alert")).to_contain_text("The microphone was refused.")
        expect(page.get_by_role("alert")).to_contain_text("You can still type.")
        expect(page.get_by_role("log")).to_contain_text("Hello!")
        expect(page.get_by_role("status")).to_have_text("Your turn to type")
        expect(page.get_by_label("Message to the agent")).to_be_focused()
        page.keyboard.type("Hi")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log")).to_contain_text("You said: Hi")
        expect(page.get_by_role("alert")).to_be_empty()
    finally:
        browser.close()


def test_an_insecure_page_says_so_and_leaves_the_keyboard(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = echo
    page = open_page(chromium, f"{site.replace('127.0.0.1', 'insecure.test')}/agent/a1")
    assert not page.evaluate("isSecureContext")
    click(page, "Start talking")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"https.*You can still type"))
    expect(page.get_by_role("log")).to_contain_text("Hello!")
    page.get_by_label("Message to the agent").fill("Hi")
    click(page, "Send")
    expect(page.get_by_role("log")).to_contain_text("You said: Hi")


def test_hanging_up_works_while_the_browser_still_asks(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate("""() => {
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (what) => {
          await new Promise((answer) => { window.answer = answer; });
          window.stream = await ask(what);
          return window.stream;
        };
    }""")
    click(page, "Start talking")
    wait_for(lambda: page.evaluate("Boolean(window.answer)"))
    see_state(page, "connecting")
    click(page, "Hang up")
    see_state(page, "ended")
    page.evaluate("() => window.answer()")
    wait_for(lambda: page.evaluate("window.stream?.getTracks()[0].readyState") == "ended")
    see_state(page, "ended")
    assert not agents.callers


def test_a_microphone_that_goes_away_leaves_the_keyboard(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    agents.scripts["a1"] = greet
    page = open_page(chromium, f"{site}/agent/a1")
    page.evaluate("""() => {
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (what) => (window.stream = await ask(what));
    }""")
    click(page, "Start talking")
    see_state(page, "listening")
    page.evaluate("""() => {
        const none = new DOMException('', 'NotFoundError');
        navigator.mediaDevices.getUserMedia = () => Promise.reject(none);
        stream.getTracks()[0].dispatchEvent(new Event('ended'));
    }""")
    expect(page.get_by_role("alert")).to_contain_text("The microphone went away.")
    expect(page.get_by_role("button", name="Mute")).to_be_hidden()
