"""An agent's fields, as the contract names them (§2.2, §2.3, §3.1), and as the server uses them.

`NewAgent`, `AgentChanges` and `AgentView` are the shapes of the REST API, with its names in
camelCase. `Agent` is what a conversation is given: frozen, with the LLM's key opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    SecretStr,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sayso.accounts.origins import ORIGIN_PATTERN, read_origin
from sayso.agents.destinations import Destinations, StoredDestination, TransferDestinationView
from sayso.agents.fields import (
    MAX_HEADER_NAME_CHARS,
    SECRET_VALUES,
    ApiKey,
    Headers,
    ServerUrl,
    check_headers,
)
from sayso.agents.retrieval import Knowledge, KnowledgeView
from sayso.bodies import (
    EXTENSION,
    MAX_NAMED,
    FieldWarning,
    ToWhole,
    mistake,
    refuse_unstorable,
)
from sayso.bodies import Body as _Body
from sayso.bodies import View as _View
from sayso.functions.mcp import McpServer
from sayso.functions.mcp.schema import McpServers, McpServerView
from sayso.knowledge.place import Place
from sayso.llm import Endpoint, Tell, Timeouts
from sayso.security.masks import MASK
from sayso.sources.schema import CriticalKnowledgeFile
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
MAX_GREETING_CHARS = 250
MAX_PROMPT_CHARS = 10_000
MAX_KNOWLEDGE_CHARS = 20_000
MAX_VOICE_CHARS = 1000
MAX_ACTIONS = 100
MAX_ACTION_CHARS = 250
MAX_MODEL_CHARS = 250
MAX_TOKENS = 1_000_000
MAX_BASE_PARAMS_CHARS = 20_000
MAX_QUERY = 50
MAX_QUERY_CHARS = 2048
MAX_FALLBACKS = 3
MAX_FAILURE_CHARS = 250
MAX_SPOKEN_CHARS = 250
MAX_IDLE_MESSAGES = 10
MAX_END_PHRASES = 20
MAX_END_PHRASE_CHARS = 100
MAX_BUILT_IN_ACTIONS = 20
MAX_ZONE_CHARS = 100
MAX_ORIGINS = 50
MAX_ORIGIN_CHARS = 300
SHORTEST_IDLE_S, LONGEST_IDLE_S = 1, 3600
SHORTEST_TALK_S, LONGEST_TALK_S = 10, 43_200
SHORTEST_WAIT_MS = 100
LONGEST_WAIT_MS = 60_000
"""How long an agent may wait for its LLM; `llm_reply_start_timeout_s` bounds all of it together."""
OPENAI_COMPATIBLE = "openai-compatible"
BUILT_IN = "built-in"

TtsModel: TypeAlias = Literal["PlayHT2.0-turbo", "Play3.0-mini", "PlayDialog"]
Visibility: TypeAlias = Literal["public", "private", "unlisted"]
Language: TypeAlias = Literal[
    "english",
    "french",
    "german",
    "greek",
    "hindi",
    "italian",
    "japanese",
    "korean",
    "malay",
    "mandarin",
    "polish",
    "portuguese",
    "russian",
    "spanish",
    "thai",
    "turkish",
    "arabic",
]
Patience: TypeAlias = Literal["eager", "normal", "patient"]
BuiltInAction: TypeAlias = Literal["end-call", "current-time", "leave-message", "switch-language"]
AnsweredBy: TypeAlias = Literal["llm", "built-in-llm", "built-in-extractive"]


@dataclass(frozen=True, slots=True)
class LlmIssue:
    """One thing a check of a server found: a stable code, a sentence, the next step, the proof."""

    code: str
    message: str
    fix: str
    severity: Literal["error", "warning", "note"]
    evidence: str = ""
    field: str | None = None
    """The part of the agent it is about, as a dotted path; None where one server was looked at."""


# What may be sent ---------------------------------------------------------------------


class BaseParams(_Body):
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


class LlmTimeouts(_Body):
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


def _check_words(text: str) -> str:
    """Refuse what nobody can say."""
    if not _keep_words(text):
        raise PydanticCustomError("wordless", "must have a word in it")
    return text


def _check_idle(wait_s: float) -> float:
    if 0 < wait_s < SHORTEST_IDLE_S:
        raise PydanticCustomError(
            "idle", "must be at least {least}, or 0 for never", {"least": SHORTEST_IDLE_S}
        )
    return wait_s


def _keep_words(text: str) -> str:
    """What can be spoken of `text`: nothing if there are no words in it."""
    return text.strip() if any(map(str.isalnum, text)) else ""


_WITH_WORDS = {"pattern": r"[\p{L}\p{N}]"}
"""What `_check_words` asks for, as JSON Schema says it."""

Said = Annotated[
    str,
    Field(max_length=MAX_SPOKEN_CHARS, json_schema_extra=_WITH_WORDS),
    AfterValidator(_check_words),
]
EndPhrase = Annotated[
    str,
    Field(max_length=MAX_END_PHRASE_CHARS, json_schema_extra=_WITH_WORDS),
    AfterValidator(_check_words),
]
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


class MessagePlan(_Body):
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


class LlmServer(_Body):
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
    tell: Literal["off", "headers", "body"] = Field(
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


class BuiltIn(_Body):
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
        Annotated[str, Field(max_length=MAX_FAILURE_CHARS), AfterValidator(_keep_words)] | None
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


_EXAMPLE: dict[str, JsonValue] = {
    "voice": "s3://voice-cloning-zero-shot/baf1ef41-36b6-428c-9bdf-50ba54682bd8/original/manifest.json",
    "displayName": "Front desk",
    "description": "Answers calls",
    "greeting": "Hello!",
    "prompt": "You run the front desk.",
    "criticalKnowledge": "Open 9 to 5.",
}


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


class NewAgent(_Body):
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
    apply_text_normalization: Literal["auto", "on", "off"] = Field(
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
        Annotated[str, Field(max_length=MAX_SPOKEN_CHARS), AfterValidator(_keep_words)] | None
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


# What is answered -----------------------------------------------------------------------


class PhoneNumber(_View):
    """A telephone number an agent answers; the number is a JSON number (contract §2.3)."""

    phone_number: int
    country: str
    locality: str | None


class FallbackView(_View):
    """One LLM as it is answered, its secrets masked; `apiKey` is null when there is none."""

    type: Literal["openai-compatible", "built-in"]
    base_url: str | None = None
    api_key: str | None = Field(default=None, examples=[f"{MASK}abcd"])
    base_params: dict[str, JsonValue] | None = None
    model: str | None = Field(default=None, description="Of `built-in` only.")
    timeouts: dict[str, int | None] | None = Field(default=None, json_schema_extra=EXTENSION)
    tell: Literal["off", "headers", "body"] = Field(default="off", json_schema_extra=EXTENSION)


class LlmView(FallbackView):
    """An agent's `llm` as it is answered."""

    fallbacks: list[FallbackView] = Field(default=[], json_schema_extra=EXTENSION)
    failure_message: str | None = Field(default=None, json_schema_extra=EXTENSION)
    hedge_after_ms: int | None = Field(default=None, json_schema_extra=EXTENSION)


class MessagePlanView(_View):
    """What an agent says when nobody speaks, as it is answered."""

    idle_messages: list[str] | None = None
    idle_timeout_seconds: float | None = None
    idle_message_max_spoken_count: int | None = None


class AgentView(_View):
    """An agent as it is answered; every key is always present."""

    id: str
    voice: str
    voice_speed: float | None
    tts_model: str
    display_name: str
    description: str
    greeting: str | None
    prompt: str | None
    critical_knowledge: str | None
    answer_only_from_critical_knowledge: bool
    knowledge: KnowledgeView | None = Field(json_schema_extra=EXTENSION)
    visibility: str
    language: str
    llm: LlmView | None
    actions: list[str]
    variables: dict[str, str | bool | int | float] = Field(json_schema_extra=EXTENSION)
    apply_text_normalization: Literal["auto", "on", "off"] = Field(json_schema_extra=EXTENSION)
    message_plan: MessagePlanView | None = Field(json_schema_extra=EXTENSION)
    silence_timeout_seconds: float | None = Field(json_schema_extra=EXTENSION)
    max_duration_seconds: float | None = Field(json_schema_extra=EXTENSION)
    end_call_message: str | None = Field(json_schema_extra=EXTENSION)
    end_call_phrases: list[str] = Field(json_schema_extra=EXTENSION)
    patience: Patience | None = Field(json_schema_extra=EXTENSION)
    interruptible: bool = Field(json_schema_extra=EXTENSION)
    record_audio: bool = Field(json_schema_extra=EXTENSION)
    mcp_servers: list[McpServerView] = Field(json_schema_extra=EXTENSION)
    built_in_actions: list[BuiltInAction] = Field(json_schema_extra=EXTENSION)
    time_zone: str | None = Field(json_schema_extra=EXTENSION)
    allowed_origins: list[str] = Field(json_schema_extra=EXTENSION)
    transfer_destinations: list[TransferDestinationView] = Field(json_schema_extra=EXTENSION)
    avatar_photo_url: str | None
    critical_knowledge_files: list[CriticalKnowledgeFile]
    phone_numbers: list[PhoneNumber]
    answered_by: AnsweredBy = Field(
        description="Who answers: the agent's `llm`, the operator's built-in LLM, or, with no "
        "language model configured, sentences picked from what the agent knows.",
        json_schema_extra=EXTENSION,
    )
    llm_issues: list[LlmIssue] = Field(
        description="What the check of `llm` noticed when it was last saved; errors are refused.",
        json_schema_extra=EXTENSION,
    )
    knowledge_issues: list[LlmIssue] = Field(
        description="The same of `knowledge`.", json_schema_extra=EXTENSION
    )
    warnings: list[FieldWarning] = Field(
        default=[],
        description="What this very request sent in vain: keys nobody reads, the first "
        f"{MAX_NAMED}, and MCP servers without tools. Not kept.",
        json_schema_extra=EXTENSION,
    )


class AgentStats(_View):
    """How much an agent has talked (contract §2.4)."""

    id: str
    number_of_conversations: int
    number_of_phone_conversations: int
    number_of_seconds_talked: int


class VoiceView(_View):
    """A voice an agent can have."""

    id: str
    name: str
    gender: str
    language: str
    description: str


# What the server uses -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as a conversation is given it, read once when the call opens.

    `llm` is None for the built-in one, and so is each of its `fallbacks`, which are asked in order
    when it fails. `knowledge` is the owner's own retrieval server, if there is one. A private
    agent is for its owner, `owner_id`, only. Of what it says itself, None is the usual sentences,
    and nothing at all is nothing: `idle_messages`, `end_call_message`.
    """

    id: str
    owner_id: str
    display_name: str
    description: str
    greeting: str | None
    prompt: str | None
    critical_knowledge: str | None
    answer_only_from_critical_knowledge: bool
    visibility: Visibility
    language: str
    voice: str
    voice_speed: float | None
    tts_model: str
    actions: tuple[str, ...]
    llm: Endpoint | None
    fallbacks: tuple[Endpoint | None, ...] = ()
    knowledge: Place | None = None
    failure_message: str | None = None
    hedge_after_s: float | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    apply_text_normalization: Literal["auto", "on", "off"] = "auto"
    idle_messages: tuple[str, ...] | None = None
    idle_timeout_s: float | None = None
    idle_messages_max: int | None = None
    silence_timeout_s: float | None = None
    max_duration_s: float | None = None
    end_call_message: str | None = None
    end_call_phrases: tuple[str, ...] = ()
    patience: Patience | None = None
    interruptible: bool = True
    record_audio: bool = True
    mcp_servers: tuple[McpServer, ...] = ()
    built_in_actions: tuple[BuiltInAction, ...] = ()
    time_zone: str | None = None
    allowed_origins: frozenset[str] = frozenset()
    transfer_destinations: tuple[StoredDestination, ...] = ()


_OURS = frozenset({"messages", "stream"})
"""Body keys the server sets itself on each LLM call; an agent's parameters cannot change them."""


def make_endpoint(
    base_url: str,
    key: SecretStr | None,
    params: Mapping[str, Any],
    headers: Mapping[str, str | None],
    *,
    query: Mapping[str, str] | None = None,
    timeouts: Mapping[str, int | None] | None = None,
    tell: str = "off",
) -> Endpoint:
    """The endpoint an `llm` field describes; `params` and `timeouts` in the contract's names."""
    known = {"model", "temperature", "maxTokens", "defaultHeaders", "query"}
    extra = {name: value for name, value in params.items() if name not in known}
    if isinstance(extra.get("extra_body"), dict):
        extra |= extra.pop("extra_body")
    return Endpoint(
        base_url=base_url,
        api_key=key,
        model=params.get("model"),
        temperature=params.get("temperature"),
        max_tokens=params.get("maxTokens"),
        headers={name: value for name, value in headers.items() if value is not None},
        extra={name: value for name, value in extra.items() if name not in _OURS},
        query=dict(query or {}),
        timeouts=_read_timeouts(timeouts or {}),
        tell=Tell(tell),
    )


def _read_timeouts(timeouts: Mapping[str, int | None]) -> Timeouts:
    """Milliseconds by the contract's names, as seconds."""
    waits = {name: None if ms is None else ms / 1000 for name, ms in timeouts.items()}
    return Timeouts(waits.get("connectMs"), waits.get("firstTokenMs"), waits.get("betweenTokensMs"))
