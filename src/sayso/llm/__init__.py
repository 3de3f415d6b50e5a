"""Language models: whatever answers `POST {base_url}/chat/completions`, or the built-in mind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One OpenAI-compatible server, as an agent's `llm` field names it (contract §3.1)."""

    base_url: str
    api_key: SecretStr | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class Llm(Protocol):
    """Whatever answers for one agent."""

    def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """Answer `messages` as text pieces, first ones first. Raises LlmError.

        Closing the generator abandons the answer and frees the server.
        """
        ...
