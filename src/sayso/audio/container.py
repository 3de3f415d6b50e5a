"""Sound in a container (webm, ogg, mp4, aiff, aac), read as one continuous stream.

A browser's `MediaRecorder` cuts one recording into slices, and only the first has a header: a
slice is no file, and all of them are one. FFmpeg pulls where a socket pushes, so each
conversation's demuxer has a thread of its own that waits at a bounded `_Pipe`.

Sound comes out 20-70 ms after its last byte went in: webm and ogg keep one packet back, mp4
three. All of it takes 0.8-1.1 % of a core, a quarter of that on the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeVar

import av
from av.container import InputContainer

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.audio.resample import FrameResampler
from sayso.errors import AudioError

MAX_UNREAD_BYTES = 4_194_304
"""Sound that waits to be decoded, in bytes: minutes of it; beyond, the sender is refused."""
MAX_SILENT_BYTES = 4_194_304
"""How much of a file may come before its first sound is found, and how far back an mp4 can be
read again: one with its index at the end may be this long."""
MAX_UNHEARD_PIECES = 64
"""Decoded pieces that wait for the event loop; then decoding waits (1-6 s of sound)."""
MAX_DAMAGED_AT_START = 10
"""So many unreadable packets with no readable one before them: it is something else."""
MAX_WAITING_FILES = 32
"""Files begun before the first of them was read."""
_READ_BYTES = 4_096

_OPTIONS = {
    "probesize": "32",  # with FFmpeg's own choice some are silent for their first second
    "analyzeduration": "0",
    "fflags": "+ignidx",  # or a seekable mp4 is read to its end before it sounds
    "protocol_whitelist": "none",  # no container may name a file or an address
}

_Told = TypeVar("_Told", Samples, AudioError)


class _Pipe:
    """What FFmpeg reads from: bytes that arrive bit by bit, until the end is declared."""

    def __init__(self, format_name: str, *, rewind_bytes: int) -> None:
        self.format_name = format_name
        self.heard = False
        """Whether sound was found in it."""
        self.taken_bytes = 0
        self._rewind_bytes = rewind_bytes
        self._changed = threading.Condition()
        self._bytes = bytearray()
        self._start = 0
        self._at = 0
        self._ended = False
        self._unwanted = False

    def write(self, data: bytes) -> None:
        with self._changed:
            if not self._unwanted:
                self._bytes += data
                self.taken_bytes += len(data)
            self._changed.notify()

    def end(self) -> None:
        """No more will come; what is there is still read."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def drop(self) -> None:
        """Nobody reads any more; whatever else comes is forgotten."""
        with self._changed:
            self._ended = self._unwanted = True
            self._bytes.clear()
            self._changed.notify()

    @property
    def unread_bytes(self) -> int:
        with self._changed:
            return max(0, self._start + len(self._bytes) - self._at)

    @property
    def is_done(self) -> bool:
        """Nothing will be read from it any more."""
        return self._unwanted

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, as soon as there are any; b"" at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self.unread_bytes or self._ended)
            begin = self._at - self._start
            data = bytes(self._bytes[begin : begin + size])
            self._at += len(data)
            self._forget()
            return data

    def _forget(self) -> None:
        excess = self._at - self._rewind_bytes - self._start
        if excess > 0:
            del self._bytes[:excess]
            self._start += excess


class _RewindablePipe(_Pipe):
    """The same for mp4, whose demuxer may have to go back for the sound before its index."""

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; -1 for a place that is forgotten, or counted from an unknown end."""
        with self._changed:
            target = self._at + offset if whence == 1 else offset
            if whence not in (0, 1) or target < self._start:
                return -1
            self._at = target
            return target


def _pipe(format_name: str) -> _Pipe:
    if format_name == "mov":
        return _RewindablePipe(format_name, rewind_bytes=MAX_SILENT_BYTES)
    return _Pipe(format_name, rewind_bytes=0)


class ContainerDecoder:
    """A conversation's containers, one after the other, decoded in one thread.

    `emit` and `on_error` are called on the loop's thread, and never after `close`. A file that
    does not follow on from the one before begins with `begin`.
    """

    def __init__(
        self,
        emit: Callable[[Samples], None],
        *,
        loop: asyncio.AbstractEventLoop,
        on_error: Callable[[AudioError], None] | None = None,
    ) -> None:
        self.damaged = 0
        self._emit = emit
        self._on_error = on_error
        self._loop = loop
        self._error: AudioError | None = None
        self._closed = False
        self._waiting: list[_Pipe] = []
        self._pipes: SimpleQueue[_Pipe | None] = SimpleQueue()
        self._unheard = threading.Semaphore(MAX_UNHEARD_PIECES)
        self._thread = threading.Thread(target=self._run, name="sayso-container", daemon=True)

    def begin(self, format_name: str) -> None:
        """A new file begins; `format_name` is FFmpeg's (`matroska`, `ogg`, `mov`, ...)."""
        if self._waiting:
            self._waiting[-1].end()
        elif not self._thread.ident:
            self._thread.start()
        self._waiting = [pipe for pipe in self._waiting if not pipe.is_done]
        self._waiting.append(_pipe(format_name))
        self._pipes.put(self._waiting[-1])

    def feed(self, data: bytes) -> None:
        """Hand over the next bytes of the file. Raises AudioError when it cannot be read."""
        if self._error is not None:
            raise self._error
        if self._closed:
            return
        now = self._waiting[-1]
        now.write(data)
        unread_bytes = sum(pipe.unread_bytes for pipe in self._waiting)
        if unread_bytes > MAX_UNREAD_BYTES or len(self._waiting) > MAX_WAITING_FILES:
            raise self._refuse(_too_fast(unread_bytes))
        if now.taken_bytes > MAX_SILENT_BYTES and not now.heard:
            raise self._refuse(
                _unreadable(now.format_name, f"no sound in {MAX_SILENT_BYTES:,} bytes")
            )

    def close(self) -> None:
        """Stop; the thread ends by itself within milliseconds."""
        if self._closed:
            return
        self._closed = True
        for pipe in self._waiting:
            pipe.drop()
        self._pipes.put(None)
        self._unheard.release()

    def _refuse(self, error: AudioError) -> AudioError:
        self._error = error
        self.close()
        return error

    # On the decoder's own thread -------------------------------------------------------

    def _run(self) -> None:
        while (pipe := self._pipes.get()) is not None and not self._closed:
            try:
                self._read(pipe)
            except AudioError as error:
                self._tell(self._fail, error)
            except (av.FFmpegError, ValueError) as error:
                self._tell(self._fail, _unreadable(pipe.format_name, error))
            finally:
                pipe.drop()

    def _read(self, pipe: _Pipe) -> None:
        with av.open(
            pipe,
            "r",
            format=pipe.format_name,
            buffer_size=_READ_BYTES,
            options=dict(_OPTIONS),
        ) as container:
            resampler = FrameResampler(EAR_RATE_HZ)
            for frame in self._frames(container):
                pipe.heard = True
                self._hand_over(resampler.feed(frame))
                if self._closed:
                    return
            self._hand_over(resampler.finish())

    def _frames(self, container: InputContainer) -> Iterator[av.AudioFrame]:
        if not container.streams.audio:
            raise AudioError("The container has no sound in it.")
        heard = False
        for packet in container.demux(container.streams.audio[0]):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError as error:
                self.damaged += 1
                if not heard and self.damaged >= MAX_DAMAGED_AT_START:
                    raise _unreadable(container.format.name, error) from error
                continue
            for frame in frames:
                heard = True
                yield frame

    def _hand_over(self, samples: Samples) -> None:
        if len(samples):
            self._unheard.acquire()
            self._tell(self._deliver, samples)

    def _tell(self, what: Callable[[_Told], None], value: _Told) -> None:
        if self._closed:
            return
        try:
            self._loop.call_soon_threadsafe(what, value)
        except RuntimeError:  # the loop is closed, and with it whoever would listen
            self._closed = True

    # Back on the loop ------------------------------------------------------------------

    def _deliver(self, samples: Samples) -> None:
        self._unheard.release()
        if not self._closed:
            self._emit(samples)

    def _fail(self, error: AudioError) -> None:
        if not self._closed:
            self._refuse(error)
            if self._on_error is not None:
                self._on_error(error)


def _too_fast(unread_bytes: int) -> AudioError:
    return AudioError(
        f"Sound arrives faster than it can be heard: {unread_bytes:,} bytes wait to be decoded.",
        hint="Send sound at the pace it is spoken.",
    )


def _unreadable(format_name: str, why: object) -> AudioError:
    hint = "Send one unbroken recording; its first message must hold its header."
    if format_name == "mov":
        hint += (
            f" An mp4 over {MAX_SILENT_BYTES:,} bytes needs its index first "
            "(ffmpeg: -movflags +faststart)."
        )
    return AudioError(f"The sound cannot be read as {format_name}: {why}.", hint=hint)
