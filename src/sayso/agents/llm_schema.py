"""An agent's `llm` (contract §3.1), as it is sent and answered."""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sayso.agents.fields import (
    MAX_HEADER_NAME_CHARS,
    SECRET_VALUES,
    ApiKey,
    Headers,
    ServerUrl,
    check_headers,
)
from sayso.agents.spoken import keep_words
from sayso.bodies import EXTENSION, Body, ToWhole, View, mistake
from sayso.security.masks import MASK

TellBy: TypeAlias = Literal["off", "headers", "body"]
"""How an LLM is told of the conversation."""
OPENAI_COMPATIBLE = "openai-compatible"
BUILT_IN = "built-in"
MAX_MODEL_CHARS = 250
MAX_TOKENS = 1_000_000
MAX_BASE_PARAMS_CHARS = 20_000
MAX_QUERY = 50
MAX_QUERY_CHARS = 2048
MAX_FALLBACKS = 3
MAX_FAILURE_CHARS = 250
SHORTEST_WAIT_MS = 100
LONGEST_WAIT_MS = 60_000
"""How long an agent may wait for its LLM; `llm_reply_start_timeout_s` bounds all of it together."""


class BaseParams(Body):
    """What is sent to the LLM on each call; keys not listed are passed through as they are.

    The keys of an object `extra_body` go into the body themselves, as in OpenAI's own client.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    model: Annotated[str, Field(max_length=MAX_MODEL_CHARS)] | None = None
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS), ToWhole] | None = None
    default_headers: Annotated[Headers | None, AfterValidator(check_headers)] = Field(
        default=None,
        description="Extra HTTP headers. A value may hold `{{variables}}`. " + SECRET_VALUES,
    )
    query: (
        Annotated[
            dict[
                Annotated[str, Field(min_length=1, max_length=MAX_HEADER_NAME_CHARS)],
                Annotated[str, Field(max_length=MAX_QUERY_CHARS)],
            ],
            Field(max_length=MAX_QUERY),
        ]
        | None
    ) = Field(
        default=None,
        description="Extra query parameters, such as Azure's `api-version`; sealed, shown and kept "
        "as headers are, with the same variables.",
        json_schema_extra=EXTENSION,
    )

    @model_validator(mode="after")
    def _bound(self) -> BaseParams:
        if len(json.dumps(self.__pydantic_extra__)) > MAX_BASE_PARAMS_CHARS:
            raise PydanticCustomError(
                "base_params",
                "has more than {limit} characters of extra parameters",
                {"limit": MAX_BASE_PARAMS_CHARS},
            )
        return self


Wait = Annotated[int, Field(ge=SHORTEST_WAIT_MS, le=LONGEST_WAIT_MS), ToWhole]


class LlmTimeouts(Body):
    """How long to wait for an LLM, in milliseconds; what is left away is the operator's setting."""

    closed = True
    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    connect_ms: Wait | None = Field(default=None, description="Until the connection stands.")
    first_token_ms: Wait | None = Field(
        default=None,
        description="From the request to the first word that can be spoken; comments and thoughts "
        "do not count.",
    )
    between_tokens_ms: Wait | None = Field(
        default=None, description="The longest silence in the middle of an answer."
    )


class LlmServer(Body):
    """An LLM of yours (contract §3.1), as it may stand by for another one, too."""

    type: Literal["openai-compatible"] = "openai-compatible"
    base_url: ServerUrl = Field(
        description="`/chat/completions` directly below it is called; nothing adds `/v1`. Values "
        "in its query are sealed, shown and kept as headers are.",
        examples=["https://llm.example.com/v1"],
    )
    api_key: ApiKey | None = Field(default=None)
    base_params: BaseParams | None = None
    timeouts: LlmTimeouts | None = Field(default=None, json_schema_extra=EXTENSION)
    tell: TellBy = Field(
        default="off",
        description="How the LLM is told which conversation it answers in: not at all; by "
        "`X-Conversation-Id`, `X-Agent-Id` and `X-Caller-Id`; or by `user` and `metadata`, which "
        "holds the variables, too.",
        json_schema_extra=EXTENSION,
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_misplaced_model(cls, body: object) -> object:
        """Refuse `model` where OpenAI's own requests have it: another model would be called.

        An `llm` that was read has it as null.
        """
        if isinstance(body, dict) and (model := body.get("model")) is not None:
            params = body.get("baseParams")
            if not isinstance(params, dict) or params.get("model") != model:
                raise ValidationError.from_exception_data(
                    cls.__name__,
                    [mistake("model", "misplaced", "is not read", instead="baseParams.model")],
                    hide_input=True,
                )
        return body


class BuiltIn(Body):
    """The LLM the server brings; the same as `llm: null`."""

    type: Literal["built-in"]
    model: Annotated[str, Field(max_length=MAX_MODEL_CHARS)] | None = None


def _kind(value: object) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return BUILT_IN if kind == BUILT_IN else OPENAI_COMPATIBLE


Fallback = Annotated[
    Annotated[LlmServer, Tag(OPENAI_COMPATIBLE)] | Annotated[BuiltIn, Tag(BUILT_IN)],
    Discriminator(_kind),
]


class OpenAiCompatible(LlmServer):
    """An LLM of yours (contract §3.1), and who answers when it does not."""

    fallbacks: Annotated[list[Fallback], Field(max_length=MAX_FALLBACKS)] | None = Field(
        default=None,
        description="Who is asked, in this order, when nothing useful comes in time; each is "
        "checked on save as well, and keeps its own key. Once a word was said nobody else is "
        "asked.",
        json_schema_extra=EXTENSION,
    )
    failure_message: (
        Annotated[str, Field(max_length=MAX_FAILURE_CHARS), AfterValidator(keep_words)] | None
    ) = Field(
        default=None,
        description="Spoken when nobody could answer; without words it is the usual sentence.",
        json_schema_extra=EXTENSION,
    )
    hedge_after_ms: Wait | None = Field(
        default=None,
        description="Ask the first fallback as well when nothing useful came for so long; the "
        "first words win. Costs some requests, saves the slowest waits.",
        json_schema_extra=EXTENSION,
    )


LlmBody = Annotated[
    Annotated[OpenAiCompatible, Tag(OPENAI_COMPATIBLE)] | Annotated[BuiltIn, Tag(BUILT_IN)],
    Discriminator(_kind),
]


class FallbackView(View):
    """One LLM as it is answered, its secrets masked; `apiKey` is null when there is none."""

    type: Literal["openai-compatible", "built-in"]
    base_url: str | None = None
    api_key: str | None = Field(default=None, examples=[f"{MASK}abcd"])
    base_params: dict[str, JsonValue] | None = None
    model: str | None = Field(default=None, description="Of `built-in` only.")
    timeouts: dict[str, int | None] | None = Field(default=None, json_schema_extra=EXTENSION)
    tell: TellBy = Field(default="off", json_schema_extra=EXTENSION)


class LlmView(FallbackView):
    """An agent's `llm` as it is answered."""

    fallbacks: list[FallbackView] = Field(default=[], json_schema_extra=EXTENSION)
    failure_message: str | None = Field(default=None, json_schema_extra=EXTENSION)
    hedge_after_ms: int | None = Field(default=None, json_schema_extra=EXTENSION)
