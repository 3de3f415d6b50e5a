"""The built-in mind as an OpenAI-compatible server: to compare it, or point other tools at it.

`sayso-extractive` answers out of the request's system message; `sayso-extractive:<agent id>` out
of that agent's texts and knowledge. It is no language model, and says so in its name.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Literal, Protocol

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.clock import Clock
from sayso.errors import BadRequestError, NotFoundError
from sayso.llm import Message
from sayso.store.identifiers import new_id

PATH: Final = "/builtin/v1"
MODEL: Final = "sayso-extractive"
MAX_MESSAGES: Final = 500
MAX_CHARS: Final = 65_536
"""Most text of a request; an agent's own texts are at most 40,000 characters."""

_EXTENSION: dict[str, Any] = {"x-sayso-extension": True}


class Part(BaseModel):
    """A piece of a message; what is no text is not looked at."""

    model_config = ConfigDict(extra="ignore")
    text: str = ""


class Line(BaseModel):
    """One message, as OpenAI's clients send it."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def read(self) -> Message:
        """The message as our minds take it."""
        parts = self.content if isinstance(self.content, list) else []
        text = self.content if isinstance(self.content, str) else "".join(p.text for p in parts)
        role = {"developer": "system", "tool": "user", "function": "user"}.get(self.role, self.role)
        return Message(role, text)  # type: ignore[arg-type]


class Asked(BaseModel):
    """A chat completion request; parameters of language models mean nothing here."""

    model_config = ConfigDict(extra="ignore")
    messages: list[Line] = Field(min_length=1, max_length=MAX_MESSAGES)
    model: str = MODEL
    stream: bool = False


class Answers(Protocol):
    """Answers as the built-in mind does."""

    def __call__(
        self, account: Account, agent_id: str | None, messages: Sequence[Message]
    ) -> AsyncGenerator[str, None]:
        """The answer in pieces. Raises NotFoundError, ForbiddenError."""
        ...


def builtin_routes(answers: Answers, access: Access, clock: Clock, per_minute: int) -> APIRouter:
    """The routes below `/builtin/v1`."""
    router = APIRouter(prefix=PATH, tags=["built-in mind"])
    anybody = access.account()
    asker = access.account("ask built-in", per_minute)

    @router.get("/models", summary="List the built-in mind", openapi_extra=_EXTENSION)
    async def list_builtin_models(
        _: Account = Depends(anybody),
    ) -> dict[str, Any]:
        """As OpenAI lists models."""
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "sayso"}
        return {"object": "list", "data": [model]}

    @router.post("/chat/completions", summary="Ask the built-in mind", openapi_extra=_EXTENSION)
    async def ask_builtin(body: Asked, account: Account = Depends(asker)) -> Any:  # noqa: ANN401
        """As OpenAI answers, with `stream` as server-sent events."""
        messages = [line.read() for line in body.messages]
        if sum(len(line.content) for line in messages) > MAX_CHARS:
            raise BadRequestError(
                f"the messages are longer than {MAX_CHARS:,} characters", field="messages"
            )
        pieces = answers(account, read_model(body.model), messages)
        first = await anext(pieces, "")  # so that a refusal is an answer of its own
        named = {
            "id": f"chatcmpl-{new_id()}",
            "created": int(clock.utc().timestamp()),
            "model": body.model,
        }
        if body.stream:
            return StreamingResponse(_stream(named, first, pieces), 200, _FRESH, _SSE)
        async with aclosing(pieces):
            return _whole(named, first + "".join([piece async for piece in pieces]))

    return router


_SSE: Final = "text/event-stream"
_FRESH: Final = {"Cache-Control": "no-cache"}


def read_model(name: str) -> str | None:
    """The agent a model's name means; None for no agent. Raises NotFoundError."""
    model, mark, agent_id = name.partition(":")
    if model != MODEL or (mark and not agent_id):
        raise NotFoundError(
            f"there is no model {name!r} here",
            hint=f"Name `{MODEL}`, or `{MODEL}:` with the id of an agent.",
        )
    return agent_id or None


async def _stream(
    named: Mapping[str, Any], first: str, pieces: AsyncGenerator[str, None]
) -> AsyncGenerator[str, None]:
    async with aclosing(pieces):
        yield _event(named, {"role": "assistant", "content": first}, None)
        async for piece in pieces:
            yield _event(named, {"content": piece}, None)
    yield _event(named, {}, "stop")
    yield "data: [DONE]\n\n"


def _event(named: Mapping[str, Any], delta: Mapping[str, str], finish: str | None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {**named, "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n"


def _whole(named: Mapping[str, Any], text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**named, "object": "chat.completion", "choices": [choice]}
