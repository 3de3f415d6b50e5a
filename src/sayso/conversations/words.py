"""Ends, faults and recordings in words: codes for programs, sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Recording: TypeAlias = Literal["raw", "ready", "lost"]
"""`raw`: as it was written down; `ready`: encoded; `lost`: given up."""

END_REASONS: Final[Mapping[str, str]] = {
    "caller_left": "The caller hung up.",
    "line_lost": "The connection to the caller broke off.",
    "silence": "Nobody spoke for so long that the agent hung up.",
    "time_up": "It had lasted as long as a conversation may.",
    "agent_done": "The agent said goodbye and hung up.",
    "transferred": "The agent handed the caller on to somebody else.",
    "server_stopped": "The server stopped, or broke down, while they talked.",
    "failed": "An error ended it.",
}
"""`end_reason` of a conversation."""

UNDER_WAY: Final = "It is under way."
UNKNOWN_END: Final = "It ended; nobody wrote down why."

FAULTS: Final[Mapping[str, str]] = {
    "caller": "The caller's side: the connection broke off, or sound came that cannot be read.",
    "owner": "The agent's settings: a wrong key, address or model, which its owner can correct.",
    "llm": "The agent's LLM: it did not answer, broke off, or answered with nothing to speak.",
    "operator": "This server: an engine failed, something is missing, or an error ended it.",
}
"""Who must act for a failure to go away."""

ENDS_OF_FAULT: Final[Mapping[str, str]] = {"line_lost": "caller", "failed": "operator"}
"""Ends that are failures by themselves, and whose."""

OUTCOMES: Final[Mapping[str, str]] = {
    "answered": "The answer was read to its end.",
    "stopped": "It was stopped from here: the caller went on speaking or hung up, or another "
    "LLM was faster.",
    "failed": "No answer, or no whole one; `finding` says why.",
}
"""`outcome` of an exchange with an LLM."""


def say_end(reason: str | None, *, over: bool) -> str:
    """Why a conversation ended, as a sentence."""
    if not over:
        return UNDER_WAY
    return END_REASONS.get(reason or "", UNKNOWN_END)
