from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sayso.clock import SystemClock
from sayso.errors import KnowledgeError
from sayso.knowledge.passages import Found, Passage
from sayso.llm import Excerpt, Message
from sayso.talk.lookup import NOWHERE, Lookup, read_question
from sayso.talk.record import Stopwatch

PROMPT = (
    Message("system", "You are Ada."),
    Message("user", "Hello."),
    Message("assistant", "Hi."),
    Message("user", "When do you open?"),
)
HOURS = Found(Passage("p1", "Nine to five.", "s1", "hours.pdf", 3, "Hours", ""), 0.71)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Place:
    """A retriever that gives what it was told to."""

    found: Sequence[Found] = ()
    error: KnowledgeError | None = None
    slow: bool = False
    asked: list[tuple[str, list[str], int]] = field(default_factory=list)

    async def find(self, asked: str, context: Sequence[str], limit: int) -> Sequence[Found]:
        self.asked.append((asked, list(context), limit))
        if self.slow:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        return self.found


async def add(
    lookup: Lookup, prompt: Sequence[Message] = PROMPT
) -> tuple[Sequence[Message], dict[str, object], list[str]]:
    watch, told = Stopwatch(0.0), list[str]()
    added = await lookup.add(prompt, watch, SystemClock(), lambda error: told.append(error.finding))
    return added, dict(watch.timings), told


async def test_what_is_found_stands_with_the_question() -> None:
    place = Place([HOURS])
    added, timings, _ = await add(Lookup((place,), limit=2))
    assert added[:-1] == list(PROMPT[:-1])
    assert added[-1].content == "When do you open?"
    assert added[-1].excerpts == (Excerpt("Nine to five.", "hours.pdf", 3, "Hours", "", 0.71),)
    assert place.asked == [("When do you open?", ["Hello.", "Hi."], 2)]
    assert timings["passages"] == ({"id": "p1", "source": "hours.pdf", "page": 3, "score": 0.71},)
    assert "retrieval_s" in timings


async def test_what_comes_too_late_is_dropped_and_noted() -> None:
    added, timings, _ = await add(Lookup((Place(slow=True),), deadline_s=0.0))
    assert added == PROMPT
    assert timings == {"retrieval": "late"}


async def test_when_one_place_fails_the_next_is_asked() -> None:
    broken = Place(error=KnowledgeError("it is down", finding="http.status"))
    added, _, told = await add(Lookup((broken, Place([HOURS]))))
    assert added[-1].excerpts
    assert told == ["http.status"]


async def test_when_all_fail_the_prompt_stays() -> None:
    broken = Place(error=KnowledgeError("it is down", finding="http.status"))
    added, timings, told = await add(Lookup((broken, broken)))
    assert added == PROMPT
    assert told == ["http.status"] * 2
    assert "passages" not in timings


async def test_nothing_is_looked_up_where_nothing_is_known_or_asked() -> None:
    place = Place([HOURS])
    assert (await add(NOWHERE))[:2] == (PROMPT, {})
    assert (await add(Lookup((place,)), PROMPT[:1]))[0] == PROMPT[:1]
    assert (await add(Lookup((place,)), PROMPT[:3]))[0] == PROMPT[:3]
    assert place.asked == []


def test_the_context_is_short() -> None:
    lines = [Message("user" if n % 2 else "assistant", str(n)) for n in range(8)]
    assert read_question(lines) == ("7", ["3", "4", "5", "6"])
