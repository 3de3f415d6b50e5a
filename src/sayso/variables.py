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

_MARK = rf"\{{\{{[ \t]*({NAME})[ \t]*\}}\}}"
_LITERAL = rf"\\(?P<literal>{_MARK.replace('(', '(?:', 1)})"
_VARIABLE = re.compile(_MARK)
_PLAIN = re.compile(rf"{_LITERAL}|{_MARK.replace('(', '(?P<name>', 1)}")
_RUN = re.compile(
    rf"{_LITERAL}|(?P<comma>,?)(?<![ \t])"  # behind blanks it would try again at each of them
    rf"(?P<run>[ \t]*{{mark}}(?:[ \t]*{{mark}})*[ \t]*)(?P<tail>(?:,[ \t]*)?)".replace(
        "{mark}", _MARK.replace("(", "(?:", 1)
    )
)
_LINE_BEGINS = ("", "\n", "\r")
_CLOSERS = (*_LINE_BEGINS, *",.;:!?)")
"""No blank stands before these; "" is the end of the text."""
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
    names = {match["name"] for text in texts if "{{" in text for match in _PLAIN.finditer(text)}
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
    return _RUN.sub(lambda match: match["literal"] or _fill_run(match, budget), text)


def fill_header(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables filled in, to be sent in a header or a query.

    One without a value becomes nothing. No control character and no line break comes in with a
    value: a run of them becomes a blank.
    """
    if "{{" not in text:
        return text
    budget = _Budget(values, MAX_INSERTED_HEADER_CHARS)
    return _PLAIN.sub(lambda match: match["literal"] or clean(budget.take(match["name"])), text)


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


def _fill_run(match: re.Match[str], budget: _Budget) -> str:
    """Fill in variables with nothing but blanks between them, and tidy around those left out."""
    parts = _VARIABLE.split(match["run"])
    blanks, values = parts[::2], [budget.take(name) for name in parts[1::2]]
    before = match["comma"] or match.string[max(0, match.start("run") - 1) : match.start("run")]
    after = match["tail"][:1] or match.string[match.end("run") : match.end("run") + 1]
    said, gap = _close_gaps(blanks, values, begins=before in _LINE_BEGINS)
    if not values[-1].strip() and after in _CLOSERS:
        gap = ""
    if said:
        return match["comma"] + said + gap + match["tail"]
    if before in _LINE_BEGINS:
        return blanks[0] + ("" if after == "," else match["tail"])
    if match["comma"] and after in _CLOSERS:
        return match["tail"]
    if before in _SENTENCE_ENDS and after == ",":
        return match["tail"][1:]
    return match["comma"] + gap + match["tail"]


def _close_gaps(blanks: list[str], values: list[str], *, begins: bool) -> tuple[str, str]:
    """The values with blanks between them, one gap where a value is missing; the last gap."""
    said, gap = "", blanks[0]
    for value, behind in zip(values, blanks[1:], strict=True):
        if value.strip():
            said += gap + value
            gap = behind
        elif said or not begins:
            gap = max(gap, behind, key=len)
    return said, gap
