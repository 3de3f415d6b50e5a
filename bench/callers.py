"""Callers in real time: they speak, wait for the answer, hear it out, and speak again.

A caller sends a frame every 20 ms for as long as it is connected, speech or a quiet room, as an
open microphone does. It is lighter than `sayso.caller`, because dozens of them share one core.
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

from sayings import Saying, make_room
from script import FRAME_S
from wire import PLAYAI, Wire

START_TIMEOUT_S = 10.0
REPLY_TIMEOUT_S = 8.0
HUSH_TIMEOUT_S = 3.0
BETWEEN_TURNS_S = 0.2
STAGGER_S = 1.0
"""Callers begin to speak spread over so many seconds."""

GAP_S = 0.01
"""Sound that comes so much later than the sound before it has played is heard as a gap."""

INTO_REPLY_S = 0.7
"""An interruption begins so long after the first sound of a reply."""

ROOM = make_room()


@dataclass(slots=True)
class Reply:
    """What a caller hears of one reply; times are steady.

    Attributes:
        first_sound_s: when it began.
        ends_s: when what came of it so far has played.
        sound_s: how long it sounds.
        gaps: how often it ran dry in the middle.
        hushed_s: when the server took it back.
    """

    first_sound_s: float | None = None
    ends_s: float = 0.0
    sound_s: float = 0.0
    gaps: int = 0
    hushed_s: float | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    hushed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, seconds: float, now_s: float) -> None:
        """Take a piece of sound."""
        if self.first_sound_s is None:
            self.first_sound_s = self.ends_s = now_s
            self.begun.set()
        self.gaps += now_s > self.ends_s + GAP_S
        self.ends_s = max(self.ends_s, now_s) + seconds
        self.sound_s += seconds

    def hush(self, now_s: float) -> None:
        """It is taken back: nothing more of it comes."""
        self.hushed_s = now_s
        self.hushed.set()
        self.over.set()


@dataclass(slots=True)
class Heard:
    """What the callers of one phase measured.

    Attributes:
        starts_s: from the call to the server's word that it listens, a caller each.
        firsts_s: from the end of speech to the first sound, in each caller's first turn.
        laters_s: the same in later turns.
        stops_s: from the beginning of an interruption to the server's word that the reply is over.
        silences_s: from the beginning of an interruption to silence at the caller.
        lates_s: how late the callers themselves were with their frames, the worst of each second.
        early: replies that began before the caller had finished.
        missing: turns without a reply, or without all of it.
        gaps: how often a reply ran dry.
        unheeded: interruptions that did not stop the reply.
    """

    starts_s: list[float] = field(default_factory=list)
    firsts_s: list[float] = field(default_factory=list)
    laters_s: list[float] = field(default_factory=list)
    stops_s: list[float] = field(default_factory=list)
    silences_s: list[float] = field(default_factory=list)
    lates_s: list[float] = field(default_factory=list)
    early: int = 0
    missing: int = 0
    gaps: int = 0
    unheeded: int = 0

    @property
    def waits_s(self) -> list[float]:
        """From the end of speech to the first sound, a turn each."""
        return self.firsts_s + self.laters_s


class Caller:
    """One caller on an open socket.

    `least_s` is how long a reply sounds at least; a shorter one counts as missing.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        heard: Heard,
        wire: Wire = PLAYAI,
        least_s: float = 0.0,
    ) -> None:
        self.ready = asyncio.Event()
        self._socket = socket
        self._heard = heard
        self._wire = wire
        self._least_s = least_s
        self._to_say: deque[str | bytes] = deque()
        self._begun, self._spoken = asyncio.Event(), asyncio.Event()
        self._begun_at_s = self._spoken_at_s = 0.0
        self._reply = Reply()

    async def stream(self) -> None:
        """The microphone; ends with the socket."""
        room = cycle([self._wire.write(frame) for frame in ROOM])
        due_s, worst_s, frames = time.monotonic(), 0.0, 0
        while not self._socket.closed:
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            worst_s, frames = max(worst_s, time.monotonic() - due_s), frames + 1
            if frames % len(ROOM) == 0:
                self._heard.lates_s.append(worst_s)
                worst_s = 0.0
            await self._send(self._next_word() or next(room))

    def _next_word(self) -> str | bytes | None:
        if not self._to_say:
            return None
        if not self._begun.is_set():
            self._begun_at_s = time.monotonic() - FRAME_S  # its sound began a frame ago
            self._begun.set()
        frame = self._to_say.popleft()
        if not self._to_say:
            self._spoken_at_s = time.monotonic()
            self._spoken.set()
        return frame

    async def _send(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            await self._socket.send_bytes(message)
        else:
            await self._socket.send_str(message)

    async def listen(self) -> None:
        """The loudspeaker; ends with the socket."""
        async for frame in self._socket:
            now_s, reply = time.monotonic(), self._reply
            message = self._wire.read(frame)
            match message.type:
                case "audioStream":
                    reply.hear(self._wire.seconds(message.data), now_s)
                case "audioStreamEnd":
                    reply.over.set()
                case "onAgentInterrupted" if reply.begun.is_set():
                    reply.hush(now_s)
                    self._reply = Reply()
                case "init":
                    self.ready.set()

    async def take_turn(self, saying: Saying, *, first: bool = False) -> None:
        """Say something and hear the answer out."""
        reply = await self.say(saying)
        whole = await self._hear_out(reply)
        while reply.hushed_s is not None:  # it answered what was said before
            reply = self._reply
            whole = await self._hear_out(reply)
        if not whole or reply.first_sound_s is None:
            self._heard.missing += 1
        elif reply.first_sound_s < self._spoken_at_s:
            self._heard.early += 1
        else:
            waits_s = self._heard.firsts_s if first else self._heard.laters_s
            waits_s.append(reply.first_sound_s - self._spoken_at_s)
        self._heard.gaps += reply.gaps

    async def interrupt(self, saying: Saying, interruption: Saying) -> None:
        """Say something, speak over the answer, and hear the next one out."""
        reply = await self.say(saying)
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                await reply.begun.wait()
        except TimeoutError:
            self._heard.missing += 1
            return
        await asyncio.sleep(INTO_REPLY_S)
        self._speak(interruption)
        await self._begun.wait()
        try:
            async with asyncio.timeout(HUSH_TIMEOUT_S):
                await reply.hushed.wait()
        except TimeoutError:
            self._heard.unheeded += 1
        else:
            self._note_stop(reply)
        await self._spoken.wait()
        if not await self._hear_out(self._reply):
            self._heard.missing += 1

    def _note_stop(self, reply: Reply) -> None:
        hushed_s = reply.hushed_s or 0.0
        self._heard.stops_s.append(hushed_s - self._begun_at_s)
        self._heard.silences_s.append(min(hushed_s, reply.ends_s) - self._begun_at_s)

    async def say(self, saying: Saying) -> Reply:
        """Say something; gives the reply to come: not the one that was spoken over, if one was."""
        self._reply = Reply()
        self._speak(saying)
        await self._spoken.wait()
        return self._reply

    def _speak(self, saying: Saying) -> None:
        self._begun.clear()
        self._spoken.clear()
        self._to_say.extend(self._wire.write(frame) for frame in saying.frames)

    async def _hear_out(self, reply: Reply) -> bool:
        """Whether it came, whole."""
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                await (reply.over if self._wire.tells_end else reply.begun).wait()
        except TimeoutError:
            return False
        if reply.hushed_s is not None:
            return False
        ends_s = 0.0
        while ends_s < reply.ends_s:
            ends_s = reply.ends_s
            await asyncio.sleep(max(0.0, ends_s - time.monotonic()))
            if self._wire.played and ends_s == reply.ends_s:
                await self._send(self._wire.played)
            await asyncio.sleep(BETWEEN_TURNS_S)
        return reply.sound_s >= self._least_s


class Party:
    """Several callers of one server, connected from `enter` to `leave`."""

    def __init__(self, url: str, count: int, wire: Wire = PLAYAI, least_s: float = 0.0) -> None:
        self._url = url
        self._count = count
        self._wire = wire
        self._least_s = least_s
        self._callers: list[Caller] = []
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self.heard = Heard()

    async def enter(self) -> None:
        """Connect everybody, one after the other, microphones open. Raises TimeoutError."""
        self._session = aiohttp.ClientSession()
        for _ in range(self._count):
            began_s = time.monotonic()
            socket = await self._session.ws_connect(self._url, compress=0, max_msg_size=0)
            self._sockets.append(socket)
            caller = Caller(socket, self.heard, self._wire, self._least_s)
            if self._wire.hello:
                await socket.send_str(self._wire.hello)
            self._tasks.append(asyncio.create_task(caller.listen()))
            async with asyncio.timeout(START_TIMEOUT_S):
                await caller.ready.wait()
            self.heard.starts_s.append(time.monotonic() - began_s)
            self._callers.append(caller)
            self._tasks.append(asyncio.create_task(caller.stream()))

    async def talk(self, sayings: Sequence[Saying], turns: int) -> None:
        """Let each caller take so many turns."""
        async with asyncio.TaskGroup() as talking:
            for caller, own, wait_s in self._share(sayings, turns):
                talking.create_task(_converse(caller, own, wait_s))

    async def interrupt(self, sayings: Sequence[Saying], times: int) -> None:
        """Let each caller interrupt so many replies."""
        async with asyncio.TaskGroup() as talking:
            for caller, own, wait_s in self._share(sayings, 2 * times):
                talking.create_task(_interrupt(caller, own, wait_s))

    def _share(
        self, sayings: Sequence[Saying], each: int
    ) -> list[tuple[Caller, list[Saying], float]]:
        """Who says what, beginning when."""
        spread = Random(self._count)
        return [
            (
                caller,
                list(islice(cycle(sayings), index * each, (index + 1) * each)),
                spread.uniform(0.0, STAGGER_S) if self._count > 1 else 0.0,
            )
            for index, caller in enumerate(self._callers)
        ]

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
    for number, saying in enumerate(sayings):
        await caller.take_turn(saying, first=number == 0)


async def _interrupt(caller: Caller, sayings: Sequence[Saying], wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    for saying, interruption in zip(sayings[::2], sayings[1::2], strict=True):
        await caller.interrupt(saying, interruption)
