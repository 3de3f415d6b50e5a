"""The first hour of a new owner, in the browser: each test is a step, and begins where one ended.

Everything is real: `sayso serve` with the bundled models, `sayso fake-llm`, a website on another
port, speech in Chromium's microphone, sound out of its loudspeaker.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Locator, Page, Playwright, expect

from console.chromium import ALLOW, audible_s, launch
from console.programs import (
    Website,
    running_llm,
    running_server,
    running_website,
    write_speech,
)
from console.scripted_site import wait_for
from console.visits import Visits, visiting
from papers import pdf_of
from ports import free_port
from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, locate

pytestmark = [pytest.mark.browser, pytest.mark.speech]

SPOKEN_MS = 40_000
"""Until a spoken question is answered: the file of the microphone begins with silence."""
CHECKED_MS = 30_000
FACT = "The parking garage closes at nine in the evening."
LICENSE_QUESTION = "Which license does Sayso have?"
PARKING_QUESTION = "When does the parking garage close?"
WEATHER_QUESTION = "What is the weather in Vienna?"
GREETING = "Welcome to the Grand Hotel."

Speaks: TypeAlias = Callable[..., Page]


@dataclass
class Hour:
    """What a step leaves for the next one."""

    link: str
    llm: str
    dead_llm: str
    website: Website
    visits: Visits
    page: Page
    agent: str = ""
    key: str = ""
    curl: str = ""

    @property
    def url(self) -> str:
        """The server's."""
        return self.link.partition("/sign-in")[0]

    def edit(self, tab: str) -> Page:
        """The agent's editor."""
        assert self.agent, "the step that makes the agent failed"
        self.page.goto(f"{self.url}/my-agents/{self.agent}/{tab}")
        return self.page


@pytest.fixture(scope="module")
def hour(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    try:
        locate("moonshine-tiny-en-encoder.ort", MODELS_DIR)
    except InstallationError:
        pytest.skip("needs the bundled models (`make models`)")
    with ExitStack() as stack:
        visits = stack.enter_context(visiting())
        browser = launch(playwright, ALLOW)
        stack.callback(browser.close)
        port = free_port()
        yield Hour(
            stack.enter_context(running_server(tmp_path_factory.mktemp("hour") / "data")),
            stack.enter_context(running_llm(port)),
            f"http://127.0.0.1:{port}",
            stack.enter_context(running_website()),
            visits,
            visits.open(browser, permissions=["clipboard-read", "clipboard-write"]),
        )


@pytest.fixture
def speaks(playwright: Playwright, hour: Hour, tmp_path: Path) -> Iterator[Speaks]:
    """Opens a page, signed in, whose microphone hears a sentence `after_s` seconds of silence."""
    with ExitStack() as closing:

        def open_speaking(url: str, sentence: str, *, after_s: float) -> Page:
            wav = write_speech(tmp_path / "microphone.wav", sentence, after_s=after_s)
            browser = launch(playwright, ALLOW, f"--use-file-for-fake-audio-capture={wav}%noloop")
            closing.callback(browser.close)
            state = hour.page.context.storage_state()
            return hour.visits.open(browser, url, storage_state=state)

        yield open_speaking


def click(page: Page | Locator, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def save(page: Page) -> None:
    """Save what was changed, and see that it is."""
    bar = page.get_by_role("region", name="Unsaved changes")
    click(bar, "Save")
    expect(bar).to_have_count(0, timeout=CHECKED_MS)


def see_answer(page: Page, question: str, answer: str) -> None:
    """The spoken question is understood, answered, and the answer is heard."""
    call = page.locator("[data-state]").first
    expect(page.locator("li.caller:not(.interim) p").last).to_contain_text(
        re.compile(question, re.IGNORECASE), timeout=SPOKEN_MS
    )
    expect(page.locator("li.agent p").last).to_contain_text(
        re.compile(answer, re.IGNORECASE), timeout=SPOKEN_MS
    )
    before_s = audible_s(page)
    expect(call).to_have_attribute("data-state", "listening", timeout=SPOKEN_MS)
    assert audible_s(page) > max(before_s, 1.0)


def hang_up(page: Page) -> None:
    click(page, "Hang up")
    expect(page.locator("[data-state]").first).to_have_attribute("data-state", "ended")


def test_the_printed_link_signs_in(hour: Hour) -> None:
    page = hour.page
    page.goto(hour.link)
    expect(page).to_have_url(f"{hour.url}/")
    expect(page.get_by_role("heading", name="Sayso guide")).to_be_visible()


def test_the_first_page_talks(hour: Hour, speaks: Speaks) -> None:
    page = speaks(f"{hour.url}/", LICENSE_QUESTION, after_s=8)
    click(page, "Start talking")
    wait_for(lambda: audible_s(page) > 0.3)
    see_answer(page, "license", "Apache|open source")
    hang_up(page)


def test_an_agent_is_made(hour: Hour) -> None:
    page = hour.page
    page.goto(f"{hour.url}/my-agents")
    click(page, "New agent")
    page.wait_for_url(re.compile(r"/my-agents/[\w-]+/identity"))
    hour.agent = page.url.split("/")[-2]
    page.get_by_role("textbox", name="Name").fill("Concierge")
    page.get_by_role("link", name="Behaviour").click()
    page.get_by_label("Greeting").fill(GREETING)
    save(page)
    page.get_by_role("link", name="Agents", exact=True).click()
    expect(page.get_by_role("link", name="Concierge")).to_be_visible()


def test_an_llm_that_cannot_be_used_says_why_and_proposes_another_address(hour: Hour) -> None:
    page = hour.edit("llm")
    page.get_by_label("Language model").select_option("own")
    page.get_by_label("Base URL").fill(hour.dead_llm)
    click(page, "Test")
    expect(page.get_by_text("It cannot be used like this.")).to_be_visible(timeout=CHECKED_MS)
    expect(page.get_by_text("Error:").first).to_be_visible()
    expect(page.get_by_text("Another address works:")).to_contain_text(hour.llm)
    click(page, "Use the proposed URL")
    expect(page.get_by_label("Base URL")).to_have_value(hour.llm)


def test_the_proposed_llm_works_and_is_saved(hour: Hour) -> None:
    page = hour.edit("llm")
    expect(page.get_by_label("Base URL")).to_have_value(hour.llm)  # kept, though not saved
    click(page, "Test")
    expect(page.get_by_text(re.compile("It works.*first words"))).to_be_visible(timeout=CHECKED_MS)
    save(page)
    expect(page.get_by_text("It worked.")).to_be_visible()


def test_a_pdf_is_read_and_found(hour: Hour, tmp_path: Path) -> None:
    manual = tmp_path / "manual.pdf"
    manual.write_bytes(pdf_of([["The Grand Hotel", "", FACT], ["Breakfast is at seven."]]))
    page = hour.edit("knowledge")
    page.locator("input[aria-label=Files]").set_input_files(manual)
    listed = page.get_by_role("list", name="Files")
    expect(listed).to_contain_text("Ready", timeout=CHECKED_MS)
    expect(listed).to_contain_text("manual.pdf")
    page.get_by_label("Question").fill(PARKING_QUESTION)
    click(page, "Ask")
    expect(page.get_by_text(FACT)).to_be_visible()


def test_it_is_asked_about_the_pdf_aloud(hour: Hour, speaks: Speaks) -> None:
    page = speaks(f"{hour.url}/agent/{hour.agent}", PARKING_QUESTION, after_s=6)
    expect(page.get_by_role("heading", name="Concierge")).to_be_visible()
    click(page, "Start talking")
    see_answer(page, "parking", "parking")
    hang_up(page)


def test_a_function_is_added_and_called(hour: Hour) -> None:
    page = hour.edit("actions")
    click(page, "New function")
    dialog = page.get_by_role("dialog", name="New function")
    dialog.get_by_label("Name").first.fill("get_weather")
    dialog.get_by_label("What it does").fill("Tells the weather in a city.")
    dialog.get_by_label("Address").fill(f"{hour.website.url}/weather")
    click(dialog, "Add a parameter")
    dialog.get_by_label("Name").nth(1).fill("city")
    dialog.get_by_label("Sent in").select_option("query")
    dialog.get_by_label("What it means").fill("The city")
    click(dialog, "Save")
    expect(dialog).to_have_count(0)
    expect(page.get_by_label("get_weather", exact=True)).to_be_checked()
    click(page, "Try it: get_weather")
    trial = page.get_by_role("dialog", name="Try “get_weather”")
    trial.get_by_label("city").fill("Graz")
    click(trial, "Call it")
    expect(trial.get_by_text("It worked")).to_be_visible()
    page.keyboard.press("Escape")
    expect(trial).to_have_count(0)
    save(page)

    click(page, "Talk")
    click(page, "Type instead")
    page.get_by_label("Message to the agent").fill(WEATHER_QUESTION)
    click(page, "Send")  # it can be, once the greeting was heard
    expect(page.locator("li.agent p").last).to_contain_text("sunny", timeout=SPOKEN_MS)
    hang_up(page)
    assert hour.website.asked == [{"city": "Graz"}, {"city": "Vienna"}]


def test_the_conversation_is_read_with_its_waterfall_and_heard_again(hour: Hour) -> None:
    page = hour.page
    page.goto(f"{hour.url}/conversations?agentId={hour.agent}")
    rows = page.get_by_role("row")
    expect(rows).to_have_count(3)
    rows.last.get_by_role("link").click()
    said = page.get_by_role("list", name="Transcript")
    expect(said).to_contain_text("parking", ignore_case=True)
    turn = page.locator("#turn-2")  # the first is the greeting
    for step in ("Transcript", "LLM, first word", "First sound out", "Heard"):
        expect(turn.get_by_role("term").filter(has_text=step).first).to_be_visible()
    turn.get_by_text(re.compile(r"passages? of its knowledge")).click()
    expect(turn).to_contain_text("manual.pdf, page 1")
    turn.get_by_text(re.compile("^Asked")).click()
    expect(turn.locator("pre").first).to_contain_text(FACT)

    said.get_by_role("button").last.click()
    sound = page.get_by_label(re.compile("Recording of both sides"))
    wait_for(lambda: sound.evaluate("(audio) => !audio.paused && audio.currentTime > 1"))
    assert sound.evaluate("(audio) => audio.duration") > 5
    expect(said.locator("[data-now]")).to_have_count(1)


def test_a_key_is_made_and_the_printed_curl_works(hour: Hour) -> None:
    page = hour.page
    page.goto(f"{hour.url}/developers")
    page.get_by_role("textbox", name="Name").fill("telephone bridge")
    click(page, "Make a key")
    hour.key = page.get_by_label("Key", exact=True).inner_text()
    hour.curl = page.get_by_label("Try it").inner_text()
    assert hour.key in hour.curl
    status, body = run_curl(hour.curl)
    assert status == 200
    assert "Concierge" in [agent["displayName"] for agent in json.loads(body)]
    page.reload()
    expect(page.get_by_role("row").filter(has_text="telephone bridge")).to_be_visible()
    assert hour.key not in page.content()


def run_curl(command: str) -> tuple[int, str]:
    """Run a printed command as a shell does; gives the status and the body of the answer."""
    done = subprocess.run(
        f"{command} -s -w '\\n%{{http_code}}'",
        shell=True, capture_output=True, text=True, check=True,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_the_widget_talks_on_a_page_of_another_origin(hour: Hour, speaks: Speaks) -> None:
    page = hour.edit("deploy")
    page.get_by_label("Visibility").select_option("public")
    page.get_by_label("Pages it may be on").fill(hour.website.url)
    save(page)
    tag = page.get_by_label("HTML").inner_text()
    hour.website.page = f"<!doctype html><html lang=en><title>Grand Hotel</title><h1>Hi</h1>{tag}"

    foreign = speaks(hour.website.url, WEATHER_QUESTION, after_s=6)
    assert hour.website.url != hour.url
    click(foreign, "Talk to us")
    click(foreign, "Start talking")
    see_answer(foreign, "weather", "sunny")
    hang_up(foreign)
    assert len(hour.website.asked) == 3


def test_a_revoked_key_is_refused(hour: Hour) -> None:
    page = hour.page
    page.goto(f"{hour.url}/developers")
    row = page.get_by_role("row").filter(has_text="telephone bridge")
    click(row, "Revoke")
    click(page.get_by_role("dialog", name="Revoke “telephone bridge”?"), "Revoke")
    expect(row).to_contain_text("Revoked")
    status, body = run_curl(hour.curl)
    assert status == 401
    assert hour.key not in body


def test_no_request_left_the_machine(
    hour: Hour, record_property: Callable[[str, object], None]
) -> None:
    record_property(
        "told", f"first hour: {hour.visits.asked} requests, {len(hour.visits.elsewhere)} elsewhere"
    )
    assert hour.visits.asked > 100
    assert not hour.visits.elsewhere
