"""An agent's external functions as tools of its LLM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sayso.functions import Outcome
from sayso.functions.call import HttpCalls
from sayso.functions.definition import KEYED, Function, Kind, Parameter
from sayso.functions.naming import make_names
from sayso.llm import Tool, ToolCall

CONFIRM_FIRST = "Tell the caller what you are about to do, and call this only once they agreed."
"""Is added to the description of what a caller must confirm."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a conversation treats calls of one tool.

    Attributes:
        confirm: the caller must agree first.
        safe: a call changes nothing, and may be made for a draft that nobody hears.
        filler: what is said while it takes long; "" for the usual.
        timeout_s: how long a call may take, in seconds.
        secret_arguments: names of arguments that no record keeps.
    """

    confirm: bool = False
    safe: bool = False
    filler: str = ""
    timeout_s: float = 10.0
    secret_arguments: frozenset[str] = frozenset()


class FunctionTools:
    """A toolbox of external functions, for one conversation.

    Attributes:
        tools: what the LLM is offered, under names every LLM takes.
        manners: how calls of each are treated, by the tool's name.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        calls: HttpCalls,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`variables` are what `{{names}}` in fixed values stand for in this conversation."""
        names = make_names([one.name for one in functions], "function")
        self._functions = dict(zip(names, functions, strict=True))
        self._calls = calls
        self._variables = dict(variables or {})
        self.tools: Sequence[Tool] = [make_tool(name, one) for name, one in self._functions.items()]
        self.manners: Mapping[str, Manners] = {
            name: make_manners(one) for name, one in self._functions.items()
        }

    async def call(self, call: ToolCall) -> Outcome:
        """Carry out one call; never raises, whatever it does."""
        function = self._functions.get(call.name) or self._find(call.name)
        if function is None:
            known = ", ".join(self._functions) or "none"
            return Outcome(
                ok=False,
                text=f"There is no such function. You have: {known}.",
                ms=0.0,
                finding="function.unknown",
            )
        return (await self._calls.call(function, call.arguments, self._variables)).outcome

    def _find(self, name: str) -> Function | None:
        """The function an LLM means that does not keep to capitals, or uses the owner's name."""
        plain = name.strip().lower()
        for known, function in self._functions.items():
            if plain in {known.lower(), function.name.strip().lower()}:
                return function
        return None


def make_tool(name: str, function: Function) -> Tool:
    """`function` as an LLM is offered it."""
    description = " ".join(function.description.split())
    if function.confirm:
        end = "" if description.endswith((".", "!", "?")) else "."
        description = f"{description}{end} {CONFIRM_FIRST}"
    return Tool(name, description, make_schema(function))


def make_schema(function: Function) -> dict[str, object]:
    """The JSON schema of what the LLM gives; fixed values are not in it."""
    pairs = list(zip(function.argument_names, function.dynamic, strict=True))
    return {
        "type": "object",
        "properties": {name: _describe(name, parameter) for name, parameter in pairs},
        "required": [name for name, parameter in pairs if parameter.required],
    }


def _describe(name: str, parameter: Parameter) -> dict[str, object]:
    described = " ".join(parameter.description.split())
    if not described and parameter.name != name:
        described = parameter.name
    found: dict[str, object] = {
        "type": "string" if parameter.kind is Kind.ENUM else parameter.kind.value
    }
    if parameter.choices:
        found["enum"] = list(parameter.choices)
    return {**found, "description": described} if described else found


def make_manners(function: Function) -> Manners:
    """How calls of `function` are treated."""
    pairs = zip(function.argument_names, function.dynamic, strict=True)
    return Manners(
        confirm=function.confirm,
        safe=function.safe,
        filler=function.filler,
        timeout_s=function.timeout_s,
        secret_arguments=frozenset(name for name, one in pairs if KEYED.search(one.name)),
    )
