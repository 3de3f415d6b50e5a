"""Puts together the calls of functions that an answer asks for, in all shapes they come in. Pure.

A stream brings a call in pieces: OpenAI numbers them by `index`, and gives id and name with the
first. Others leave the index out (ollama/ollama#7881), number from 1 (pipecat-ai/pipecat#4987) or
number every call 0, send no id (vllm-project/vllm#18412) or one inside the function
(ggml-org/llama.cpp#13800), `null` or an object for the arguments (vllm-project/vllm#9693), all of a
call again at its end, or the old `function_call`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sayso.llm import ToolCall
from sayso.llm.arguments import MAX_ARGUMENTS_CHARS, ArgumentsError, dump, join, read_arguments
from sayso.llm.filters import mend

MAX_CALLS = 16
"""Calls taken from one answer; what is beyond is dropped."""
MAX_NAME_CHARS = 128
MAX_ID_CHARS = 256
MAX_PIECES = 20_000
"""Pieces of the arguments of one call."""


@dataclass(slots=True)
class _Begun:
    """One call, as far as it came."""

    index: int | None
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    chars: int = 0
    extra: dict[str, object] = field(default_factory=dict)

    def add(self, arguments: str) -> None:
        """Take a piece of the arguments; beyond the limit, they are damaged anyway."""
        if arguments and self.chars <= 2 * MAX_ARGUMENTS_CHARS and len(self.pieces) < MAX_PIECES:
            arguments = arguments[: 2 * MAX_ARGUMENTS_CHARS]
            self.pieces.append(arguments)
            self.chars += len(arguments)

    @property
    def arguments(self) -> str:
        """What came of the arguments; cut where that is sure to be too long."""
        return mend(join(self.pieces))[: MAX_ARGUMENTS_CHARS + 1]

    @property
    def whole(self) -> bool:
        """Whether its arguments are complete."""
        return bool(self.pieces) and _is_object(self.arguments)


class Calls:
    """The calls of one answer.

    Args:
        names: the functions that were offered: whether a name goes on or is another one's.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = frozenset(names)
        self._begun: list[_Begun] = []

    def __len__(self) -> int:
        return len(self.list())

    def add(self, entries: object) -> None:
        """Take `tool_calls` of one event, or a `function_call`."""
        if isinstance(entries, Mapping):
            entries = [entries]
        if not isinstance(entries, list):
            return
        for place, entry in enumerate(entries[: MAX_CALLS + 1]):
            if isinstance(entry, Mapping):
                self._add(entry, place if len(entries) > 1 else None)

    def list(self) -> list[ToolCall]:
        """What came, in order; a call without a name is none, and a repeated one is one."""
        found: list[ToolCall] = []
        for begun in self._begun:
            if begun.name:
                call = ToolCall(begun.id, begun.name, begun.arguments or "{}", begun.extra)
                if not (call.id and any(call.id == other.id for other in found)):
                    found.append(call)
        return found

    def _add(self, entry: Mapping[str, object], place: int | None) -> None:
        function = entry.get("function")
        inner: Mapping[str, object] = function if isinstance(function, Mapping) else entry
        index = entry.get("index")
        number = index if type(index) is int else None
        id_ = (_text(entry.get("id")) or _text(inner.get("id")))[:MAX_ID_CHARS]
        name = _text(inner.get("name"))[:MAX_NAME_CHARS]
        arguments = _arguments(inner)
        begun = self._find(number, id_, name, arguments, place)
        if begun is None:
            return
        begun.id = begun.id or id_
        begun.name = self._join_name(begun, name)
        begun.add(arguments)
        if isinstance(extra := entry.get("extra_content"), Mapping):
            begun.extra["extra_content"] = extra

    def _find(
        self, index: int | None, id_: str, name: str, arguments: str, place: int | None
    ) -> _Begun | None:
        """The call a piece belongs to; None where there are too many."""
        for begun in reversed(self._begun):
            if id_ and begun.id == id_:
                return begun
        known = self._find_known(index, id_, place)
        if known is not None and not self._begins_another(known, id_, name, arguments):
            return known
        if len(self._begun) >= MAX_CALLS:
            return None
        self._begun.append(_Begun(index))
        return self._begun[-1]

    def _find_known(self, index: int | None, id_: str, place: int | None) -> _Begun | None:
        if index is not None:
            same = [begun for begun in self._begun if begun.index == index]
            return same[-1] if same else None
        if place is not None and not id_:  # one of several: they stand in the same order each time
            return self._begun[place] if place < len(self._begun) else None
        return self._begun[-1] if self._begun else None

    def _begins_another(self, known: _Begun, id_: str, name: str, arguments: str) -> bool:
        """Whether a piece that would go on with `known` is of another call after all."""
        if id_ and known.id:
            return True  # the ids differ, or it would have been found by its own
        if not name or not known.name:
            return False
        if name == known.name:
            return known.whole and bool(arguments) and arguments.strip() != known.arguments.strip()
        return bool(known.pieces) or (name in self._names and known.name in self._names)

    def _join_name(self, begun: _Begun, name: str) -> str:
        """A name may come in pieces, or again and again."""
        if not name or name == begun.name:
            return begun.name
        if begun.name in self._names or name.startswith(begun.name):
            return begun.name if begun.name in self._names else name
        return (begun.name + name)[:MAX_NAME_CHARS]


def _arguments(inner: Mapping[str, object]) -> str:
    """The arguments as text: an object is written as JSON."""
    value = inner.get("arguments")
    if value is None:
        value = inner.get("parameters")
    if isinstance(value, str):
        return value
    return "" if value is None else dump(value)


def _is_object(text: str) -> bool:
    try:
        return text.strip()[:1] in ("{", '"') and read_arguments(text) is not None
    except ArgumentsError:
        return False


def _text(value: object) -> str:
    return mend(value) if isinstance(value, str) else ""
