"""Failures that a conversation survives: one line for the operator, a code for the client."""

from __future__ import annotations

import structlog

from sayso.errors import Blame, KnowledgeError, LlmError, SaysoError, TalkCode
from sayso.talk.record import Stopwatch
from sayso.transport.line import Fault, Line

log = structlog.get_logger("sayso.talk")


class Troubles:
    """Tells of them.

    Args:
        line: the client.

    Attributes:
        turn: the number of the reply under way or last given.
    """

    def __init__(self, line: Line) -> None:
        self.turn = 0
        self._line = line

    def note(self, event: str, error: SaysoError) -> None:
        """Log a failure that the client does not notice, as `event`."""
        log.warning(
            event,
            finding=_name(error),
            blame=error.blame.value,
            reason=error.message,
            hint=error.hint,
            turn=self.turn,
        )

    def note_mishap(self, watch: Stopwatch, error: LlmError | KnowledgeError) -> None:
        """Log a failure in a reply that the caller does not notice; its turn keeps it as well."""
        watch.add("mishaps", f"{error.finding} ({error.blame.value})")
        self.note("llm_mishap" if isinstance(error, LlmError) else "knowledge_mishap", error)

    def report_sound(self, error: SaysoError) -> None:
        """The client's sound cannot be read, or was not: tell it."""
        ours = error.blame is Blame.OPERATOR
        self.report(error, TalkCode.INTERNAL if ours else TalkCode.INVALID_MESSAGE)

    def report(self, error: SaysoError, code: int) -> None:
        """Log a failure, and tell the client."""
        self.note("conversation_disturbed", error)
        told = error.message
        if isinstance(error, LlmError):
            told = f"the agent's LLM could not answer ({error.finding})"
        self._line.post(Fault(code, told))


def _name(error: SaysoError) -> str:
    if isinstance(error, LlmError | KnowledgeError):
        return error.finding
    return type(error).__name__
