"""A whole Sayso server on a socket of its own, and callers with an open microphone.

Tests of conversations, and the benchmarks, talk to it as anybody does: REST and the talk socket.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import aiohttp
import httpx2
import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from databases import lay_database
from sayso.app import Server
from sayso.audio.formats import EAR_RATE_HZ, Samples, pcm16_of
from sayso.caller import Caller, HeardReply, call, socket_url
from sayso.config import Settings
from sayso.llm.fake import FakeConfig, Received, running_fake
from sayso.llm.tolerance import PROMPT
from sayso.serve import _Announcing, uvicorn_config
from sayso.store.database import Database

START_WITHIN_S = 60.0
ANSWER_WITHIN_S = 30.0
FRAME_S = 0.02
"""Sound a microphone hands over at a time, in seconds; small, so that measured times are fine."""

Message: TypeAlias = Mapping[str, Any]
T = TypeVar("T")

REHEARSED: Mapping[str, object] = {
    "eot": "rules",
    "stt": "scripted",
    "stt_options": {"text": "And what about the weather tomorrow?"},
    "tts": "scripted",
    "tts_options": {"chars_per_s": "60"},
}
"""Settings of a server whose speech engines follow a script: quick, and free of mistakes."""


# The server ----------------------------------------------------------------------------------


class _Threaded(_Announcing):
    """The server of `sayso serve` on a thread; remembers its event loop."""

    loop: asyncio.AbstractEventLoop

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)


@dataclass
class Served:
    """A running server, and its owner's key."""

    server: Server
    settings: Settings
    url: str
    user_id: str
    key: str
    _uvicorn: _Threaded
    _thread: threading.Thread

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The server's event loop, on its own thread."""
        return self._uvicorn.loop

    def rest(self, key: str | None = None) -> httpx2.AsyncClient:
        """A REST client with the owner's key, or another."""
        return httpx2.AsyncClient(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {key or self.key}"},
            timeout=30.0,
        )

    async def make_agent(self, llm_url: str | None = None, **body: object) -> str:
        """Make an agent, with its own LLM at `llm_url`; gives its id."""
        fields: dict[str, object] = {"displayName": "Tester", "description": "", "voice": "any"}
        if llm_url is not None:
            fields["llm"] = {"baseURL": llm_url, "apiKey": "sk-test"}
        async with self.rest() as rest:
            made = await rest.post("/agents", json=fields | body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    @asynccontextmanager
    async def call(self, agent_id: str, **setup: Any) -> AsyncGenerator[Caller]:  # noqa: ANN401
        """Call an agent as its owner."""
        async with call(self.url, agent_id, api_key=self.key, **setup) as caller:
            yield caller

    @asynccontextmanager
    async def call_keyless(self, agent_id: str, **setup: Any) -> AsyncGenerator[Caller]:  # noqa: ANN401
        """Call an agent at the URL of the browser SDK."""
        async with call(self.url, agent_id, api_key=None, **setup) as caller:
            yield caller

    @asynccontextmanager
    async def socket(
        self, agent_id: str, *, keyless: bool = True
    ) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
        """A bare talk socket, before `setup`."""
        url = socket_url(self.url, agent_id, with_key=not keyless)
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            yield socket

    async def stored(self, agent_id: str, conversation_id: str, *, lines: int = 0) -> Stored:
        """What the REST API tells of a conversation, once it is over and has so many `lines`."""
        path = f"/agents/{agent_id}/conversations/{conversation_id}"
        async with self.rest() as rest:
            for _ in range(200):
                found = (await rest.get(path)).json()
                transcript = (await rest.get(f"{path}/transcript")).json()
                if found.get("endedAt") and len(transcript) >= lines:
                    break
                await asyncio.sleep(0.05)
            assert found.get("endedAt"), f"the conversation did not end: {found}"
            turns = (await rest.get(f"{path}/turns")).json()
        return Stored(found, transcript, turns)

    def tasks(self) -> list[str]:
        """The coroutines of all tasks on the server's loop."""

        async def collect() -> list[str]:
            return sorted(str(task.get_coro()) for task in asyncio.all_tasks())

        return self.run(collect())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def understand(self, samples: Samples) -> str:
        """What the server's own ears make of 16 kHz sound."""
        stt = self.server._engines.rooms.stt
        work = stt.transcribe(np.asarray(samples, np.float32), "english")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_await(work), self.loop))

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncSession]:
        """A transaction on the server's database, from outside."""
        database = Database(self.settings.database)
        try:
            async with database.write() as session:
                yield session
        finally:
            await database.close()

    def ask_to_stop(self) -> None:
        """What Ctrl+C does."""
        self._uvicorn.should_exit = True

    def stop(self) -> None:
        """Stop, and wait for it."""
        self.ask_to_stop()
        self._thread.join(START_WITHIN_S)
        assert not self._thread.is_alive(), "the server did not stop"


async def _await(work: Awaitable[T]) -> T:
    return await work


@dataclass(frozen=True)
class Stored:
    """One conversation as the REST API tells it."""

    conversation: dict[str, Any]
    transcript: list[dict[str, Any]]
    turns: list[dict[str, Any]]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """(role, content), oldest first."""
        return [(line["role"], line["content"]) for line in self.transcript]


@contextmanager
def serving(folder: Path, **settings: object) -> Iterator[Served]:
    """Run a new installation in `folder`, or one that is there, until the end of the block.

    Only a new one tells its key.
    """
    unlimited = dict.fromkeys(
        (
            "create_agent_per_min",
            "update_agent_per_min",
            "get_agent_per_min",
            "get_stats_per_min",
            "check_llm_per_min",
        ),
        0,
    )
    config = Settings.model_validate(
        # Tests count what an LLM is asked; a check that goes on behind them would be counted, too.
        {"data_dir": folder / "data", "port": 0, "llm_deep_check": False, **unlimited, **settings}
    )
    config.data_dir.mkdir(parents=True, exist_ok=True)
    lay_database(config.database)
    server = Server(config)
    uvicorn = _Threaded(uvicorn_config(server, config), server, config, lambda: None)
    thread = threading.Thread(target=uvicorn.run, name="server", daemon=True)
    thread.start()
    _wait_until(lambda: uvicorn.started or not thread.is_alive())
    assert uvicorn.started, "the server did not start"
    assert server.welcome is not None
    key = server.welcome.api_key
    port = uvicorn.servers[0].sockets[0].getsockname()[1]
    served = Served(
        server,
        config,
        f"http://127.0.0.1:{port}",
        server.welcome.user_id,
        "" if key is None else key.get_secret_value(),
        uvicorn,
        thread,
    )
    try:
        yield served
    finally:
        served.stop()


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + START_WITHIN_S
    while not holds() and time.monotonic() < deadline_s:
        time.sleep(0.02)


# The LLM -------------------------------------------------------------------------------------


@dataclass
class FakeLlm:
    """A running fake LLM and what it was asked."""

    url: str
    received: list[Received] = field(default_factory=list)

    @property
    def prompts(self) -> list[list[tuple[str, str]]]:
        """(role, content) of each conversation request, the checks of `llm` left out."""
        asked = [list(_messages(request)) for request in self.received if request.body]
        return [messages for messages in asked if messages[-1][1] != PROMPT]


def _messages(request: Received) -> Iterator[tuple[str, str]]:
    messages = request.body["messages"]
    assert isinstance(messages, list)
    for message in messages:
        yield message["role"], message["content"]


@asynccontextmanager
async def fake_llm(
    *script: str, first_token_s: float = 0.0, token_s: float = 0.0
) -> AsyncGenerator[FakeLlm]:
    """Run a fake LLM that says the lines of `script` in turn, or echoes."""
    received: list[Received] = []
    config = FakeConfig(
        mode="scripted" if script else "echo",
        script=script,
        first_token_s=first_token_s,
        token_s=token_s,
        listen=received.append,
    )
    async with running_fake(config) as url:
        yield FakeLlm(url, received)


# The caller ----------------------------------------------------------------------------------


class Microphone:
    """An open microphone: sends silence in real time, and speech when there is some."""

    def __init__(self, caller: Caller, encode: Callable[[Samples], bytes]) -> None:
        self._caller = caller
        self._encode = encode
        self._to_say: Samples = np.zeros(0, np.float32)
        self._said = asyncio.Event()
        self._begun: asyncio.Future[float] | None = None

    async def say(self, samples: Samples) -> float:
        """Speak; returns when the last sample was sent, with the steady time of the first."""
        self._begun = asyncio.get_running_loop().create_future()
        self._said.clear()
        self._to_say = samples
        await self._said.wait()
        self._caller.speech_ended_s = time.monotonic()
        return await self._begun

    async def run(self) -> None:
        """Record for ever, at the pace of a clock."""
        step = int(FRAME_S * EAR_RATE_HZ)
        due_s = time.monotonic()
        while not self._caller.ended:
            frame = np.zeros(step, np.float32)
            piece, self._to_say = self._to_say[:step], self._to_say[step:]
            frame[: len(piece)] = piece
            if len(piece) and self._begun is not None and not self._begun.done():
                self._begun.set_result(due_s)
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await self._caller.send_encoded(self._encode(frame))
            if len(piece) and not len(self._to_say):
                self._said.set()


@asynccontextmanager
async def microphone(
    caller: Caller, encode: Callable[[Samples], bytes] | None = None
) -> AsyncGenerator[Microphone]:
    """Open the microphone of `caller` until the end of the block."""
    opened = Microphone(caller, encode or linear16)
    recording = asyncio.create_task(opened.run())
    try:
        yield opened
    finally:
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)


def linear16(samples: Samples) -> bytes:
    """16 bits a sample, little-endian."""
    return pcm16_of(samples).astype("<i2").tobytes()


async def ask(caller: Caller, text: str, *, within_s: float = ANSWER_WITHIN_S) -> HeardReply:
    """Type `text`, and hear the answer out."""
    number = len(caller.replies)
    await caller.write(text)
    reply = await caller.reply(number, within_s=within_s)
    await caller.send({"type": "bufferEmpty"})
    return reply


async def hear_greeting(caller: Caller) -> None:
    """Wait until the agent has said its greeting."""
    await caller.until(
        lambda: "onAgentGreetingEnd" in types_of(caller), within_s=30, what="the greeting"
    )


def types_of(caller: Caller) -> list[str]:
    """The types of all messages so far, the runs of `audioStream` folded into one."""
    types = [str(told.message["type"]) for told in caller.told]
    return [
        kind for before, kind in zip(["", *types], types, strict=False)
        if not (kind == "audioStream" and before == "audioStream")
    ]  # fmt: skip


async def first_of(caller: Caller, kind: str, *, within_s: float = ANSWER_WITHIN_S) -> Message:
    """Wait for the first message of type `kind`."""

    def found() -> list[Message]:
        return [told.message for told in caller.told if told.message["type"] == kind]

    await caller.until(lambda: bool(found()), within_s=within_s, what=kind)
    return found()[0]
