"""The pages in the distribution's Firefox, with a sound card made of software."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

import speech
from console.chromium import OpenPage
from console.firefox import FIREFOX, HEARS, REFUSES, launch_firefox
from console.foreign_site import foreign_site
from console.inspection import AXE, find_violations, settle
from console.sample import Sample, running_sample
from console.scripted_site import ScriptedAgents, wait_for
from console.soundcard import MICROPHONES, PLAYER, PULSEAUDIO, SoundCard, running_soundcard
from console.test_element import TAG
from console.test_microphone import frames
from console.test_talk_for_real import write_wav
from console.test_talk_page import FRAME_BYTES, echo
from console.visits import WITHIN_MS, Visits, visiting
from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, locate
from served import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.speech]

BY_HAND = "SAYSO_TEST_FIREFOX"
PATIENT_MS = 60_000
POLICY = """
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`policy: ${violatedDirective} ${blockedURI}`));
"""
"""Firefox tells its driver nothing of what a policy forbade."""


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Sound is in real time, and this browser takes long to start: nothing here measures time."""
    expect.set_options(timeout=PATIENT_MS)
    yield
    expect.set_options(timeout=WITHIN_MS)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundCard]:
    if BY_HAND not in os.environ:
        pytest.skip(f"runs by hand: set {BY_HAND}=1")
    if not (PULSEAUDIO.exists() and PLAYER.exists()):
        pytest.skip("needs the Debian packages pulseaudio and pulseaudio-utils")
    with running_soundcard(tmp_path_factory.mktemp("card")) as card:
        yield card


@pytest.fixture(scope="module")
def firefox(
    playwright: Playwright, card: SoundCard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """One browser for all tests, that hears the sound card's microphones."""
    if not FIREFOX.exists():
        pytest.skip("needs the Debian package firefox-esr")
    browser = launch_firefox(playwright, tmp_path_factory.mktemp("firefox"), HEARS, card.env)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    if not AXE.exists():
        pytest.skip("needs axe-core: `npm ci`")
    with running_sample(tmp_path_factory.mktemp("sample")) as sample:
        yield sample


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    try:
        locate("moonshine-tiny-en-encoder.ort", MODELS_DIR)
    except InstallationError:
        pytest.skip("needs the bundled models (`make models`)")
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def visits() -> Iterator[Visits]:
    with visiting() as visits:
        yield visits


@pytest.fixture
def said(tmp_path: Path) -> tuple[speech.Recording, Path]:
    """A recorded sentence, and a file of it."""
    found = [prompt for prompt in speech.prompts() if prompt.name == "vm-newpassword"]
    if not found:
        pytest.skip("needs the Debian package asterisk-core-sounds-en-g722")
    return found[0], write_wav(tmp_path / "said.wav", found[0], 0.0)


def visit(visits: Visits, firefox: Browser, url: str, **context: Any) -> Page:  # noqa: ANN401
    page = visits.open(firefox, **context)
    page.set_default_timeout(PATIENT_MS)
    page.context.add_init_script(POLICY)
    page.goto(url)
    return page


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def see_state(page: Page, *states: str) -> None:
    expect(page.locator("[data-state]").first).to_have_attribute(
        "data-state", re.compile("|".join(states))
    )


def test_the_printed_link_signs_in_and_a_sentence_is_answered_aloud(
    firefox: Browser,
    card: SoundCard,
    served: Served,
    visits: Visits,
    said: tuple[speech.Recording, Path],
) -> None:
    assert served.server.welcome is not None
    recording, wav = said
    token = served.server.welcome.link.get_secret_value()
    page = visit(visits, firefox, f"{served.url}/sign-in#{token}")
    expect(page.get_by_role("heading", name="Sayso guide")).to_be_visible()
    click(page, "Start talking")
    expect(page.locator("li.agent p").first).to_contain_text("I am the Sayso guide")
    see_state(page, "listening")
    greeting_s = card.audible_s()
    assert greeting_s > 1

    card.speak(wav)
    words = page.locator("li.caller:not(.interim) p").first
    expect(words).not_to_be_empty()
    assert speech.count_errors(recording.text, words.inner_text()).rate <= 0.3
    expect(page.locator("li.agent")).to_have_count(2)
    wait_for(lambda: card.audible_s() > greeting_s + 0.5, 60)
    click(page, "Hang up")
    see_state(page, "ended")


def test_speaking_over_the_agent_interrupts_it(
    firefox: Browser,
    card: SoundCard,
    served: Served,
    visits: Visits,
    said: tuple[speech.Recording, Path],
) -> None:
    assert served.server.welcome is not None
    url = f"{served.url}/agent/{served.server.welcome.agent_id}"
    page = visit(visits, firefox, url)
    before_s = card.audible_s()
    click(page, "Start talking")
    wait_for(lambda: card.audible_s() > before_s + 0.3, 60)
    card.speak(said[1])
    greeting = page.locator("li.agent.interrupted p").first
    expect(greeting).to_contain_text("Hello")
    assert "know?" not in greeting.inner_text()
    expect(page.locator("li.caller:not(.interim) p").first).not_to_be_empty()


def test_microphones_are_named_changed_and_muted(
    firefox: Browser,
    card: SoundCard,
    agents: ScriptedAgents,
    site: str,
    visits: Visits,
    said: tuple[speech.Recording, Path],
) -> None:
    agents.scripts["a1"] = echo
    page = visit(visits, firefox, f"{site}/agent/a1")
    click(page, "Start talking")
    menu = page.get_by_label("Microphone", exact=True)
    expect(menu).to_be_visible()
    labels = menu.locator("option").all_inner_texts()
    assert set(MICROPHONES) <= set(labels)
    menu.select_option(label=MICROPHONES[1])
    expect(menu.locator("option:checked")).to_have_text(MICROPHONES[1])
    [caller] = agents.callers
    wait_for(lambda: frames(caller), 30)
    card.speak(said[1])
    wait_for(lambda: any(any(frame) for frame in frames(caller)), 30)
    assert {len(frame) for frame in frames(caller)} == {FRAME_BYTES}
    click(page, "Mute")
    already = len(frames(caller)) + 5
    card.speak(said[1])
    wait_for(lambda: len(frames(caller)) > already + 5, 30)
    assert not any(b"".join(frames(caller)[already:]))
    expect(page.get_by_role("alert")).to_be_empty()

    page.get_by_label("Message to the agent").fill("How are you?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("You said: How are you?")


def test_the_element_talks_on_a_page_of_another_origin(
    firefox: Browser, agents: ScriptedAgents, site: str, visits: Visits, card: SoundCard
) -> None:
    agents.scripts["a1"] = echo
    before_s = card.audible_s()
    with foreign_site(site, TAG % "") as url:
        page = visit(visits, firefox, url)
        click(page, "Talk to us")
        click(page, "Start talking")
        expect(page.get_by_role("log")).to_contain_text("Hello!")
        wait_for(lambda: card.audible_s() > before_s + 0.2, 30)
        wait_for(lambda: "audioIn" in agents.callers[0].kinds(), 30)
        click(page, "Hang up")


def test_a_refused_microphone_leaves_the_keyboard(
    playwright: Playwright,
    card: SoundCard,
    agents: ScriptedAgents,
    site: str,
    visits: Visits,
    tmp_path: Path,
) -> None:
    agents.scripts["a1"] = echo
    with ExitStack() as closing:
        refusing = launch_firefox(playwright, tmp_path, REFUSES, card.env)
        closing.callback(refusing.close)
        page = visit(visits, refusing, f"{site}/agent/a1")
        click(page, "Start talking")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("The microphone was refused.")
        expect(alert).to_contain_text("You can still type.")
        expect(page.get_by_role("log")).to_contain_text("Hello!")
        visits.close()


def test_a_private_agent_is_talked_to_by_its_owner_with_a_ticket(
    firefox: Browser, sample: Sample, visits: Visits, card: SoundCard
) -> None:
    url = f"{sample.url}/agent/{sample.agent}"
    page = visit(visits, firefox, url, storage_state=sample.owner)
    expect(page.get_by_role("heading", name="Front desk of the Grand Hotel")).to_be_visible()
    click(page, "Type instead")
    expect(page.get_by_role("log")).to_contain_text("Welcome to the Grand Hotel.")
    click(page, "Hang up")


def test_every_page_is_shown_without_errors_and_is_accessible(
    firefox: Browser, sample: Sample, visits: Visits
) -> None:
    wrong: dict[str, list[str]] = {}
    for session in (sample.owner, sample.newcomer, None):
        page = visit(visits, firefox, f"{sample.url}/sign-in", storage_state=session)
        for name, path, whose in sample.visitors():
            if whose is not session:
                continue
            page.goto(f"{sample.url}{path}")
            settle(page)
            if found := find_violations(page):
                wrong[name] = found
        page.context.close()
    assert wrong == {}


def test_firefox_is_never_asked_how_late_its_sound_is(
    chromium: Browser, agents: ScriptedAgents, site: str, open_page: OpenPage
) -> None:
    """Chromium in its clothes: where Firefox is asked, it freezes, but not always."""
    agents.scripts["a1"] = echo
    page = open_page(chromium, f"{site}/agent/a1", user_agent="Gecko/20100101 Firefox/153.0")
    page.evaluate(
        """() => Object.defineProperty(AudioContext.prototype, "outputLatency",
             { get() { throw new Error("was asked"); } })"""
    )
    click(page, "Start talking")
    expect(page.get_by_role("log")).to_contain_text("Hello!")
    wait_for(lambda: any(m.get("seconds", 0) > 0.3 for m in agents.callers[0].sent), 30)
