"""Measures ears and voice on recorded speech: word errors, times, memory, and the gate.

    python bench/ears.py                       everything, with the bundled engines
    python bench/ears.py stt --engine openai --options '{"url": "http://127.0.0.1:8000/v1"}'

Needs the recordings of speech.py:
    apt-get install asterisk-core-sounds-en-g722 pocketsphinx-testdata
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import soxr

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig, load_engine
from sayso.models import MODELS_DIR
from sayso.stt import Stt
from sayso.talk.ears import POST_ROLL_S, Ears, Utterance
from sayso.talk.events import SpeechStarted, SpeechStopped
from sayso.tts import Tts
from sayso.vad import WINDOW_SAMPLES
from sayso.vad.gate import WINDOW_S, Gate
from sayso.vad.silero import Silero

SAYINGS = (
    "Thanks for calling Bluebird Dental, how can I help you today?",
    "Sure, I can move your appointment to Thursday at three in the afternoon.",
    "Your order shipped this morning and should arrive by Friday.",
    "I'm sorry, I didn't catch that, could you say it again?",
    "We are open from nine to five on weekdays.",
    "The total comes to forty two dollars and fifty cents.",
    "Could you please spell your last name for me?",
    "I have sent a confirmation to your email address.",
    "Let me check that for you, one moment please.",
    "There is a table for four available at seven tonight.",
    "Your flight leaves from gate twenty three at noon.",
    "Please have your account number ready.",
    "I can connect you with one of our technicians.",
    "The warranty covers parts and labor for two years.",
    "It looks like your payment did not go through.",
    "Would you prefer a morning or an afternoon visit?",
    "You can return the item within thirty days.",
    "The nearest store is on Maple Street, next to the library.",
    "I understand, that must be frustrating.",
    "Great, I have booked a double room for two nights.",
    "The password must contain at least eight characters.",
    "We do not ship to that country at the moment.",
    "Your prescription will be ready tomorrow after ten.",
    "Is there anything else I can do for you?",
    "The meeting has been moved to the second floor.",
    "Please turn the device off and on again.",
    "Our newest plan includes unlimited calls and texts.",
    "I will transfer you to the billing department now.",
    "The weather in Boston is sunny with a light breeze.",
    "Thank you for your patience, and have a wonderful day.",
)
"""Thirty sentences as an agent says them."""

HANG_S = 7 * WINDOW_S
FOUR_SECONDS = "Sure, I can move your appointment to Thursday at three, and I'll send a reminder."
FIRST_CLAUSE = "Sure, I can help you with that,"


def quantiles(times_s: Sequence[float]) -> str:
    p50, p95 = np.percentile(times_s, [50, 95]) * 1000
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"


async def measure_stt(stt: Stt) -> None:
    conditions: dict[str, Callable[[Samples], Samples]] = {
        "clean": lambda sound: sound,
        "mu-law 8 kHz": speech.over_the_phone,
    }
    recordings = speech.sentences()
    print(f"stt: {len(recordings)} recordings, {sum(r.seconds for r in recordings):.0f} s")
    for name, spoil in conditions.items():
        errors, times_s, turns_s = speech.Errors(0, 0), [], []
        for recording in recordings:
            sound = spoil(recording.samples)
            begin = time.perf_counter()
            text = await stt.transcribe(sound, "english")
            times_s.append(time.perf_counter() - begin)
            if 2 <= recording.seconds <= 5:
                turns_s.append(times_s[-1])
            errors += speech.count_errors(recording.text, text)
        print(f"  {name}: WER {errors.rate:.1%} ({errors.wrong} of {errors.words})", end="; ")
        print(f"all {quantiles(times_s)}; 2-5 s turns {quantiles(turns_s)}")


async def say(tts: Tts, text: str, voice: str) -> tuple[Samples, float]:
    """The whole sound at the ears' rate, and the seconds until its first piece."""
    begin, first_s, pieces = time.perf_counter(), 0.0, []
    async for piece in tts.speak(text, voice=voice):
        first_s = first_s or time.perf_counter() - begin
        pieces.append(piece)
    sound = np.concatenate(pieces)
    return soxr.resample(sound, tts.sample_rate_hz, EAR_RATE_HZ), first_s


async def measure_tts(tts: Tts, stt: Stt) -> None:
    print(f"tts: {len(SAYINGS)} sentences, read back")
    for voice in tts.voices:
        errors = speech.Errors(0, 0)
        for text in SAYINGS:
            sound, _ = await say(tts, text, voice.id)
            errors += speech.count_errors(text, await stt.transcribe(sound, "english"))
        times = {}
        for name, text in (("4 s sentence", FOUR_SECONDS), ("first clause", FIRST_CLAUSE)):
            runs = [await say(tts, text, voice.id) for _ in range(20)]
            times[name] = f"{name} ({len(runs[0][0]) / EAR_RATE_HZ:.1f} s) " + quantiles(
                [first_s for _, first_s in runs]
            )
        print(f"  {voice.id}: WER {errors.rate:.1%}; {'; '.join(times.values())}")


BEFORE_S, AFTER_S = 1.5, 3.0
ROOM = 2e-4
"""Loudness of the room around the recordings (-74 dB)."""


async def measure_gate() -> None:
    """Recordings with silence around them: when do the ears say that speech began and ended?"""
    vad = Silero(EngineConfig(models_dir=MODELS_DIR))
    await vad.open()
    conditions: dict[str, Callable[[Samples], Samples]] = {
        "clean": lambda sound: sound,
        "mu-law 8 kHz": speech.over_the_phone,
        "noise at 10 dB": add_noise,
    }
    recordings = speech.sentences()
    print(f"gate: {len(recordings)} recordings, milliseconds from the energy's edge")
    for name, spoil in conditions.items():
        for before_s in (BEFORE_S, 0.0):
            heard = [await listen(vad, r.samples, spoil, before_s) for r in recordings]
            found = [one for one in heard if one.stops_s]
            split = sum(len(one.stops_s) - 1 for one in found)
            where = f"{name}, {'from the first sample' if not before_s else 'after a silence'}"
            print(f"  {where}: {len(heard) - len(found)} missed, {split} inner pauses")
            print(f"    begins noticed {spread([one.noticed_s for one in found])}")
            print(f"    kept from      {spread([one.kept_s for one in found])}")
            print(f"    end dated      {spread([one.stops_s[-1] for one in found])}")
            print(f"    end noticed    {spread([one.told_s for one in found])}")


@dataclass
class Listened:
    """What the ears made of one recording, in seconds from where its energy begins or ends."""

    noticed_s: float = 0.0
    kept_s: float = 0.0
    stops_s: list[float] = field(default_factory=list)
    told_s: float = 0.0


async def listen(
    vad: Silero, spoken: Samples, spoil: Callable[[Samples], Samples], before_s: float
) -> Listened:
    """Play one recording to fresh ears, 20 ms at a time."""
    noise = np.random.default_rng(0).normal(0, ROOM, int(AFTER_S * EAR_RATE_HZ))
    first_s, last_s = edges_s(spoken)
    silence, said = noise[: int(before_s * EAR_RATE_HZ)], spoken[int(first_s * EAR_RATE_HZ) :]
    sound = spoil(np.concatenate([silence, said, noise], dtype=np.float32))
    end_s = before_s + last_s - first_s
    ears, heard = Ears(Gate(), 15.0), Listened()
    judged = await vad.stream().judge(sound)
    for begin in range(0, len(sound), 320):
        piece = sound[begin : begin + 320]
        windows = slice(begin // WINDOW_SAMPLES, (begin + len(piece)) // WINDOW_SAMPLES)
        for happening in ears.hear(piece, judged[windows]):
            if isinstance(happening, SpeechStarted):
                heard.noticed_s = heard.noticed_s or happening.at_s - before_s
            elif isinstance(happening, Utterance) and isinstance(happening.event, SpeechStopped):
                event = happening.event
                if not heard.stops_s:
                    rolled_s = len(happening.samples) / EAR_RATE_HZ
                    heard.kept_s = event.at_s - HANG_S + POST_ROLL_S - rolled_s - before_s
                heard.stops_s.append(event.since_s - end_s)
                heard.told_s = event.at_s - end_s
    return heard


def add_noise(sound: Samples) -> Samples:
    """White noise 10 dB below the loudness of the speech."""
    speaking = sound[np.abs(sound) > 10 * ROOM]
    level = float(np.sqrt(np.square(speaking).mean())) * 10**-0.5
    noise = np.random.default_rng(1).normal(0, level, len(sound))
    return np.asarray(sound + noise, np.float32)


def spread(values_s: Sequence[float]) -> str:
    p5, p50, p95 = np.percentile(values_s, [5, 50, 95]) * 1000
    return f"p5 {p5:+.0f}, p50 {p50:+.0f}, p95 {p95:+.0f}"


def edges_s(sound: Samples) -> tuple[float, float]:
    """Where the sound's energy first and last exceeds 3 % of its peak, in seconds."""
    blocks = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    level = np.sqrt(np.square(blocks).mean(1))
    loud = np.flatnonzero(level > 0.03 * level.max())
    return loud[0] / 100, (loud[-1] + 1) / 100


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["stt", "tts", "gate", "all"], default="all")
    parser.add_argument("--engine", default="moonshine")
    parser.add_argument("--options", type=json.loads, default={})
    chosen = parser.parse_args()
    config = EngineConfig(models_dir=MODELS_DIR, workers=1, options=chosen.options)
    stt: Stt = load_engine("sayso.stt", chosen.engine, config)
    tts: Tts = load_engine("sayso.tts", "hibari", EngineConfig(models_dir=MODELS_DIR))
    for engine in (stt, tts):
        begin = time.perf_counter()
        await engine.open()
        print(f"opened {type(engine).__name__} in {time.perf_counter() - begin:.2f} s")
    if chosen.what in ("stt", "all"):
        await measure_stt(stt)
    if chosen.what in ("gate", "all"):
        await measure_gate()
    if chosen.what in ("tts", "all"):
        await measure_tts(tts, stt)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    await tts.close()
    await stt.close()


if __name__ == "__main__":
    asyncio.run(main())
