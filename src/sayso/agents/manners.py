"""How an agent takes turns, speaks and hangs up, from the store."""

from __future__ import annotations

from typing import Any

from sayso.agents.destinations import read_destinations
from sayso.store.tables import AgentRow


def read_manners(row: AgentRow) -> dict[str, Any]:
    """How an agent takes turns, speaks and hangs up, as a conversation is given it."""
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
