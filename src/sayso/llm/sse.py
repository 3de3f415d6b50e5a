"""Server-sent events from bytes, without I/O: `feed` what arrived, get the events in it.

Follows the WHATWG algorithm (html.spec.whatwg.org, 9.2.6), and forgives what servers do:

- a bare `[DONE]` or a bare `{...}` line, without `data:` (cline/cline#1786);
- no blank line between two events, when each is a whole JSON object;
- no blank line after the last event;
- events with only `retry:` or `id:`, comments, CR, LF or CRLF, a byte-order mark.
"""

from __future__ import annotations

import msgspec

from sayso.errors import LlmError

MAX_EVENT_BYTES = 1_048_576
"""Longest line, and longest event, that is taken; aiohttp's own line reader stops at 128 KiB."""

_BOM = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True):
    """One event: its data lines joined by newlines, and its name if it has one."""

    data: str
    event: str | None = None


class SseParser:
    """The parser's memory of one stream."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._tail: list[bytes] = []  # pieces of a line whose end has not come
        self._tail_bytes = 0
        self._after_cr = False
        self._first = True
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._name: str | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes as they came; get the events they complete.

        Raises:
            LlmError: a line or an event is longer than the limit (`stream.too_long`).
        """
        if data[:6] == b"data: " and data[-2:] == b"\n\n" and self._is_between_events:
            plain = _read_plain(data, self._max)
            if plain is not None:
                return plain
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        lines = data.splitlines(keepends=True)
        self._after_cr = data.endswith(b"\r")
        rest = b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        if self._tail:
            lines[0] = b"".join(self._tail) + lines[0]
            self._tail = []
            self._tail_bytes = 0
        events: list[Event] = []
        for line in lines:
            self._take(line.rstrip(b"\r\n"), events)
        self._keep(rest)
        return events

    def finish(self) -> list[Event]:
        """Take the end of the stream; get the event it leaves unfinished, if any."""
        events: list[Event] = []
        if self._tail:
            line = b"".join(self._tail)
            self._tail = []
            self._take(line, events)
        self._dispatch(events)
        return events

    @property
    def _is_between_events(self) -> bool:
        begun = self._tail or self._data or self._after_cr or self._first
        return not begun and self._name is None

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._tail.append(piece)
            self._tail_bytes += len(piece)
            self._bound(self._tail_bytes)

    def _take(self, line: bytes, events: list[Event]) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if line.startswith(b"data:"):
            self._add(line[6:] if line.startswith(b"data: ") else line[5:], events)
        elif not line:
            self._dispatch(events)
        elif line.startswith((b"{", b"[")):
            self._take_bare(line, events)
        else:
            self._take_field(line, events)

    def _take_field(self, line: bytes, events: list[Event]) -> None:
        name, _, value = line.partition(b":")
        if name == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        elif line == b"data":
            self._add(b"", events)

    def _take_bare(self, line: bytes, events: list[Event]) -> None:
        line = line.rstrip()
        if line == b"[DONE]" or (line.startswith(b"{") and line.endswith(b"}")):
            self._dispatch(events)
            events.append(Event(line.decode("utf-8", "replace")))

    def _add(self, value: bytes, events: list[Event]) -> None:
        if self._data and _begins(value) and self._data[-1].endswith(b"}"):
            self._dispatch(events)
        self._data.append(value)
        self._data_bytes += len(value) + 1
        self._bound(self._data_bytes)

    def _dispatch(self, events: list[Event]) -> None:
        if self._data:
            text = b"\n".join(self._data).decode("utf-8", "replace")
            if text:
                events.append(Event(text, self._name))
            self._data = []
            self._data_bytes = 0
        self._name = None

    def _bound(self, size: int) -> None:
        if size > self._max:
            raise LlmError(
                f"an event of the stream is longer than {self._max} bytes",
                finding="stream.too_long",
            )


def _read_plain(data: bytes, max_event_bytes: int) -> list[Event] | None:
    """The events in `data` if each is one `data: ` line and a blank one, as nearly always."""
    blocks = data[6:-2].split(b"\n\ndata: ")
    for block in blocks:
        if b"\n" in block or b"\r" in block or not block or len(block) >= max_event_bytes - 8:
            return None
    return [Event(block.decode("utf-8", "replace")) for block in blocks]


def _begins(value: bytes) -> bool:
    return value.startswith(b"{") or value == b"[DONE]"
