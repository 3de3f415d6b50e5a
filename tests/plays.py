"""Random plays for a caller, and the actor who performs one over the real socket.

A play is a list of acts, drawn from a seed: speech, a cough, typed text, a note of the program, a
pause, hearing a reply out, speaking or typing over one; and one of three ways to leave.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

import aiohttp
import numpy as np

from sayings import audio_message, make_room
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.caller import ANSWER_RATE_HZ, Caller, HeardReply, socket_url

FRAME_S = 0.04
FRAME_SAMPLES = int(FRAME_S * EAR_RATE_HZ)
LONGEST_WAIT_S = 4.0
"""A reply that has not come by then is not waited for any longer; what was asked stays asked."""

ACTS = (
    "speak", "speak", "type", "note", "cough", "pause", "hear out", "hear out",
    "speak over", "speak over", "speak over", "type over", "cough over",
)  # fmt: skip
ENDINGS = ("hang up", "hang up", "hang up over a reply", "vanish", "vanish over a reply")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a caller does, and after how long."""

    name: str
    after_s: float
    choice: int


@dataclass(frozen=True, slots=True)
class Play:
    """What one caller does."""

    seed: int
    agent: int
    acts: tuple[Act, ...]
    ending: str

    def __str__(self) -> str:
        acts = [f"{act.after_s:.2f} s, {act.name} ({act.choice})" for act in self.acts]
        return f"seed {self.seed}, agent {self.agent}: {'; '.join([*acts, self.ending])}"


def write_play(seed: int) -> Play:
    """The play of a seed."""
    chance = Random(seed)
    acts = tuple(
        Act(chance.choice(ACTS), round(chance.expovariate(3.0), 2), chance.randrange(1000))
        for _ in range(chance.randint(1, 6))
    )
    return Play(seed, chance.randrange(1000), acts, chance.choice(ENDINGS))


def cut_frames(samples: Samples) -> tuple[str, ...]:
    """Sound as the messages of an open microphone."""
    whole = np.concatenate([samples, np.zeros(-len(samples) % FRAME_SAMPLES, np.float32)])
    return tuple(audio_message(piece) for piece in whole.reshape(-1, FRAME_SAMPLES))


def cough() -> Samples:
    """A fifth of a second of noise, as loud as speech."""
    length = int(0.2 * EAR_RATE_HZ)
    noise = np.random.default_rng(7).normal(0, 0.25, length)
    return np.asarray(noise * np.hanning(length), np.float32)


COUGH = cut_frames(cough())
ROOM = make_room()


@dataclass
class Performance:
    """What came of a play, as its caller saw it.

    Attributes:
        conversation_id: as the server named it.
        told: the types of all messages, in order.
        replies: what was heard.
        typed: texts sent, each of them unique.
        buffers_empty: replies whose end the caller reported.
    """

    play: Play
    conversation_id: str
    told: list[dict[str, Any]] = field(default_factory=list)
    replies: list[HeardReply] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Actor:
    """Performs one play on an open socket."""

    def __init__(
        self,
        play: Play,
        socket: aiohttp.ClientWebSocketResponse,
        init: dict[str, Any],
        sayings: Sequence[tuple[str, ...]],
    ) -> None:
        self._play = play
        self._socket = socket
        self._sayings = sayings
        self._caller = Caller(socket, init)
        self._to_say: deque[str] = deque()
        self._said = asyncio.Event()
        self.performance = Performance(play, self._caller.conversation_id)

    async def perform(self) -> None:
        """All acts; leaves the line open."""
        for number, act in enumerate(self._play.acts):
            await asyncio.sleep(act.after_s)
            await self._act(act, number)
        if self._play.ending.endswith("over a reply"):
            await self._send({"type": "textIn", "data": self._text("the last thing")})
            await self._until_sounding()
            await asyncio.sleep(Random(self._play.seed).uniform(0.0, 0.8))

    async def _act(self, act: Act, number: int) -> None:
        over = act.name.endswith(" over")
        if over:
            await self._until_sounding()
            await asyncio.sleep(act.choice / 1000)
        match act.name.removesuffix(" over"):
            case "speak":
                await self._say(self._sayings[act.choice % len(self._sayings)])
            case "cough":
                await self._say(COUGH)
            case "type":
                await self._send({"type": "textIn", "data": self._text(f"thing {number}")})
            case "note":
                self.performance.notes.append(f"Note {self._play.seed}-{number}.")
                await self._send({"type": "customInput", "data": self.performance.notes[-1]})
            case "hear out":
                await self._hear_out()

    def _text(self, what: str) -> str:
        self.performance.typed.append(f"Tell {self._play.seed} {what}.")
        return self.performance.typed[-1]

    async def _say(self, frames: Sequence[str]) -> None:
        self._said.clear()
        self._to_say.extend(frames)
        await self._said.wait()

    async def _until_sounding(self) -> None:
        def sounds() -> bool:
            replies = self._caller.replies
            return bool(replies) and replies[-1].encoded != [] and replies[-1].interrupted is None

        await self._wait(sounds)

    async def _hear_out(self) -> None:
        """Let the reply under way end, and say so as a player does, when its sound has played."""
        await self._until_sounding()
        if not self._caller.replies:
            return
        reply = self._caller.replies[-1]
        await self._wait(lambda: reply.complete or reply.interrupted is not None)
        if reply.complete and reply.interrupted is None and reply.first_sound_s is not None:
            ends_s = reply.first_sound_s + len(reply.samples) / ANSWER_RATE_HZ
            await asyncio.sleep(max(0.0, ends_s - time.monotonic()))
            if self._caller.replies[-1] is reply:
                await self._send({"type": "bufferEmpty"})

    async def _wait(self, holds: Any) -> None:  # noqa: ANN401
        try:
            async with asyncio.timeout(LONGEST_WAIT_S), self._caller.changed:
                await self._caller.changed.wait_for(lambda: holds() or self._caller.ended)
        except TimeoutError:
            return

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_str(json.dumps(message))

    async def stream(self) -> None:
        """The microphone, open all the time."""
        room, due_s = cycle(ROOM[i] for i in range(0, len(ROOM), 2)), time.monotonic()
        while not self._socket.closed:
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            frame = self._to_say.popleft() if self._to_say else None
            if frame is not None and not self._to_say:
                self._said.set()
            if frame is None:  # the quiet room comes in frames of 20 ms
                await self._socket.send_str(next(room))
            await self._socket.send_str(frame or next(room))

    async def listen(self) -> None:
        """The loudspeaker."""
        await self._caller.listen()

    def take_notes(self) -> Performance:
        """What was seen, once it is over."""
        self.performance.told = [dict(told.message) for told in self._caller.told]
        self.performance.replies = self._caller.replies
        return self.performance


async def perform(
    play: Play, url: str, agent_id: str, sayings: Sequence[tuple[str, ...]]
) -> Performance:
    """Call, perform, and leave as the play says."""
    session = aiohttp.ClientSession()
    setup = {
        "type": "setup",
        "inputEncoding": "linear16",
        "inputSampleRate": EAR_RATE_HZ,
        "outputFormat": "raw",
        "outputSampleRate": ANSWER_RATE_HZ,
    }
    target = socket_url(url, agent_id, with_key=False)
    socket = await session.ws_connect(target, compress=0, max_msg_size=0)
    await socket.send_str(json.dumps(setup))
    actor = Actor(play, socket, await socket.receive_json(), sayings)
    tasks = [asyncio.create_task(actor.stream()), asyncio.create_task(actor.listen())]
    try:
        await actor.perform()
        if play.ending.startswith("hang up"):
            await socket.close()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()  # whoever vanishes says no goodbye
    return actor.take_notes()
