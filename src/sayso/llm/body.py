"""What is sent to an LLM: exactly what its profile tolerates, and what a refusal teaches. Pure.

A strict server answers 400 or 422 to a field it does not know and usually names it. `amend` reads
that name, so that the same question can be asked again at once without the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sayso.llm import Endpoint, Message, Tell, Told, Tool
from sayso.llm.arguments import tidy
from sayso.llm.excerpts import present
from sayso.llm.profile import STRANGER, Limit, Profile
from sayso.llm.prompted import NO_PARAMETERS, describe, teach, tell
from sayso.variables import clean

DEFAULT_MODEL = "gpt-3.5-turbo"
"""Sent when an agent names no model: the contract's sample request has it (§3.1, §3.2), and
many servers refuse a request without one."""
AMENDABLE = frozenset((400, 422, 500))
"""Statuses of a refused body; llama.cpp answers 500 where a template refuses the roles."""
MAX_REFUSAL_CHARS = 4096
"""How much of a refusal is read."""

MAX_METADATA = 16
"""Pairs of `metadata`; this and the next two are the bounds OpenAI documents for it."""
MAX_METADATA_NAME_CHARS = 64
MAX_METADATA_CHARS = 512

NOTHING = "(nothing)"
"""Sent for a result without text: many servers refuse an empty message."""
OPENING = "You opened the conversation by saying:\n"

_OURS = frozenset(("messages", "stream"))
_ABOUT_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")
_REFUSING_TOOLS = frozenset((400, 404, 422, 500, 501))
"""OpenRouter answers 404 where no provider of a model takes tools, llama.cpp 500 without Jinja."""
_CANNOT = (
    r"not (?:be )?(?:support|enabl|available|allow|permit|accept)|unsupported|requires?|disabled"
)
_TOOLS = re.compile(
    r"(?:not|un)\s?support\w*\W.{0,60}?(?:tool|function)|"
    rf"\b(?:tools?|function)[ _-]?(?:use|calls?|calling|choice|param)?\W.{{0,60}}?(?:{_CANNOT})|"
    r"found that support tool|"
    r"(?:got|roles?|unknown|unexpected|unsupported|invalid)\W.{0,20}\btool\b",
    re.IGNORECASE | re.DOTALL,
)
_CONTENT = re.compile(
    r"\bcontent\b.{0,80}(?:null|none|string|required|missing|empty|must|invalid)|"
    r"(?:null|none|nonetype|missing|required|invalid|empty).{0,60}\bcontent\b",
    re.IGNORECASE | re.DOTALL,
)
_LASTING = re.compile(
    r"unsupported|not support|unrecognized|unrecognised|unknown|unexpected|not permitted|"
    r"not allowed|only allowed|not accept|forbidden|extra|additional propert|deprecated|instead|"
    r"no such|"
    r"only the default|not enabled|not available|must be omitted",
    re.IGNORECASE,
)
_ALTERNATE = re.compile(r"alternat", re.IGNORECASE)
_SYSTEM = re.compile(
    r"(system|developer)( |'|\")*(role|message|prompt|instruction)s?\W.{0,80}?"
    r"(not|un|only|must|cannot)|only user.{0,40}assistant.{0,40}roles|"
    r"roles? must alternate|must start with a user|first message must be|"
    r"(invalid|unknown|unsupported|unexpected).{0,20}role\W.{0,20}system",
    re.IGNORECASE | re.DOTALL,
)
_REFUSES = (
    r"not|un(?:supported|known|recogni[sz]ed|expected)|extra|forbidden|deprecated|invalid|removed"
)


def build_body(
    endpoint: Endpoint,
    messages: Sequence[Message],
    profile: Profile = STRANGER,
    told: Told | None = None,
    tools: Sequence[Tool] = (),
) -> dict[str, object]:
    """The smallest request that says everything, in the words `profile` tolerates.

    An endpoint that takes no `tools` is told of them in words.
    """
    messages = present(messages)
    native = bool(tools) and profile.tools is not False and "tools" not in profile.refused
    if not native:
        messages = teach(messages, tools) if tools else tell(messages)
    body: dict[str, object] = {
        "model": endpoint.model or DEFAULT_MODEL,
        "messages": [_write_line(line, profile) for line in shape(messages, profile)],
        "stream": True,
    }
    if endpoint.temperature is not None and profile.temperature:
        body["temperature"] = endpoint.temperature
    if endpoint.max_tokens is not None and profile.limit is not Limit.NONE:
        body[profile.limit.value] = endpoint.max_tokens
    if told is not None and endpoint.tell is Tell.BODY:
        body |= tell_body(told)
    body.update((k, v) for k, v in endpoint.extra.items() if k not in _OURS)
    if native:
        body["tools"] = [_write_tool(tool) for tool in tools]
    elif tools:
        for name in _ABOUT_TOOLS:
            body.pop(name, None)
    return {k: v for k, v in body.items() if k not in profile.refused or k == "messages"}


def _write_line(line: Message, profile: Profile) -> dict[str, object]:
    if line.role == "tool":
        return {"role": "tool", "tool_call_id": line.call_id, "content": line.content or NOTHING}
    if not line.calls:
        return {"role": line.role, "content": line.content}
    calls = [
        {
            "id": call.id,
            "type": "function",
            # Templates parse what a model wrote, and fail on what is damaged.
            "function": {"name": call.name, "arguments": tidy(call.arguments)},
            **call.extra,
        }
        for call in line.calls
    ]
    content = line.content or ("" if profile.blank else None)
    return {"role": line.role, "content": content, "tool_calls": calls}


def _write_tool(tool: Tool) -> dict[str, object]:
    function = {
        "name": tool.name,
        "description": describe(tool),
        "parameters": dict(tool.parameters or NO_PARAMETERS),
    }
    return {"type": "function", "function": function}


def tell_body(told: Told) -> dict[str, object]:
    """The body fields that name the conversation, as OpenAI names them.

    `metadata` holds the ids, then the variables in their order, as strings: at most
    MAX_METADATA pairs, and no value longer than MAX_METADATA_CHARS; others are left out.
    """
    ids = {
        "conversation_id": told.conversation_id,
        "agent_id": told.agent_id,
        "caller_id": told.caller_id,
    }
    variables = {name: value for name, value in told.variables.items() if name not in ids}
    fitting = [
        (name, value)
        for name, value in (ids | variables).items()
        if value and len(name) <= MAX_METADATA_NAME_CHARS and len(value) <= MAX_METADATA_CHARS
    ]
    return {
        "user": told.caller_id or told.conversation_id,
        "metadata": dict(fitting[:MAX_METADATA]),
    }


def tell_headers(told: Told) -> dict[str, str]:
    """The headers that name the conversation."""
    known = {
        "X-Conversation-Id": told.conversation_id,
        "X-Agent-Id": told.agent_id,
        "X-Caller-Id": clean(told.caller_id),
    }
    return {name: value for name, value in known.items() if value}


# Roles ----------------------------------------------------------------------------------------


def shape(messages: Sequence[Message], profile: Profile) -> list[Message]:
    """`messages` as the endpoint's template takes them.

    With `alternates`, lines of one role become one and the caller comes first; without `system`,
    instructions stand in the caller's first line.
    """
    system = [line.content for line in messages if line.role == "system"]
    turns = [line for line in messages if line.role != "system"]
    if profile.alternates is False and profile.system:
        return list(messages)
    if profile.alternates is not False:
        turns = _merge(turns)
        if turns and turns[0].role == "assistant" and not turns[0].calls:
            system.append(OPENING + turns.pop(0).content)
    instructions = "\n\n".join(text for text in system if text)
    if not instructions:
        return turns
    if profile.system:
        return [Message("system", instructions), *turns]
    return _fold(instructions, turns)


def _merge(turns: Sequence[Message]) -> list[Message]:
    """Lines of one role as one; results of functions stay apart, each behind its call."""
    merged: list[Message] = []
    for line in turns:
        last = merged[-1] if merged else None
        if last and last.role == line.role != "tool" and not last.calls:
            content = f"{last.content} {line.content}".strip()
            merged[-1] = replace(line, content=content)
        else:
            merged.append(line)
    return merged


def _fold(instructions: str, turns: Sequence[Message]) -> list[Message]:
    for n, line in enumerate(turns):
        if line.role == "user":
            folded = Message("user", f"{instructions}\n\n{line.content}")
            return [*turns[:n], folded, *turns[n + 1 :]]
    return [Message("user", instructions), *turns]


# Refusals -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a refusal teaches.

    Attributes:
        profile: what to send next.
        lasting: the endpoint never takes what it refused; else only this value of it.
        culprit: what it refused, such as `temperature` or `system`.
    """

    profile: Profile
    lasting: bool
    culprit: str


def amend(
    profile: Profile, sent: Mapping[str, object], status: int, refusal: str
) -> Amendment | None:
    """What to leave out after `sent` was refused with `status` and `refusal`, if that says it."""
    refusal = refusal[:MAX_REFUSAL_CHARS]
    named = _read_names(refusal, sent) if status in AMENDABLE and status != 500 else []
    if not set(named) - {"tools"} and (amended := _amend_tools(profile, sent, status, refusal)):
        return amended
    if named:
        for name in named:
            profile = _without(profile, name, refusal)
        return Amendment(profile, bool(_LASTING.search(refusal)), ", ".join(named))
    return _amend_roles(profile, sent, status, refusal)


def _amend_roles(
    profile: Profile, sent: Mapping[str, object], status: int, refusal: str
) -> Amendment | None:
    """What a refusal teaches that names no field: about roles, or nothing at all."""
    if status not in AMENDABLE:
        return None
    if profile.alternates is False and _ALTERNATE.search(refusal):
        return Amendment(replace(profile, alternates=True), True, "messages")
    if profile.system and _sends_system(sent) and _SYSTEM.search(refusal):
        return Amendment(replace(profile, system=False), True, "system")
    if "tools" in sent and status != 500:
        # Nothing says why. Words are taken by everybody, so this conversation does with them.
        return Amendment(replace(profile, tools=False), False, "tools")
    return None


def _amend_tools(
    profile: Profile, sent: Mapping[str, object], status: int, refusal: str
) -> Amendment | None:
    """What a refusal teaches about functions; None if it is about something else."""
    if "tools" not in sent or status not in _REFUSING_TOOLS:
        return None
    if not profile.blank and _sends_null(sent) and _CONTENT.search(refusal):
        return Amendment(replace(profile, blank=True), True, "content")
    if _TOOLS.search(refusal):
        return Amendment(replace(profile, tools=False), True, "tools")
    return None


def _sends_null(sent: Mapping[str, object]) -> bool:
    messages = sent.get("messages")
    lines = messages if isinstance(messages, list) else []
    return any(isinstance(line, dict) and line.get("content", "") is None for line in lines)


def _without(profile: Profile, name: str, refusal: str) -> Profile:
    if name == "temperature":
        return replace(profile, temperature=False).refusing(name)
    if name == "tools":
        return replace(profile, tools=False)
    if name == Limit.MAX_TOKENS and "max_completion_tokens" in refusal:
        return replace(profile, limit=Limit.MAX_COMPLETION_TOKENS)
    if name == Limit.MAX_COMPLETION_TOKENS and re.search(r"\bmax_tokens\b", refusal):
        return replace(profile, limit=Limit.MAX_TOKENS)
    if name in (Limit.MAX_TOKENS, Limit.MAX_COMPLETION_TOKENS):
        return replace(profile, limit=Limit.NONE).refusing(name)
    return profile.refusing(name)


def _sends_system(sent: Mapping[str, object]) -> bool:
    messages = sent.get("messages")
    lines = messages if isinstance(messages, list) else []
    return any(isinstance(line, dict) and line.get("role") == "system" for line in lines)


def _read_names(refusal: str, sent: Mapping[str, object]) -> list[str]:
    """The fields of `sent` that `refusal` names, best guess first."""
    ours = [name for name in sent if name not in ("messages", "model")]
    try:
        body: object = json.loads(refusal)
    except (ValueError, RecursionError):
        body = None
    if param := _param(body, ours):
        return [param]
    if located := [name for name in ours if name in _locations(body)]:
        return located
    return [name for name in ours if _mentions(refusal, name)]


def _param(body: object, ours: Sequence[str]) -> str | None:
    """`error.param` as OpenAI fills it: `temperature`, or `metadata.agent_id`."""
    error = body.get("error") if isinstance(body, dict) else None
    param = error.get("param") if isinstance(error, dict) else None
    root = re.split(r"[.\[]", param)[0] if isinstance(param, str) else ""
    return root if root in ours else None


def _locations(body: object) -> set[object]:
    """The fields in `detail[].loc`, as FastAPI reports what it does not know."""
    detail = body.get("detail") if isinstance(body, dict) else None
    found: set[object] = set()
    for one in detail if isinstance(detail, list) else ():
        place = one.get("loc") if isinstance(one, dict) else None
        if isinstance(place, list) and len(place) > 1 and place[0] == "body":
            found.add(str(place[1]))
    return found


def _mentions(refusal: str, name: str) -> bool:
    """Whether `refusal` speaks of the field: an English word such as `user` needs more proof."""
    word = re.escape(name)
    if "_" in name or name == "temperature":
        return re.search(rf"\b{word}\b", refusal) is not None
    return (
        re.search(
            rf"['\"`.]{word}\\?['\"`]|"
            rf"(?:param(?:eter)?|field|argument|property|key|input)s?(?: supplied| named)?"
            rf"\W{{1,3}}{word}\b|"
            rf"\b{word}\b\W{{1,3}}(?:is |are |was )?(?:{_REFUSES})",
            refusal,
        )
        is not None
    )
