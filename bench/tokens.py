"""An LLM server that costs next to nothing: the same 40 tokens to everybody.

Below `/v1` each token arrives alone, below `/burst/v1` all at once, in OpenAI's full shape. It
runs as a child of `llm.py`, so that only the client's CPU is counted.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from child import SERVER_CORE, obey_parent, pin

WORDS = tuple(f" word{n}" if n else "Well" for n in range(40))
"""What it says, a token each."""
TOKEN_S = 0.01
"""Between two tokens, in seconds: each arrives alone, as from a quick model."""


def write_events() -> list[bytes]:
    """The answer's events, a token each, and `[DONE]`."""
    return [f"data: {json.dumps(_chunk(word))}\n\n".encode() for word in WORDS] + [
        b"data: [DONE]\n\n"
    ]


def _chunk(word: str) -> dict[str, object]:
    delta = {"content": word}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    return {
        "id": "chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVwXyZ",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "system_fingerprint": "fp_0123456789",
        "choices": [choice],
        "usage": None,
    }


def as_http_chunk(data: bytes) -> bytes:
    """Bytes in HTTP's chunked coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\n\r\n"
)
CHUNKS = [as_http_chunk(event) for event in write_events()]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request on one connection."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            if head.startswith(b"POST /burst/"):
                writer.write(b"".join((HEAD, *CHUNKS, b"0\r\n\r\n")))
                continue
            writer.write(HEAD)
            for chunk in CHUNKS:
                writer.write(chunk)
                await asyncio.sleep(TOKEN_S)
            writer.write(b"0\r\n\r\n")
    writer.close()


def _stop(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    loop.call_soon_threadsafe(stopped.set)


async def serve() -> None:
    """Serve until the parent is gone."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    obey_parent(f"http://127.0.0.1:{port}", lambda: _stop(loop, stopped))
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    pin(SERVER_CORE)
    asyncio.run(serve())
