"""An agent's external functions as tools of its LLM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sayso.functions import Outcome, refuse_unknown
from sayso.functions.call import HttpCalls
from sayso.functions.definition import KEYED, Function, Kind, Parameter
from sayso.functions.naming import make_names
from sayso.llm import Tool, ToolCall


class FunctionTools:
    """A toolbox of external functions, for one conversation.

    Attributes:
        tools: what the LLM is offered, under names every LLM takes.
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

    async def call(self, call: ToolCall) -> Outcome:
        """Carry out one call; never raises, whatever it does."""
        function = self._functions.get(call.name) or self._find(call.name)
        if function is None:
            return refuse_unknown(self.tools)
        return (await self._calls.call(function, call.arguments, self._variables)).outcome

    def _find(self, name: str) -> Function | None:
        """The function an LLM means that does not keep to capitals, or uses the owner's name."""
        plain = name.strip().lower()
        for known, function in self._functions.items():
            if plain in {known.lower(), function.name.strip().lower()}:
                return function
        return None


def make_tool(name: str, function: Function) -> Tool:
    """`function` as an LLM is offered it, and how a conversation treats its calls."""
    pairs = zip(function.argument_names, function.dynamic, strict=True)
    return Tool(
        name,
        " ".join(function.description.split()),
        make_schema(function),
        confirm=function.confirm,
        safe=function.safe,
        secret=tuple(argument for argument, one in pairs if KEYED.search(one.name)),
        filler=function.filler,
    )


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
