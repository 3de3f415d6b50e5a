"""What the fake was asked, what it says to that, and an answer under way."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from sayso.llm.fake.functions import (
    FunctionCall,
    Rule,
    choose_calls,
    list_offers,
    list_told,
    read_results,
)
from sayso.llm.prompt import cut_text

SMOKE_SENTENCE = "The smoke test has passed."
"""What the check asks for; the capital letter matters (contract §3.3)."""
TRIED_FUNCTION = "look_up_opening_hours"
"""The function that the check offers, and asks to call; it is called in every mode."""
CHECKS = (SMOKE_SENTENCE, "Count from one to forty", "Repeat this exactly", TRIED_FUNCTION)
"""What Sayso's check asks for, and no caller: such a question is answered plainly."""
MAX_SAID_CHARS = 300
"""Of what a function returned, so much is said: about twenty seconds. It may be 8,000 characters,
which nobody listens to."""

_CUTS = re.compile(r"(?=[^A-Za-z])")
_SECRET_HEADERS = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]

    def describe(self) -> str:
        """The request in a few lines, with secret headers and the query's values masked."""
        shown = {name: _mask(name, value) for name, value in self.headers.items()}
        lines = [
            f"{self.method} {_mask_query(self.path)}",
            *(f"  {n}: {v}" for n, v in shown.items()),
        ]
        if self.body:
            lines.append(f"  {json.dumps(self.body, ensure_ascii=False)}")
        return "\n".join(lines)


def _mask(name: str, value: str) -> str:
    return f"…{value[-4:]}" if _SECRET_HEADERS.search(name) and len(value) > 8 else value


def _mask_query(path: str) -> str:
    """`path` with every value of its query masked: no name tells which of them is a key."""
    path, mark, query = path.partition("?")
    return path + mark + "&".join(_mask_pair(pair) for pair in query.split("&"))


def _mask_pair(pair: str) -> str:
    name, mark, value = pair.partition("=")
    if not value.strip("="):  # it may be a key pasted bare
        name, mark, value = "", "", pair
    end = value[-4:] if len(value) > 8 else ""
    return f"{name}{mark}…{end}" if value else pair


def _ignore(_: Received) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class FakeConfig:
    """How the fake behaves.

    Attributes:
        mode: `echo` repeats the last message; `scripted` says the lines of `script` in turn, one
            for each message the caller has sent, and begins again after the last; `tools` calls
            the offered function that the caller's words mean, and then says what that returned.
            All of them call `TRIED_FUNCTION`.
        script: what to say when `scripted`.
        first_token_s: wait before the first piece, in seconds.
        token_s: wait between pieces, in seconds.
        jitter_s: up to so much is added to each wait, at random, in seconds.
        elsewhere: what other paths answer: a web page with status 200, or 404.
        prefix: path in front of `/chat/completions`, such as `/v1`.
        quirk: shown to whoever picks none, except in a check; "" for none.
        after: how many answers of each conversation are plain before the quirk begins.
        listen: is told each request.
        seed: makes the jitter repeatable.
        rules: which words of a caller mean which function; without any, those that it shares
            with a function's name and description.
    """

    mode: Literal["echo", "scripted", "tools"] = "echo"
    script: Sequence[str] = ()
    first_token_s: float = 0.1
    token_s: float = 0.1
    jitter_s: float = 0.0
    elsewhere: Literal["html", "not_found"] = "html"
    prefix: str = ""
    quirk: str = ""
    after: int = 0
    listen: Callable[[Received], None] = field(default=_ignore)
    seed: int = 0
    rules: Sequence[Rule] = ()


def read_script(text: str) -> tuple[str, ...]:
    """A script from a file's text: a JSON list of strings, or one reply a line."""
    if text.lstrip().startswith("["):
        lines = json.loads(text)
        if not all(isinstance(line, str) for line in lines):
            raise ValueError("a script is a JSON list of strings, or one reply a line")
        return tuple(lines)
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def choose_reply(config: FakeConfig, messages: Sequence[Mapping[str, object]]) -> str:
    """What the fake says to `messages`."""
    contents = [str(message.get("content") or "") for message in messages]
    if len(contents) == 1 and SMOKE_SENTENCE in contents[0]:
        return SMOKE_SENTENCE
    if config.mode == "scripted" and config.script:
        turns = sum(1 for message in messages if message.get("role") == "user")
        return config.script[max(0, turns - 1) % len(config.script)]
    if results := read_results(messages):
        return f"The function says: {_shorten('; '.join(results))}"
    return contents[-1] if contents else ""


def _shorten(text: str) -> str:
    """`text` as far as somebody would say it."""
    said = cut_text(text, MAX_SAID_CHARS)
    return said if said == text else f"{said} … and more."


def shows_quirk(config: FakeConfig, messages: Sequence[Mapping[str, object]]) -> bool:
    """Whether `config.quirk` shows in the answer to `messages`.

    A conversation is known by what it says, as with a script: each begins with its plain answers
    anew, whoever else talks. A check always passes, so that an agent can be saved.
    """
    asked = _last_words(messages)
    turns = sum(1 for message in messages if message.get("role") == "user")
    return bool(config.quirk) and turns > config.after and not any(map(asked.__contains__, CHECKS))


def _last_words(messages: Sequence[Mapping[str, object]]) -> str:
    return str(messages[-1].get("content") or "") if messages else ""


def cut_pieces(text: str) -> list[str]:
    """Text cut before each non-letter, as PlayAI's fake does it."""
    return [piece for piece in _CUTS.split(text) if piece]


# Answers -------------------------------------------------------------------------------------


class Answer:
    """One answer under way: waits, writes, and knows OpenAI's and PlayAI's shapes.

    Attributes:
        request: what it answers.
        body: the request's JSON.
        reply: what it is to say.
        pieces: the same in pieces.
        call: the first function it calls instead, where it is its way to call any.
        attempt: how often the same was asked before.
        response: where it is written.
    """

    def __init__(
        self,
        request: web.Request,
        config: FakeConfig,
        body: Mapping[str, object],
        *,
        attempt: int = 0,
    ) -> None:
        self._config = config
        self.request = request
        self.body = body
        self.messages = _list_messages(body)
        self.reply = choose_reply(config, self.messages)
        self.model = str(body.get("model") or "fake")
        self.pieces = cut_pieces(self.reply)
        self._tried = TRIED_FUNCTION in _last_words(self.messages)
        calls = config.mode == "tools" or self._tried
        self.call = next(iter(self.calls()), None) if calls else None
        self.attempt = attempt
        self.response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self._random = random.Random(config.seed)  # noqa: S311 - jitter, not secrets
        self._due_s: float | None = None

    def calls(self, *, told: bool = False) -> list[FunctionCall]:
        """The functions it is to call: of those in `tools`, or of those `told` in words."""
        offers = list_told(self.messages) if told else list_offers(self.body)
        return choose_calls(offers, self.messages, () if self._tried else self._config.rules)

    async def open(self) -> None:
        """Send the headers."""
        await self.response.prepare(self.request)

    async def wait(self) -> None:
        """Wait as long as configured before the next piece.

        Each piece has its time, counted from the time of the one before: what a sleep takes
        longer than it should does not add up.
        """
        config, now_s = self._config, time.monotonic()
        wait_s = config.first_token_s if self._due_s is None else config.token_s
        wait_s += self._random.uniform(0.0, config.jitter_s)
        self._due_s = max((self._due_s or now_s) + wait_s, now_s)
        if self._due_s > now_s:
            await asyncio.sleep(self._due_s - now_s)

    async def write(self, text: str | bytes) -> None:
        """Send bytes as they are."""
        await self.response.write(text.encode() if isinstance(text, str) else text)

    async def send(self, body: object, end: str = "\n\n") -> None:
        """Send one event."""
        await self.write(f"data: {json.dumps(body)}{end}")

    async def say(self, *, end: str = "\n\n") -> None:
        """Send all pieces, each after its wait."""
        for piece in self.pieces:
            await self.wait()
            await self.send(self.chunk({"content": piece}), end)

    async def speak(self) -> web.StreamResponse:
        """The whole answer, as PlayAI's fake gives it."""
        await self.open()
        await self.say()
        return await self.finish()

    async def finish(self, *, done: bool = True) -> web.StreamResponse:
        """Send the last chunk and `[DONE]`, and end the body."""
        if done:
            await self.send(self.chunk({}, "stop"))
            await self.write("data: [DONE]\n\n")
        await self.response.write_eof()
        return self.response

    def break_off(self) -> web.StreamResponse:
        """Close the connection, wherever the answer is."""
        if self.request.transport is not None:
            self.request.transport.close()
        return self.response

    def chunk(self, delta: object, finish: str | None = None) -> dict[str, object]:
        """A chunk in the dialect of PlayAI's fake."""
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "flogprobs": None, "finishReason": finish}],
        }

    def openai_chunk(self, delta: object, finish: str | None = None) -> dict[str, object]:
        """A chunk as OpenAI's own servers spell it."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self.chunk({}), "choices": [choice]}

    def completion(self) -> dict[str, object]:
        """The whole answer as one JSON body."""
        message = {"role": "assistant", "content": self.reply}
        usage = {"prompt_tokens": 1, "completion_tokens": len(self.pieces), "total_tokens": 1}
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage | {"total_tokens": 1 + len(self.pieces)},
        }


def _list_messages(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    messages = body.get("messages")
    return [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []


async def call_function(answer: Answer, _: FunctionCall) -> web.StreamResponse:
    """Ask for functions, their arguments in pieces, as OpenAI's servers do it."""
    await answer.open()
    for index, call in enumerate(answer.calls()):
        first = {"index": index, "id": f"call_{index + 1}", "type": "function"}
        named = {"name": call.name, "arguments": ""}
        await answer.wait()
        await answer.send(answer.openai_chunk({"tool_calls": [{**first, "function": named}]}))
        for piece in cut_pieces(json.dumps(call.arguments)):
            await answer.wait()
            more = {"index": index, "function": {"arguments": piece}}
            await answer.send(answer.openai_chunk({"tool_calls": [more]}))
    await answer.send(answer.openai_chunk({}, "tool_calls"))
    await answer.write("data: [DONE]\n\n")
    return await answer.finish(done=False)
