r"""Variables: `{{name}}` in an agent's texts and in what its LLM is sent, and their values. Pure.

    Hello {{name}}, your order {{ orderId }} is ready.

Only two braces around a valid name are a variable; `{ "a": {{`, `{% %}` and `{{a b}}` stay as they
are, and so does `{{name}}` behind a backslash, which goes. Everything is filled in at once: a value
is data, and braces in it are not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

MAX_VARIABLES: Final = 50
"""Variables of one conversation, or of one agent."""
MAX_NAME_CHARS: Final = 64
"""As long as a key of OpenAI's `metadata`, into which they may go."""
MAX_VALUE_CHARS: Final = 1000
MAX_NUMBER: Final = 10**15
"""Largest number taken, and with a minus the smallest; more digits are not exact in JSON."""
MAX_INSERTED_CHARS: Final = 50_000
"""Characters all values may add to one text; a text may name one variable often."""
MAX_INSERTED_HEADER_CHARS: Final = 8_000
"""The same for a header or a query value; servers refuse larger headers."""
MAX_REPORTED: Final = 20
"""Names without a value that are reported."""

NAME: Final = rf"[A-Za-z_][A-Za-z0-9_.-]{{0,{MAX_NAME_CHARS - 1}}}"

Variable: TypeAlias = str | bool | int | float
"""A value as clients send it."""

_PLACE = re.compile(
    rf"\\(?P<literal>\{{\{{[ \t]*{NAME}[ \t]*\}}\}})|\{{\{{[ \t]*(?P<name>{NAME})[ \t]*\}}\}}"
)
_BLANKS = " \t"
_LINE_ENDS = ("\n", "\r")
_CLOSERS = (*_LINE_ENDS, *",.;:!?)")
"""No blank stands before these."""
_SENTENCE_ENDS = (".", "!", "?")
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
"""Control characters, line breaks, and halves of characters."""


# Values ---------------------------------------------------------------------------------------


def find_problem(variables: Mapping[str, object]) -> str | None:
    """What is wrong with `variables` as a client or an owner sent them, in words; None if nothing.

    The words follow the name of the field: "holds …".
    """
    if len(variables) > MAX_VARIABLES:
        return f"holds {len(variables)} variables; at most {MAX_VARIABLES} are taken"
    problems = (_problem_of(name, value) for name, value in variables.items())
    return next((problem for problem in problems if problem), None)


def _problem_of(name: str, value: object) -> str | None:
    if not re.fullmatch(NAME, name):
        return (
            f"holds the name {name[:MAX_NAME_CHARS]!r}; a name is a letter or _ and then letters, "
            f"digits, _, . or -, at most {MAX_NAME_CHARS} characters"
        )
    if not isinstance(value, str | bool | int | float):
        return f"holds a {name!r} that is not a string, a number or a boolean"
    if isinstance(value, str) and len(value) > MAX_VALUE_CHARS:
        return f"holds a {name!r} of more than {MAX_VALUE_CHARS:,} characters"
    if not isinstance(value, str) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        return f"holds a {name!r} that is not a number from -1e15 to 1e15"
    return None


def show(value: Variable) -> str:
    """A value as it is written into a text: `true`, `12`, `0.5`, never `1e-05`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(Decimal(str(value)).normalize(), "f")


def show_all(variables: Mapping[str, Variable]) -> dict[str, str]:
    """All values as they are written into a text, in the same order."""
    return {name: show(value) for name, value in variables.items()}


def choose(own: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """The values of a conversation: its `own` first, then the `defaults` it has no value for."""
    return {**own, **{name: value for name, value in defaults.items() if name not in own}}


# Filling in -----------------------------------------------------------------------------------


def find_missing(texts: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """The names in `texts` without a value, in alphabetical order, the first MAX_REPORTED."""
    names = {match["name"] for text in texts if "{{" in text for match in _PLACE.finditer(text)}
    return sorted(name for name in names if name is not None and name not in values)[:MAX_REPORTED]


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables filled in, to be spoken or read by an LLM.

    One without a value becomes nothing, and the blanks and commas around it are tidied:
    `Hello {{name}}, hi` is `Hello, hi`. At most MAX_INSERTED_CHARS are inserted; a value that
    does not fit any more is left out.
    """
    if "{{" not in text:
        return text
    budget = _Budget(values, MAX_INSERTED_CHARS)
    literals, names = _take_apart(text)
    done, left = [], literals[0]
    for n, (name, right) in enumerate(zip(names, literals[1:], strict=True), 1):
        value = budget.take(name)
        if value.strip():
            done += [left, value]
            left = right
            continue
        before, left = _close_gap(left, right, begins=not done, ends=n == len(names))
        done += [before] if before else []
    return "".join((*done, left))


def fill_header(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables filled in, to be sent in a header or a query.

    One without a value becomes nothing. No control character and no line break comes in with a
    value: a run of them becomes a blank.
    """
    if "{{" not in text:
        return text
    budget = _Budget(values, MAX_INSERTED_HEADER_CHARS)
    return _PLACE.sub(lambda match: match["literal"] or clean(budget.take(match["name"])), text)


def clean(value: str) -> str:
    """`value` on one line and without control characters, as a header takes it."""
    return _UNSENDABLE.sub(" ", value).strip()


class _Budget:
    """Values, as long as there is room for them."""

    def __init__(self, values: Mapping[str, str], chars: int) -> None:
        self._values = values
        self._left = chars

    def take(self, name: str) -> str:
        """The value of `name`; "" if it has none, or no room."""
        value = self._values.get(name, "")
        if len(value) > self._left:
            return ""
        self._left -= len(value)
        return value


def _take_apart(text: str) -> tuple[list[str], list[str]]:
    """The names of the variables in `text`, and what stands around them, one more."""
    literals, names, at = [""], [], 0
    for match in _PLACE.finditer(text):
        literals[-1] += text[at : match.start()] + (match["literal"] or "")
        at = match.end()
        if match["name"]:
            names.append(match["name"])
            literals.append("")
    literals[-1] += text[at:]
    return literals, names


def _close_gap(left: str, right: str, *, begins: bool, ends: bool) -> tuple[str, str]:
    """What stands around a value that is missing, without a gap: what is done, and what is last.

    Args:
        left: the text before it.
        right: the text behind it.
        begins: the whole text begins with `left`.
        ends: it ends with `right`; else another variable follows.
    """
    head, tail = left.rstrip(_BLANKS), right.lstrip(_BLANKS)
    gap = max(left[len(head) :], right[: len(right) - len(tail)], key=len)
    if head.endswith(_LINE_ENDS) or (begins and not head):
        gap = left[len(head) :]
        tail = tail[1:].lstrip(_BLANKS) if tail.startswith(",") else tail
    elif head.endswith(_SENTENCE_ENDS) and tail.startswith(","):
        tail, gap = tail[1:], ""
    elif tail.startswith(_CLOSERS) or (ends and not tail):
        head, gap = head.removesuffix(","), ""
    return (head + gap, tail) if tail else ("", head + gap)
