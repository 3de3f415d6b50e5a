"""Two hundred random conversations over the real socket, several at once, against one server.

The ears are real (Silero), the speech is recorded or the bundled voice's; transcripts, answers and
sound follow scripts, so that what a caller can have heard is known: the scripted voice hums
`CHARS_PER_S` characters a second. A failure prints the seed and the play;
`CAMPAIGN_SEED=137 CAMPAIGN_COUNT=1` plays that one alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

import speech
from plays import Performance, Play, cut_frames, perform, write_play
from sayings import LONGEST_S, SHORTEST_S, SPOKEN, speak, trim
from sayso.caller import ANSWER_RATE_HZ, HeardReply
from sayso.store.tables import ConversationRow
from sayso.talk.phrases import ENGLISH
from served import FakeLlm, Served, Stored, fake_llm, serving

COUNT = int(os.environ.get("CAMPAIGN_COUNT", "200"))
FIRST_SEED = int(os.environ.get("CAMPAIGN_SEED", "0"))
AT_ONCE = 32
LIMIT_S = 600.0
"""On a quiet machine it takes a tenth of that."""

CHARS_PER_S = 60.0
PACING_AHEAD_S = 0.25
GREETING = "Hello, this is the desk."
STORY = (
    "Once upon a time there was a small house at the edge of a large forest. In it lived an old "
    "woman who knew the name of every tree. One winter a stranger knocked at her door. He asked "
    "her for the way to the sea. She told him to follow the birch trees until he heard the gulls."
)
ANSWERS = (
    "Yes, of course.",
    "Thank you for asking. We are open from nine to five, and on Saturdays until noon.",
    STORY,
)
TEXTS = (GREETING, *ANSWERS, ENGLISH.not_heard, ENGLISH.llm_failed, ENGLISH.llm_broke_off)
LONGEST_WORD = max(len(word) for text in TEXTS for word in text.split()) + 1
HEARD_AS = ("And what about tomorrow?", "Wait, stop.", "Mm-hm.", "", "I want to", "Yes.", "So um,")
"""What the ears make of speech, at random: questions, murmurs, nothing, unfinished sentences."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose models follow a script at a known pace."""
    chance = Random(FIRST_SEED)
    heard = [chance.choice(HEARD_AS) for _ in range(500)]
    with serving(
        tmp_path_factory.mktemp("campaign"),
        stt="scripted",
        stt_options={"delay_ms": "30", "text": json.dumps(heard)},
        tts="scripted",
        tts_options={"delay_ms": "10", "chars_per_s": str(CHARS_PER_S)},
        patience_s=0.3,
    ) as server:
        yield server


@dataclass(frozen=True)
class Outcome:
    """One conversation: what its caller saw, what is stored, and who is said to have ended it."""

    seen: Performance
    stored: Stored
    ended_by: str | None

    @property
    def spoken(self) -> list[str]:
        """The agent's lines of the transcript."""
        return [content for role, content in self.stored.lines if role == "assistant"]


async def test_a_campaign_of_random_conversations(stage: Served) -> None:
    plays = [write_play(seed) for seed in range(FIRST_SEED, FIRST_SEED + COUNT)]
    before = stage.tasks()
    began_s = time.monotonic()
    async with AsyncExitStack() as stack, asyncio.timeout(LIMIT_S):
        llms = [
            await stack.enter_async_context(fake_llm(text, first_token_s=0.02, token_s=0.002))
            for text in ANSWERS
        ]
        agents = [await stage.make_agent(llm.url, greeting=GREETING) for llm in llms]
        seen = await perform_all(stage, plays, agents)
        outcomes = await read_all(stage, seen, agents)
        await check_the_end(stage, before)
    took_s = time.monotonic() - began_s
    failures = [
        f"{outcome.seen.play}\n    {complaint}\n    {show(outcome)}"
        for outcome in outcomes
        for complaint in complaints(outcome)
    ]
    failures += [f"prompt: {text!r} was never heard" for text in unheard(llms, outcomes)]
    replies = [reply for outcome in outcomes for reply in outcome.seen.replies]
    cut = sum(reply.interrupted is not None for reply in replies)
    print(f"\n  {len(plays)} conversations, {len(replies)} replies, {cut} cut, {took_s:.0f} s")
    assert not failures, f"{len(failures)} failures:\n" + "\n".join(failures[:20])
    if len(plays) >= 200:
        assert cut >= 30, "hardly anything was interrupted"


async def perform_all(
    stage: Served, plays: Sequence[Play], agents: Sequence[str]
) -> list[Performance]:
    """All plays, `AT_ONCE` at a time."""
    sayings = [cut_frames(sound) for sound in await load_sounds()]
    room = asyncio.Semaphore(AT_ONCE)

    async def one(play: Play) -> Performance:
        async with room:
            return await perform(play, stage.url, agents[play.agent % len(agents)], sayings)

    return await asyncio.gather(*(one(play) for play in plays))


async def load_sounds() -> list[Any]:
    """Short recorded sentences, or the bundled voice."""
    short = [p for p in speech.prompts() if SHORTEST_S <= p.seconds <= LONGEST_S][::12]
    return [trim(p.samples) for p in short] or [trim(sound) for sound in await speak(SPOKEN)]


async def read_all(
    stage: Served, seen: Sequence[Performance], agents: Sequence[str]
) -> list[Outcome]:
    """What is stored of each, once all are over."""
    outcomes = []
    for one in seen:
        agent_id = agents[one.play.agent % len(agents)]
        stored = await stage.stored(agent_id, one.conversation_id)
        outcomes.append(Outcome(one, stored, await read_end(stage, one.conversation_id)))
    return outcomes


async def read_end(stage: Served, conversation_id: str) -> str | None:
    async with stage.writing() as session:
        query = select(ConversationRow.ended_by).where(ConversationRow.id == conversation_id)
        return (await session.execute(query)).scalar_one()


async def check_the_end(stage: Served, before: list[str]) -> None:
    """Nobody is inside, and no task is left, within a moment."""
    async with httpx2.AsyncClient(base_url=stage.url) as client:
        for _ in range(100):
            inside = (await client.get("/health/ready")).json()["conversations"]
            left = [name.split(" at ")[0] for name in stage.tasks()]
            if not inside and len(left) <= len(before):
                return
            await asyncio.sleep(0.1)
    assert inside == 0
    talk = [name for name in left if "sayso.talk" in name or "Session" in name or "Reply" in name]
    assert talk == [], "tasks of conversations are left"
    assert len(left) <= len(before), f"tasks are left: {left}"


# What holds in every conversation ----------------------------------------------------------------


def complaints(outcome: Outcome) -> Iterator[str]:
    """What does not hold, a sentence each."""
    yield from check_order(outcome.seen)
    yield from check_sound(outcome.seen)
    yield from check_transcript(outcome)
    yield from check_times(outcome)
    yield from check_caller(outcome)
    expected = "user" if outcome.seen.play.ending.startswith("hang up") else "error"
    if outcome.ended_by != expected:
        yield f"ended by {outcome.ended_by}, not by {expected}"


def check_order(seen: Performance) -> Iterator[str]:
    """No reply begins before the one before it is over, and no sound comes outside a reply."""
    open_, numbers = False, [0]
    for at, message in enumerate(seen.told):
        match message["type"]:
            case "newAudioStream":
                if open_:
                    yield f"message {at}: a reply begins while another sounds"
                open_ = True
            case "audioStream":
                if not open_:
                    yield f"message {at}: sound that belongs to no reply"
            case "audioStreamEnd":
                if not open_ or message["jobId"] <= numbers[-1]:
                    yield f"message {at}: an end of reply {message['jobId']} after {numbers}"
                numbers.append(message["jobId"])
                open_ = False
            case "onAgentInterrupted":
                open_ = False
            case "error":
                yield f"message {at}: an error: {message['message']}"


def check_sound(seen: Performance) -> Iterator[str]:
    """A reply's sound is its own: exactly as long as its text takes, and no longer if cut."""
    for at, reply in enumerate(seen.replies):
        sent = chars_of(reply)
        if reply.complete and reply.text not in TEXTS:
            yield f"reply {at} is nobody's text: {reply.text!r}"
        # One that was cut off at once has text, and sound that was dropped before it left.
        whole = reply.complete and reply.interrupted is None
        if whole and not len(reply.text) - gaps(reply.text) <= sent <= len(reply.text) + 1:
            yield f"reply {at}: {sent:.0f} characters of sound, {len(reply.text)} of text"
        if sent > len(max(TEXTS, key=len)) + 1:
            yield f"reply {at}: more sound than any text has"


def chars_of(reply: HeardReply) -> float:
    """Characters of text that a reply's sound is long enough for."""
    return len(reply.samples) / ANSWER_RATE_HZ * CHARS_PER_S


def gaps(text: str) -> int:
    """Most characters of a text that have no sound: the blanks between its clauses."""
    return sum(text.count(mark) for mark in ".,!?")


def check_transcript(outcome: Outcome) -> Iterator[str]:
    """What the transcript holds of the agent was heard, reply by reply."""
    spoken = list(outcome.spoken)
    for text in spoken:
        if not any(is_cut(text, whole) for whole in TEXTS):
            yield f"the transcript holds what no reply says: {text!r}"
    for at, reply in enumerate(outcome.seen.replies):
        is_last = at == len(outcome.seen.replies) - 1
        text = spoken.pop(0) if spoken else ""
        if reply.interrupted is not None:
            if not reply.interrupted:
                spoken[:0] = [text] if text else []
                continue
            if text != reply.interrupted:
                yield f"reply {at}: {text!r} is kept, {reply.interrupted!r} was told"
        elif not is_last and text != reply.text:
            yield f"reply {at}: {text!r} is kept of {reply.text!r}, heard to its end"
        # Of the last reply, sound may still have been on its way when the caller left.
        spare = CHARS_PER_S if is_last and reply.interrupted is None else 0.0
        if len(text) > chars_of(reply) + LONGEST_WORD + gaps(text) + spare:
            yield f"reply {at}: {len(text)} characters are kept, {chars_of(reply):.0f} were sent"
    if len(spoken) > 1:
        yield f"lines of replies nobody heard: {spoken}"


def is_cut(text: str, whole: str) -> bool:
    """Whether `text` is the beginning of `whole`, in whole words."""
    return whole == text or (whole.startswith(text) and whole[len(text)] == " ")


def check_times(outcome: Outcome) -> Iterator[str]:
    """By the server's own clock: no more of a reply is kept than there was time to play."""
    turns = [turn["timings"] for turn in outcome.stored.turns]
    begun = len(outcome.seen.replies)
    if not begun <= len(turns) <= begun + 1:
        yield f"{begun} replies were heard, {len(turns)} are recorded"
    numbers = [turn["number"] for turn in outcome.stored.turns]
    if numbers != sorted(set(numbers)):
        yield f"reply numbers do not grow: {numbers}"
    kept = outcome.spoken
    if len(kept) != len(turns):
        return  # one was cut before its first word; which one, the transcript does not say
    for timings, text in zip(turns, kept, strict=True):
        over_s = timings.get("interrupted_s", timings.get("played_s", 0.0))
        played_s = over_s - timings["first_sound_sent_s"]
        # A `bufferEmpty` on its way when a reply begins counts for that one: it ends early.
        played_s += PACING_AHEAD_S if text in TEXTS else 0.0
        if len(text) > played_s * CHARS_PER_S + gaps(text) + 1:
            yield f"{len(text)} characters are kept of a reply that sounded {played_s:.2f} s"
        if not 0 <= timings["first_sound_sent_s"] <= over_s:
            yield f"times of a turn are out of order: {timings}"


def check_caller(outcome: Outcome) -> Iterator[str]:
    """What the caller typed is kept once: not lost with an unheard reply, nor doubled."""
    said = " ".join(content for role, content in outcome.stored.lines if role == "user")
    for text in outcome.seen.typed:
        least = 1 if outcome.seen.play.ending.startswith("hang up") else 0
        if not least <= said.count(text) <= 1:
            yield f"{text!r} is in the transcript {said.count(text)} times"
    for note in outcome.seen.notes:
        if said.count(note) > 1:
            yield f"{note!r} is in the transcript {said.count(note)} times"


def unheard(llms: Sequence[FakeLlm], outcomes: Sequence[Outcome]) -> set[str]:
    """What LLMs were told that the agent said, and no caller heard."""
    told = {
        content
        for llm in llms
        for prompt in llm.prompts
        for role, content in prompt
        if role == "assistant"
    }
    return told - {text for outcome in outcomes for text in outcome.spoken}


def show(outcome: Outcome) -> str:
    """What happened, for whoever reads a failure."""
    kinds: list[str] = []
    for message in outcome.seen.told:
        kind = message["type"]
        more = message.get("updatedMessage", message.get("message", ""))
        if kind != "audioStream":
            kinds.append(f"{kind} {more!r}" if more else kind)
        elif not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return "\n    ".join([*kinds, f"stored: {outcome.stored.lines}", f"{outcome.stored.turns}"])
