"""`sayso talk` through a sound card, with a card that plays into a list."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from console.scripted_site import running_site
from sayso import telephone
from sayso.caller import ANSWER_RATE_HZ, Caller, call
from sayso.errors import InstallationError, TalkError
from sayso.telephone import Call, _load_sound_card, _play

PIECE = base64.b64encode(np.full(ANSWER_RATE_HZ // 10, 0.25, "<f4").tobytes()).decode()


class Card:
    """A sound card that takes what is written at once; it is heard 50 ms later."""

    latency = 0.05

    def __init__(self) -> None:
        self.pieces = 0

    def write(self, samples: Any) -> None:  # noqa: ANN401
        self.pieces += 1


class Agent:
    """Once it is spoken to, speaks replies of so many pieces; keeps what it is told then."""

    def __init__(self, *pieces: int, ends: bool = True) -> None:
        self.pieces = pieces
        self.ends = ends
        self.told: list[dict[str, Any]] = []
        self.app = Starlette(
            routes=[WebSocketRoute("/v1/agents/{agent_id}/start-conversation", self.answer)]
        )

    async def answer(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_json()
        await socket.send_json({"type": "init", "conversationId": "c"})
        await socket.receive_json()
        for count in self.pieces:
            await socket.send_json({"type": "newAudioStream"})
            for _ in range(count):
                await socket.send_json({"type": "audioStream", "data": PIECE})
            await socket.send_json({"type": "audioStreamEnd", "message": "Hi.", "jobId": 1})
        if not self.ends:
            await socket.send_json({"type": "newAudioStream"})
            await socket.send_json({"type": "audioStream", "data": PIECE})
        try:
            while True:
                self.told.append(json.loads(await socket.receive_text()))
        except WebSocketDisconnect:
            return


@asynccontextmanager
async def calling(agent: Agent) -> AsyncGenerator[Caller]:
    with running_site(agent.app) as url:
        async with call(url, "a1") as caller:
            yield caller


async def test_what_came_out_of_the_sound_card_is_reported() -> None:
    agent, card = Agent(8), Card()
    async with calling(agent) as caller:
        playing = asyncio.create_task(_play(caller, card))
        await caller.write("Go on.")
        async with asyncio.timeout(10):
            while card.pieces < 8 or len(agent.told) < 2:  # noqa: ASYNC110 another thread
                await asyncio.sleep(0.01)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    assert agent.told == [
        {"type": "played", "stream": 1, "seconds": 0.25},
        {"type": "played", "stream": 1, "seconds": 0.55},
    ]


async def test_a_reply_that_is_heard_out_is_told_to_its_end() -> None:
    agent = Agent(1, 3)
    async with calling(agent) as caller:
        await caller.write("Go on.")
        await caller.hear_out(await caller.reply(1, within_s=10))
        assert caller.replies[1].lasts_s == 0.3
        async with asyncio.timeout(10):
            while not agent.told or agent.told[-1]["seconds"] < 0.3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert {told["stream"] for told in agent.told} == {2}
    played = [told["seconds"] for told in agent.told]
    assert played == sorted(played)


@pytest.mark.parametrize(
    ("ends", "why"),
    [(True, "an answer did not come within"), (False, "still going on after 0.5 s")],
)
async def test_an_answer_that_has_begun_is_not_said_to_be_missing(ends: bool, why: str) -> None:
    agent = Agent(*[1] if ends else [], ends=ends)
    async with calling(agent) as caller:
        await caller.write("Go on.")
        with pytest.raises(TalkError, match=why):
            await caller.answer(1 if ends else 0, within_s=0.5)


class Leaver(Agent):
    """Hangs up once its reply was heard; keeps who was first."""

    def __init__(self, *, leaves: bool) -> None:
        super().__init__(2)
        self.leaves = leaves
        self.first = ""

    async def answer(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_json()
        for message in ({"type": "init", "conversationId": "c"}, {"type": "onAgentGreetingEnd"}):
            await socket.send_json(message)
        while (await socket.receive_json())["type"] != "textIn":
            pass  # silence
        await socket.send_json({"type": "newAudioStream"})
        await socket.send_json({"type": "audioStream", "data": PIECE})
        await socket.send_json({"type": "audioStreamEnd", "message": "Goodbye!", "jobId": 1})
        try:
            while not (await self.is_heard(socket) and self.leaves):
                pass
            await asyncio.sleep(0.1)  # as long as a server may take to notice
            await socket.receive_json()
            self.first = "agent"
            await socket.send_json({"type": "hangup", "endedBy": "agent"})
            await socket.close()
        except WebSocketDisconnect:
            self.first = "caller"

    async def is_heard(self, socket: WebSocket) -> bool:
        told = await socket.receive_json()
        return bool(told["type"] == "played" and told["seconds"] >= 0.1)


@pytest.mark.parametrize("leaves", [True, False])
async def test_an_agent_that_ends_the_call_is_let_do_it(
    leaves: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(telephone, "HANGS_UP_WITHIN_S", 20.0 if leaves else 0.05)
    agent = Leaver(leaves=leaves)
    with running_site(agent.app) as url:
        assert await telephone.place_call(Call(url, "a1", None, None, "Bye.", None)) == 0
        async with asyncio.timeout(10):
            while not agent.first:  # noqa: ASYNC110 another thread
                await asyncio.sleep(0.01)
    assert agent.first == ("agent" if leaves else "caller")
    assert ("the agent hung up" in capsys.readouterr().out) is leaves


class Rambler(Agent):
    """Begins an answer that has no end."""

    def __init__(self, *, begins: bool) -> None:
        super().__init__()
        self.begins = begins

    async def answer(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_json()
        for message in ({"type": "init", "conversationId": "c"}, {"type": "onAgentGreetingEnd"}):
            await socket.send_json(message)
        while (await socket.receive_json())["type"] != "textIn":
            pass  # silence
        if self.begins:
            await socket.send_json({"type": "newAudioStream"})
            await socket.send_json({"type": "audioStream", "data": PIECE})
            await socket.send_json(
                {"type": "onAgentTranscript", "message": "The elephant is large."}
            )
        try:
            while True:
                await socket.receive_json()
        except WebSocketDisconnect:
            return


@pytest.mark.parametrize("begins", [True, False])
async def test_who_gives_up_tells_what_came_until_then(
    begins: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(telephone, "ANSWER_WITHIN_S", 0.5)
    out = tmp_path / "answer.wav"
    why = "still going on after 0.5 s" if begins else "an answer did not come within"
    with running_site(Rambler(begins=begins).app) as url, pytest.raises(TalkError, match=why):
        await telephone.place_call(Call(url, "a1", None, None, "Describe it.", out))
    told = capsys.readouterr().out
    assert "you:    Describe it." in told
    assert "conversation c" in told
    assert ("agent:  The elephant is large." in told) is begins
    assert ("gave up after 0.1 s of it" in told) is begins
    assert out.exists() is begins


def test_who_lacks_the_sound_card_is_told_what_helps_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout `pip install sayso[...]` would look for another Sayso."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(InstallationError, match="no microphone") as refused:
        _load_sound_card()
    assert f"{sys.executable} -m pip install sounddevice" in (refused.value.hint or "")
