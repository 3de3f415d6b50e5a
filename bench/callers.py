"""Callers in real time: they speak, wait for the answer, hear it out, and speak again.

A caller sends a frame every 20 ms for as long as it is connected, speech or a quiet room, as an
open microphone does. It is lighter than `sayso.caller`, because twenty of them share one core.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from random import Random

import aiohttp
import msgspec

from sayings import Saying, make_room
from script import FRAME_S

OUT_RATE_HZ, OUT_SAMPLE_BYTES = 24_000, 4
REPLY_TIMEOUT_S = 8.0
BETWEEN_TURNS_S = 0.2
STAGGER_S = 1.0
"""Callers begin to speak spread over so many seconds."""

SETUP = {
    "type": "setup",
    "inputEncoding": "linear16",
    "inputSampleRate": 16_000,
    "outputFormat": "raw",
    "outputSampleRate": OUT_RATE_HZ,
    "customGreeting": "",
}


class Message(msgspec.Struct):
    """What a caller reads of a server's message."""

    type: str
    data: bytes = b""


ROOM = make_room()
_decode = msgspec.json.Decoder(Message).decode


@dataclass(slots=True)
class Reply:
    """What a caller hears of one reply."""

    first_sound_s: float | None = None
    sound_bytes: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ends_s(self) -> float:
        """Steady time at which its sound has played."""
        return (self.first_sound_s or 0.0) + self.sound_bytes / OUT_SAMPLE_BYTES / OUT_RATE_HZ


@dataclass(slots=True)
class Heard:
    """What the callers of one phase measured.

    Attributes:
        waits_s: from the end of speech to the first sound, a turn each.
        early: replies that began before the caller had finished.
        missing: turns without a reply.
    """

    waits_s: list[float] = field(default_factory=list)
    early: int = 0
    missing: int = 0


class Caller:
    """One caller on an open socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, heard: Heard) -> None:
        self._socket = socket
        self._heard = heard
        self._to_say: deque[str] = deque()
        self._spoken = asyncio.Event()
        self._spoken_at_s = 0.0
        self._reply = Reply()

    async def stream(self) -> None:
        """The microphone; ends with the socket."""
        room = cycle(ROOM)
        due_s = time.monotonic()
        while not self._socket.closed:
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            frame = self._to_say.popleft() if self._to_say else None
            if frame is not None and not self._to_say:
                self._spoken_at_s = time.monotonic()
                self._spoken.set()
            await self._socket.send_str(frame or next(room))

    async def listen(self) -> None:
        """The loudspeaker; ends with the socket."""
        async for frame in self._socket:
            now_s = time.monotonic()
            message = _decode(frame.data)
            if message.type == "audioStream":
                self._reply.sound_bytes += len(message.data)
                self._reply.first_sound_s = self._reply.first_sound_s or now_s
            elif message.type == "audioStreamEnd":
                self._reply.over.set()

    async def say(self, saying: Saying) -> Reply:
        """Say something; gives the reply to come."""
        self._reply = Reply()
        self._spoken.clear()
        self._to_say.extend(saying.frames)
        await self._spoken.wait()
        return self._reply

    async def take_turn(self, saying: Saying) -> None:
        """Say something and hear the answer out."""
        reply = await self.say(saying)
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                await reply.over.wait()
        except TimeoutError:
            self._heard.missing += 1
            return
        self._note(reply)
        await asyncio.sleep(max(0.0, reply.ends_s - time.monotonic()))
        await self._socket.send_str('{"type":"bufferEmpty"}')
        await asyncio.sleep(BETWEEN_TURNS_S)

    def _note(self, reply: Reply) -> None:
        if reply.first_sound_s is None:
            self._heard.missing += 1
        elif reply.first_sound_s < self._spoken_at_s:
            self._heard.early += 1
        else:
            self._heard.waits_s.append(reply.first_sound_s - self._spoken_at_s)


class Party:
    """Several callers of one server, connected from `enter` to `leave`."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._count = count
        self._callers: list[Caller] = []
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self.heard = Heard()

    async def enter(self) -> None:
        """Connect everybody, microphones open."""
        self._session = aiohttp.ClientSession()
        for _ in range(self._count):
            socket = await self._session.ws_connect(self._url, compress=0, max_msg_size=0)
            self._sockets.append(socket)
            await socket.send_bytes(msgspec.json.encode(SETUP))
            caller = Caller(socket, self.heard)
            self._callers.append(caller)
            self._tasks += [
                asyncio.create_task(caller.stream()),
                asyncio.create_task(caller.listen()),
            ]

    async def talk(self, sayings: Sequence[Saying], turns: int) -> None:
        """Let each caller take so many turns."""
        spread = Random(self._count)
        async with asyncio.TaskGroup() as talking:
            for index, caller in enumerate(self._callers):
                own = list(islice(cycle(sayings), index * turns, (index + 1) * turns))
                wait_s = spread.uniform(0.0, STAGGER_S) if self._count > 1 else 0.0
                talking.create_task(_converse(caller, own, wait_s))

    async def leave(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        if self._session is not None:
            await self._session.close()


async def _converse(caller: Caller, sayings: Sequence[Saying], wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    for saying in sayings:
        await caller.take_turn(saying)
