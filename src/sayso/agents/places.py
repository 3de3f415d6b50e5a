"""Which of an agent's LLMs a finding is about, and where the field to change is.

A check knows one LLM only and speaks of `llm.apiKey` and `baseURL`; said of a fallback, that
would send its owner to the wrong key.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sayso.agents.issues import LlmIssue
from sayso.agents.reports import LlmCheckView

_FIELD = re.compile(
    r"(?<![\w./])(?:llm\.)?(?P<field>(?:baseURL|apiKey|baseParams|timeouts)\b(?:\.[A-Za-z]+)*)"
)
"""A field of an LLM in a sentence."""


def path_of(n: int) -> str:
    """Where an agent has its LLM (0), or its n-th fallback."""
    return f"llm.fallbacks.{n - 1}" if n else "llm"


def attribute(issue: LlmIssue, n: int, *, named: bool) -> LlmIssue:
    """A finding about one of several LLMs, with its name before the message of a fallback.

    `named`: before the message of the LLM itself, too, and before each fix.
    """
    placed, who = put(issue, n), f"Fallback {n}" if n else "The LLM"
    name = f"{who} ({path_of(n)}): "
    return replace(
        placed,
        message=name + placed.message if n or named else placed.message,
        fix=name + placed.fix if named and placed.fix else placed.fix,
    )


def put(issue: LlmIssue, n: int) -> LlmIssue:
    """A finding with the paths of the n-th fallback, or of the LLM itself (0)."""
    path = path_of(n)
    found = _FIELD.search(issue.fix)
    fix = _FIELD.sub(lambda one: f"{path}.{one['field']}", issue.fix) if n else issue.fix
    return replace(issue, fix=fix, field=f"{path}.{found['field']}" if found else path)


def place(view: LlmCheckView, n: int) -> LlmCheckView:
    """The report of the n-th fallback, its findings with their places."""
    return view.model_copy(update={"findings": [put(issue, n) for issue in view.findings]})
