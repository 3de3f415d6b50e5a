"""An agent as it is answered, with what it has done, and what it can speak with."""

from __future__ import annotations

from pydantic import Field

from sayso.agents.destinations import TransferDestinationView
from sayso.agents.issues import LlmIssue
from sayso.agents.llm_schema import LlmView
from sayso.agents.options import AnsweredBy, BuiltInAction, Normalization, Patience
from sayso.agents.retrieval import KnowledgeView
from sayso.agents.spoken import MessagePlanView
from sayso.bodies import EXTENSION, MAX_NAMED, FieldWarning, View
from sayso.functions.mcp.schema import McpServerView
from sayso.sources.schema import CriticalKnowledgeFile


class PhoneNumber(View):
    """A telephone number an agent answers; the number is a JSON number (contract §2.3)."""

    phone_number: int
    country: str
    locality: str | None


class AgentView(View):
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
    apply_text_normalization: Normalization = Field(json_schema_extra=EXTENSION)
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


class AgentStats(View):
    """How much an agent has talked (contract §2.4)."""

    id: str
    number_of_conversations: int
    number_of_phone_conversations: int
    number_of_seconds_talked: int


class VoiceView(View):
    """A voice an agent can have."""

    id: str
    name: str
    gender: str
    language: str
    description: str
