"""How an agent takes turns, speaks and hangs up, from the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sayso.store.tables import AgentRow


def read_manners(row: AgentRow) -> dict[str, Any]:
    """How an agent takes turns, speaks and hangs up, as a conversation is given it."""
    plan = row.message_plan or {}
    return {
        "apply_text_normalization": row.apply_text_normalization,
        "idle_messages": _with_words(plan.get("idle_messages") or ()),
        "idle_timeout_s": plan.get("idle_timeout_seconds"),
        "idle_messages_max": plan.get("idle_message_max_spoken_count"),
        "silence_timeout_s": row.silence_timeout_seconds,
        "max_duration_s": row.max_duration_seconds,
        "end_call_message": next(iter(_with_words([row.end_call_message or ""])), None),
        "end_call_phrases": _with_words(row.end_call_phrases),
        "patience": row.patience,
        "interruptible": row.interruptible,
    }


def _with_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of `texts` that can be spoken."""
    return tuple(text.strip() for text in texts if any(map(str.isalnum, text)))
