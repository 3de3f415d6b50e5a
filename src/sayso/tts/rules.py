"""A rule of reading: a pattern and what is said instead, applied in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

Replacement: TypeAlias = str | Callable[[re.Match[str]], str]
Rule: TypeAlias = tuple[re.Pattern[str], Replacement]

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2}){1,4},[0-9]{3}|[0-9]+)(?:\.[0-9]+)?"
"""A number as English writes it: 1,200.50."""

NOT_BEFORE = r"(?<![\w.,])"
NOT_AFTER = r"(?!\w)(?![.,][0-9])"
"""Guards around a number: it is not the middle of a word or of another number."""


def rule(pattern: str, replacement: Replacement) -> Rule:
    """A rule whose `^` and `$` mean lines."""
    return re.compile(pattern, re.MULTILINE), replacement


def obey(rules: Iterable[Rule], text: str) -> str:
    """`text` after all `rules`, each once, in their order."""
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text
