"""Finds out what an endpoint tolerates of what a conversation sends, by sending it.

A server that refuses a request often names the culprit; where it does not, the smallest request
is tried, and then each field on its own. All of it stays within the budget of the trial.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from sayso.llm import Message
from sayso.llm.body import Amendment, amend
from sayso.llm.cadence import seems_held_back, was_held_back
from sayso.llm.profile import STRANGER, Answers, Limit, Profile
from sayso.llm.reader import Form
from sayso.llm.trial import Answer, Trial

SMOKE_SENTENCE = "The smoke test has passed."
"""With a capital T: PlayAI's own test server answers only this spelling (contract §3.3)."""
PROMPT = f'Repeat this sentence exactly, and say nothing else: "{SMOKE_SENTENCE}"'
COUNT = "Count from one to forty in words, with a comma after each number, and say nothing else."

MAX_AMENDS = 4
"""How many named culprits are left out one after the other."""
MAX_FIELDS = 12
"""How many fields are tried on their own; more are left out together."""
PARALLEL = 3
"""Fields tried at the same time."""
PATIENCE = 4.0
"""A longer answer is waited for so many times as long as the short one took to begin."""

_NEEDED = frozenset(("model", "messages", "stream"))

SMOKE = (Message("user", PROMPT),)
CONVERSATION = (
    Message("system", "You are a friendly voice agent. Answer in one short sentence."),
    Message("user", "Hello."),
    Message("assistant", "Hello! How can I help you?"),
    Message("user", PROMPT),
)
"""What the second turn of any conversation looks like."""


# Parameters -----------------------------------------------------------------------------------


async def learn_parameters(trial: Trial, refused: Answer) -> Answer:
    """Find what of `refused` the server does not take; the smoke test without it.

    The answer is a refusal still if the smallest request is refused, too.
    """
    answer = await _leave_out_named(trial, refused)
    if not answer.refused:
        _tell_parameters(trial, refused)
        return answer
    fields = list_fields(refused.sent)
    bare = _refuse_all(STRANGER, fields)
    smallest = await trial.ask(SMOKE, profile=bare) if fields else answer
    if smallest.refused and smallest.status in (400, 422):
        finding = trial.scene.find("request.refused", smallest.refusal, status=smallest.status)
        return replace(smallest, failure=finding)
    if smallest.failure is not None:
        return smallest
    trial.profile = await _leave_out_tried(trial, fields, bare)
    answer = await trial.ask(SMOKE)
    if answer.failure is not None:
        trial.profile, answer = bare, smallest
    _tell_parameters(trial, refused)
    return answer


async def _leave_out_named(trial: Trial, refused: Answer) -> Answer:
    """Leave out what each refusal names, as long as they name something."""
    answer = refused
    for _ in range(MAX_AMENDS):
        lesson = _read(trial.profile, answer)
        if lesson is None or lesson.profile == trial.profile:
            break
        trial.profile = lesson.profile
        answer = await trial.ask(SMOKE)
        if not answer.refused:
            break
    return answer


def _read(profile: Profile, answer: Answer) -> Amendment | None:
    if answer.status is None or not answer.refused:
        return None
    return amend(profile, answer.sent, answer.status, answer.refusal)


async def _leave_out_tried(trial: Trial, fields: list[str], bare: Profile) -> Profile:
    """Try each of `fields` on its own; the profile that keeps those that are taken."""
    gate = asyncio.Semaphore(PARALLEL)

    async def send_alone(name: str) -> Answer:
        async with gate:
            kept = _refuse_all(STRANGER, [one for one in bare.refused if one != name])
            return await trial.ask(SMOKE, profile=kept, enough=1)

    known = fields[:MAX_FIELDS]
    answers = dict(zip(known, await asyncio.gather(*map(send_alone, known)), strict=True))
    for name in [name for name, answer in answers.items() if answer.busy]:
        answers[name] = await send_alone(name)
    refused = [name for name in fields if name not in answers or not _is_taken(answers[name])]
    profile = _refuse_all(STRANGER, refused)
    if Limit.MAX_TOKENS in refused and await _takes_renamed(trial, bare):
        taken = profile.refused - {Limit.MAX_TOKENS.value}
        return replace(profile, limit=Limit.MAX_COMPLETION_TOKENS, refused=taken)
    return profile


async def _takes_renamed(trial: Trial, bare: Profile) -> bool:
    """Whether the longest answer is taken under its newer name."""
    extra = {Limit.MAX_COMPLETION_TOKENS.value: trial.endpoint.max_tokens}
    return _is_taken(await trial.ask(SMOKE, profile=bare, extra=extra, enough=1))


def _is_taken(answer: Answer) -> bool:
    return not answer.refused and not answer.busy


def _refuse_all(profile: Profile, fields: list[str]) -> Profile:
    """`profile` without `fields`, each in its own words."""
    for name in fields:
        profile = profile.refusing(name)
    if "temperature" in fields:
        profile = replace(profile, temperature=False)
    if Limit.MAX_TOKENS in fields:
        profile = replace(profile, limit=Limit.NONE)
    return profile


def _tell_parameters(trial: Trial, refused: Answer) -> None:
    """Make the findings of what is left out from now on."""
    profile = trial.profile
    if profile.refused:
        names = ", ".join(sorted(profile.refused))
        trial.note("params.rejected", refused.refusal, names=names)
    if profile.limit is Limit.MAX_COMPLETION_TOKENS:
        trial.note("max_tokens.renamed", refused=Limit.MAX_TOKENS.value, taken=profile.limit.value)


# Roles ----------------------------------------------------------------------------------------


async def learn_roles(trial: Trial, answer: Answer | None = None) -> bool:
    """Find out whether a whole conversation is taken, and how the agent's prompt must be sent.

    `answer` is what `CONVERSATION` was answered with, if it was sent already. False when no
    conversation is possible.
    """
    if answer is None or answer.busy:
        answer = await trial.ask(CONVERSATION, enough=1)
    if not answer.refused:
        return True
    folded = replace(trial.profile, system=False)
    again = await trial.ask(CONVERSATION, profile=folded, enough=1)
    if again.refused:
        trial.note("history.refused", answer.refusal)
        return False
    if again.failure is None:
        trial.profile = folded
        trial.note("system.refused", answer.refusal)
    return True


# Cadence --------------------------------------------------------------------------------------


async def learn_cadence(trial: Trial, smoke: Answer) -> None:
    """Find out whether the answer is held back until it is complete."""
    if smoke.form is Form.JSON:
        trial.profile = replace(trial.profile, answers=Answers.JSON)
        return
    if smoke.first_s is None or not seems_held_back(smoke.arrivals_s):
        return
    limit_s = smoke.first_s * PATIENCE + 1.0
    longer = await trial.ask((Message("user", COUNT),), enough=2, limit_s=limit_s)
    waited = longer.failure is not None and longer.failure.code == "first_token.slow"
    if longer.failure is not None and not (waited and longer.total_s > 2 * smoke.first_s):
        return
    if was_held_back(smoke.first_s, longer.arrivals_s):
        trial.profile = replace(trial.profile, answers=Answers.BUFFERED)
        trial.note("stream.buffered", first_token_s=smoke.first_s)


def read_smoke(profile: Profile, smoke: Answer) -> Profile:
    """What a successful smoke test says about an endpoint."""
    first_ms = None if smoke.first_s is None else round(smoke.first_s * 1000, 1)
    return replace(profile, first_token_ms=first_ms, thinks_first=bool(smoke.unopened))


def list_fields(sent: Mapping[str, object]) -> list[str]:
    """The fields of a body that could be left out."""
    return [name for name in sent if name not in _NEEDED]
