"""Whether what an agent knows is about what the caller asks, as far as meanings tell. Pure.

A cosine says little by itself: 0.3 may be an answer in other words, or two texts that share
nothing but being questions. So what an agent knows is compared with the world: is the question
closer to one of the agent's passages, or to one of these subjects? Of 133 spoken questions about
77 passages, a threshold on the cosine that keeps 98 of 100 answerable ones refuses 36 % of those
about the outside world; one on the difference refuses 64 % (`bench/answers.py` has the figures).

What is merely missing has no distance: "Do you rent mountain bikes?" is about bicycles. There the
words tell (`llm/ideas.py`): a noun of the question that is none of the known words, nor close to
one, names something that is not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHORT_WORDS: Final = 4
"""A question this short is read together with the one before it ("and on Sunday?")."""

WORLD_SHARE: Final = 0.5
"""How much closeness to the world counts against a passage. With all of it, "Where can I leave my
car?" is about cars in general; with none, penguins are as near to a bicycle as a bus stop is."""

NONE_BELOW: Final = 0.12
"""Below this lead no passage is about the question. Calibrated by `bench/answers.py`."""

SAID_NONE_BELOW: Final = 0.05
"""The same where one sentence has all words that the question is about: "Who looks after faults?"
leads by 0.07 with "Faults are reported on extension 4711." in a long paragraph."""

THIN_BELOW: Final = 0.3
"""Below this lead perhaps none is."""

ODD_BELOW: Final = 0.28
"""A noun of a question that is, by its pieces, no closer to any known word, may be new:
its meaning is looked at."""

ODD_NAME_BELOW: Final = 0.5
"""The same for names, which no other word stands for: "French" and "German" are 0.43."""

NEW_BELOW: Final = 0.4
"""If it is no closer in meaning either, it is new, and what it names is not known: the cosine of
two words. Calibrated by `bench/answers.py`."""

NEW_NAME_BELOW: Final = 0.5
"""The same for names."""

ENGLISH_SHARE: Final = 0.06
"""The least share of such words in an English text: 0.15 is usual, and nothing in others."""

MAX_READ_CHARS: Final = 4000
"""How much of a text is looked at to find its language."""

WORLD: Final = (
    "the capital of a country and other geography",
    "events and dates of world history",
    "who won a sports competition or holds a record",
    "the weather forecast",
    "politicians, presidents and elections",
    "a calculation or mathematics",
    "science, physics and chemistry",
    "planets, stars and space",
    "a recipe and how to cook a dish",
    "nutrition and calories",
    "health, illness and medicine",
    "films and television",
    "songs, music and bands",
    "books, authors and literature",
    "tell me a joke",
    "write a poem or a story",
    "translate a sentence into another language",
    "stock prices and exchange rates",
    "computers, passwords and software",
    "programming and code",
    "travel, flights and hotels",
    "plants and gardening",
    "cleaning and household tricks",
    "animals and nature",
    "religion and philosophy",
    "laws, taxes and insurance",
    "games and riddles",
    "the latest news",
    "famous people and celebrities",
    "cars, traffic and roads",
    "relationships and feelings",
    "inventions and technology",
)
"""What people ask about the world; an agent that knows about one of these is closer to itself."""

_ENGLISH: Final = frozenset(
    "about and because could did does each from have how i'd i'll i'm into isn't it's itself let's "
    "many much please should tell than that the their there these they this those what when where "
    "which who whom whose why with would you your".split()
)
"""Words of no other language that callers speak: "was", "in" and "do" are of several."""

_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ASKS = re.compile(
    r"^(?:(?:and|so|but|okay|ok|well|hi|hello|hey|please|um|uh|then|now|sorry)\b[\s,.]*)*"
    r"(?:what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|can|could|will|"
    r"would|should|may|has|have|tell|explain|describe|write|translate|calculate|list|name|sing|"
    r"recommend|define|summari[sz]e|give)\b",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"^(?:and|or|but|so|then|what about|how about)\b|\b(?:it|its|that|those|these|they|them|there|"
    r"one|ones|he|she|his|her|him)\b",
    re.IGNORECASE,
)


class Grounds(StrEnum):
    """What an answer can stand on.

    FIRM: a passage is about the question. THIN: perhaps one is. NONE: none is.
    LATE: it was not known in time. UNKNOWN: there was nothing to be weighed.
    """

    FIRM = "firm"
    THIN = "thin"
    NONE = "none"
    LATE = "late"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Near:
    """How close a word is to the nearest known ones by its pieces, -1 to 1, and which these are."""

    closeness: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Odd:
    """A word of a question that may be new.

    Attributes:
        phrase: what it is part of: "mountain bikes".
        closeness: its cosine with the nearest known word.
        is_name: it is written as a name.
    """

    phrase: str
    closeness: float
    is_name: bool = False

    @property
    def is_new(self) -> bool:
        """Whether what it names is surely not known."""
        return self.closeness < (NEW_NAME_BELOW if self.is_name else NEW_BELOW)


def is_odd(near: Near, *, is_name: bool) -> bool:
    """Whether a word so `near` to known ones may be new."""
    return near.closeness < (ODD_NAME_BELOW if is_name else ODD_BELOW)


@dataclass(frozen=True, slots=True)
class Weighed:
    """How close a question is to what is known.

    Attributes:
        fit: its cosine with the closest passage.
        world: its cosine with the closest other subject.
        odd: words of it that may not be known.
        said: one sentence that is known has all that it is about, word for word.
    """

    fit: float
    world: float
    odd: tuple[Odd, ...] = ()
    said: bool = False

    @property
    def lead(self) -> float:
        """How much closer the passage is than the world makes likely."""
        return self.fit - WORLD_SHARE * self.world


def judge(weighed: Weighed | None) -> Grounds:
    """What an answer to the question so `weighed` can stand on; None if nobody could weigh it."""
    if weighed is None:
        return Grounds.UNKNOWN
    none_below = SAID_NONE_BELOW if weighed.said else NONE_BELOW
    if weighed.lead < none_below or any(one.is_new for one in weighed.odd):
        return Grounds.NONE
    return Grounds.THIN if weighed.lead < THIN_BELOW or weighed.odd else Grounds.FIRM


def is_request(words: str) -> bool:
    """Whether English `words` ask for something: "Yes.", a name or a number do not."""
    return words.rstrip().endswith("?") or is_asking(words)


def is_asking(clause: str) -> bool:
    """Whether English `clause` begins as a question or an order does."""
    return _ASKS.match(clause.strip()) is not None


def is_english(text: str) -> bool:
    """Whether `text` is surely English, which is what the bundled embedder was taught."""
    words = [word.casefold() for word in _WORDS.findall(text[:MAX_READ_CHARS])]
    known = sum(_stem(word) in _ENGLISH for word in words)
    return known > 0 and known >= ENGLISH_SHARE * len(words)


def _stem(word: str) -> str:
    """`word` without what hangs on it: "what's" is "what"."""
    word = word.replace("’", "'")
    return word if word in _ENGLISH else word.partition("'")[0]


def join_question(asked: Sequence[str]) -> str:
    """What the caller asks with the last of `asked`, which may continue the one before it."""
    last = asked[-1]
    short = len(last.split()) <= SHORT_WORDS
    return f"{asked[-2]} {last}" if short and len(asked) > 1 else last


def list_readings(asked: Sequence[str]) -> list[str]:
    """What the last of `asked` may mean: itself, and what it refers to, if it may refer back."""
    joined = join_question(asked)
    if joined == asked[-1] and len(asked) > 1 and _BACK.search(joined):
        return [joined, f"{asked[-2]} {joined}"]
    return [joined]
