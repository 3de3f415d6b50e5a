"""What every agent's LLM may be allowed to do without anybody's server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from sayso.clock import Clock
from sayso.functions import Outcome, refuse_unknown
from sayso.functions.values import choose, read_text, refuse_compound
from sayso.llm import Tool, ToolCall
from sayso.llm.arguments import ArgumentsError, read_arguments
from sayso.talk.record import LeftMessage
from sayso.talk.transfer import CONNECTED, MAX_TRANSFERS, Destination, make_tool
from sayso.talk.transfer import TOO_MANY as TOO_MANY_TRANSFERS
from sayso.zones import ZoneError, find_zone

MAX_MESSAGES: Final = 10
"""So many a caller may leave in one conversation."""
MAX_MESSAGE_CHARS: Final = 2_000
MAX_CONTACT_CHARS: Final = 250
MAX_FAREWELL_CHARS: Final = 500

ENDED: Final = (
    "Your farewell is said, and then the call ends. It goes on only if the caller speaks "
    "meanwhile, or if another function has just failed: then tell the caller."
)
LEFT: Final = "The message is kept, and will be read. Tell the caller so."
NO_MESSAGE: Final = "Nothing was kept: there is no message. Ask the caller what it is."
TOO_MANY: Final = "Nothing was kept: this caller has left as many messages as one may."


class Action(StrEnum):
    """What an agent may do; its owner says which (`builtInActions`, `transferDestinations`)."""

    END_CALL = "end-call"
    CURRENT_TIME = "current-time"
    LEAVE_MESSAGE = "leave-message"
    SWITCH_LANGUAGE = "switch-language"
    TRANSFER = "transfer"


def _schema(required: Sequence[str], **described: str) -> Mapping[str, object]:
    """The JSON schema of an object of texts."""
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": text} for name, text in described.items()
        },
        "required": list(required),
    }


TOOLS: Final[Mapping[Action, Tool]] = {
    Action.END_CALL: Tool(
        "end_call",
        "Ends the call: hangs up. Call it once the caller has said goodbye or wants nothing more, "
        "and never in the middle of something. Do not say goodbye yourself: the farewell is said "
        "for you.",
        _schema(["farewell"], farewell="your last words to the caller, one short sentence"),
        safe=True,
    ),
    Action.CURRENT_TIME: Tool(
        "current_time",
        "Tells the current date, weekday and time. You do not know them otherwise.",
        _schema(
            [],
            time_zone="an IANA time zone such as Europe/Vienna; leave it away for the usual one",
        ),
        safe=True,
    ),
    Action.LEAVE_MESSAGE: Tool(
        "leave_message",
        "Keeps a message of the caller for the people you answer for. Call it when the caller "
        "wants to leave one, after you have asked what it is and how to reach them.",
        _schema(
            ["message"],
            message="what the caller wants to say, in their words",
            name="who the caller is",
            phone_number="where the caller can be reached",
        ),
    ),
    Action.SWITCH_LANGUAGE: Tool(
        "switch_language",
        "Goes over to another language: from then on you hear and speak it. Call it when the "
        "caller asks for it, or cannot go on in this one.",
        _schema(["language"], language="the language to speak"),
        safe=True,
    ),
    Action.TRANSFER: make_tool(()),
}

Given: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which actions an agent has, and what they need to know.

    Attributes:
        actions: which of them.
        time_zone: whose time is told unless another is asked for.
        languages: those it can go over to; with fewer than two that is not offered.
        destinations: to whom it may hand its caller on; without one that is not offered.
    """

    actions: tuple[Action, ...] = ()
    time_zone: str = "UTC"
    languages: tuple[str, ...] = ()
    destinations: tuple[Destination, ...] = ()


NOTHING: Final = Allowed()


class Actions:
    """A toolbox of built-in actions, for one conversation.

    Args:
        allowed: which of them.
        clock: tells the time.
        leave: writes a caller's message down.
        switch: has the rest of the conversation in another language.
    """

    def __init__(
        self,
        allowed: Allowed,
        clock: Clock,
        leave: Callable[[LeftMessage], None],
        switch: Callable[[str], None],
    ) -> None:
        self._zone = allowed.time_zone
        self._languages = allowed.languages
        self._destinations = allowed.destinations
        self._clock = clock
        self._leave = leave
        self._switch = switch
        self._left = self._transferred = 0
        acts: Mapping[Action, Callable[[Given], Outcome]] = {
            Action.END_CALL: self._end_call,
            Action.CURRENT_TIME: self._tell_time,
            Action.LEAVE_MESSAGE: self._take_message,
            Action.SWITCH_LANGUAGE: self._switch_language,
            Action.TRANSFER: self._transfer,
        }
        impossible = {
            Action.SWITCH_LANGUAGE: len(self._languages) < 2,
            Action.TRANSFER: not self._destinations,
        }
        offered = [one for one in Action if one in allowed.actions and not impossible.get(one)]
        self.tools: Sequence[Tool] = [self._make_tool(one) for one in offered]
        self._acts = {TOOLS[one].name: acts[one] for one in offered}

    def _make_tool(self, action: Action) -> Tool:
        if action is Action.TRANSFER:
            return make_tool(self._destinations)
        tool = TOOLS[action]
        if action is not Action.SWITCH_LANGUAGE:
            return tool
        language = {"type": "string", "enum": list(self._languages)}
        schema = {**tool.parameters, "properties": {"language": language}}
        return replace(tool, parameters=schema)

    async def call(self, call: ToolCall) -> Outcome:
        """Do it; never raises."""
        act = self._acts.get(call.name)
        if act is None:
            return refuse_unknown(self.tools)
        try:
            sent = read_arguments(call.arguments)
            given = {name: _read(value) for name, value in sent.items() if value is not None}
        except (ArgumentsError, ValueError) as error:
            return Outcome(ok=False, text=f"Nothing was done: {error}", finding="arguments.bad")
        return act(given)

    def _end_call(self, given: Given) -> Outcome:
        farewell = given.get("farewell", "")[:MAX_FAREWELL_CHARS]
        return Outcome(ok=True, text=ENDED, farewell=farewell)

    def _tell_time(self, given: Given) -> Outcome:
        name = given.get("time_zone") or self._zone
        try:
            zone = find_zone(name)
        except ZoneError as error:
            text = f"{name[:MAX_CONTACT_CHARS]!r} {error}."
            return Outcome(ok=False, text=text, finding="arguments.bad")
        now = self._clock.utc().astimezone(zone)
        offset = now.strftime("%z")
        told = now.strftime(f"%A, {now.day} %B %Y, %H:%M")
        return Outcome(ok=True, text=f"It is {told} in {zone.key} (UTC{offset[:3]}:{offset[3:5]}).")

    def _take_message(self, given: Given) -> Outcome:
        message = given.get("message", "")[:MAX_MESSAGE_CHARS]
        if not message:
            return Outcome(ok=False, text=NO_MESSAGE, finding="arguments.missing")
        if self._left >= MAX_MESSAGES:
            return Outcome(ok=False, text=TOO_MANY, finding="call.too_many")
        self._left += 1
        name, number = (given.get(one, "")[:MAX_CONTACT_CHARS] for one in ("name", "phone_number"))
        self._leave(LeftMessage(message, name, number))
        return Outcome(ok=True, text=LEFT)

    def _switch_language(self, given: Given) -> Outcome:
        try:
            language = choose(self._languages, given.get("language", ""))
        except ValueError as error:
            text = f"Nothing was changed: language {error}."
            return Outcome(ok=False, text=text, finding="arguments.bad")
        self._switch(language)
        name = language.capitalize()
        return Outcome(ok=True, text=f"From now on you hear and speak {name}. Go on in {name}.")

    def _transfer(self, given: Given) -> Outcome:
        names = [one.name for one in self._destinations]
        try:
            name = choose(names, given.get("destination", ""))
        except ValueError as error:
            text = f"Nothing was done: destination {error}."
            return Outcome(ok=False, text=text, finding="arguments.bad")
        if self._transferred >= MAX_TRANSFERS:
            return Outcome(ok=False, text=TOO_MANY_TRANSFERS, finding="call.too_many")
        self._transferred += 1
        message = self._destinations[names.index(name)].message
        return Outcome(ok=True, text=CONNECTED, farewell=message, transfers_to=name)


def _read(value: object) -> str:
    """One argument as text. Raises ValueError."""
    return read_text(refuse_compound(value)).strip()
