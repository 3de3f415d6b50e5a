"""Calls of functions that an LLM writes into its words, in the syntaxes models were taught. Pure.

Hermes and Qwen write `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, Qwen3-Coder XML
inside of it, GLM keys and values; Mistral `[TOOL_CALLS]`, Llama bare JSON or `<function=name>`,
Kimi and DeepSeek marks of their own, LFM2 Python. Servers that do not parse these for us let them
through as text (livekit/agents PR#5840).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sayso.llm import ToolCall
from sayso.llm.arguments import dump
from sayso.llm.calls import MAX_CALLS

UNREADABLE = "unreadable_call"
"""The name of a call of which nothing could be read but that it is one."""
MAX_WRITTEN_CHARS = 20_000
"""Longest call that is read; what is longer is unreadable, or words."""

_NAME = r"[A-Za-z_][\w.-]{0,127}"
_FUNCTION = re.compile(rf"<function=({_NAME})>?(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(
    rf"<parameter=({_NAME})>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL
)
_ARG = re.compile(
    r"<arg_key>\s*(.*?)\s*</arg_key>\s*<arg_value>(.*?)(?:</arg_value>|\Z)", re.DOTALL
)
_TAG = re.compile(r"<[^<>]*>")
_NAMED = re.compile(
    rf"(?:functions\.|<\uff5ctool\u2581sep\uff5c>|^\s*|\[TOOL_CALLS\]\s*)({_NAME}?)(?::\d+)?"
    r"(?:\[CALL_ID\]\w+)?\s*"
    r"(?:\[ARGS\]|<\|tool_call_argument_begin\|>|<\uff5ctool\u2581sep\uff5c>|```json|\()?\s*(?=\{)",
    re.MULTILINE,
)
_FENCE = re.compile(r"```[ \t]*([\w-]{0,20})[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_FENCE_MARK = "```"
_KEYS = ("arguments", "parameters", "args", "input")


def read_written(text: str) -> list[ToolCall]:
    """The calls in `text`, which is known to be about calls; an unreadable one if there is none."""
    text = text[:MAX_WRITTEN_CHARS]
    for read in (_read_json, _read_xml, _read_named, _read_python):
        if found := list(read(text))[:MAX_CALLS]:
            return found
    return [ToolCall("", UNREADABLE, dump({"text": text.strip()[:200]}))]


def read_bare(text: str, names: Collection[str]) -> list[ToolCall]:
    """The calls that `text` is, if it is nothing but calls of functions with these names."""
    text = text.strip()
    if fence := _FENCE.fullmatch(text):
        text = fence[2].strip()
    if len(text) > MAX_WRITTEN_CHARS or not text.startswith(("{", "[")):
        return []
    found = list(_read_json(text))
    return found[:MAX_CALLS] if all(call.name in names for call in found) else []


# Syntaxes ------------------------------------------------------------------------------------


_OPEN = re.compile(r"[{\[]")


def _read_json(text: str) -> Iterator[ToolCall]:
    """JSON values one after the other, each a call or a list of calls."""
    decoder, at = json.JSONDecoder(strict=False), 0
    while (match := _OPEN.search(text, at)) is not None:
        try:
            value, at = decoder.raw_decode(text, match.start())
        except ValueError:
            at = match.end()
            continue
        except RecursionError:
            return
        yield from _read_value(value)


def _read_value(value: object) -> Iterator[ToolCall]:
    if isinstance(value, list):
        for one in value[:MAX_CALLS]:
            if isinstance(one, dict):
                yield from _read_value(one)
    elif isinstance(value, dict):
        inner = value.get("function")
        if isinstance(listed := value.get("tool_calls"), list):
            yield from _read_value(listed)
        elif isinstance(inner, dict):
            yield from _read_value(inner)
        elif (call := _read_object(value)) is not None:
            yield call


def _read_object(value: Mapping[str, Any]) -> ToolCall | None:
    """One call: `{"name": ..., "arguments": {...}}` and its cousins."""
    name = value.get("name", value.get("function"))
    key = next((key for key in _KEYS if key in value), None)
    alone = set(value) <= {"name", "function", "type", "id"}
    if not isinstance(name, str) or not re.fullmatch(_NAME, name) or (key is None and not alone):
        return None
    arguments = value[key] if key else {}
    text = arguments if isinstance(arguments, str) else dump(arguments)
    return ToolCall("", name, text or "{}")


def _read_xml(text: str) -> Iterator[ToolCall]:
    """`<function=name><parameter=key>value</parameter></function>`, and GLM's keys and values."""
    for match in _FUNCTION.finditer(text):
        pairs = _PARAMETER.findall(match[2])
        body = match[2].strip()
        arguments = dump({key: _guess(value) for key, value in pairs}) if pairs else body
        yield ToolCall("", match[1], arguments or "{}")
    pairs = _ARG.findall(text)
    if pairs and (named := re.search(_NAME, _TAG.sub("", text[: text.find("<arg_key>")]))):
        yield ToolCall("", named[0], dump({key: _guess(value) for key, value in pairs}))


def _read_named(text: str) -> Iterator[ToolCall]:
    """A name, a mark or nothing, and a JSON object: `functions.find:0 {...}`, `find[ARGS]{...}`."""
    decoder = json.JSONDecoder(strict=False)
    for match in _NAMED.finditer(text):
        if not match[1]:
            continue
        try:
            value, _ = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            yield ToolCall(
                "", match[1], text[match.end() :].strip()
            )  # to be told that it is damaged
            return
        yield ToolCall("", match[1], dump(value))


def _read_python(text: str) -> Iterator[ToolCall]:
    """`[find(city="Graz"), look()]`, or `find.call(city="Graz")`."""
    try:
        tree = ast.parse(text.strip().removeprefix("print(").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]:
        if isinstance(node, ast.Call) and (name := _name_of(node.func)):
            yield ToolCall("", name, dump(_keywords_of(node)) or "{}")


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id if node.attr == "call" else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _keywords_of(node: ast.Call) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword in node.keywords:
        try:
            found[keyword.arg or ""] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError):
            continue  # only values are taken; the function says what it lacks
    return found


def _guess(value: str) -> object:
    """A value without quotes: a number, true, an object; else it is text."""
    try:
        guessed: object = json.loads(value)
    except (ValueError, RecursionError):
        return value.strip("\n")
    return guessed


# A sieve --------------------------------------------------------------------------------------


class Written:
    """Takes bare calls out of streamed words: JSON where a line begins, or a fenced block.

    What may be one is held back until that is known; what turns out to be words is given back.

    Attributes:
        found: the calls that were taken out; what comes behind one is not spoken, for it is the
            LLM's guess at what the function returns.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._block: _Block | None = None
        self._fresh = True  # at the beginning of a line
        self.found: list[ToolCall] = []

    def feed(self, text: str) -> str:
        """Take a piece; get what is to be spoken."""
        spoken = ""
        while text:
            if self._block is None:
                begin = self._find_begin(text)
                spoken += self._speak(text[:begin])
                text = text[begin:]
                self._block = _Block() if text else None
            if self._block is not None:
                text = self._block.feed(text)
                spoken += self.finish() if self._block.ended else ""
        return spoken

    def finish(self) -> str:
        """Take the end; get what was held back and turned out to be words."""
        if self._block is None:
            return ""
        held, self._block = "".join(self._block.parts), None
        if calls := read_bare(held, self._names):
            self.found = (self.found + calls)[:MAX_CALLS]
            return ""
        return self._speak(held)

    def _speak(self, text: str) -> str:
        if text.strip() or "\n" in text:
            self._fresh = "\n" in text and not text.rpartition("\n")[2].strip()
        return "" if self.found else text

    def _find_begin(self, text: str) -> int:
        """Where a block begins, or may: at a fence, or at a bracket that begins a line."""
        match = (_FRESH_BLOCK if self._fresh else _BLOCK).search(text)
        return match.start("mark") if match else len(text)


_BLOCK = re.compile(r"(?:\n[ \t]*|(?=`))(?P<mark>[{\[`])")
_FRESH_BLOCK = re.compile(r"(?:\A[ \t]*|\n[ \t]*|(?=`))(?P<mark>[{\[`])")


class _Block:
    """A stretch that may be a call: to its closing bracket, or from one fence to the next."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.ended = False
        self._chars = 0
        self._open = ""  # what it began with
        self._depth = 0
        self._quoted = self._escaped = False
        self._ticks = 0
        self._fences = 0

    def feed(self, text: str) -> str:
        """Take more of it; get what is behind its end."""
        for at, char in enumerate(text):
            self._open = self._open or char
            self._chars += 1
            over = self._see_fence(char) if self._open == "`" else self._see_bracket(char)
            if over or self._chars >= MAX_WRITTEN_CHARS:
                self.ended = True
                self.parts.append(text[: at + 1])
                return text[at + 1 :]
        self.parts.append(text)
        return ""

    def _see_fence(self, char: str) -> bool:
        """Whether the block is over with `char`; an opening that is none is over as well."""
        self._ticks = self._ticks + 1 if char == "`" else 0
        if self._ticks == len(_FENCE_MARK):
            self._fences, self._ticks = self._fences + 1, 0
        return self._fences == 2 or (self._fences == 0 and char != "`")

    def _see_bracket(self, char: str) -> bool:
        if self._quoted:
            self._quoted = self._escaped or char != '"'
            self._escaped = char == "\\" and not self._escaped
            return False
        self._quoted = char == '"'
        self._depth += (char in "{[") - (char in "}]")
        return not self._depth
