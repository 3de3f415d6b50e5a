"""A caller: the client side of the talk socket, for the command line, the tests and the bench.

It is a real client of the real protocol. It speaks 16 kHz 16-bit sound in real time, and keeps
what it was told with the time it came, so that a conversation can be looked at afterwards.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples, pcm16_of
from sayso.errors import AudioError, TalkCode, TalkError
from sayso.variables import Variable

FRAME_S = 0.02
"""Sound sent at a time, in seconds."""

REPORT_S = 0.25
"""How often the server is told how much of a reply has been played, in seconds."""

ANSWER_RATE_HZ = 24_000
"""The rate this client asks for, in its `raw` (float32) output format."""


@dataclass(slots=True)
class HeardReply:
    """One reply as the caller heard it.

    Attributes:
        stream: its place among the conversation's replies, from 1.
        first_sound_s: steady time of its first sound.
        last_sound_s: steady time of its last sound so far.
        encoded: its sound as it came, a message each.
        samples: its sound at 24 kHz; only if it came in the `raw` format.
        written: its whole text, from the moment it is known; it may not be spoken yet.
        text: what the agent says it said.
        interrupted: what was heard of it, if it was cut off.
        complete: all of it was sent.
    """

    stream: int
    first_sound_s: float | None = None
    last_sound_s: float | None = None
    encoded: list[bytes] = field(default_factory=list)
    written: str = ""
    text: str = ""
    interrupted: str | None = None
    complete: bool = False

    @property
    def samples(self) -> Samples:
        """All its sound."""
        return np.frombuffer(b"".join(self.encoded), "<f4").astype(np.float32)

    @property
    def lasts_s(self) -> float:
        """Seconds of its sound; only if it came in the `raw` format."""
        return sum(map(len, self.encoded)) / 4 / ANSWER_RATE_HZ


@dataclass(frozen=True, slots=True)
class Told:
    """A message of the server, without its sound, and the steady time it came."""

    at_s: float
    message: Mapping[str, Any]


class Caller:
    """One open conversation, seen from the caller's side. Made by `call`.

    Attributes:
        changed: notified whenever anything below changes.
        conversation_id: as the server named it.
        told: every message so far, without sound.
        replies: every reply so far.
        said: what the server understood of us, a turn each.
        speech_ended_s: steady time at which we last stopped speaking.
        ended: the line is closed.
        problems: what went wrong and did not close it, such as an LLM that could not answer.
        error: the fatal error that closed it.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, init: Mapping[str, Any]) -> None:
        self._socket = socket
        self.changed = asyncio.Condition()
        self.conversation_id = str(init["conversationId"])
        self.told: list[Told] = []
        self.replies: list[HeardReply] = []
        self.said: list[str] = []
        self.speech_ended_s: float | None = None
        self.ended = False
        self.problems: list[TalkError] = []
        self.error: TalkError | None = None

    @property
    def close_code(self) -> int | None:
        """What the line was closed with, once it is."""
        return self._socket.close_code

    # Speaking ----------------------------------------------------------------------------------

    async def say(self, samples: Samples, *, pause_s: float = 0.0) -> None:
        """Speak 16 kHz `samples` in real time, then be silent for `pause_s` seconds."""
        await self._stream(samples)
        self.speech_ended_s = time.monotonic()
        if pause_s:
            await self._stream(np.zeros(int(pause_s * EAR_RATE_HZ), np.float32))

    async def keep_silent(self) -> None:
        """Send silence in real time, as an open microphone does, until cancelled."""
        while True:
            await self._stream(np.zeros(EAR_RATE_HZ, np.float32))

    async def write(self, text: str) -> None:
        """Send typed text."""
        self.speech_ended_s = time.monotonic()
        await self._send({"type": "textIn", "data": text})

    async def send_sound(self, samples: Samples) -> None:
        """Send 16 kHz `samples` at once, as one frame."""
        await self.send_encoded(pcm16_of(samples).astype("<i2").tobytes())

    async def send_encoded(self, data: bytes) -> None:
        """Send sound at once, as one frame, in whatever encoding `setup` named."""
        await self._send({"type": "audioIn", "data": base64.b64encode(data).decode()})

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send any message."""
        await self._send(message)

    async def hang_up(self) -> None:
        """Close without a code, as browsers do."""
        await self._socket.close()

    # Listening -----------------------------------------------------------------------------------

    async def reply(self, number: int, *, within_s: float) -> HeardReply:
        """Wait for the whole of reply `number`, counted from 0.

        Raises:
            TalkError: the conversation ended before, or took longer than `within_s`.
        """

        def is_there() -> bool:
            return len(self.replies) > number and self.replies[number].complete

        await self.until(is_there, within_s=within_s, what=f"reply {number}")
        return self.replies[number]

    async def answer(self, number: int, *, within_s: float) -> HeardReply:
        """Wait for the last word on what was said: reply `number`, or one that replaced it.

        A pause in the question may be taken for its end; what is then said is interrupted by
        the rest of the question, and answered anew.

        Raises:
            TalkError: the conversation ended before, or took longer than `within_s`.
        """

        def is_there() -> bool:
            return len(self.replies) > number and self.replies[-1].complete

        try:
            await self.until(is_there, within_s=within_s, what="an answer")
        except TalkError:
            if self.ended or len(self.replies) <= number or not self.replies[-1].encoded:
                raise
            raise TalkError(
                f"the answer is still going on after {within_s:g} s", code=TalkCode.INTERNAL
            ) from None
        return self.replies[-1]

    async def hear_out(self, reply: HeardReply) -> None:
        """Wait as long as `reply` takes to play, and tell how far it is, as a player does."""
        ends_s = (reply.first_sound_s or 0.0) + reply.lasts_s
        while (left_s := ends_s - time.monotonic()) > 0:
            await self.tell_played(reply, reply.lasts_s - left_s)
            await asyncio.sleep(min(left_s, REPORT_S))
        await self.tell_played(reply, reply.lasts_s)

    async def tell_played(self, reply: HeardReply, up_to_s: float) -> None:
        """Tell the server that so many seconds of `reply` have been played."""
        seconds = round(max(0.0, up_to_s), 3)
        await self._send({"type": "played", "stream": reply.stream, "seconds": seconds})

    async def hung_up(self, *, within_s: float) -> bool:
        """Whether the agent hangs up within so many seconds; returns as soon as it does."""
        try:
            async with asyncio.timeout(within_s), self.changed:
                await self.changed.wait_for(lambda: self.ended)
        except TimeoutError:
            return False
        return True

    async def until(self, holds: Any, *, within_s: float, what: str) -> None:  # noqa: ANN401
        """Wait until `holds()` is true. Raises TalkError when it cannot become so."""
        try:
            async with asyncio.timeout(within_s), self.changed:
                await self.changed.wait_for(lambda: holds() or self.ended)
        except TimeoutError:
            raise TalkError(
                f"{what} did not come within {within_s:g} s", code=TalkCode.INTERNAL
            ) from None
        if not holds():
            raise self.error or TalkError(
                f"the conversation ended before {what}", code=TalkCode.INTERNAL
            )

    async def listen(self) -> None:
        """Take in what the server sends, until the line closes."""
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            async with self.changed:
                self._take(json.loads(frame.data), time.monotonic())
                self.changed.notify_all()
        async with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _take(self, message: dict[str, Any], now_s: float) -> None:
        match message["type"]:
            case "newAudioStream":
                self.replies.append(HeardReply(len(self.replies) + 1))
            case "audioStream":
                self._take_sound(message.pop("data"), now_s)
            case "onAgentTranscript" if self.replies:
                self.replies[-1].written = message["message"]
            case "audioStreamEnd":
                self.replies[-1].complete = True
                self.replies[-1].text = message["message"]
            case "onAgentInterrupted":
                self.replies[-1].interrupted = message["updatedMessage"]
            case "onUserTranscript":
                self.said.append(message["message"])
            case "error":
                self._take_error(message["message"], message["code"], message["isFatal"])
        self.told.append(Told(now_s, message))

    def _take_error(self, message: str, code: int, fatal: bool) -> None:
        error = TalkError(message, code=code, fatal=fatal)
        if fatal:
            self.error = error
        else:
            self.problems.append(error)

    def _take_sound(self, data: str, now_s: float) -> None:
        reply = self.replies[-1]
        if reply.first_sound_s is None:
            reply.first_sound_s = now_s
        reply.last_sound_s = now_s
        reply.encoded.append(base64.b64decode(data))

    # The wire --------------------------------------------------------------------------------

    async def _stream(self, samples: Samples) -> None:
        step = int(FRAME_S * EAR_RATE_HZ)
        due_s = time.monotonic()
        for begin in range(0, len(samples), step):
            piece = samples[begin : begin + step]
            due_s += len(piece) / EAR_RATE_HZ
            # A microphone hands a frame over when its last sample was recorded.
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await self.send_sound(piece)

    async def _send(self, message: Mapping[str, Any]) -> None:
        if not self._socket.closed:
            await self._socket.send_str(json.dumps(message))


def socket_url(url: str, agent_id: str, *, with_key: bool) -> str:
    """The talk URL of an agent on the server at `url` (http or https)."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    path = f"/v1/talk/{agent_id}" if with_key else f"/v1/agents/{agent_id}/start-conversation"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{path}"


@asynccontextmanager
async def call(
    url: str,
    agent_id: str,
    *,
    api_key: str | None = None,
    caller_id: str | None = None,
    variables: Mapping[str, Variable] | None = None,
    **setup: object,
) -> AsyncGenerator[Caller]:
    """Call an agent. `setup` adds to the setup message, or replaces what it says.

    `caller_id` is who calls, `variables` are values of `{{name}}` in the agent's texts.

    Raises:
        TalkError: the server did not admit us; its code and message.
        aiohttp.ClientError: the server cannot be reached.
    """
    first: dict[str, object] = {
        "type": "setup",
        "inputEncoding": "linear16",
        "inputSampleRate": EAR_RATE_HZ,
        "outputFormat": "raw",
        "outputSampleRate": ANSWER_RATE_HZ,
        **({"apiKey": api_key} if api_key else {}),
        **({"callerId": caller_id} if caller_id else {}),
        **({"variables": dict(variables)} if variables else {}),
        **setup,
    }
    target = socket_url(url, agent_id, with_key=api_key is not None)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(target, max_msg_size=0, compress=0) as socket,
    ):
        await socket.send_str(json.dumps(first))
        caller = Caller(socket, await _receive_init(socket))
        listening = asyncio.create_task(caller.listen())
        try:
            yield caller
            await caller.hang_up()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _receive_init(socket: aiohttp.ClientWebSocketResponse) -> Mapping[str, Any]:
    frame = await socket.receive()
    if frame.type is not aiohttp.WSMsgType.TEXT:
        raise TalkError("the server closed the line at once", code=TalkCode.INTERNAL)
    message: dict[str, Any] = json.loads(frame.data)
    if message["type"] == "error":
        raise TalkError(message["message"], code=message["code"])
    return message


def read_sound(path: Path, rate_hz: int = EAR_RATE_HZ) -> Samples:
    """A sound file of any kind, as mono samples at `rate_hz`.

    Raises:
        AudioError: it cannot be opened, or read as sound, or there is none in it.
    """
    import av  # noqa: PLC0415 - 250 ms that `--text` need not pay

    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
            pieces = [
                out.to_ndarray().ravel()
                for frame in container.decode(audio=0)
                for out in resampler.resample(frame)
            ]
            pieces += [out.to_ndarray().ravel() for out in resampler.resample(None)]
    except (av.FFmpegError, OSError, IndexError) as error:
        raise AudioError(_why_unreadable(path, error), hint=_SOUND_HINT) from None
    if not sum(map(len, pieces)):
        raise AudioError(f"{path} has no sound in it", hint=_SOUND_HINT)
    return np.concatenate(pieces).astype(np.float32)


_SOUND_HINT = "Give a recording, such as a WAV, MP3, Ogg or M4A file."


def _why_unreadable(path: Path, error: Exception) -> str:
    """What is wrong with a file, without the numbers of the system or of FFmpeg."""
    if isinstance(error, IndexError):
        return f"{path} has no sound in it"
    if path.is_dir():
        return f"{path} is a folder, and no sound file"
    if isinstance(error, FileNotFoundError):
        return f"there is no file {path}"
    if isinstance(error, PermissionError):
        return f"{path} may not be read by this user"
    return f"{path} cannot be read as sound: it is empty, damaged or something else"


def write_wav(path: Path, samples: Samples, rate_hz: int = ANSWER_RATE_HZ) -> None:
    """Write mono `samples` as a 16-bit WAV file."""
    import wave  # noqa: PLC0415 - only `--out` needs it

    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm16_of(samples).astype("<i2").tobytes())
