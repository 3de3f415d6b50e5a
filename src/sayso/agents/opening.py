"""Opens a stored agent for a conversation."""

from __future__ import annotations

from typing import Any, cast

from sayso.agents.agent import Agent
from sayso.agents.destinations import read_destinations
from sayso.agents.options import Visibility
from sayso.agents.servers import Servers
from sayso.store.tables import AgentRow
from sayso.variables import show_all


def open_agent(row: AgentRow, servers: Servers) -> Agent:
    """An agent as a conversation is given it. Raises InstallationError."""
    return Agent(
        id=row.id,
        owner_id=row.owner_id,
        display_name=row.display_name,
        description=row.description,
        greeting=row.greeting,
        prompt=row.prompt,
        critical_knowledge=row.critical_knowledge,
        answer_only_from_critical_knowledge=row.answer_only_from_critical_knowledge,
        visibility=cast("Visibility", row.visibility),
        language=row.language,
        voice=row.voice,
        voice_speed=row.voice_speed,
        tts_model=row.tts_model,
        actions=tuple(row.actions),
        variables=show_all(row.variables),
        mcp_servers=servers.mcp.load(row),
        **servers.llm.answering(row),
        knowledge=servers.knowledge.place(row),
        allowed_origins=frozenset(row.allowed_origins),
        **_read_manners(row),
    )


def _read_manners(row: AgentRow) -> dict[str, Any]:
    """How an agent takes turns, speaks and hangs up, by the names of `Agent`."""
    plan = row.message_plan or {}
    return {
        "apply_text_normalization": row.apply_text_normalization,
        "idle_messages": None if (said := plan.get("idle_messages")) is None else tuple(said),
        "idle_timeout_s": plan.get("idle_timeout_seconds"),
        "idle_messages_max": plan.get("idle_message_max_spoken_count"),
        "silence_timeout_s": row.silence_timeout_seconds,
        "max_duration_s": row.max_duration_seconds,
        "end_call_message": row.end_call_message,
        "end_call_phrases": tuple(row.end_call_phrases),
        "patience": row.patience,
        "interruptible": row.interruptible,
        "record_audio": row.record_audio,
        "built_in_actions": tuple(row.built_in_actions),
        "time_zone": row.time_zone,
        "transfer_destinations": read_destinations(row.transfer_destinations),
    }
