"""The reports of checks, as the REST API answers them; that of an LLM as it is stored, too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from sayso.agents.issues import LlmIssue
from sayso.agents.llm_schema import LlmServer
from sayso.agents.retrieval import Knowledge
from sayso.bodies import View, refuse_unstorable

MAX_ID_CHARS = 100
MAX_QUERY_CHARS = 1000
WhoseSecrets = Annotated[
    Annotated[str, Field(max_length=MAX_ID_CHARS)] | None,
    Field(
        description="An agent of yours whose stored key is used when `apiKey` is left away, and "
        "whose secrets masks stand for.",
    ),
]


class NewCheck(LlmServer):
    """The body of `POST /api/v1/llm-checks`: an `llm` object, and whose key it may use."""

    agent_id: WhoseSecrets = None

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


class LlmStageView(View):
    """One stage of a check, in order."""

    name: str
    state: Literal["ok", "warning", "failed", "skipped"]
    ms: float | None = Field(description="How long it took, where that was measured.")


Step: TypeAlias = LlmStageView | LlmIssue
"""What a check tells on its way."""
Tell: TypeAlias = Callable[[Step], None]


def keep_still(_: Step) -> None:
    """For a check nobody watches."""


class LlmProfileView(View):
    """What the LLM tolerates, and what conversations send accordingly; null is not tried yet."""

    answers: Literal["stream", "buffered", "json"]
    limit: Literal["max_tokens", "max_completion_tokens", "none"]
    temperature: bool
    system: bool
    alternates: bool | None
    thinks_first: bool
    refused: list[str] = Field(description="Body fields that are left out.")
    tools: bool | None
    stream_options: bool | None
    unicode: bool | None
    long_prompt: bool | None
    parallel: bool | None
    cancels: bool | None
    keep_alive: bool | None


class LlmCheckView(View):
    """What a check of an LLM found."""

    state: Literal["quick", "running", "complete"] = Field(
        description="`quick`: what a save waits for, and all there is when the rest is switched "
        "off or found no time without conversations; `running`: the rest is being looked at; "
        "`complete`: everything was."
    )
    checked_at: datetime | None = Field(default=None, description="When it was last changed.")
    ok: bool
    url: str = Field(description="What was called, without its query.")
    suggestion: str | None = Field(description="Another base URL that was tried and works.")
    answer: str = Field(description="What the LLM said.")
    first_token_ms: float | None
    total_ms: float
    stages: list[LlmStageView]
    findings: list[LlmIssue]
    profile: LlmProfileView | None = Field(description="Null when the check failed.")


class AgentCheckView(LlmCheckView):
    """What the last check of an agent's LLM found, and those of its fallbacks."""

    fallbacks: list[LlmCheckView | None] = Field(
        default=[],
        description="Of each fallback, in their order; null for a built-in one. They are "
        "completed one after the other, after the LLM itself.",
    )


class NewKnowledgeCheck(Knowledge):
    """The body of `POST /api/v1/knowledge-checks`: a `knowledge` object, and what to ask."""

    agent_id: WhoseSecrets = None
    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)] | None = Field(
        default=None, description="What is asked; null for what a save asks."
    )

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


class PassageView(View):
    """One passage that was found."""

    text: str
    source: str
    page: int | None
    score: float = Field(description="How well it fits, from 0 to 1.")


class KnowledgeCheckView(View):
    """What a check of a retrieval server found."""

    ok: bool
    url: str = Field(description="What was called, without its query.")
    total_ms: float
    findings: list[LlmIssue]
    passages: list[PassageView]
