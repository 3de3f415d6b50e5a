"""Recorded human speech with transcripts, and the word error rate: for tests and benchmarks.

The recordings come from two Debian packages (`asterisk-core-sounds-en-g722` and
`pocketsphinx-testdata`); nothing of them is kept here. Where they are not installed, the lists
are empty, and tests that need them skip.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
import soxr

from sayso.audio.formats import EAR_RATE_HZ, Samples

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
TRANSCRIPTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
SPHINX = Path("/usr/share/pocketsphinx/test/data")
PHONE_RATE_HZ = 8_000


@dataclass(frozen=True, slots=True)
class Recording:
    """One utterance and the words said in it."""

    name: str
    path: Path
    text: str

    @property
    def samples(self) -> Samples:
        """The sound at 16 kHz."""
        return load_sound(self.path)

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return len(self.samples) / EAR_RATE_HZ


@cache
def load_sound(path: Path) -> Samples:
    """Decode any sound file to 16 kHz mono float32."""
    form = "g722" if path.suffix == ".g722" else None
    with av.open(str(path), format=form) as container:
        stream = container.streams.audio[0]
        blocks = [_mono(frame.to_ndarray()) for frame in container.decode(stream)]
        rate_hz = stream.rate
    sound = np.concatenate(blocks)
    if rate_hz != EAR_RATE_HZ:
        sound = soxr.resample(sound, rate_hz, EAR_RATE_HZ)
    return np.asarray(sound, np.float32)


def _mono(block: np.ndarray) -> Samples:
    scale = 1.0 if block.dtype.kind == "f" else float(np.iinfo(block.dtype).max) + 1
    return np.asarray(block.mean(0) / scale, np.float32)


@cache
def prompts() -> tuple[Recording, ...]:
    """Telephone prompts of one woman, 1-15 s each, studio quality at 16 kHz."""
    if not (SOUNDS.is_dir() and TRANSCRIPTS.is_file()):
        return ()
    return tuple(_read_prompts())


def _read_prompts() -> Iterator[Recording]:
    for line in gzip.decompress(TRANSCRIPTS.read_bytes()).decode("utf-8").splitlines():
        name, colon, text = line.partition(":")
        path = SOUNDS / f"{name.strip()}.g722"
        if colon and not re.match(";", line) and not re.search(r"[\[(]", text) and path.is_file():
            yield Recording(name.strip(), path, text.strip())


@cache
def readings() -> tuple[Recording, ...]:
    """Five sentences of a novel, read aloud, and five names of cards, by men."""
    found: list[Recording] = []
    for folder, transcript in (("librivox", "transcription"), ("cards", "cards.transcription")):
        path = SPHINX / folder / transcript
        if path.is_file():
            found.extend(_read_sphinx(path))
    return tuple(found)


def _read_sphinx(transcript: Path) -> Iterator[Recording]:
    for line in transcript.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"<s> (.*?) *</s> \((.+)\)", line.strip())
        if match:
            name = match[2]
            yield Recording(name, transcript.parent / f"{name}.wav", match[1])


def sentences(
    *, at_least_s: float = 2.0, at_most_s: float = 12.0, count: int = 90
) -> tuple[Recording, ...]:
    """A fixed, evenly spread choice of sentence-long prompts, and all the readings."""
    fit = [p for p in prompts() if at_least_s <= p.seconds <= at_most_s]
    step = max(1.0, len(fit) / count)
    chosen = [fit[int(index * step)] for index in range(min(count, len(fit)))]
    novel = [r for r in readings() if "austen" in r.name]
    return (*chosen, *novel)


def over_the_phone(samples: Samples) -> Samples:
    """What is left of 16 kHz sound after a µ-law 8 kHz telephone line."""
    narrow = soxr.resample(samples, EAR_RATE_HZ, PHONE_RATE_HZ)
    squeezed = np.sign(narrow) * np.log1p(255 * np.minimum(np.abs(narrow), 1)) / np.log(256)
    coded = np.round(squeezed * 127) / 127
    heard = np.sign(coded) * (np.power(256, np.abs(coded)) - 1) / 255
    return np.asarray(soxr.resample(heard, PHONE_RATE_HZ, EAR_RATE_HZ), np.float32)


# Word error rate --------------------------------------------------------------------------

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th",
    "sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
CONTRACTIONS = (
    ("won't", "will not"), ("can't", "can not"), ("cannot", "can not"), ("let's", "let us"),
    ("n't", " not"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'m", " am"),
    ("it's", "it is"), ("that's", "that is"), ("what's", "what is"), ("there's", "there is"),
    ("here's", "here is"), ("he's", "he is"), ("she's", "she is"),
    ("'d", " would"),
)  # fmt: skip
SAME = {
    "mister": "mr", "missus": "mrs", "doctor": "dr", "saint": "st", "okay": "ok",
    "alright": "all right", "voice-mail": "voicemail", "e-mail": "email", "percent": "%",
    "colour": "color", "favour": "favor", "honour": "honor", "neighbour": "neighbor",
    "dialled": "dialed", "cancelled": "canceled", "unable": "unable",
}  # fmt: skip
FILLERS = frozenset({"uh", "um", "hmm", "mm", "mhm", "ah"})


def normalize(text: str) -> list[str]:
    """The words that count, each in one spelling: "I can't, 25%" -> i can not 25 %."""
    text = text.lower().replace("’", "'")
    text = re.sub(r"\$(\d[\d,]*)\.(\d\d)\b", r"\1 dollars and \2 cents", text)
    text = re.sub(r"\$(\d[\d,.]*\d|\d)", r"\1 dollars", text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"(\d)%", r"\1 %", text).replace(" * ", " star ").replace(" # ", " pound ")
    text = re.sub(r"\b(\d{1,2}):(\d{2})\b", r"\1 \2", text)
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    for short, full in CONTRACTIONS:
        text = text.replace(short, full)
    text = re.sub(r"'s?\b", lambda m: "s" if m[0] == "'s" else "", text)
    words = re.findall(r"\d+(?:\.\d+)?(?:st|nd|rd|th)?|[a-z]+|%", text.replace("-", " "))
    same = " ".join(SAME.get(word, word) for word in words).split()
    return fold_numbers([word for word in same if word not in FILLERS])


def fold_numbers(words: Sequence[str]) -> list[str]:
    """Spell number words as digits: twenty five -> 25, two hundred -> 200."""
    folded: list[str] = []
    for word in words:
        last = folded[-1] if folded else ""
        if word in ONES:
            value = ONES.index(word)
            if re.fullmatch(r"\d*[2-9]0", last) and 0 < value < 10:
                folded[-1] = str(int(last) + value)
                continue
            if re.fullmatch(r"\d+00", last) and value:
                folded[-1] = str(int(last) + value)
                continue
            folded.append(str(value))
        elif word in TENS and word != "_":
            value = TENS.index(word) * 10
            if re.fullmatch(r"\d+00", last):
                folded[-1] = str(int(last) + value)
            else:
                folded.append(str(value))
        elif word == "hundred" and re.fullmatch(r"\d{1,2}", last):
            folded[-1] = str(int(last) * 100)
        elif word == "thousand" and re.fullmatch(r"\d{1,3}", last):
            folded[-1] = str(int(last) * 1000)
        else:
            folded.append(ORDINALS.get(word, word))
    return folded


@dataclass(frozen=True, slots=True)
class Errors:
    """How many words were wrong, of how many."""

    wrong: int
    words: int

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.wrong + other.wrong, self.words + other.words)

    @property
    def rate(self) -> float:
        """The word error rate: 0.05 is one word in twenty."""
        return self.wrong / max(1, self.words)


def count_errors(said: str, heard: str) -> Errors:
    """Substituted, missing and added words, as few as explain what was `heard`.

    Where a word came out joined or split ("voice mail", "voicemail"), nothing is wrong.
    """
    want, got = normalize(said), normalize(heard)
    if "".join(want) == "".join(got):
        return Errors(0, len(want))
    row = list(range(len(got) + 1))
    for i, word in enumerate(want, start=1):
        above, row = row, [i]
        for j, other in enumerate(got, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (word != other)))
    return Errors(row[-1], len(want))
