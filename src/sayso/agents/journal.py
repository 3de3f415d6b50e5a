"""Says in the log that an agent was saved or refused: whose, which fields, which findings.

Names and codes only: values are the owner's, and some are secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from sayso.agents.issues import LlmIssue
from sayso.agents.schema import NewAgent
from sayso.errors import RefusedError

MAX_ID_CHARS = 100
"""Of an id that a client sent, and that may be no agent's."""

_log = structlog.get_logger(__name__)


@contextmanager
def log_save(account_id: str, agent_id: str, body: NewAgent) -> Iterator[list[LlmIssue]]:
    """One line for what happens inside; put what the check noticed into the list.

    Other errors than refusals are for others to log.
    """
    noticed: list[LlmIssue] = []
    shown = {
        "agent_id": agent_id[:MAX_ID_CHARS],
        "account_id": account_id,
        "fields": _names(body),
    }
    try:
        yield noticed
    except RefusedError as error:
        codes = [one["code"] for one in error.details if "code" in one]
        _log.warning("agent_refused", **shown, error_id=error.error_id, findings=codes)
        raise
    _log.info("agent_saved", **shown, findings=_codes(noticed))


def _names(body: NewAgent) -> list[str]:
    """The fields that were sent, by the contract's names."""
    fields = type(body).model_fields
    return sorted(fields[name].alias or name for name in body.model_fields_set)


def _codes(issues: Sequence[LlmIssue]) -> list[str]:
    return [issue.code for issue in issues]
