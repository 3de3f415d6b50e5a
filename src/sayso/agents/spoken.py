"""What an agent says by itself, and when: each text has a word in it, or is not said."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, WithJsonSchema
from pydantic_core import PydanticCustomError

from sayso.bodies import Body, ToWhole, View

MAX_SPOKEN_CHARS = 250
MAX_IDLE_MESSAGES = 10
MAX_END_PHRASE_CHARS = 100
SHORTEST_IDLE_S, LONGEST_IDLE_S = 1, 3600
WITH_WORDS: dict[str, JsonValue] = {"pattern": r"[\p{L}\p{N}]"}
"""What `check_words` asks for, as JSON Schema says it."""


def check_words(text: str) -> str:
    """Refuse what nobody can say."""
    if not keep_words(text):
        raise PydanticCustomError("wordless", "must have a word in it")
    return text


def keep_words(text: str) -> str:
    """What can be spoken of `text`: nothing if there are no words in it."""
    return text.strip() if any(map(str.isalnum, text)) else ""


Said = Annotated[
    str,
    Field(max_length=MAX_SPOKEN_CHARS, json_schema_extra=WITH_WORDS),
    AfterValidator(check_words),
]
EndPhrase = Annotated[
    str,
    Field(max_length=MAX_END_PHRASE_CHARS, json_schema_extra=WITH_WORDS),
    AfterValidator(check_words),
]


def _check_idle(wait_s: float) -> float:
    if 0 < wait_s < SHORTEST_IDLE_S:
        raise PydanticCustomError(
            "idle", "must be at least {least}, or 0 for never", {"least": SHORTEST_IDLE_S}
        )
    return wait_s


IdleSeconds = Annotated[
    float,
    Field(ge=0, le=LONGEST_IDLE_S),
    AfterValidator(_check_idle),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "const": 0},
                {"type": "number", "minimum": SHORTEST_IDLE_S, "maximum": LONGEST_IDLE_S},
            ]
        }
    ),
]


class MessagePlan(Body):
    """What an agent says when nobody speaks; what is left away is the operator's setting."""

    closed = True
    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    idle_messages: Annotated[list[Said], Field(max_length=MAX_IDLE_MESSAGES)] | None = Field(
        default=None,
        description="Said in turn, each with a word in it; null for the usual sentences. With an "
        "empty list nothing is said, and the agent hangs up when it would have.",
    )
    idle_timeout_seconds: IdleSeconds | None = Field(
        default=None,
        description="Silence before each of them, at least 1; 0 for never. Null is the operator's "
        "setting (`SAYSO_IDLE_TIMEOUT_S`).",
    )
    idle_message_max_spoken_count: Annotated[int, Field(ge=0, le=10), ToWhole] | None = Field(
        default=None,
        description="How many there are until the caller speaks; after as much silence again the "
        "agent says goodbye and hangs up, with 0 the first time. Null is the operator's setting "
        "(`SAYSO_IDLE_NUDGES`).",
    )


class MessagePlanView(View):
    """What an agent says when nobody speaks, as it is answered."""

    idle_messages: list[str] | None = None
    idle_timeout_seconds: float | None = None
    idle_message_max_spoken_count: int | None = None
