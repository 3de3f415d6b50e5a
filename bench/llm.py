"""What an LLM's answer costs us: CPU per token for reading, and per token end to end.

Run: python -m bench.llm
"""

from __future__ import annotations

import asyncio
import json
import time

from sayso.llm import Endpoint, Message
from sayso.llm.client import Deadlines, LlmClient
from sayso.llm.fake import FakeConfig, running_fake
from sayso.llm.findings import Scene
from sayso.llm.reader import ReplyReader
from sayso.llm.sse import SseParser

TOKENS = 2000


def build_stream() -> list[bytes]:
    """A stream in OpenAI's full shape, one token a network read."""
    events = []
    for n in range(TOKENS):
        choice = {
            "index": 0,
            "delta": {"content": f" word{n}"},
            "logprobs": None,
            "finish_reason": None,
        }
        body = {
            "id": "chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVwXyZ",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": "gpt-4o-mini-2024-07-18",
            "system_fingerprint": "fp_0123456789",
            "choices": [choice],
            "usage": None,
        }
        events.append(f"data: {json.dumps(body)}\n\n".encode())
    return [*events, b"data: [DONE]\n\n"]


def measure(work: object, rounds: int = 5) -> float:
    """The best of some rounds, in microseconds a token."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        work()  # type: ignore[operator]
        best = min(best, time.process_time() - begun)
    return best / TOKENS * 1e6


def read_all(stream: list[bytes]) -> None:
    reader = ReplyReader(Scene("http://h"))
    for piece in stream:
        reader.feed(piece)
    reader.finish()


def parse_all(stream: list[bytes]) -> None:
    parser = SseParser()
    for piece in stream:
        parser.feed(piece)


async def measure_replies() -> None:
    client = LlmClient(Deadlines())
    await client.open()
    async with running_fake(FakeConfig(first_token_s=0, token_s=0)) as url:
        llm = client.bind(Endpoint(url))
        words = [Message("user", "Hello, how are you today? " * 10)]
        firsts, begun_cpu, pieces = [], time.process_time(), 0
        for _ in range(200):
            begun = time.perf_counter()
            first = None
            async for _piece in llm.reply(words):
                first = first or time.perf_counter() - begun
                pieces += 1
            firsts.append(first or 0.0)
        cpu_ms = (time.process_time() - begun_cpu) / 200 * 1e3
        firsts.sort()
        print(
            f"short replies, fake included: first token p50 {firsts[100] * 1e3:.2f} ms, "
            f"p95 {firsts[190] * 1e3:.2f} ms, CPU {cpu_ms:.2f} ms a reply"
        )
    await client.close()


def main() -> None:
    stream = build_stream()
    print(f"SSE only:     {measure(lambda: parse_all(stream)):.1f} us a token")
    print(f"whole reader: {measure(lambda: read_all(stream)):.1f} us a token")
    joined = b"".join(stream)
    blocks = [joined[n : n + 65_536] for n in range(0, len(joined), 65_536)]
    print(f"whole reader, 64 KB reads: {measure(lambda: read_all(blocks)):.1f} us a token")
    asyncio.run(measure_replies())


if __name__ == "__main__":
    main()
