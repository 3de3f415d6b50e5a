"""Measures what an LLM's answer costs us: CPU for a reply of 40 tokens, against other clients.

    make bench
    python bench/llm.py --quick        a few seconds

The same server (`tokens.py`, a process of its own) answers our client, the official `openai`
client, and `httpx-sse` with `json`; all on uvloop, in one process, in turns. What counts is the
client's CPU from the question to the words, so a noisy machine moves all of them. `aiohttp` alone,
which only takes the bytes, is the floor: nothing on asyncio reads a socket for less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import aiohttp
import uvloop

try:
    import httpx
    import openai
    from httpx_sse import aconnect_sse
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is not installed: `make bench` installs what the benches need.")

from child import CALLERS_CORE, pin, start
from sayso.llm import Endpoint, Message, no_spare
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.findings import Scene
from sayso.llm.reader import ReplyReader
from tokens import WORDS, write_events

HERE = Path(__file__).parent
ANSWER = "".join(WORDS)
QUESTION = "Hello, how are you today?"
AT_ONCE = 50
VOICE_CHARS_S = 15.0
"""How many characters a voice speaks in a second."""
MOST_TOKEN_US = 25.0
"""The most that reading one token may cost, in microseconds."""
AIMS: Mapping[str, float] = {"openai": 0.1, "httpx-sse": 0.25}
"""The most we may cost, as a share of each."""

Ask = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one client cost: CPU for a reply in milliseconds, the best round."""

    pace: str
    client: str
    reply_ms: float


class Voice:
    """Speaks what it is given, at a voice's pace: how long it can do without more words."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._began_s = time.monotonic()

    def spare_s(self) -> float:
        """Seconds of speech that are still to come."""
        chars = sum(map(len, self.said))
        return chars / VOICE_CHARS_S - (time.monotonic() - self._began_s)


# Clients -------------------------------------------------------------------------------------


@asynccontextmanager
async def our_client(url: str, *, speaks: bool = True) -> AsyncGenerator[Ask]:
    """Ours as a conversation uses it; without `speaks`, each word is wanted at once."""
    client = LlmClient(Deadlines())
    await client.open()
    llm = client.bind(Endpoint(url, model="m"))

    async def ask() -> str:
        voice = Voice()
        question = [Message("user", QUESTION)]
        async for piece in llm.reply(question, spare=voice.spare_s if speaks else no_spare):
            voice.said.append(str(piece))
        return "".join(voice.said)

    yield ask
    await client.close()


@asynccontextmanager
async def openai_client(url: str) -> AsyncGenerator[Ask]:
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def ask() -> str:
            stream = await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": QUESTION}], stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        yield ask


@asynccontextmanager
async def httpx_sse_client(url: str) -> AsyncGenerator[Ask]:
    body = {"model": "m", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    async with httpx.AsyncClient(timeout=30) as client:

        async def ask() -> str:
            said = []
            async with aconnect_sse(client, "POST", f"{url}/chat/completions", json=body) as source:
                async for event in source.aiter_sse():
                    if event.data == "[DONE]":
                        break
                    said.append(json.loads(event.data)["choices"][0]["delta"]["content"])
            return "".join(said)

        yield ask


@asynccontextmanager
async def no_client(url: str) -> AsyncGenerator[Ask]:
    """Takes the bytes and makes nothing of them."""
    body = {"model": "m", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    async with aiohttp.ClientSession() as session:

        async def ask() -> str:
            async with session.post(f"{url}/chat/completions", json=body) as answer:
                while await answer.content.readany():
                    pass
            return ANSWER

        yield ask


OURS, HASTY, FLOOR = "sayso", "sayso, in haste", "aiohttp alone"
CLIENTS: Mapping[str, Callable[[str], AbstractAsyncContextManager[Ask]]] = {
    OURS: our_client,
    HASTY: partial(our_client, speaks=False),
    "openai": openai_client,
    "httpx-sse": httpx_sse_client,
    FLOOR: no_client,
}
PACES = {"one by one": "/v1", "all at once": "/burst/v1"}
"""How the tokens arrive: as from a quick model, or as behind a proxy that collects them."""


# Measuring -----------------------------------------------------------------------------------


async def measure_clients(url: str, rounds: int, replies: int) -> list[Cost]:
    """Each client's CPU for a reply at each pace: the best of some rounds, in turns."""
    costs = []
    for pace, path in PACES.items():
        spent: dict[str, list[float]] = {name: [] for name in CLIENTS}
        async with AsyncExitStack() as stack:
            asks = {
                name: await stack.enter_async_context(make(url + path))
                for name, make in CLIENTS.items()
            }
            for ask in asks.values():
                await _spend(ask, AT_ONCE)  # connections and caches are warm
            for _ in range(rounds):
                for name, ask in asks.items():
                    spent[name].append(await _spend(ask, replies) / replies * 1000)
        costs += [Cost(pace, name, min(times)) for name, times in spent.items()]
    return costs


async def _spend(ask: Ask, replies: int) -> float:
    """CPU seconds for so many replies, some at once."""
    begun_s = time.process_time()
    for _ in range(replies // AT_ONCE):
        said = await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        if set(said) != {ANSWER}:
            raise ValueError(f"the client read {said[0]!r}")
    return time.process_time() - begun_s


def measure_reading(rounds: int) -> float:
    """Microseconds that reading a token costs, from bytes to words."""
    events = write_events() * 50
    times = []
    for _ in range(rounds):
        begun_s = time.process_time()
        reader = ReplyReader(Scene("http://host/v1/chat/completions"))
        for event in events:
            if not event.startswith(b"data: [DONE]"):
                reader.feed(event)
        reader.finish()
        times.append((time.process_time() - begun_s) / (len(WORDS) * 50) * 1e6)
    return median(times)


# Telling -------------------------------------------------------------------------------------


def ratio(cost: Cost, costs: Sequence[Cost]) -> float:
    """What we cost, as a share of `cost` at the same pace."""
    ours = next(one for one in costs if (one.pace, one.client) == (cost.pace, OURS))
    return ours.reply_ms / cost.reply_ms


def write_report(costs: Sequence[Cost], token_us: float) -> str:
    """The table, for a terminal."""
    lines = [f"{'a reply of 40 tokens':<32}{'CPU, ms':>9}{'ours is':>10}{'aim':>8}"]
    for cost in costs:
        share = "" if cost.client == OURS else f"{ratio(cost, costs):.3f}x"
        aim = f"{AIMS[cost.client]:g}x" if cost.client in AIMS else ""
        name = f"{cost.pace}: {cost.client}"
        lines.append(f"{name:<32}{cost.reply_ms:>9.3f}{share:>10}{aim:>8}")
    lines.append(f"reading alone: {token_us:.1f} µs a token (at most {MOST_TOKEN_US:g})")
    return "\n".join(lines)


def missed_aims(costs: Sequence[Cost], token_us: float) -> list[str]:
    """What is dearer than it should be, in sentences."""
    missed = [
        f"tokens {cost.pace}: a reply costs {ratio(cost, costs):.3f} of what {cost.client} takes; "
        f"the aim is {AIMS[cost.client]:g}"
        for cost in costs
        if cost.client in AIMS and ratio(cost, costs) > AIMS[cost.client]
    ]
    if token_us > MOST_TOKEN_US:
        missed.append(f"reading a token costs {token_us:.1f} µs; the aim is {MOST_TOKEN_US:g}")
    return missed


async def run(rounds: int, replies: int) -> tuple[list[Cost], float]:
    """Measure everything, with a server of our own."""
    with tempfile.TemporaryDirectory() as folder:
        async with start(HERE / "tokens.py", [], Path(folder) / "log") as child:
            costs = await measure_clients(child.url, rounds, replies)
    return costs, measure_reading(rounds)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    pin(CALLERS_CORE)
    quick = parser.parse_args().quick
    costs, token_us = uvloop.run(run(1, 50) if quick else run(5, 200))
    sys.stdout.write(write_report(costs, token_us) + "\n")
    for sentence in missed_aims(costs, token_us):
        sys.stdout.write(f"- {sentence}\n")


if __name__ == "__main__":
    main()
