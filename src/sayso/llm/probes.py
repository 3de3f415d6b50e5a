"""What a check looks into after it has answered: everything a later conversation may meet.

Each probe asks one thing, notes what is wrong, and writes what it learned into the profile. One
that cannot tell leaves the profile as it is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from sayso.llm import Message, Tool
from sayso.llm.profile import Profile
from sayso.llm.tolerance import COUNT, SMOKE
from sayso.llm.trial import Answer, Trial

PROBE_S = 20.0
"""Longest wait for one probe, in seconds."""
LONG_PROMPT_CHARS = 12_000
"""A prompt, some knowledge and a conversation of some minutes have about so many characters."""
TELLING_S = 0.2
"""An answer must last this long, in seconds, for its overlap with another to be seen."""
TOGETHER = 0.25
"""Two answers to two callers share at least so much of the shorter one's time, unless one waits."""
FREED_S = 0.5
"""How long a server may take to notice that a caller hung up, in seconds."""
BUSY_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""How long a busy server is left alone before it is asked again, in seconds."""
SETTLE_S = 0.1
"""The end of an answer, behind its last word, is read aside; it is given so long, in seconds."""

TALK_CHARS = 200
"""Who said so much in words does not call: a model that talks on for ever is not waited for."""

LETTERS = "Grüße aus Zürich, naïve café, 你好 👋"
_DAMAGED = re.compile(r"\ufffd|Ã[\u0080-\u00bf]|â[\u0080-\u009f€]")
_FILLER = "The shop is open from nine to five on weekdays and closed on public holidays. "
TOOL = Tool(
    "look_up_opening_hours",
    "Looks up the opening hours of a day.",
    {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
)
"""Harmless, and carried out by nobody."""
CALL = f"Call the function {TOOL.name} for Monday. Do not answer in words."
CALL_AGAIN = f"Use your function {TOOL.name} now, with Monday as the day, and say nothing else."
_NAMED = {"type": "function", "function": {"name": TOOL.name}}
MUST = ("required", _NAMED)
"""How a call is asked for that must be made: older servers know only the second, LM Studio only the
first (567-labs/instructor#2051)."""
_COUNTING = (Message("user", COUNT),)


async def probe_tools(trial: Trial) -> None:
    """Whether it takes tools, and calls one that it is plainly asked to call.

    Some servers drop `tools` silently, and their LLM talks as though there were none
    (Edge0-AI/Edge0#115, tetherto/qvac#4131), or says nothing at all (Blaizzy/mlx-vlm#1604). One
    such answer proves nothing: a shy model is asked again, and then made to call.
    """
    native = replace(trial.profile, tools=True, refused=trial.profile.refused - {"tools"})
    answer = await _ask_to_call(trial, CALL, native)
    if answer.refused:
        trial.note("tools.refused", answer.refusal)
        trial.profile = replace(trial.profile, tools=False)
    elif _has_called(answer):
        trial.profile = replace(trial.profile, tools=True)
    elif _lacks_call(answer):
        await _ask_for_tools_again(trial, native, answer.text)


async def _ask_for_tools_again(trial: Trial, native: Profile, said: str) -> None:
    """Whether one that answered in words instead of calling calls when asked again."""
    again = await _ask_to_call(trial, CALL_AGAIN, native)
    if _has_called(again):
        trial.profile = replace(trial.profile, tools=True)
        return
    if not _lacks_call(again):
        return
    if await _must_call(trial, native):
        trial.note("tools.shy", said)
        trial.profile = replace(trial.profile, tools=True)
        return
    told = await _ask_to_call(trial, CALL, replace(trial.profile, tools=False))
    if _has_called(told) or _lacks_call(told):
        trial.note("tools.ignored" if _has_called(told) else "tools.unused", said)
        trial.profile = replace(trial.profile, tools=False)


async def _must_call(trial: Trial, native: Profile) -> bool:
    """Whether it calls when it is told that it must; some take no such order, or overhear it."""
    for choice in MUST:
        answer = await _ask_to_call(trial, CALL, native, choice)
        if _has_called(answer) or _lacks_call(answer):
            return _has_called(answer)
    return False


async def _ask_to_call(
    trial: Trial, question: str, profile: Profile, choice: object = None
) -> Answer:
    """Offer `TOOL` as `profile` has it, and ask for a call; `choice` is how it must be made."""
    extra = {} if choice is None else {"tool_choice": choice}
    ask = partial(
        trial.ask,
        (Message("user", question),),
        profile=profile,
        extra=extra,
        enough_chars=TALK_CHARS,
        limit_s=PROBE_S,
        tools=(TOOL,),
    )
    return await _once_free(trial, ask)


def _has_called(answer: Answer) -> bool:
    return TOOL.name in answer.called


def _lacks_call(answer: Answer) -> bool:
    """Whether it was answered with nothing but words, or with nothing, as far as was waited."""
    code = "" if answer.failure is None else answer.failure.code
    slowly = code == "stream.too_long" and len(answer.text) >= TALK_CHARS // 2
    return (code in ("", "stream.empty") or slowly) and not answer.called


async def probe_stream_options(trial: Trial) -> None:
    """Whether it can count tokens in a stream."""
    extra = {"stream_options": {"include_usage": True}}
    answer = await _ask(trial, SMOKE, extra=extra, enough=1)
    if _tells(answer):
        trial.profile = replace(trial.profile, stream_options=not answer.refused)


async def probe_roles(trial: Trial) -> None:
    """Whether two messages of one role may follow each other."""
    lines = [
        {"role": "user", "content": "Hello."},
        {"role": "user", "content": SMOKE[0].content},
    ]
    answer = await _ask(trial, SMOKE, extra={"messages": lines}, enough=1)
    if _tells(answer):
        trial.profile = replace(trial.profile, alternates=answer.refused)


async def probe_unicode(trial: Trial) -> None:
    """Whether letters beyond ASCII come back whole, as far as they come back."""
    asked = Message("user", f'Repeat this exactly, and say nothing else: "{LETTERS}"')
    answer = await _ask(trial, (asked,))
    damaged = answer.refused or bool(_DAMAGED.search(answer.text))
    if damaged:
        trial.note("unicode.broken", answer.text or answer.refusal)
    if damaged or (_tells(answer) and not answer.text.isascii()):
        trial.profile = replace(trial.profile, unicode=not damaged)


async def probe_long_prompt(trial: Trial) -> None:
    """Whether it takes what a long conversation sends."""
    knowledge = _FILLER * (LONG_PROMPT_CHARS // len(_FILLER) + 1)
    messages = (Message("system", knowledge[:LONG_PROMPT_CHARS]), *SMOKE)
    answer = await _ask(trial, messages, enough=1)
    too_long = answer.refused or answer.status == 413
    if too_long:
        trial.note("prompt.too_long", answer.refusal, chars=LONG_PROMPT_CHARS)
    if too_long or _tells(answer):
        trial.profile = replace(trial.profile, long_prompt=not too_long)


async def probe_parallel(trial: Trial) -> None:
    """Whether two callers are answered at the same time; else whether a hang-up frees the server.

    A server that answers several at once shows nothing of what it does after a hang-up: the
    next request finds a free slot either way, how many there are is unknown, and the pace of a
    shared GPU changes for other reasons. Guessing there would accuse good servers.
    """
    alone = await _ask(trial, _COUNTING)
    if alone.first_s is None or alone.failure is not None:
        return
    async with asyncio.TaskGroup() as both:
        tasks = [both.create_task(_time(trial)) for _ in range(2)]
    one, two = (task.result() for task in tasks)
    busy = next((answer for answer in (one[0], two[0]) if _is_turned_away(answer)), None)
    if busy is not None:
        trial.note("parallel.refused", busy.refusal)
        trial.profile = replace(trial.profile, parallel=False)
    elif _lasts(alone) and is_queued(one, two):
        trial.note("parallel.queued")
        trial.profile = replace(trial.profile, parallel=False)
    elif one[0].failure is None and two[0].failure is None and _lasts(alone):
        trial.profile = replace(trial.profile, parallel=True)
    if trial.profile.parallel is False and _lasts(alone):
        await _probe_cancel(trial, alone)


async def _time(trial: Trial) -> tuple[Answer, float]:
    """An answer, and when its request was sent."""
    sent_s = asyncio.get_running_loop().time()
    return await trial.ask(_COUNTING, limit_s=2 * PROBE_S), sent_s


def is_queued(one: tuple[Answer, float], two: tuple[Answer, float]) -> bool:
    """Whether one of two answers began only when the other one was as good as over.

    The end of the first and the beginning of the second may be read in one go, in any order.
    """
    spans = []
    for answer, sent_s in (one, two):
        if answer.first_s is None or answer.failure is not None:
            return False
        spans.append((sent_s + answer.first_s, sent_s + answer.arrivals_s[-1]))
    together_s = min(ended for _, ended in spans) - max(began for began, _ in spans)
    shorter_s = min(ended - began for began, ended in spans)
    return together_s < TOGETHER * shorter_s


def _lasts(answer: Answer) -> bool:
    return bool(answer.arrivals_s) and answer.arrivals_s[-1] - answer.arrivals_s[0] > TELLING_S


async def _probe_cancel(trial: Trial, alone: Answer) -> None:
    """Hang up in the middle of an answer, and see whether the next one has to wait for it."""
    cut = await _ask(trial, _COUNTING, enough=1)
    if cut.failure is not None or alone.first_s is None:
        return
    began_s = asyncio.get_running_loop().time()
    after = await trial.ask(_COUNTING, enough=1, limit_s=PROBE_S)
    while _is_turned_away(after) and asyncio.get_running_loop().time() - began_s < FREED_S:
        await asyncio.sleep(0.1)
        after = await trial.ask(_COUNTING, enough=1, limit_s=PROBE_S)
    waited_s = asyncio.get_running_loop().time() - began_s - alone.first_s
    rest_s = alone.arrivals_s[-1] - alone.arrivals_s[0]
    ignored = _is_turned_away(after) or waited_s > max(TELLING_S, rest_s / 2)
    if ignored:
        trial.note("cancel.ignored", waited_s=max(0.0, waited_s))
    if ignored or after.failure is None:
        trial.profile = replace(trial.profile, cancels=not ignored)


async def probe_keep_alive(trial: Trial) -> None:
    """Whether a second request finds the connection of the first."""
    first = await _ask(trial, SMOKE)
    await asyncio.sleep(SETTLE_S)
    reused = trial.trace.reused
    second = await _ask(trial, SMOKE)  # whole, as the next probe takes the time of an idle server
    if first.failure is not None or second.failure is not None:
        return
    kept = trial.trace.reused > reused
    if not kept:
        trial.note("keepalive.none")
    trial.profile = replace(trial.profile, keep_alive=kept)


Probe: TypeAlias = Callable[[Trial], Awaitable[None]]
"""Asks about one thing; may be abandoned, and sent again."""

PROBES: tuple[Probe, ...] = (
    probe_tools,
    probe_stream_options,
    probe_roles,
    probe_unicode,
    probe_long_prompt,
    probe_keep_alive,
    probe_parallel,
)
"""In this order: what an agent needs first comes first, what keeps a server busy last."""


async def _ask(
    trial: Trial,
    messages: Sequence[Message],
    *,
    extra: Mapping[str, object] | None = None,
    enough: int | None = None,
) -> Answer:
    ask = partial(trial.ask, messages, extra=extra, enough=enough, limit_s=PROBE_S)
    return await _once_free(trial, ask)


async def _once_free(trial: Trial, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask, and ask again while the server is busy: it may still write for a probe that hung up."""
    answer = await ask()
    for wait_s in BUSY_WAITS_S:
        if not answer.busy or trial.left_s < wait_s:
            break
        await asyncio.sleep(wait_s)
        answer = await ask()
    return answer


def _tells(answer: Answer) -> bool:
    """Whether an answer says something about the request: taken or refused, not merely failed."""
    return answer.refused or answer.failure is None


def _is_turned_away(answer: Answer) -> bool:
    """Whether the server had no room, however it says so."""
    return answer.busy or (answer.failure is not None and answer.failure.code.startswith("connect"))
