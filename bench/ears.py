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

import numpy as np
import soxr

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig, load_engine
from sayso.models import MODELS_DIR
from sayso.stt import Stt
from sayso.tts import Tts
from sayso.vad import WINDOW_SAMPLES
from sayso.vad.gate import Gate, SpeechStarted, SpeechStopped
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


async def measure_gate() -> None:
    """Recordings with silence between them: when does the gate say that speech began and ended?"""
    vad = Silero(EngineConfig(models_dir=MODELS_DIR))
    await vad.open()
    starts, stops, missed, split, late = [], [], 0, 0, []
    recordings = speech.sentences()
    begin = time.perf_counter()
    windows = 0
    for recording in recordings:
        spoken = recording.samples
        noise = np.random.default_rng(0).normal(0, 2e-4, 3 * EAR_RATE_HZ).astype(np.float32)
        sound = np.concatenate([noise[: EAR_RATE_HZ * 3 // 2], spoken, noise])
        true_start, true_stop = (edge + 1.5 for edge in edges_s(spoken))
        gate, stream, events = Gate(), vad.stream(), []
        for probability in stream.feed(sound):
            windows += 1
            if event := gate.step(probability):
                events.append((event, gate.now_s))
        began = [(e.at_s, at_s) for e, at_s in events if isinstance(e, SpeechStarted)]
        ended = [(e.at_s, at_s) for e, at_s in events if isinstance(e, SpeechStopped)]
        if not began or not ended:
            missed += 1
            continue
        split += len(began) - 1
        starts.append(began[0][0] - true_start)
        stops.append(ended[-1][0] - true_stop)
        late.append(ended[-1][1] - true_stop)
    spent = time.perf_counter() - begin
    print(f"gate: {len(recordings)} recordings in silence, {missed} missed, {split} inner pauses")
    for name, values in (("start", starts), ("stop", stops), ("stop told after", late)):
        p5, p50, p95 = np.percentile(values, [5, 50, 95]) * 1000
        print(f"  {name}: p5 {p5:+.0f}, p50 {p50:+.0f}, p95 {p95:+.0f} ms from the energy's edge")
    print(f"  vad: {spent / windows * 1000:.2f} ms per {WINDOW_SAMPLES}-sample window")


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
