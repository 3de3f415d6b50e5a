"""Pauses with labels: in the middle of a turn, or at its end; recorded and synthesized.

What a caller says is a list of pieces. Between two of them is a pause in the middle; after the last
one is an end, if the whole is complete. Recorded: prompts cut at the pauses their speaker made,
prompts that were recorded as beginnings ("There are currently") and go on with a number, digits
and letters read singly and joined to what people dictate. Synthesized: what callers begin and
break off, by two engines.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples

PAUSES_S = (0.3, 1.5)
"""Pauses in the middle of a turn last this long, evenly spread on a logarithmic scale."""

WITHIN_DIGITS_S = 0.06
ESPEAK_RATE_HZ, WAV_HEADER_BYTES = 22_050, 44


@dataclass(frozen=True, slots=True)
class Saying:
    """What one caller says in one turn.

    Attributes:
        kind: what it is made of; the table has a row for each.
        pieces: the sound between pauses, 16 kHz.
        ends: whether the last piece completes it.
    """

    kind: str
    name: str
    pieces: tuple[Samples, ...]
    ends: bool = True


BROKEN_OFF = (
    ("I would like to", "book a table for tonight."),
    ("My name is", "Margaret Hill."),
    ("Can you tell me when", "the store opens tomorrow?"),
    ("I need a room for two and", "a place to park."),
    ("Let me see.", "It must be the second one."),
    ("Um", "I am not sure about that."),
    ("So, uh", "what does it cost?"),
    ("I was wondering if", "you could help me."),
    ("The problem is that", "my card was declined."),
    ("I ordered it last week but", "it never arrived."),
    ("Hold on.", "I have it here somewhere."),
    ("I want to speak with", "somebody in sales."),
    ("Because", "the other one was broken."),
    ("My phone number is", "five five five, zero one two three."),
    ("On Monday,", "or Tuesday if that is better."),
    ("It depends on the", "price of the ticket."),
    ("Well,", "I think we should go."),
    ("I live in", "a small town near Boston."),
    ("You can reach me at", "john dot smith at example dot com."),
    ("My email is john dot smith", "at example dot com."),
    ("It is john at", "example dot com."),
    ("B as in boy,", "A as in apple, T as in Tom."),
    ("First I tried the website, then", "I called the shop."),
    ("I'm looking for a", "blue one, in a large size."),
    ("Let me think.", "Yes, that works for me."),
    ("If it rains", "we would rather stay inside."),
    ("Is there a way to", "change the date?"),
    ("The last time I called, I", "was told to wait."),
    ("We are four adults and", "two children."),
    ("That would be great, but", "can you do it earlier?"),
)
"""What callers say with a pause in it: its two pieces."""

WHOLE = (
    "What time do you open?",
    "Yes, please.",
    "No, thank you.",
    "I would like to book a table for two at seven.",
    "Can you help me with my order?",
    "It's Thursday.",
    "That's all.",
    "How much does it cost?",
    "My name is Peter Miller.",
    "I need to change my appointment.",
    "Two tickets for Saturday evening.",
    "Thanks, goodbye.",
    "Where is the nearest store?",
    "The first one.",
    "Can I speak with a person?",
    "I forgot my password.",
    "It never arrived.",
    "Around three in the afternoon.",
    "What is it for?",
    "Twenty five.",
    "Yes, I do.",
    "Is parking included?",
    "Please cancel my subscription.",
    "The blue one, in a large size.",
    "My email is john at example dot com.",
    "Who am I talking to?",
    "I'd like a coffee and a sandwich.",
    "Stop.",
    "Okay.",
    "Sure, go ahead.",
)
"""What callers say in one breath."""

DICTATED = (
    ("555", "0123"), ("555", "867", "5309"), ("202", "555", "0147"), ("415", "555", "2671"),
    ("4111", "1111", "1111", "1111"), ("5500", "0000", "0000", "0004"), ("90", "210"),
    ("617", "555", "0192"), ("1", "800", "555", "0199"), ("37", "42", "19", "80", "55"),
    ("6011", "0009", "9013", "9424"), ("48", "15", "16", "23", "42"),
)  # fmt: skip
"""Numbers as they are dictated, group by group."""

SPELLED = (
    ("s", "mi", "th"),
    ("ma", "ry"),
    ("ka", "th", "ry", "n"),
    ("mil", "ler"),
    ("q", "z", "7"),
)

QUIET_PART = 0.03
"""Fainter than this part of its peak, a recording is silent."""

LEAST_PAUSE_S, LEAST_SPEECH_S = 0.15, 0.7


def pause_s(index: int) -> float:
    """The length of the pause number `index`: spread evenly, the same in every run."""
    low, high = np.log(PAUSES_S)
    return float(np.exp(low + (index * 0.618034) % 1 * (high - low)))


def recorded() -> Iterator[Saying]:
    """What is made of recordings; nothing where they are not installed."""
    if speech.prompts():
        yield from _cut_prompts()
        yield from _whole_prompts()
        yield from _begun_prompts()
        yield from _dictated()


def spoken_by(engine: str, speak: Callable[[str, int], Samples]) -> Iterator[Saying]:
    """What `speak(text, index)` makes of what callers say; `engine` names it in the table."""
    for index, pieces in enumerate(BROKEN_OFF):
        spoken = tuple(speak(text, index) for text in pieces)
        yield Saying(f"{engine}, broken off", pieces[0], spoken)
    for index, text in enumerate(WHOLE):
        yield Saying(f"{engine}, whole", text, (speak(text, index),))


def by_espeak(text: str, index: int) -> Samples:
    """Two voices in turn."""
    return espeak(text, ("en-us", "en-gb")[index % 2])


def _cut_prompts() -> Iterator[Saying]:
    for prompt in speech.prompts():
        if not 2.0 <= prompt.seconds <= 8.0 or not is_sentence(prompt.text):
            continue
        cuts = find_pauses(prompt.samples)
        if cuts:
            begin, end = max(cuts, key=lambda cut: cut[1] - cut[0])
            first, second = prompt.samples[:begin], prompt.samples[end:]
            inside = len(re.findall(r"[.?!](?= )", prompt.text)) < len(cuts)
            kind = "recorded, within a sentence" if inside else "recorded, between sentences"
            yield Saying(kind, prompt.name, (trim(first), trim(second)))


def _whole_prompts() -> Iterator[Saying]:
    for prompt in speech.prompts():
        fits = 0.5 <= prompt.seconds <= 6.0 and is_sentence(prompt.text)
        if fits and not find_pauses(prompt.samples):
            yield Saying("recorded, whole", prompt.name, (trim(prompt.samples),))


def _begun_prompts() -> Iterator[Saying]:
    """Prompts recorded to be followed by a number or a name."""
    for index, prompt in enumerate(speech.prompts()):
        if _BEGINNING.search(prompt.text) and prompt.seconds >= 0.6:
            number = digits(str(index % 7 + 2))
            yield Saying("recorded, begun", prompt.text, (trim(prompt.samples), number), ends=False)


def _dictated() -> Iterator[Saying]:
    for groups in DICTATED:
        yield Saying("recorded, number", "-".join(groups), tuple(digits(g) for g in groups))
    for groups in SPELLED:
        yield Saying("recorded, spelling", "-".join(groups), tuple(letters(g) for g in groups))


_BEGINNING = re.compile(r" (number|currently|as:|for|extension|from|is|have)$")


def is_sentence(text: str) -> bool:
    """Whether it begins and ends as one; some prompts stop at "..." on purpose."""
    whole = re.match(r"^[A-Z].*[.?!]$", text) and not text.endswith("...")
    return bool(whole) and len(text.split()) >= 2


def digits(group: str) -> Samples:
    """A few digits in one breath."""
    return _read_out([speech.SOUNDS / "digits" / f"{digit}.g722" for digit in group])


def letters(group: str) -> Samples:
    """A few letters in one breath."""
    folder = {True: "digits", False: "letters"}
    return _read_out([speech.SOUNDS / folder[c.isdigit()] / f"{c}.g722" for c in group])


def _read_out(paths: Sequence[Path]) -> Samples:
    gap = np.zeros(int(WITHIN_DIGITS_S * EAR_RATE_HZ), np.float32)
    parts = [part for path in paths for part in (trim(speech.load_sound(path)), gap)]
    return np.concatenate(parts[:-1])


def level(sound: Samples) -> npt.NDArray[np.bool_]:
    """Whether each 10 ms of sound is loud."""
    blocks = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    energy = np.sqrt(np.square(blocks).mean(1))
    loud: npt.NDArray[np.bool_] = energy > QUIET_PART * energy.max()
    return loud


def trim(sound: Samples) -> Samples:
    """The sound without the silence around it."""
    loud = np.flatnonzero(level(sound))
    return sound[loud[0] * 160 : (loud[-1] + 1) * 160]


def find_pauses(sound: Samples) -> list[tuple[int, int]]:
    """Where its speaker paused, well inside: first and last sample of each pause."""
    loud = np.flatnonzero(level(sound))
    found = []
    for before, after in pairwise(loud):
        long = (after - before) / 100 >= LEAST_PAUSE_S
        inside = before - loud[0] >= LEAST_SPEECH_S * 100 <= loud[-1] - after
        if long and inside:
            found.append(((int(before) + 1) * 160, int(after) * 160))
    return found


@cache
def espeak(text: str, voice: str) -> Samples:
    """What espeak-ng makes of `text`, at 16 kHz."""
    done = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", "165", "--stdout", text], capture_output=True, check=True
    )
    sound = np.frombuffer(done.stdout[WAV_HEADER_BYTES:], "<i2").astype(np.float32) / 32768
    return trim(np.asarray(soxr.resample(sound, ESPEAK_RATE_HZ, EAR_RATE_HZ), np.float32))
