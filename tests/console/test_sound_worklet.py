"""The sound of the page, sample by sample: the worklet's classes without an audio thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser

from sayso.console.files import WIDGET

pytestmark = pytest.mark.browser

Run: TypeAlias = Callable[..., Any]
Sound: TypeAlias = npt.NDArray[np.float64]

STAGE = """
([body, rate, given]) => {
  const told = [];
  const classes = {};
  const scope = {
    sampleRate: rate,
    currentTime: 0,
    registerProcessor: (name, kind) => { classes[name] = kind; },
    AudioWorkletProcessor: class { port = { postMessage: (news) => told.push(news) }; },
  };
  const run = new Function(...Object.keys(scope), "told", "classes", "given", body);
  return run(...Object.values(scope), told, classes, given);
}
"""
PLAY = """
const player = new classes["sayso-player"]({ processorOptions: { rateHz: 24000 } });
const order = (order, what) => player.port.onmessage({ data: { order, what } });
const hear = (blocks) => {
  const sound = [];
  for (let n = 0; n < blocks; n += 1) {
    const out = new Float32Array(128);
    player.process([], [[out]]);
    sound.push(...out);
  }
  return sound;
};
const dc = (seconds) => new Float32Array(24000 * seconds).fill(0.5);
"""


@pytest.fixture(scope="module")
def run(chromium: Browser) -> Iterator[Run]:
    """Runs JavaScript after the worklet's source: `run(body, given, rate_hz=...)`."""
    page = chromium.new_page()
    source = (WIDGET / "sound.js").read_text()

    def run(body: str, given: object = None, *, rate_hz: int = 48_000) -> Any:  # noqa: ANN401
        return page.evaluate(STAGE, [f"{source}\n{body}", rate_hz, given])

    yield run
    page.close()


def tone(hz: float, rate_hz: int, seconds: float = 0.5) -> list[float]:
    times_s = np.arange(int(rate_hz * seconds)) / rate_hz
    return [float(x) for x in 0.5 * np.sin(2 * np.pi * hz * times_s)]


def resample(run: Run, sound: list[float], from_hz: int, to_hz: int) -> Sound:
    """Resample in blocks of 128, as an audio thread hands them over."""
    body = """
    const resampler = new Resampler(given.from, given.to);
    const out = [];
    for (let at = 0; at < given.sound.length; at += 128)
      out.push(...resampler.process(Float32Array.from(given.sound.slice(at, at + 128))));
    return out;
    """
    return np.array(run(body, {"sound": sound, "from": from_hz, "to": to_hz}))


def power_db(sound: Sound, hz: float, rate_hz: int) -> tuple[float, float]:
    """Power of the tone at `hz`, and of all that is not that tone; in decibels of full scale."""
    times_s = np.arange(len(sound)) / rate_hz
    wave = np.stack([np.sin(2 * np.pi * hz * times_s), np.cos(2 * np.pi * hz * times_s)])
    weights = np.linalg.lstsq(wave.T, sound, rcond=None)[0]
    rest = sound - weights @ wave
    tone_power = np.mean((weights @ wave) ** 2)
    return 10 * np.log10(tone_power + 1e-12), 10 * np.log10(np.mean(rest**2) + 1e-12)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [(24_000, 48_000), (24_000, 44_100), (48_000, 16_000), (44_100, 16_000), (16_000, 16_000)],
)
def test_a_tone_comes_out_as_itself(run: Run, from_hz: int, to_hz: int) -> None:
    out = resample(run, tone(1000, from_hz), from_hz, to_hz)
    assert len(out) == pytest.approx(to_hz * 0.5, abs=1)
    level, noise = power_db(out[200:], 1000, to_hz)
    assert level == pytest.approx(-9.03, abs=0.05)
    assert noise < level - 60


def test_what_16_khz_cannot_hold_is_filtered_out(run: Run) -> None:
    out = resample(run, tone(10_000, 48_000), 48_000, 16_000)
    assert 10 * np.log10(np.mean(out[200:] ** 2)) < -70


def test_the_microphone_sends_whole_frames_of_16_bits(run: Run) -> None:
    body = """
    const capture = new classes["sayso-capture"]({ processorOptions: { rateHz: 16000 } });
    for (let n = 0; n < 80; n += 1) capture.process([[new Float32Array(128).fill(given)]]);
    capture.process([[]]);
    return told.map(({ frame }) => [...new Int16Array(frame)]);
    """
    frames = run(body, 0.25)
    assert [len(frame) for frame in frames] == [1600, 1600]
    assert set(frames[1]) == {8192}
    assert set(run(body, 3.0)[1]) == {32_767}
    assert set(run(body, -3.0)[1]) == {-32_768}


def test_a_reply_plays_whole_and_then_tells_that_it_was_heard(run: Run) -> None:
    told, sound = run(
        PLAY
        + """
        order("begin", 7);
        order("sound", dc(0.1));
        order("sound", dc(0.1));
        order("end");
        const sound = hear(80);
        return [told, sound];
        """
    )
    assert told == [
        {"news": "playing", "reply": 7, "seconds": 0, "atS": 0},
        {"news": "dry", "reply": 7, "seconds": pytest.approx(0.2, abs=0.001), "atS": 0},
    ]
    played = np.array(sound)
    assert np.count_nonzero(np.abs(played) > 0.4) == pytest.approx(9600, abs=40)
    assert np.allclose(played[200:9400], 0.5, atol=0.001)


def test_it_tells_four_times_a_second_how_much_has_played(run: Run) -> None:
    told = run(
        PLAY
        + """
        order("begin", 7);
        order("sound", dc(0.6));
        hear(375);
        order("sound", dc(0.4));
        order("end");
        hear(375);
        order("begin", 8);
        order("sound", dc(0.1));
        hear(2);
        const round = (seconds) => Math.round(seconds * 100) / 100;
        return told.map(({ news, reply, seconds }) => [news, reply, round(seconds)]);
        """
    )
    assert told == [
        ["playing", 7, 0],
        ["played", 7, 0.25],
        ["played", 7, 0.5],
        ["played", 7, 0.6],
        ["played", 7, 0.85],
        ["dry", 7, 1],
        ["playing", 8, 0],
    ]


def test_an_end_without_sound_is_heard_at_once(run: Run) -> None:
    body = """order("begin", 1); order("end"); hear(10); return told.map(({ news }) => news);"""
    assert run(PLAY + body) == ["playing", "dry"]


def test_it_gathers_a_little_first_and_more_after_a_gap(run: Run) -> None:
    blocks = run(
        PLAY
        + """
        const blocksUntilSound = () => {
          let blocks = 0;
          while (blocks < 100 && !hear(1).some(Boolean)) blocks += 1;
          return blocks;
        };
        order("begin", 1);
        order("sound", dc(0.05));
        const early = blocksUntilSound();
        order("sound", dc(0.05));
        const enough = blocksUntilSound();
        hear(60);
        order("sound", dc(0.1));
        const afterGap = blocksUntilSound();
        order("sound", dc(0.1));
        return [early, enough, afterGap, blocksUntilSound(), told.map(({ news }) => news)];
        """
    )
    assert blocks == [100, 0, 100, 0, ["playing", "played"]]


def test_a_new_reply_drops_the_one_before_without_a_click(run: Run) -> None:
    told, sound = run(
        PLAY
        + """
        order("begin", 1);
        order("sound", dc(1));
        hear(20);
        order("begin", 2);
        const sound = hear(10);
        return [told, sound];
        """
    )
    assert [news["reply"] for news in told] == [1]
    played = np.array(sound)
    assert played[0] == pytest.approx(0.5, abs=0.01)
    assert np.max(np.abs(np.diff(played))) < 0.01
    assert not played[240:].any()


def test_what_waits_to_be_played_has_a_limit(run: Run) -> None:
    body = (
        """for (let n = 0; n < 150; n += 1) order("sound", dc(1)); return player.queued / 48000;"""
    )
    assert run(PLAY + body) == pytest.approx(120, abs=1)


def test_a_held_reply_falls_silent_and_loses_nothing(run: Run) -> None:
    told, held, sound = run(
        PLAY
        + """
        order("begin", 1);
        order("sound", dc(0.4));
        order("end");
        hear(20);
        order("hold");
        const held = hear(100);
        order("resume");
        const sound = hear(200);
        const news = told.map(({ news, seconds }) => [news, Math.round(seconds * 1000)]);
        return [news, held, sound];
        """
    )
    assert np.max(np.abs(np.diff(held))) < 0.01
    assert not np.any(held[240:])
    assert np.count_nonzero(np.abs(sound) > 0.4) == pytest.approx(0.4 * 48_000 - 20 * 128, abs=40)
    assert told == [["playing", 0], *4 * [["played", 53]], ["played", 304], ["dry", 401]]


def test_a_reply_that_is_held_when_another_begins_is_dropped(run: Run) -> None:
    told = run(
        PLAY
        + """
        order("begin", 1);
        order("sound", dc(0.4));
        hear(20);
        order("hold");
        order("begin", 2);
        order("sound", dc(0.1));
        order("end");
        hear(60);
        return told.map(({ news, reply }) => [news, reply]);
        """
    )
    assert told == [["playing", 1], ["played", 1], ["playing", 2], ["dry", 2]]


def test_the_microphone_tells_how_loud_it_was(run: Run) -> None:
    body = """
    const capture = new classes["sayso-capture"]({ processorOptions: { rateHz: 16000 } });
    for (let n = 0; n < 80; n += 1) capture.process([[new Float32Array(128).fill(given)]]);
    return told.map(({ powers }) => powers.map(([atS, power]) => power));
    """
    first, second = run(body, 0.25)
    assert 4 <= len(first) <= 6
    assert {*first, *second} == {0.0625}
