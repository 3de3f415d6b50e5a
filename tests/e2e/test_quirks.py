"""Whatever an LLM does, nobody hears silence: each quirk of the fake, in a whole conversation.

Every conversation ends in the words that were meant, or in a spoken sentence with a coded error
for the client and a line in the log, within the deadlines. The table is printed (`pytest -s`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
import structlog

import speech
from sayso.audio.formats import Samples
from sayso.caller import Caller, HeardReply
from sayso.errors import TalkError
from sayso.llm.fake import QUIRKS, Quirk
from sayso.store.tables import AgentRow
from sayso.talk.phrases import ENGLISH
from served import REHEARSED, FakeLlm, Served, ask, fake_llm, hear_greeting, microphone, serving

SAID = "Certainly. It will rain until noon."
QUESTION = "What is the weather?"
FIRST_WORD = "Certainly"

FIRST_TOKEN_S = 4.0
BETWEEN_TOKENS_S = 1.0
SLACK_S = 3.0
"""For a machine that is busy with other conversations."""
AT_ONCE = 16
WRITING = asyncio.Lock()
"""One writer from outside at a time: those who wait for SQLite race, and some lose for seconds."""
DEADLINES: Mapping[str, object] = {
    "llm_first_token_timeout_s": FIRST_TOKEN_S,
    "llm_between_tokens_timeout_s": BETWEEN_TOKENS_S,
    "tts_options": {"chars_per_s": "100"},
}

IN_WRITING = ("json", "reasoning", "split_utf8", "cut", "html", "hang", "empty", "tool_call")
"""What is asked in writing, too: one of each way to end."""


@dataclass
class Outcome:
    """How one conversation went."""

    quirk: Quirk
    text: str = ""
    errors: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    sound_after_s: float | None = None
    broken: str = ""

    @property
    def silent(self) -> bool:
        return self.sound_after_s is None

    @property
    def wanted(self) -> str:
        """What the caller should hear."""
        if self.quirk.finding is None:
            return self.quirk.says.format(reply=SAID)
        if self.quirk.partly:
            return f"{FIRST_WORD}… {ENGLISH.llm_broke_off}"
        return ENGLISH.llm_failed

    def problems(self) -> list[str]:
        found = [self.broken] if self.broken else []
        if self.silent:
            found.append("silence")
        if self.text != self.wanted:
            found.append(f"said {self.text!r}, not {self.wanted!r}")
        finding = self.quirk.finding
        if finding is None and self.errors:
            found.append(f"told the client {self.errors}")
        if finding is not None and not any(f"({finding})" in error for error in self.errors):
            found.append(f"told the client {self.errors}, not {finding}")
        if finding is not None and finding not in self.logged:
            found.append(f"logged {self.logged}, not {finding}")
        if self.sound_after_s is not None and self.sound_after_s > FIRST_TOKEN_S + SLACK_S:
            found.append(f"late by {self.sound_after_s - FIRST_TOKEN_S:.1f} s")
        return found

    def row(self) -> str:
        ending = self.quirk.finding or "spoken"
        after = "silence" if self.sound_after_s is None else f"{self.sound_after_s:5.2f} s"
        return f"{self.quirk.name:24} {ending:22} {after:>8}  {self.text[:44]}"


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A rehearsed server with short deadlines."""
    folder = tmp_path_factory.mktemp("hurried")
    with serving(folder, **{**REHEARSED, "max_conversations": 200, **DEADLINES}) as server:
        yield server


@pytest.fixture
async def llm() -> AsyncIterator[FakeLlm]:
    async with fake_llm(SAID) as running:
        yield running


async def make_quirky(served: Served, llm: FakeLlm, quirk: Quirk) -> str:
    """An agent whose LLM has `quirk`, shown after its check if the check would refuse it."""
    if quirk.params:
        params = {"model": f"quirk:{quirk.name}", **quirk.params}
        own = {"baseURL": llm.url, "apiKey": "sk-test", "baseParams": params}
        return await served.make_agent(llm=own)
    agent_id = await served.make_agent(llm.url)
    async with WRITING, served.writing() as session:
        row = await session.get_one(AgentRow, agent_id)
        assert row.llm is not None
        row.llm = {**row.llm, "baseURL": f"{llm.url}/quirk/{quirk.name}"}
    return agent_id


def note(outcome: Outcome, caller: Caller, reply: HeardReply, asked_s: float) -> None:
    outcome.text = reply.text
    told = [one.message for one in caller.told if one.message["type"] == "error"]
    outcome.errors = [str(message["message"]) for message in told]
    if reply.first_sound_s is not None and len(reply.samples):
        outcome.sound_after_s = reply.first_sound_s - asked_s


async def ask_aloud(caller: Caller, question: Samples) -> tuple[HeardReply, float]:
    """Ask with recorded speech; gives the answer, and when the question ended.

    On a busy machine sound comes late, and the gap may pass for the question's end: what is said
    then is cut off by the rest of the question, and is not the answer.
    """
    async with microphone(caller) as mic:
        await mic.say(question)
        asked_s = time.monotonic()
        return await caller.answer(0, within_s=15), asked_s


def load_question() -> Samples | None:
    """A recorded sentence of about a second and a half; None where none is installed."""
    found = speech.sentences()
    return min(found, key=lambda spoken: abs(spoken.seconds - 1.5)).samples if found else None


async def converse(
    served: Served, llm: FakeLlm, quirk: Quirk, question: Samples | None = None
) -> tuple[Outcome, str]:
    """Ask once, aloud or in writing; gives how it went, and the conversation."""
    outcome = Outcome(quirk)
    try:
        agent_id = await make_quirky(served, llm, quirk)
        async with served.call(agent_id) as caller:
            await hear_greeting(caller)
            if question is not None:
                reply, asked_s = await ask_aloud(caller, question)
            else:
                asked_s = time.monotonic()
                reply = await ask(caller, QUESTION, within_s=15)
            note(outcome, caller, reply, asked_s)
    except (AssertionError, TalkError) as error:
        outcome.broken = f"{type(error).__name__}: {error}"
        return outcome, ""
    return outcome, caller.conversation_id


async def test_no_quirk_leaves_a_caller_in_silence(hurried: Served, llm: FakeLlm) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    question = load_question()

    async def run(quirk: Quirk) -> tuple[Outcome, str]:
        async with gate:
            return await converse(hurried, llm, quirk, question)

    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as lines:
        ended = await asyncio.gather(*(run(quirk) for quirk in QUIRKS.values()))
    for outcome, conversation in ended:
        outcome.logged = [
            str(line.get("finding"))
            for line in lines
            if line["event"] == "conversation_disturbed" and conversation in line.values()
        ]
    outcomes = [outcome for outcome, _ in ended]
    print(f"\n{'quirk':24} {'ends in':22} {'sound':>8}  heard")
    print("\n".join(outcome.row() for outcome in outcomes))
    silent = {outcome.quirk.name: outcome.broken for outcome in outcomes if outcome.silent}
    print(f"{len(outcomes)} conversations, {len(silent)} silent turns")
    assert silent == {}
    assert len(outcomes) >= 40
    problems = {o.quirk.name: found for o in outcomes if (found := o.problems())}
    assert problems == {}


@pytest.mark.parametrize("name", IN_WRITING)
async def test_the_same_in_writing(hurried: Served, llm: FakeLlm, name: str) -> None:
    outcome, _ = await converse(hurried, llm, QUIRKS[name])
    outcome.logged = [outcome.quirk.finding or ""]
    assert outcome.problems() == []


async def test_words_before_a_pause_are_not_held_back(hurried: Served, llm: FakeLlm) -> None:
    """The quirk says "One moment, please." and then nothing for half a second."""
    outcome, _ = await converse(hurried, llm, QUIRKS["wait_text"])
    assert outcome.sound_after_s is not None
    assert outcome.sound_after_s < 0.4
