"""A slow, plain reader of server-sent events: the whole stream at once, line by line."""

from __future__ import annotations

from sayso.llm.sse import Event


def read_slowly(stream: bytes) -> list[Event]:
    """The events of `stream`; what `SseParser` must find, too."""
    lines = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
    events: list[Event] = []
    held: list[bytes] = []
    name: str | None = None

    def dispatch() -> None:
        nonlocal name
        text = b"\n".join(held).decode("utf-8", "replace")
        if text:
            events.append(Event(text, name))
        held.clear()
        name = None

    for line in lines:
        bare = line.rstrip()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if line == b"":
            dispatch()
        elif bare == b"[DONE]" or (line[:1] == b"{" and bare[-1:] == b"}"):
            dispatch()
            events.append(Event(bare.decode("utf-8", "replace")))
        elif field == b"data":
            whole = held and held[-1].endswith(b"}")
            if whole and (value.startswith(b"{") or value == b"[DONE]"):
                dispatch()
            held.append(value)
        elif field == b"event" and line[:1] not in (b"{", b"["):
            name = value.decode("utf-8", "replace")
    dispatch()
    return events
