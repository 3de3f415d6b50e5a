"""The floor: the least a voice server can be, to hold Sayso against in the same run.

It speaks the part of PlayAI's protocol a call needs, with the same scripted delays. It tells
speech by its loudness, an ending by 450 ms of silence and an interruption by half a second of
speech; it stores nothing, encodes nothing, recovers from nothing, and knows no agent, key or limit.
Asyncio, websockets, numpy, and nothing of Sayso.

    python bench/floor.py --llm http://127.0.0.1:3000
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from child import SERVER_CORE, obey_parent, pin
from script import CALLER_WORDS, ModelTimes

TIMES = ModelTimes()
IN_RATE_HZ, OUT_RATE_HZ = 16_000, 24_000
LOUD = 0.005
"""Loudness (RMS of full scale) from which a frame is speech."""

TRANSCRIBE_AFTER_S = 0.2
"""Silence after which the transcript is begun, so that it is there when the turn ends."""

INTERRUPTION_S = 0.5
"""Speech over a reply that ends it."""

PIECE_S, AHEAD_S = 0.1, 0.25
CHARS_PER_S = 15.0
FIRST_CHARS = 16


class Loudness:
    """Tells speech from silence in 16-bit sound by its loudness alone."""

    def __init__(self) -> None:
        self.spoken = False
        self.silent_s = 0.0
        self.sounded_s = 0.0

    def hear(self, data: bytes) -> None:
        """Take one frame."""
        samples = np.frombuffer(data, "<i2").astype(np.float32)
        if len(samples) and float(samples.dot(samples)) / len(samples) >= (LOUD * 32_768) ** 2:
            self.spoken, self.silent_s = True, 0.0
        else:
            self.silent_s += len(samples) / IN_RATE_HZ
        self.sounded_s += len(samples) / IN_RATE_HZ if self.spoken else 0.0


class Llm:
    """One connection to an OpenAI-compatible server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def reply(self, messages: list[dict[str, str]]) -> AsyncIterator[str]:
        """The tokens of its answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        body = json.dumps({"model": "x", "stream": True, "messages": messages}).encode()
        head = f"{self._head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        while (line := await reader.readline()) and line != b"0\r\n":
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])["choices"][0]["delta"].get("content", "")
        await reader.readline()

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()


class Call:
    """One call, from setup to hang-up."""

    def __init__(self, socket: ServerConnection, llm_url: str) -> None:
        self._socket = socket
        self._llm_url = llm_url
        self._llm = Llm(llm_url)
        self._messages: list[dict[str, str]] = []
        self._loudness = Loudness()
        self._heard: list[bytes] = []
        self._transcript: asyncio.Task[str] | None = None
        self._reply: asyncio.Task[None] | None = None
        self._ends_s = 0.0

    async def run(self) -> None:
        """Hold the call."""
        await self._socket.recv()
        await self._say("init", agentOwnerId="", conversationId="", recordingPresignedUrl="")
        await self._say("onAgentGreeting", message=" ")
        await self._say("onAgentGreetingEnd", message="")
        try:
            async for frame in self._socket:
                message = json.loads(frame)
                if message["type"] == "audioIn":
                    self._hear(base64.b64decode(message["data"]))
                    await self._mind_interruption()
        finally:
            self._llm.close()
            for task in (self._transcript, self._reply):
                if task is not None:
                    task.cancel()

    @property
    def _replying(self) -> bool:
        sounding = time.monotonic() < self._ends_s
        return self._reply is not None and (sounding or not self._reply.done())

    def _hear(self, data: bytes) -> None:
        loudness = self._loudness
        loudness.hear(data)
        if not loudness.spoken:
            return
        self._heard.append(data)
        if self._replying:
            if loudness.silent_s >= TIMES.patience_s:
                self._forget()  # a noise
            return
        if loudness.silent_s == 0.0:
            self._transcript = None
        elif loudness.silent_s >= TRANSCRIBE_AFTER_S and self._transcript is None:
            self._transcript = asyncio.create_task(transcribe(b"".join(self._heard)))
        if loudness.silent_s >= TIMES.patience_s and self._transcript is not None:
            self._reply = asyncio.create_task(self._answer(self._transcript))
            self._forget()

    def _forget(self) -> None:
        self._loudness, self._transcript, self._heard = Loudness(), None, []

    async def _mind_interruption(self) -> None:
        if self._reply and self._replying and self._loudness.sounded_s >= INTERRUPTION_S:
            self._reply.cancel()
            self._reply, self._ends_s = None, 0.0
            self._llm.close()
            self._llm = Llm(self._llm_url)
            await self._say("onAgentInterrupted", updatedMessage="")

    async def _answer(self, transcript: asyncio.Task[str]) -> None:
        words = await transcript
        self._messages.append({"role": "user", "content": words})
        await self._say("onUserTranscript", message=words)
        await self._say("voiceActivityEnd")
        await self._say("newAudioStream")
        await self._say("audioStreamStart")
        text = ""
        async for clause in clauses(self._llm.reply(self._messages)):
            text = f"{text} {clause}".strip()
            await self._speak(clause)
        self._messages.append({"role": "assistant", "content": text})
        await self._say("onAgentTranscript", message=text)
        await self._say("audioStreamEnd", message=text, jobId=len(self._messages) // 2)

    async def _speak(self, clause: str) -> None:
        await asyncio.sleep(TIMES.tts_s)
        sound = hum(len(clause) / CHARS_PER_S)
        step = int(PIECE_S * OUT_RATE_HZ)
        for begin in range(0, len(sound), step):
            piece = sound[begin : begin + step]
            await asyncio.sleep(max(0.0, self._ends_s - AHEAD_S - time.monotonic()))
            await self._say("audioStream", data=base64.b64encode(piece.tobytes()).decode())
            self._ends_s = max(self._ends_s, time.monotonic()) + len(piece) / OUT_RATE_HZ

    async def _say(self, kind: str, **keys: object) -> None:
        await self._socket.send(json.dumps({"type": kind, **keys}))


async def transcribe(_: bytes) -> str:
    """The scripted ears."""
    await asyncio.sleep(TIMES.stt_s)
    return CALLER_WORDS


def hum(seconds: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The scripted voice."""
    times_s = np.arange(round(seconds * OUT_RATE_HZ)) / OUT_RATE_HZ
    return np.asarray(0.1 * np.sin(2 * np.pi * 220.0 * times_s), "<f4")


async def clauses(tokens: AsyncIterator[str]) -> AsyncIterator[str]:
    """Cut at a stop, and the first clause at a comma."""
    text, marks = "", ".!?,"
    async for token in tokens:
        text += token
        if text and text[-1] in marks and len(text) >= FIRST_CHARS:
            yield text.strip()
            text, marks = "", ".!?"
    if text.strip():
        yield text.strip()


async def run(llm_url: str) -> None:
    """Serve until the parent ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    async def answer(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await Call(socket, llm_url).run()

    def stop() -> None:
        loop.call_soon_threadsafe(over.set)

    async with serve(answer, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        obey_parent(f"ws://127.0.0.1:{port}/", stop)
        await over.wait()


def main() -> None:
    """Run the floor on the servers' core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llm", required=True, help="base URL of the LLM")
    pin(SERVER_CORE)
    uvloop.run(run(parser.parse_args().llm))


if __name__ == "__main__":
    main()
