"""An agent as a conversation is given it: frozen, with the keys of its servers opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sayso.agents.destinations import StoredDestination
from sayso.agents.options import BuiltInAction, Normalization, Patience, Visibility
from sayso.functions.mcp import McpServer
from sayso.knowledge.place import Place
from sayso.llm import Endpoint


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
    apply_text_normalization: Normalization = "auto"
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
