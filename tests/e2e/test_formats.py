"""Every format a client may speak in is understood; every format it may ask for is speech."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import soxr

import speech
from sayso.audio import mulaw
from sayso.audio.encode import nearest_mp3_rate_hz
from sayso.audio.formats import EAR_RATE_HZ, OutputFormat, Samples
from served import Served, fake_llm, hear_greeting, linear16
from sounds import cut, packets, played, recorded, saved

pytestmark = pytest.mark.speech

AT_ONCE = 6
SLICE_S = 0.25
"""As browsers slice a recording."""

RATES_HZ = (8_000, 16_000, 24_000, 44_100, 48_000)
SENTENCE = "Your table is booked for seven in the evening."
SENTENCE_S = (2.0, 4.5)


def at(rate_hz: int, samples: Samples) -> Samples:
    """16 kHz sound at another rate."""
    return np.asarray(soxr.resample(samples, EAR_RATE_HZ, rate_hz), np.float32)


# Input -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Input:
    """A way to send sound: what `setup` says of it, and how it is cut into messages."""

    setup: Mapping[str, Any]
    cut: Callable[[Samples], list[bytes]]


def headerless(encoding: str, rate_hz: int, write: Callable[[Samples], bytes]) -> Input:
    sample_bytes = len(write(np.zeros(1, np.float32)))
    size = int(rate_hz * SLICE_S) * sample_bytes + 1  # which is no whole number of samples
    return Input(
        {"inputEncoding": encoding, "inputSampleRate": rate_hz},
        lambda samples: cut(write(at(rate_hz, samples)), size),
    )


def recorder(muxer: str, codec: str, rate_hz: int) -> Input:
    """A live recording, of which only the first slice has a header."""
    return Input(
        {"inputEncoding": "media-container"},
        lambda samples: recorded(muxer, codec, at(rate_hz, samples), rate_hz, slice_s=SLICE_S),
    )


def file(muxer: str, codec: str, rate_hz: int) -> Input:
    """A file, cut anywhere."""
    return Input(
        {"inputEncoding": "media-container"},
        lambda samples: cut(saved(muxer, codec, at(rate_hz, samples), rate_hz), 4_001),
    )


def by_ffmpeg(encoding: str, *options: str) -> Input:
    def convert(samples: Samples) -> list[bytes]:
        command = [
            *("ffmpeg", "-v", "error", "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "-"),
            *options,
            "-",
        ]
        done = subprocess.run(command, input=linear16(samples), capture_output=True, check=True)
        return cut(done.stdout, 1_000)

    return Input({"inputEncoding": encoding, "inputSampleRate": EAR_RATE_HZ}, convert)


def flac_stream(samples: Samples) -> list[bytes]:
    return recorded("flac", "flac", samples, EAR_RATE_HZ, slice_s=SLICE_S)


INPUTS: Mapping[str, Input] = {
    **{f"linear16 {r}": headerless("linear16", r, linear16) for r in (*RATES_HZ, 22_050, 32_000)},
    **{f"mulaw {rate}": headerless("mulaw", rate, mulaw.encode) for rate in (8_000, 16_000)},
    "flac": Input({"inputEncoding": "flac", "inputSampleRate": EAR_RATE_HZ}, flac_stream),
    "opus packets": Input(
        {"inputEncoding": "opus", "inputSampleRate": 48_000},
        lambda samples: packets("libopus", at(48_000, samples), 48_000, "s16"),
    ),
    "opus in ogg": Input(
        {"inputEncoding": "opus", "inputSampleRate": 48_000},
        lambda samples: recorded("ogg", "libopus", at(48_000, samples), 48_000, slice_s=SLICE_S),
    ),
    "amr-nb": Input(
        {"inputEncoding": "amr-nb", "inputSampleRate": 8_000},
        lambda samples: packets("libopencore_amrnb", at(8_000, samples), 8_000, "s16", 12_200),
    ),
    "speex": by_ffmpeg("speex", "-c:a", "libspeex", "-f", "ogg"),
    "webm of Chrome": recorder("webm", "libopus", 48_000),
    "ogg of Firefox": recorder("ogg", "libopus", 48_000),
    "mp4 of Safari": Input(
        {"inputEncoding": "media-container"},
        lambda samples: recorded(
            "mp4",
            "aac",
            at(48_000, samples),
            48_000,
            slice_s=SLICE_S,
            movflags="frag_every_frame+empty_moov+default_base_moof",
        ),
    ),
    "matroska": recorder("matroska", "flac", EAR_RATE_HZ),
    "mp3 file": file("mp3", "libmp3lame", 44_100),
    "wav file": file("wav", "pcm_s16le", 44_100),
    "flac file": file("flac", "flac", EAR_RATE_HZ),
    "aiff file": file("aiff", "pcm_s16be", 44_100),
}


async def hear_in(served: Served, agent_id: str, sent: Input, samples: Samples) -> str:
    """What the agent understands of `samples` sent in this way, at the pace they are spoken."""
    slices = sent.cut(samples)
    pace_s = len(samples) / EAR_RATE_HZ / len(slices)
    # Patient, so that a busy machine that sends a slice late does not split the sentence.
    async with served.call(agent_id, **{**sent.setup, "utteranceEndThreshold": 1500}) as caller:
        await hear_greeting(caller)
        due_s = time.monotonic()
        for data in slices:
            due_s += pace_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await caller.send_encoded(data)
        # From here on nothing is sent at all, as by a client that sends speech only.
        await caller.until(lambda: bool(caller.said), within_s=20, what="a transcript")
        return caller.said[0]


async def test_every_input_is_understood(served: Served) -> None:
    asked = next(p for p in speech.sentences() if "," not in p.text and len(p.text.split()) == 7)
    pause = np.zeros(EAR_RATE_HZ // 2, np.float32)  # a recording begins before its speaker does
    samples = np.concatenate([pause, asked.samples, pause])
    turns = asyncio.Semaphore(AT_ONCE)
    heard: dict[str, str] = {}

    async def try_one(name: str, sent: Input) -> None:
        async with turns:
            try:
                heard[name] = await hear_in(served, agent_id, sent, samples)
            except Exception as error:  # noqa: BLE001 - all that fail are told, not only one
                heard[name] = f"{type(error).__name__}: {error}"

    async with fake_llm() as llm:
        agent_id = await served.make_agent(llm.url)
        await asyncio.gather(*(try_one(name, sent) for name, sent in INPUTS.items()))
    print(f"\n  said {asked.text!r}")
    for name, text in sorted(heard.items()):
        print(f"  {name:20} {text!r}")
    wrong = {n: t for n, t in heard.items() if speech.count_errors(asked.text, t).rate > 0.15}
    assert not wrong


# Output ----------------------------------------------------------------------------------------


def outputs() -> Iterator[tuple[OutputFormat, int]]:
    for form in OutputFormat:
        for rate_hz in RATES_HZ:
            yield form, rate_hz


def expected_rate_hz(form: OutputFormat, rate_hz: int) -> int:
    """The rate a player reads from the stream."""
    return {
        OutputFormat.MP3: nearest_mp3_rate_hz(rate_hz),
        OutputFormat.OGG: 48_000,  # Opus always plays at that
    }.get(form, rate_hz)


def decode(form: OutputFormat, rate_hz: int, data: bytes) -> tuple[Samples, int]:
    """What a player makes of it, at 16 kHz, and the rate it read."""
    if form is OutputFormat.RAW:
        samples = np.frombuffer(data, "<f4")
    elif form is OutputFormat.MULAW:
        samples = mulaw.decode(data)
    else:
        return played(data, EAR_RATE_HZ)
    heard = soxr.resample(samples, rate_hz, EAR_RATE_HZ)
    return np.asarray(heard, np.float32), rate_hz


async def test_every_output_is_speech(served: Served) -> None:
    turns = asyncio.Semaphore(AT_ONCE)
    wrong: list[str] = []
    agent_id = await served.make_agent(greeting=SENTENCE)

    async def try_one(form: OutputFormat, rate_hz: int) -> None:
        keys = {"outputFormat": form.value, "outputSampleRate": rate_hz}
        async with turns, served.call(agent_id, **keys) as caller:
            await hear_greeting(caller)
        data = b"".join(caller.replies[0].encoded)
        samples, read_hz = decode(form, rate_hz, data)
        text = await served.understand(samples)
        lasts_s = len(samples) / EAR_RATE_HZ
        good = (
            speech.count_errors(SENTENCE, text).rate <= 0.15
            and read_hz == expected_rate_hz(form, rate_hz)
            and SENTENCE_S[0] <= lasts_s <= SENTENCE_S[1]
        )
        line = f"{form.value:6}{rate_hz:>7} Hz {len(data):>8} bytes {lasts_s:.2f} s {text!r}"
        print(f"  {line}")
        if not good:
            wrong.append(f"{line} (read at {read_hz} Hz)")

    await asyncio.gather(*(try_one(form, rate_hz) for form, rate_hz in outputs()))
    assert not wrong


async def test_each_reply_is_a_stream_of_its_own(served: Served) -> None:
    """A player starts anew at `newAudioStream`: the second reply needs no byte of the first."""

    async def interrupt(form: OutputFormat) -> str:
        keys = {"outputFormat": form.value, "outputSampleRate": 24_000}
        async with served.call(agent_id, **keys) as caller:
            await hear_greeting(caller)
            await caller.write("Hello?")
            await caller.until(lambda: bool(caller.replies), within_s=20, what="a reply")
            await caller.write("And?")  # before the first was heard out
            await caller.reply(1, within_s=20)
        samples, _ = decode(form, 24_000, b"".join(caller.replies[1].encoded))
        return await served.understand(samples)

    async with fake_llm(SENTENCE) as llm:
        agent_id = await served.make_agent(llm.url)
        heard = await asyncio.gather(*(interrupt(form) for form in OutputFormat))
    wrong = [text for text in heard if speech.count_errors(SENTENCE, text).rate > 0.15]
    assert not wrong
