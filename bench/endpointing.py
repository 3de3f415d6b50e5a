"""Measures when a turn is taken for ended: cut-ins at pauses, and the delay at true ends.

    python bench/endpointing.py            all pauses of pauses.py, about four minutes
    python bench/endpointing.py --quick    every fifth of each kind, under a minute

Each pause is heard as the server hears it: Silero and the gate say when speech stopped, Moonshine
writes the words down, Smart Turn judges the sound. Then the turn core itself lives through the
pause under each rule. A transcript counts as taking 90 ms and a judgement 100 ms, so that a busy
machine does not change the table.

Needs the recordings of speech.py, and `espeak-ng`; what is missing is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np
import soxr

import pauses
from pauses import Saying, pause_s
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig, load_engine
from sayso.eot import Eot
from sayso.models import MODELS_DIR
from sayso.stt import Stt
from sayso.talk.ears import Ears, Utterance
from sayso.talk.endpointing import PRESETS, Policy, Preset
from sayso.talk.events import Answer, Event, Heard, Judged, SpeechStarted, SpeechStopped, Tick
from sayso.talk.melody import Melody
from sayso.talk.state import Turn
from sayso.talk.turn import step
from sayso.tts import Tts
from sayso.vad import Vad
from sayso.vad.gate import Gate

TRANSCRIPT_S, JUDGEMENT_S = 0.09, 0.1
BEFORE_S, AFTER_S = 0.5, 0.8
NOISE_LEVEL = 2e-4
QUICK_STEP = 5
BITE = EAR_RATE_HZ // 50


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause as it was heard; times in seconds from the last sound of the speech before it.

    Attributes:
        kind: where it comes from.
        lasts_s: how long until the caller goes on; None at the true end of a turn.
        words: the turn so far, as Moonshine wrote it down.
        sounds_done: what Smart Turn says.
        since_s: when speech ended, for the gate.
        told_s: when the gate said so.
    """

    kind: str
    lasts_s: float | None
    words: str
    sounds_done: float
    since_s: float
    told_s: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to decide: a policy, and the witnesses it is given."""

    name: str
    policy: Policy
    words: bool = True
    sound: bool = True


PLAIN = Policy(patience_s=0.5)
RULES = (
    Rule("500 ms", PLAIN, words=False, sound=False),
    Rule("words", PRESETS[Preset.NORMAL], sound=False),
    Rule("sound", PRESETS[Preset.NORMAL], words=False),
    *(Rule(name.value, policy) for name, policy in PRESETS.items()),
)


# Hearing -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listener:
    """The server's ears."""

    vad: Vad
    stt: Stt
    eot: Eot

    async def hear(self, saying: Saying, first: int) -> list[Pause]:
        """The pauses of one saying; `first` is the number of its first pause."""
        found: list[Pause] = []
        words, melody, at_s = "", Melody(), 0.0
        for index, piece in enumerate(saying.pieces):
            utterances = await self._stretches(piece, at_s)
            if not utterances:
                return found  # too short for the gate: the server does not hear it either
            for utterance in utterances:
                melody.add(utterance)
                text = await self.stt.transcribe(utterance.samples, "english")
                words = f"{words} {text}".strip()
            done = await self.eot.judge(melody.sound())
            last = index == len(saying.pieces) - 1
            lasts_s = None if last else pause_s(first + index)
            if saying.ends or not last:
                ended_s = BEFORE_S + at_s + len(piece) / EAR_RATE_HZ
                found.append(_measure(saying.kind, lasts_s, words, done, utterances[-1], ended_s))
            at_s += len(piece) / EAR_RATE_HZ + (lasts_s or 0.0)
        return found

    async def _stretches(self, piece: Samples, at_s: float) -> list[Utterance]:
        """What the ears make of one piece that begins at `at_s`."""
        rng = np.random.default_rng(0)
        before, after = (
            rng.normal(0, NOISE_LEVEL, int(s * EAR_RATE_HZ)).astype(np.float32)
            for s in (at_s + BEFORE_S, AFTER_S)
        )
        ears, detector = Ears(Gate(), 15.0), self.vad.stream()
        sound = np.concatenate([before, piece, after])
        found: list[Utterance] = []
        for begin in range(0, len(sound), BITE):
            bite = sound[begin : begin + BITE]
            happenings = ears.hear(bite, await detector.judge(bite))
            found += [event for event in happenings if isinstance(event, Utterance)]
        return found


def _measure(
    kind: str,
    lasts_s: float | None,
    words: str,
    sounds_done: float | None,
    last: Utterance,
    ended_s: float,
) -> Pause:
    event = last.event
    assert isinstance(event, SpeechStopped)
    assert sounds_done is not None
    since_s, told_s = event.since_s - ended_s, event.at_s - ended_s
    return Pause(kind, lasts_s, words, sounds_done, since_s, told_s)


# Deciding ----------------------------------------------------------------------------------


def delay_s(pause: Pause, rule: Rule) -> float:
    """How long after the last sound the turn core answers under `rule`."""
    at_s = 100.0
    turn, _ = step(Turn(), SpeechStarted(at_s - 1), rule.policy)
    for event in sorted(_witnesses(pause, rule, at_s), key=lambda event: event.at_s):
        while turn.deadline_s is not None and turn.deadline_s < event.at_s:
            due_s = turn.deadline_s
            turn, commands = step(turn, Tick(due_s), rule.policy)
            if any(isinstance(command, Answer) for command in commands):
                return due_s - at_s
        turn, commands = step(turn, event, rule.policy)
        if any(isinstance(command, Answer) for command in commands):
            return event.at_s - at_s
    if turn.deadline_s is None:
        raise AssertionError(f"never answered: {pause}")
    return turn.deadline_s - at_s


def _witnesses(pause: Pause, rule: Rule, at_s: float) -> Iterable[Event]:
    told_s, since_s = at_s + pause.told_s, at_s + pause.since_s
    yield SpeechStopped(told_s, since_s)
    yield Heard(told_s + TRANSCRIPT_S, pause.words if rule.words and pause.words else "So it is.")
    if rule.sound:
        yield Judged(told_s + JUDGEMENT_S, since_s, pause.sounds_done)


# The table ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule makes of some pauses: cut-ins of a hundred, delays in milliseconds."""

    cut_ins: float
    p50_ms: float
    p95_ms: float


def weigh(found: Sequence[Pause], rule: Rule) -> Outcome:
    """What `rule` makes of `found`."""
    middle = [delay_s(pause, rule) < pause.lasts_s for pause in found if pause.lasts_s is not None]
    ends = [delay_s(pause, rule) * 1000 for pause in found if pause.lasts_s is None]
    p50, p95 = np.percentile(ends, [50, 95]) if ends else (np.nan, np.nan)
    return Outcome(100 * float(np.mean(middle)) if middle else np.nan, float(p50), float(p95))


def by_kind(found: Iterable[Pause]) -> Mapping[str, list[Pause]]:
    groups: dict[str, list[Pause]] = {}
    for pause in found:
        groups.setdefault(pause.kind, []).append(pause)
    return groups


def write_table(found: Sequence[Pause], rules: Sequence[Rule] = RULES) -> str:
    """Markdown: a block for cut-ins, a block for delays; the sums first."""
    groups = {"all": list(found), **by_kind(found)}
    head = "| | n | " + " | ".join(rule.name for rule in rules) + " |"
    lines = [head, "| --- " * (len(rules) + 2) + "|", "| **cut-ins of 100 pauses** |" + " |" * 7]
    for middle in (True, False):
        if not middle:
            lines.append("| **delay at the end, p50 / p95 ms** |" + " |" * 7)
        for kind, group in groups.items():
            some = [pause for pause in group if (pause.lasts_s is not None) is middle]
            if some:
                cells = [_write(weigh(some, rule), middle=middle) for rule in rules]
                lines.append(f"| {kind} | {len(some)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _write(outcome: Outcome, *, middle: bool) -> str:
    if middle:
        return f"{outcome.cut_ins:.0f}"
    return f"{outcome.p50_ms:.0f} / {outcome.p95_ms:.0f}"


# All of it ---------------------------------------------------------------------------------


async def say(tts: Tts, text: str, index: int) -> Samples:
    """One voice after the other."""
    voice = tts.voices[index % len(tts.voices)].id
    sound = np.concatenate([piece async for piece in tts.speak(text, voice=voice)])
    return pauses.trim(soxr.resample(sound, tts.sample_rate_hz, EAR_RATE_HZ).astype(np.float32))


async def gather_sayings(tts: Tts) -> list[Saying]:
    """Every saying that can be made here."""
    made = {
        (text, index): await say(tts, text, index)
        for index, texts in (*enumerate(pauses.BROKEN_OFF), *enumerate((t,) for t in pauses.WHOLE))
        for text in texts
    }
    sayings = list(pauses.recorded())
    sayings += pauses.spoken_by("hibari", lambda text, index: made[text, index])
    if shutil.which("espeak-ng"):
        sayings += pauses.spoken_by("espeak-ng", pauses.by_espeak)
    return sayings


def thin(sayings: Sequence[Saying], step: int) -> list[Saying]:
    """Every `step`th of each kind, and at least one."""
    kinds: dict[str, int] = {}
    kept = []
    for saying in sayings:
        count = kinds[saying.kind] = kinds.get(saying.kind, -1) + 1
        if count % step == 0:
            kept.append(saying)
    return kept


async def listen_to_all(*, quick: bool) -> list[Pause]:
    """Hear every saying with the bundled engines."""
    config = EngineConfig(models_dir=MODELS_DIR)
    vad, stt, eot, tts = (
        load_engine(f"sayso.{room}", name, config)
        for room, name in (
            ("vad", "silero"),
            ("stt", "moonshine"),
            ("eot", "smart-turn"),
            ("tts", "hibari"),
        )
    )
    async with AsyncExitStack() as closing:
        for engine in (vad, stt, eot, tts):
            await engine.open()
            closing.push_async_callback(engine.close)
        listener, found = Listener(vad, stt, eot), list[Pause]()
        for saying in thin(await gather_sayings(tts), QUICK_STEP if quick else 1):
            found += await listener.hear(saying, first=len(found))
    return found


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every fifth of each kind")
    begin = time.perf_counter()
    found = await listen_to_all(quick=parser.parse_args().quick)
    print(write_table(found))
    print(f"{len(found)} pauses in {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    asyncio.run(main())
