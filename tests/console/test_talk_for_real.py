"""All of it: recorded speech into Chromium's microphone, a spoken answer out of its loudspeaker."""

from __future__ import annotations

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, Page, Playwright, expect

import speech
from console.chromium import ALLOW, OpenPage, audible_s, launch
from console.scripted_site import wait_for
from console.states import see_state
from sayso.audio.formats import EAR_RATE_HZ, pcm16_of
from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, locate
from served import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.speech]

MICROPHONE_HZ = 48_000
SILENCE_S = 20.0


@pytest.fixture(scope="module")
def recording() -> speech.Recording:
    found = [prompt for prompt in speech.prompts() if prompt.name == "vm-newpassword"]
    if not found:
        pytest.skip("needs the Debian package asterisk-core-sounds-en-g722")
    return found[0]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    try:
        locate("moonshine-tiny-en-encoder.ort", MODELS_DIR)
    except InstallationError:
        pytest.skip("needs the bundled models (`make models`)")
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def caller(
    playwright: Playwright, tmp_path: Path, recording: speech.Recording, speaks_at_s: float
) -> Iterator[Browser]:
    """A browser whose microphone hears the recording, `speaks_at_s` after it is opened."""
    wav = write_wav(tmp_path / "microphone.wav", recording, speaks_at_s)
    browser = launch(playwright, ALLOW, f"--use-file-for-fake-audio-capture={wav}%noloop")
    yield browser
    browser.close()


def write_wav(path: Path, recording: speech.Recording, silence_s: float) -> Path:
    before, after = (np.zeros(round(s * EAR_RATE_HZ), np.float32) for s in (silence_s, SILENCE_S))
    sound = np.concatenate([before, recording.samples, after])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_HZ)
        file.writeframes(pcm16_of(soxr.resample(sound, EAR_RATE_HZ, MICROPHONE_HZ)).tobytes())
    return path


def start(page: Page) -> None:
    page.get_by_role("button", name="Start talking").click()
    wait_for(lambda: audible_s(page) > 0.3)


@pytest.mark.parametrize("speaks_at_s", [6.5])
def test_a_spoken_sentence_is_answered_aloud(
    caller: Browser, served: Served, open_page: OpenPage, recording: speech.Recording
) -> None:
    assert served.server.welcome is not None
    page = open_page(caller, f"{served.url}/agent/{served.server.welcome.agent_id}")
    start(page)
    main, said = page.locator("main"), page.locator("li.caller:not(.interim) p")
    expect(page.get_by_role("log")).to_contain_text("I am the Sayso guide", timeout=8_000)
    expect(main).to_have_attribute("data-state", "listening", timeout=8_000)
    greeting_s = audible_s(page)
    assert greeting_s > 2

    see_state(page, "hearing")
    expect(page.locator("li.caller.interim p")).to_have_count(1)
    expect(said).to_have_count(1)
    assert speech.count_errors(recording.text, said.inner_text()).rate <= 0.2
    see_state(page, "speaking")
    expect(page.locator("li.agent")).to_have_count(2)
    expect(main).to_have_attribute("data-state", "listening", timeout=15_000)
    assert audible_s(page) > greeting_s + 0.5
    waited = re.fullmatch(r"Answered in (\d+\.\d) s", page.locator(".latency").inner_text())
    assert waited
    assert 0.1 < float(waited[1]) < 8


@pytest.mark.parametrize("speaks_at_s", [1.5])
def test_speaking_over_the_agent_interrupts_it(
    caller: Browser, served: Served, open_page: OpenPage, recording: speech.Recording
) -> None:
    assert served.server.welcome is not None
    page = open_page(caller, f"{served.url}/agent/{served.server.welcome.agent_id}")
    start(page)
    see_state(page, "hearing")
    greeting = page.locator("li.agent.interrupted p")
    expect(greeting).to_have_count(1)
    assert greeting.inner_text().startswith("Hello")
    assert "know?" not in greeting.inner_text()
    expect(page.locator("li.caller:not(.interim) p")).to_have_count(1)
    heard = page.locator("li.caller:not(.interim) p").inner_text()
    assert speech.count_errors(recording.text, heard).rate <= 0.5  # the agent is loud beside it
