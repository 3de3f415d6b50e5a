"""An agent as it is sent (contract §2.2, §2.3): the bodies of `POST` and `PATCH`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sayso.accounts.origins import ORIGIN_PATTERN, read_origin
from sayso.agents.destinations import Destinations
from sayso.agents.llm_schema import LlmBody
from sayso.agents.options import (
    BuiltInAction,
    Language,
    Normalization,
    Patience,
    TtsModel,
    Visibility,
)
from sayso.agents.retrieval import Knowledge
from sayso.agents.spoken import LONGEST_IDLE_S, MAX_SPOKEN_CHARS, EndPhrase, MessagePlan, keep_words
from sayso.bodies import EXTENSION, Body, refuse_unstorable
from sayso.functions.mcp.schema import McpServers
from sayso.variables import (
    MAX_NUMBER,
    MAX_VALUE_CHARS,
    MAX_VARIABLES,
    NAME,
    find_problem,
)
from sayso.zones import ZoneError, find_zone

DEFAULT_VOICE = (
    "s3://voice-cloning-zero-shot/d9ff78ba-d016-47f6-b0ef-dd630f59414e/female-cs/manifest.json"
)
"""What an agent without a voice is stored with (contract §2.2); it is spoken by a local voice."""
MAX_NAME_CHARS = 250
MAX_DESCRIPTION_CHARS = 500
MAX_VOICE_CHARS = 1000
MAX_GREETING_CHARS = 250
MAX_PROMPT_CHARS = 10_000
MAX_KNOWLEDGE_CHARS = 20_000
MAX_ACTIONS = 100
MAX_ACTION_CHARS = 250
SHORTEST_TALK_S, LONGEST_TALK_S = 10, 43_200
MAX_END_PHRASES = 20
MAX_BUILT_IN_ACTIONS = 20
MAX_ZONE_CHARS = 100
MAX_ORIGINS = 50
MAX_ORIGIN_CHARS = 300


def _check_origin(text: str) -> str:
    """The origin as a browser writes it. Refuse what is none."""
    origin = read_origin(text.strip())
    if origin is None:
        raise PydanticCustomError(
            "origin",
            "must be an origin, such as https://shop.example: http or https, a host in ASCII, "
            "perhaps a port, and nothing behind it",
        )
    return origin


Origin = Annotated[
    str,
    Field(max_length=MAX_ORIGIN_CHARS, json_schema_extra={"pattern": ORIGIN_PATTERN}),
    AfterValidator(_check_origin),
]


def _check_zone(name: str | None) -> str | None:
    """The zone's own name. Refuse what is none."""
    if name is None or not name.strip():
        return None
    try:
        return find_zone(name).key
    except ZoneError as error:
        raise PydanticCustomError("time_zone", "{problem}", {"problem": str(error)}) from None


def _check_variables(variables: object) -> object:
    """Refuse bad ones in one sentence, where a union of types would say four."""
    if isinstance(variables, dict) and (problem := find_problem(variables)):
        raise PydanticCustomError("variables", "{problem}", {"problem": problem})
    return variables


_Words = Annotated[str, Field(max_length=MAX_VALUE_CHARS)]
_Whole = Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
_Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Variables = Annotated[
    dict[str, _Words | bool | _Whole | _Number],
    Field(
        max_length=MAX_VARIABLES,
        description="What `{{name}}` stands for in the agent's texts, in its LLM's headers and "
        "query and in its retrieval server's headers, where a conversation brings no value of its "
        "own.",
        examples=[{"shop": "Nonna's Pizza", "deliveryMinutes": 45}],
        json_schema_extra={**EXTENSION, "propertyNames": {"pattern": f"^{NAME}$"}},
    ),
    BeforeValidator(_check_variables),
]
_EXAMPLE: dict[str, JsonValue] = {
    "voice": "s3://voice-cloning-zero-shot/baf1ef41-36b6-428c-9bdf-50ba54682bd8/original/manifest.json",
    "displayName": "Front desk",
    "description": "Answers calls",
    "greeting": "Hello!",
    "prompt": "You run the front desk.",
    "criticalKnowledge": "Open 9 to 5.",
}


class NewAgent(Body):
    """The body of `POST /api/v1/agents`; only `displayName` is required."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    display_name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARS)] = ""
    voice: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_VOICE_CHARS,
            description="Kept and returned as given; an unknown one is spoken by a local voice.",
        ),
    ] = DEFAULT_VOICE
    voice_speed: Annotated[float, Field(ge=0.5, le=1.5)] | None = None
    tts_model: TtsModel = "PlayHT2.0-turbo"
    greeting: Annotated[str, Field(max_length=MAX_GREETING_CHARS)] | None = None
    prompt: Annotated[str, Field(max_length=MAX_PROMPT_CHARS)] | None = None
    critical_knowledge: Annotated[str, Field(max_length=MAX_KNOWLEDGE_CHARS)] | None = None
    answer_only_from_critical_knowledge: bool = False
    knowledge: Knowledge | None = Field(
        default=None,
        description="Your own retrieval server; null for the search that comes with Sayso. It is "
        "asked once before it is saved.",
        json_schema_extra=EXTENSION,
    )
    visibility: Visibility = "public"
    language: Language = "english"
    llm: LlmBody | None = Field(
        default=None, description="Null means the server's built-in answers."
    )
    actions: Annotated[
        list[Annotated[str, Field(max_length=MAX_ACTION_CHARS)]], Field(max_length=MAX_ACTIONS)
    ] = Field(
        default=[],
        description="Ids of the external functions the agent may call; all must be yours.",
    )
    variables: Variables = Field(default={})
    apply_text_normalization: Normalization = Field(
        default="auto",
        description="Whether numbers, dates, money, links and Markdown are put into words before "
        "they are spoken: `auto` in English, and only without Markdown in other languages; `on` "
        "in English always; `off` gives the voice what the LLM wrote.",
        json_schema_extra=EXTENSION,
    )
    message_plan: MessagePlan | None = Field(
        default=None,
        description="What the agent says when nobody speaks.",
        json_schema_extra=EXTENSION,
    )
    silence_timeout_seconds: Annotated[float, Field(ge=5, le=LONGEST_IDLE_S)] | None = Field(
        default=None,
        description="Silence of the caller after which the agent says goodbye and hangs up, "
        "whatever it said in between; null for no such limit.",
        json_schema_extra=EXTENSION,
    )
    max_duration_seconds: Annotated[float, Field(ge=SHORTEST_TALK_S, le=LONGEST_TALK_S)] | None = (
        Field(
            default=None,
            description="How long a conversation may take, if that is less than the server "
            "allows; then the agent says goodbye. The caller is warned `SAYSO_WARNING_S` (30) "
            "seconds before, where it may take more than twice as long.",
            json_schema_extra=EXTENSION,
        )
    )
    end_call_message: (
        Annotated[str, Field(max_length=MAX_SPOKEN_CHARS), AfterValidator(keep_words)] | None
    ) = Field(
        default=None,
        description="Said before the agent hangs up; null for the usual sentences, empty (or "
        "without words) to hang up in silence.",
        json_schema_extra=EXTENSION,
    )
    end_call_phrases: Annotated[
        Annotated[list[EndPhrase], Field(max_length=MAX_END_PHRASES)] | None,
        AfterValidator(lambda phrases: phrases or []),
    ] = Field(
        default=[],
        description="An answer that says one of these is the last: once the caller has heard it, "
        "the agent hangs up. Whole words, each phrase with one at least; case, hyphens and "
        "punctuation count for nothing. Null and an empty list are none.",
        json_schema_extra=EXTENSION,
    )
    patience: Patience | None = Field(
        default=None,
        description="How soon a pause of the caller is an ending: `eager` answers quickest, and "
        "now and then into a thought; `patient` is for people who dictate, or think aloud. Null is "
        "the operator's setting (`SAYSO_PATIENCE`). The least silence is still what a client asks "
        "for (`utteranceEndThreshold`).",
        json_schema_extra=EXTENSION,
    )
    interruptible: bool = Field(
        default=True,
        description="Whether the caller can cut the agent off. If not, replies are heard to their "
        "end, the greeting as well, and what was said or typed over one is answered after it.",
        json_schema_extra=EXTENSION,
    )
    record_audio: bool = Field(
        default=True,
        description="Whether conversations are recorded, where the operator records at all "
        "(`SAYSO_RECORDINGS`). In many places callers must be told; say so in the greeting.",
        json_schema_extra=EXTENSION,
    )

    mcp_servers: McpServers = Field(
        default=[],
        description="MCP servers whose tools the agent's LLM may call. Each is connected to when "
        "it is saved; one that cannot be used, or does not have a tool that is named, is refused.",
        json_schema_extra=EXTENSION,
    )
    built_in_actions: Annotated[
        Annotated[list[BuiltInAction], Field(max_length=MAX_BUILT_IN_ACTIONS)] | None,
        AfterValidator(lambda actions: list(dict.fromkeys(actions or ()))),
    ] = Field(
        default=[],
        description="What the agent may do by itself: `end-call` says goodbye and hangs up when "
        "the caller is done; `current-time` tells date and time; `leave-message` keeps what the "
        "caller wants to tell you (`messages` of the conversation); `switch-language` goes over to "
        "another language, where the ears and a voice know two at least: the bundled ones do not. "
        "Null and an empty list are none.",
        json_schema_extra=EXTENSION,
    )
    time_zone: Annotated[
        Annotated[str, Field(max_length=MAX_ZONE_CHARS)] | None, AfterValidator(_check_zone)
    ] = Field(
        default=None,
        description="The time zone `current-time` tells unless another one is asked for, by its "
        "IANA name; null is UTC.",
        examples=["Europe/Vienna"],
        json_schema_extra=EXTENSION,
    )
    transfer_destinations: Destinations = Field(default=[])

    allowed_origins: Annotated[
        Annotated[list[Origin], Field(max_length=MAX_ORIGINS)] | None,
        AfterValidator(lambda origins: list(dict.fromkeys(origins or ()))),
    ] = Field(
        default=[],
        description="Pages that visitors without a key or a ticket may talk from, besides this "
        "server's own; null and an empty list are any page.",
        examples=[["https://shop.example"]],
        json_schema_extra=EXTENSION,
    )

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


def _drop_defaults(schema: dict[str, Any]) -> None:
    """In a PATCH, what is absent stays as it is: there are no defaults to show."""
    for shape in schema["properties"].values():
        shape.pop("default", None)


class AgentChanges(NewAgent):
    """The body of `PATCH /api/v1/agents/{agentId}`; only the keys sent change (`model_fields_set`).

    Null clears what may be null; `llm: null` goes back to the built-in LLM.
    """

    model_config = ConfigDict(json_schema_extra=_drop_defaults)

    display_name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)] = ""
