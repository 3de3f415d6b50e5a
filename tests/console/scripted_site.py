"""The talk page on a server of its own, with agents that follow a script."""

from __future__ import annotations

import base64
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from sayso.console.pages import page_routes

START_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
RATE_HZ = 24_000


@contextmanager
def running_site(app: ASGIApp) -> Iterator[str]:
    """Serve `app`; yields its base URL."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), START_WITHIN_S)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(STOP_WITHIN_S)


def wait_for(is_true: Callable[[], object], within_s: float = 10.0) -> None:
    """Look again every 20 ms; for what happens in another thread or program."""
    pause = threading.Event()
    for _ in range(int(within_s / 0.02)):
        if is_true():
            return
        pause.wait(0.02)
    raise AssertionError(f"it did not happen within {within_s:g} s")


def tone(seconds: float) -> bytes:
    """A tone of 220 Hz as `raw` sound."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(0.3 * np.sin(2 * np.pi * 220 * times_s), "<f4").tobytes()


@dataclass(eq=False)
class Caller:
    """The page, as a scripted agent sees it: what it sent, and a way to answer."""

    socket: WebSocket
    sent: list[dict[str, Any]] = field(default_factory=list)
    gone: int | None = None
    _unread: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, kind: str, **fields: object) -> None:
        await self.socket.send_json({"type": kind, **fields})

    async def speak(self, seconds: float, text: str, *, number: int, end: bool = True) -> None:
        await self.say("newAudioStream")
        await self.say("audioStream", data=base64.b64encode(tone(seconds)).decode())
        await self.say("onAgentTranscript", message=text)
        if end:
            await self.say("audioStreamEnd", message=text, jobId=number)

    async def wait_for(self, *kinds: str) -> dict[str, Any]:
        """The first message of one of these kinds that was not waited for yet."""
        while True:
            for message in self._unread:
                if message["type"] in kinds:
                    self._unread.remove(message)
                    return message
            message = await self.socket.receive_json()
            self.sent.append(message)
            self._unread.append(message)

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.sent]


Script = Callable[[Caller], Awaitable[None]]


class ScriptedAgents:
    """Agents that do what a test tells them: an id and a script each."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.callers: list[Caller] = []
        route = WebSocketRoute("/v1/agents/{agent_id}/start-conversation", self._answer)
        self.app = Starlette(routes=[route, *page_routes()])

    async def _answer(self, socket: WebSocket) -> None:
        caller = Caller(socket)
        self.callers.append(caller)
        await socket.accept()
        try:
            await caller.wait_for("setup")
            await self.scripts[socket.path_params["agent_id"]](caller)
            while True:
                await caller.wait_for("nothing")
        except WebSocketDisconnect as gone:
            caller.gone = gone.code
