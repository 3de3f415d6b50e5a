from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from sayso.llm import Excerpt, Message, Mishap, Note, Piece, Spare, Tool, forget, ignore, no_spare
from sayso.llm import grounded as module
from sayso.llm.builtin import UNKNOWN, refuse
from sayso.llm.grounded import Grounded
from sayso.llm.grounds import Odd, Weighed
from sayso.llm.notes import Notes

NOTES = Notes("Ada", critical_knowledge="The shop is open from nine to five.", answer_only=True)
QUESTION = Message("user", "Who is the president of France?")
FAR, NEAR, BETWEEN = Weighed(0.1, 0.5), Weighed(0.7, 0.2), Weighed(0.4, 0.4)


class Speaker:
    """A mind that says one word, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Message] = []

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        note: Note = forget,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        del mishap, spare, tools
        self.asked.append(messages[-1])
        note("llm", "speaker")
        yield "Words."


class Scales:
    """Weighs as it is told; with None it never comes to an end."""

    def __init__(self, weighed: Weighed | None, *, slow: bool = False) -> None:
        self._weighed, self._slow = weighed, slow
        self.used = 0

    async def weigh(self, notes: Notes, messages: Sequence[Message]) -> Weighed | None:
        del notes, messages
        self.used += 1
        if self._slow:
            await asyncio.Event().wait()
        return self._weighed


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def ask(
    weighed: Weighed | None,
    message: Message = QUESTION,
    notes: Notes = NOTES,
    language: str = "english",
) -> tuple[str, Speaker, dict[str, str]]:
    speaker, facts = Speaker(), dict[str, str]()
    mind = Grounded(speaker, Scales(weighed), notes, language)
    said = [piece async for piece in mind.reply([message], note=facts.__setitem__)]
    return "".join(map(str, said)), speaker, facts


async def test_what_nothing_known_is_about_is_not_asked() -> None:
    said, speaker, facts = await ask(FAR)
    assert said == UNKNOWN
    assert speaker.asked == []
    assert facts == {"grounds": "none"}


async def test_what_the_question_names_and_nothing_known_does_is_not_asked() -> None:
    new = replace(NEAR, odd=(Odd("a unicycle", 0.2),))
    said, speaker, facts = await ask(new)
    assert said == refuse(["a unicycle"])
    assert (speaker.asked, facts) == ([], {"grounds": "none"})


async def test_the_llm_is_told_what_may_be_missing() -> None:
    _, speaker, facts = await ask(replace(NEAR, odd=(Odd("a scooter", 0.45),)))
    assert speaker.asked == [replace(QUESTION, unfounded=True, missing=("a scooter",))]
    assert facts["grounds"] == "thin"


async def test_what_is_known_is_asked_as_it_is() -> None:
    said, speaker, facts = await ask(NEAR)
    assert said == "Words."
    assert speaker.asked == [QUESTION]
    assert facts == {"grounds": "firm", "llm": "speaker"}


async def test_in_between_the_llm_is_told_to_be_careful() -> None:
    _, speaker, facts = await ask(BETWEEN)
    assert speaker.asked == [replace(QUESTION, unfounded=True)]
    assert facts["grounds"] == "thin"


@pytest.mark.parametrize("words", ["Hello!", "Thank you.", "Who are you?", "How are you?", "Yes."])
async def test_small_talk_and_answers_of_the_caller_always_work(words: str) -> None:
    said, speaker, _ = await ask(FAR, Message("user", words))
    assert said == "Words."
    assert speaker.asked == [Message("user", words)]


@pytest.mark.parametrize(
    "message",
    [
        Message("user", "Wer ist der Präsident von Frankreich?"),
        replace(QUESTION, search="failed"),
        replace(QUESTION, excerpts=(Excerpt("It is about the law.", "theirs", score=0.1),)),
        replace(QUESTION, excerpts=(Excerpt("Der Laden ist zu.", "x", score=0.1, measured=True),)),
    ],
    ids=["other language", "search failed", "scores of others", "passage of another language"],
)
async def test_where_a_weak_match_proves_nothing_the_llm_is_asked(message: Message) -> None:
    said, speaker, facts = await ask(FAR, message)
    assert said == "Words."
    assert speaker.asked[0].unfounded
    assert facts["grounds"] == "thin"


async def test_agents_of_other_languages_are_not_silenced() -> None:
    german = replace(NOTES, critical_knowledge="Der Laden hat von neun bis fünf geöffnet.")
    assert (await ask(FAR, notes=german))[0] == "Words."
    assert (await ask(FAR, language="german"))[0] == "Words."


async def test_files_alone_are_knowledge_too() -> None:
    found = replace(QUESTION, search="done")
    assert (await ask(FAR, found, Notes("Ada", answer_only=True)))[0] == UNKNOWN


async def test_who_cannot_be_weighed_is_asked() -> None:
    said, speaker, facts = await ask(None)
    assert (said, speaker.asked, facts["grounds"]) == ("Words.", [QUESTION], "unknown")


async def test_nobody_waits_long_for_scales_and_the_llm_may_not_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WEIGH_S", 0.0)
    speaker, facts = Speaker(), dict[str, str]()
    mind = Grounded(speaker, Scales(FAR, slow=True), NOTES, "english")
    with capture_logs() as logs:
        said = [piece async for piece in mind.reply([QUESTION], note=facts.__setitem__)]
    assert (said, facts["grounds"]) == (["Words."], "late")
    assert speaker.asked == [replace(QUESTION, unweighed=True)]
    assert [(one["event"], one["reason"]) for one in logs] == [
        ("grounds_late", "it took longer than 0.0 s")
    ]


async def test_a_prompt_without_a_caller_is_not_weighed() -> None:
    scales = Scales(FAR)
    mind = Grounded(Speaker(), scales, NOTES, "english")
    assert await mind.weigh([]) is None
    assert await mind.weigh([Message("assistant", "What?")]) is None
    assert scales.used == 0


async def test_what_is_not_known_may_be_done() -> None:
    mind = Grounded(speaker := Speaker(), Scales(FAR), NOTES, "english")
    tools = [Tool("book_table")]
    assert [piece async for piece in mind.reply([QUESTION], tools=tools)] == ["Words."]
    assert speaker.asked[0].unfounded
