"""Many callers for a long time: nothing may grow, and every conversation must end with a code.

    make soak                                    20 callers, twice 30 minutes
    python bench/soak.py --callers 5 --minutes 2

The whole server as in `pipeline.py`, with scripted models of known time. Callers take a few turns
in real time, interrupt, go silent, hang up or lose the line, and call again, for as long as the run
lasts. Every ten seconds the server is asked what it holds. The verdict:

- memory, descriptors and tasks have no slope in the second half of the run (of memory, the least
  of each minute counts, by the median of all slopes between two of them); the first is the warm-up;
- when the last caller has left, the server holds no task and no descriptor more than before;
- every conversation is stored with its end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import linear_regression, median
from urllib.parse import urlsplit

import aiohttp
import msgspec
import uvloop

from callers import Caller, Heard
from child import CALLERS_CORE, Child, ChildError, Cost, pin, start
from machine import describe_machine
from pipeline import say
from sayings import Saying, load_sayings
from sayso.llm.fake import FakeConfig, running_fake
from script import REPLY, ModelTimes
from wire import SETUP

HERE = Path(__file__).parent
SAMPLE_EVERY_S = 10.0
WARM_UP_SHARE = 0.5
"""The first part of a run is in no slope. Caches fill, each record of what happens at once takes
one more MiB of heap, and after some 1,700 conversations CPython lays out its table of interned
strings anew, 1.9 MiB larger. All of that ends, and a leak goes on."""
MIN_SAMPLES = 8
"""Fewer samples after the warm-up make no slope."""
MOST_MIB_PER_HOUR = 3.0
"""20 callers for an hour: +1.1 and +1.3 in two runs. When conversations waited for the collector of
garbage, it was 25 to 39."""
HEAP_MIB = 0.5
"""What the heap may still reach for after the warm-up; in a short run that is a steep slope."""
LEAST_OF = 6
"""Of so many samples, a minute's, the one with the least memory counts: an encoder at work takes
7 MiB for a moment."""
CURVE_POINTS = 15
"""So many moments of the run are shown: a slope goes on, a plateau does not."""
MOST_PER_HOUR = 6.0
"""Descriptors or tasks; their number swings with the conversations, so the slope is never 0."""
SETTLE_S = 20.0
"""How long the server may take to let go of everything after the last caller left."""
REST_S = 20.0
"""After the first conversations: idle connections close after 15 seconds."""
GRACE_S = 180.0
"""Time of the server's process beyond the run, in seconds."""
OUTSTANDING = 3
"""Descriptors or tasks more than before that are no leak: one more connection to the database."""
TURNS = (1, 6)
SEED = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server held at one moment."""

    at_s: float
    resident_bytes: int
    children_bytes: int
    descriptors: int
    tasks: int
    conversations: int


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a run found.

    Attributes:
        facts: what it ran on.
        before, after: the server without callers, after a first round and after the last.
        samples: what it held in between.
        talked: conversations begun, and what the callers did to end them.
        ends: stored conversations by (who ended it, error code); None for one without an end.
        waits_s: end of speech to first sound, of turns that were heard out.
        missing: turns without a reply.
        cpu_s: CPU of the server.
    """

    facts: str
    before: Sample
    after: Sample
    samples: Sequence[Sample]
    talked: Mapping[str, int]
    ends: Mapping[str, int]
    waits_s: Sequence[float]
    missing: int
    cpu_s: float

    @property
    def steady(self) -> Sequence[Sample]:
        """The samples after the warm-up."""
        return self.samples[int(len(self.samples) * WARM_UP_SHARE) :]


# The run -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """How many callers talk, for how long, and when the server is looked at; in seconds."""

    callers: int = 20
    lasts_s: float = 3600.0
    every_s: float = SAMPLE_EVERY_S
    rest_s: float = REST_S


async def soak(plan: Plan) -> Soaked:
    """Let callers talk as planned. Raises ChildError when the server dies."""
    sayings, times = await load_sayings(), ModelTimes()
    fake = FakeConfig("scripted", (REPLY,), times.first_token_s, times.token_s)
    with tempfile.TemporaryDirectory(prefix="sayso-soak-") as folder:
        data = Path(folder)
        async with running_fake(fake) as llm_url:
            args = ["--llm", llm_url, "--data", folder, "--speculate"]
            args += ["--lifetime", str(plan.lasts_s + GRACE_S)]
            async with start(HERE / "server.py", args, data / "sayso.log") as child:
                return await _watch(child, plan, Crowd(child.url, sayings), data)


async def _watch(child: Child, plan: Plan, crowd: Crowd, data: Path) -> Soaked:
    await crowd.fill(plan.callers)
    await asyncio.sleep(plan.rest_s)
    before, begun = await _sample(child, 0.0), await child.cost()
    until_s = time.monotonic() + plan.lasts_s
    chances = [Random(SEED + number) for number in range(plan.callers)]
    talking = [asyncio.create_task(crowd.stay(chance, until_s)) for chance in chances]
    try:
        samples = await _sample_until(child, until_s, plan.every_s)
        await asyncio.gather(*talking)
    finally:  # a server that died fails its callers, too; once is enough
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
    spent = await child.cost()
    after = await _settle(child, before, data / "sayso.db")
    return Soaked(
        facts=describe_machine(),
        before=before,
        after=after,
        samples=samples,
        talked=dict(crowd.endings),
        ends=read_ends(data / "sayso.db"),
        waits_s=crowd.heard.waits_s,
        missing=crowd.heard.missing,
        cpu_s=spent.cpu_s - begun.cpu_s,
    )


async def _sample_until(child: Child, until_s: float, every_s: float) -> list[Sample]:
    began_s = time.monotonic()
    samples: list[Sample] = []
    while time.monotonic() < until_s:
        await asyncio.sleep(min(every_s, max(0.0, until_s - time.monotonic())))
        samples.append(await _sample(child, time.monotonic() - began_s))
        say(show(samples[-1]))
    return samples


async def _sample(child: Child, at_s: float) -> Sample:
    cost = await child.cost()
    return _sample_of(cost, at_s, await _count_conversations(child.url))


def _sample_of(cost: Cost, at_s: float, conversations: int) -> Sample:
    return Sample(
        at_s=at_s,
        resident_bytes=cost.resident_bytes,
        children_bytes=cost.children_bytes,
        descriptors=cost.descriptors,
        tasks=cost.tasks,
        conversations=conversations,
    )


async def _count_conversations(url: str) -> int:
    """As anybody may ask, on a connection that is closed again."""
    parts = urlsplit(url)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{parts.netloc}/health/ready") as answer,
    ):
        return int((await answer.json())["conversations"])


async def _settle(child: Child, before: Sample, database: Path) -> Sample:
    """What the server holds once it has let go and written everything, or after `SETTLE_S`."""
    began_s = time.monotonic()
    while True:
        sample = await _sample(child, time.monotonic() - began_s)
        calm = sample.tasks <= before.tasks and sample.descriptors <= before.descriptors
        if (calm and UNCODED not in read_ends(database)) or sample.at_s > SETTLE_S:
            return sample
        await asyncio.sleep(0.5)


class Crowd:
    """Callers who come and go; `endings` counts how they did."""

    def __init__(self, url: str, sayings: Sequence[Saying]) -> None:
        self._url = url
        self._sayings = sayings
        self.heard = Heard()
        self.endings: Counter[str] = Counter()

    async def fill(self, callers: int) -> None:
        """All at once, so that the server's pools are as large as they get."""
        chances = [Random(SEED - 1 - number) for number in range(callers)]
        await asyncio.gather(*(self.converse(chance, turns=1) for chance in chances))

    async def stay(self, chance: Random, until_s: float) -> None:
        """Call again and again until then."""
        await asyncio.sleep(chance.uniform(0.0, 2.0))
        while time.monotonic() < until_s:
            await self.converse(chance, turns=chance.randint(*TURNS))

    async def converse(self, chance: Random, *, turns: int) -> None:
        """One conversation, and one of the ways to end it."""
        session = aiohttp.ClientSession()
        socket = await session.ws_connect(self._url, compress=0, max_msg_size=0)
        await socket.send_bytes(msgspec.json.encode(SETUP))
        caller = Caller(socket, self.heard)
        tasks = [asyncio.create_task(caller.stream()), asyncio.create_task(caller.listen())]
        try:
            for _ in range(turns):
                await self._take_turn(caller, chance)
            ending = chance.choice(("hung up", "hung up", "hung up over a reply", "lost the line"))
            if ending != "hung up":
                await caller.say(chance.choice(self._sayings))
                await asyncio.sleep(chance.uniform(0.0, 1.5))
            self.endings[ending] += 1
            if ending != "lost the line":
                await socket.close()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await session.close()  # a line that is still open breaks here, without a goodbye

    async def _take_turn(self, caller: Caller, chance: Random) -> None:
        if chance.random() < 0.3:  # speak, and speak again before the answer is over
            await caller.say(chance.choice(self._sayings))
            await asyncio.sleep(chance.uniform(0.3, 2.0))
        await caller.take_turn(chance.choice(self._sayings))
        if chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(0.5, 3.0))


UNCODED = "without an end"


def read_ends(database: Path) -> dict[str, int]:
    """Stored conversations, by who ended them and with which code."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT ended_by, error_code FROM conversations").fetchall()
    connection.close()
    return dict(Counter(_name_end(by, code) for by, code in rows))


def _name_end(by: str | None, code: int | None) -> str:
    if by is None:
        return UNCODED
    return f"{by} {code}" if code is not None else by


# The verdict ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slope:
    """How fast something grows, and how fast it may."""

    what: str
    per_hour: float
    most: float

    @property
    def is_flat(self) -> bool:
        """Whether it grows no faster than it may."""
        return self.per_hour <= self.most


def slopes(samples: Sequence[Sample]) -> list[Slope]:
    """The slopes of what must not grow, by least squares; none from too few samples.

    Tasks and descriptors are counted less those of the conversations under way at that moment.
    """
    if len(samples) < MIN_SAMPLES:
        return []
    hours = [sample.at_s / 3600 for sample in samples]

    def slope_of(values: Sequence[float]) -> float:
        return linear_regression(hours, values).slope

    return [
        Slope("memory, MiB", _slope_of_memory(samples),
              max(MOST_MIB_PER_HOUR, HEAP_MIB / (hours[-1] - hours[0]))),
        Slope("descriptors", slope_of([s.descriptors - s.conversations for s in samples]),
              MOST_PER_HOUR * _swing(samples)),
        Slope("tasks", slope_of([s.tasks for s in samples]), MOST_PER_HOUR * _swing(samples)),
    ]  # fmt: skip


def _slope_of_memory(samples: Sequence[Sample]) -> float:
    """MiB an hour: the median of the slopes between any two minutes (Theil and Sen).

    Least squares take one step for a slope.
    """
    step = LEAST_OF if len(samples) >= MIN_SAMPLES * LEAST_OF else 1
    least = [
        min(samples[at : at + step], key=lambda sample: sample.resident_bytes)
        for at in range(0, len(samples), step)
    ]
    return median(
        (later.resident_bytes - earlier.resident_bytes) / 2**20 / (later.at_s - earlier.at_s) * 3600
        for earlier, later in combinations(least, 2)
    )


def _swing(samples: Sequence[Sample]) -> float:
    """Short runs see more of the ups and downs: the bound is for an hour, and widens below it."""
    return max(1.0, 3600 / (samples[-1].at_s - samples[0].at_s))


def show_curve(samples: Sequence[Sample]) -> str:
    """The memory over the run."""
    step = max(1, len(samples) // CURVE_POINTS)
    curve = " ".join(f"{sample.resident_bytes / 2**20:.1f}" for sample in samples[step - 1 :: step])
    return f"Memory over the run, MiB: {curve}."


def complaints(found: Soaked) -> list[str]:
    """What is wrong, a sentence each."""
    said = [
        f"{slope.what}: grows by {slope.per_hour:.1f} an hour; {slope.most:.1f} is allowed."
        for slope in slopes(found.steady)
        if not slope.is_flat
    ]
    for what in ("descriptors", "tasks"):
        before, after = getattr(found.before, what), getattr(found.after, what)
        if after > before + OUTSTANDING:
            said.append(f"{what}: {before} before, {after} after the last caller left.")
    if found.after.conversations:
        said.append(f"{found.after.conversations} conversations never ended.")
    if found.ends.get(UNCODED):
        said.append(f"{found.ends[UNCODED]} conversations are stored without an end.")
    begun = sum(found.talked.values())
    if (stored := sum(found.ends.values())) != begun:
        said.append(f"{begun} conversations were held, {stored} are stored.")
    if found.missing:
        said.append(f"{found.missing} turns had no reply.")
    return said


def show(sample: Sample) -> str:
    """One sample as a line."""
    return (
        f"{sample.at_s:7.0f} s   {sample.resident_bytes / 2**20:7.1f} MiB"
        f" ({sample.children_bytes / 2**20:.1f} in children)"
        f"   {sample.descriptors:4d} descriptors   {sample.tasks:4d} tasks"
        f"   {sample.conversations:3d} conversations"
    )


def report(found: Soaked) -> str:
    """What is printed at the end."""
    waits = f"{median(found.waits_s) * 1000:.0f} ms" if found.waits_s else "none"
    lines = [
        "",
        found.facts,
        f"before: {show(found.before)}",
        f"after:  {show(found.after)}",
        f"Conversations: {show_counts(found.talked)}. Stored ends: {show_counts(found.ends)}.",
        f"Turns heard out: {len(found.waits_s)}, first sound after {waits} (median).",
        f"CPU: {found.cpu_s:.0f} s.",
        show_curve(found.samples),
        *(f"{s.what}: {s.per_hour:+.1f} an hour (at most {s.most:.1f})"
          for s in slopes(found.steady)),
    ]  # fmt: skip
    said = complaints(found)
    return "\n".join([*lines, "", *(said or ["Nothing grows, and every conversation has an end."])])


def show_counts(counts: Mapping[str, int]) -> str:
    """The counts in a few words, in alphabetical order."""
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none"


def main() -> int:
    """Soak and print; 1 if something grew or did not end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--callers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--json", type=Path, help="also write all samples here")
    args = parser.parse_args()
    pin(CALLERS_CORE)
    try:
        found = uvloop.run(soak(Plan(args.callers, args.minutes * 60)))
    except (ChildError, aiohttp.ClientError, OSError) as error:
        say(f"The run was given up: {error}")
        return 1
    print(report(found))
    if args.json:
        args.json.write_text(json.dumps(asdict(found), indent=2) + "\n", "utf-8")
    return 1 if complaints(found) else 0


if __name__ == "__main__":
    sys.exit(main())
