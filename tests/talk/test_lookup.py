from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
HOURS_QUOTED = Excerpt("Nine to five.", "hours.pdf", 3, "Hours", "", 0.71, measured=True)
FAILED = [*PROMPT[:-1], replace(PROMPT[-1], search="failed")]
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
    assert added[-1].excerpts == (HOURS_QUOTED,)
    assert added[-1].search == "done"
    assert place.asked == [("When do you open?", ["Hello.", "Hi."], 2)]
    assert timings["passages"] == (
        {"id": "p1", "source": "hours.pdf", "url": None, "page": 3, "score": 0.71},
    )
    assert "retrieval_s" in timings


async def test_other_servers_scores_are_not_measures_of_ours() -> None:
    theirs = Found(replace(HOURS.passage, source_id=""), 0.99)
    added, *_ = await add(Lookup((Place([theirs]),)))
    assert not added[-1].excerpts[0].measured


async def test_nothing_found_is_known_to_be_nothing() -> None:
    added, timings, _ = await add(Lookup((Place(),)))
    assert added == [*PROMPT[:-1], replace(PROMPT[-1], search="done")]
    assert "passages" not in timings


async def test_what_comes_too_late_is_dropped_and_noted() -> None:
    added, timings, _ = await add(Lookup((Place(slow=True),), deadline_s=0.0))
    assert added == FAILED
    assert timings == {"retrieval": "late"}


async def test_when_one_place_fails_the_next_is_asked() -> None:
    broken = Place(error=KnowledgeError("it is down", finding="http.status"))
    added, _, told = await add(Lookup((broken, Place([HOURS]))))
    assert added[-1].excerpts
    assert told == ["http.status"]


async def test_the_owners_own_server_is_asked_first_and_counts_when_it_finds_nothing() -> None:
    own, ours = Place(), Place([HOURS])
    added, timings, _ = await add(Lookup((ours,), own=own))
    assert (own.asked, ours.asked) == ([("When do you open?", ["Hello.", "Hi."], 5)], [])
    assert added == [*PROMPT[:-1], replace(PROMPT[-1], search="done")]
    assert "retrieval_s" in timings


async def test_a_slow_one_takes_no_time_from_those_behind_it() -> None:
    slow, ours = Place(slow=True), Place([HOURS])
    added, timings, _ = await add(Lookup((slow, ours), deadline_s=0.1))
    assert added[-1].excerpts
    assert timings["retrieval"] == "late"
    assert timings["passages"]


async def test_the_owners_own_server_keeps_to_its_own_deadline() -> None:
    own = Place(error=KnowledgeError("it took too long", finding="retrieval.timeout"))
    added, timings, told = await add(Lookup((Place([HOURS]),), own=own, deadline_s=5.0))
    assert added[-1].excerpts
    assert told == ["retrieval.timeout"]
    assert "retrieval" not in timings


async def test_when_all_fail_the_prompt_stays() -> None:
    broken = Place(error=KnowledgeError("it is down", finding="http.status"))
    added, timings, told = await add(Lookup((broken, broken)))
    assert added == FAILED
    assert told == ["http.status"] * 2
    assert "passages" not in timings


@pytest.mark.parametrize(
    "own",
    [Place(error=KnowledgeError("it is down", finding="http.status")), Place(slow=True)],
    ids=["failed", "late"],
)
async def test_nothing_found_behind_one_that_failed_is_not_nothing_known(own: Place) -> None:
    added, *_ = await add(Lookup((own, Place()), deadline_s=0.1))
    assert added == FAILED


async def test_nothing_is_looked_up_where_nothing_is_known_or_asked() -> None:
    place = Place([HOURS])
    assert (await add(NOWHERE))[:2] == (PROMPT, {})
    assert (await add(Lookup((place,)), PROMPT[:1]))[0] == PROMPT[:1]
    assert (await add(Lookup((place,)), PROMPT[:3]))[0] == PROMPT[:3]
    assert place.asked == []


def test_the_context_is_short() -> None:
    lines = [Message("user" if n % 2 else "assistant", str(n)) for n in range(8)]
    assert read_question(lines) == ("7", ["3", "4", "5", "6"])
