"""The mind of agents without an LLM: answers with the fitting sentences of the agent's own notes.

It invents nothing. Where a tiny language model got 20 of 50 questions right with the right passage
before its eyes, the two best sentences of the best passage answered 40, in about 30 ms.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from sayso.llm import Llm, Message, Mishap, Piece, Spare, Tool, ignore, no_spare
from sayso.llm.notes import (
    Notes,
    answer_small_talk,
    choose_best,
    end_sentence,
    list_answers,
    read_notes,
    recognise_small_talk,
)

UNKNOWN = "I don't have that in my notes, sorry. Is there something else you would like to know?"
PARDON = "Sorry, I did not catch that. What would you like to know?"
MIN_SCORE = 0.3
"""Cosine below which no passage is about the question."""
SECOND_SHARE = 0.6
"""How close to the best sentence the second one must come to be spoken as well."""
SENTENCES = 2
SHORT_WORDS = 4
"""A question this short is read together with the one before it ("and on Sunday?")."""
MAX_LEARNED = 64
"""How many agents' notes are kept embedded; the longest unused go first."""

Vectors: TypeAlias = npt.NDArray[np.float32]


class Embeds(Protocol):
    """What the built-in mind needs of an embedder."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 for each of `texts`."""
        ...


@dataclass(frozen=True, slots=True)
class _Learned:
    """An agent's passages, the lines of each that can be spoken, and vectors of both."""

    lines: tuple[tuple[str, ...], ...]
    passages: Vectors
    spoken: tuple[Vectors, ...]


class Builtin:
    """The built-in mind, shared by all agents without an LLM."""

    def __init__(self, embedder: Embeds) -> None:
        self._embedder = embedder
        self._learned: OrderedDict[Notes, _Learned] = OrderedDict()

    def bind(self, notes: Notes) -> Llm:
        """The `Llm` of an agent with these notes."""
        return _Bound(self, notes)

    async def learn(self, notes: Notes) -> None:
        """Embed `notes` ahead of the first question: about 5 ms a sentence."""
        await self._recall(notes)

    async def answer(self, notes: Notes, messages: Sequence[Message]) -> list[str]:
        """The sentences to say to the last of `messages`."""
        asked = [message.content for message in messages if message.role == "user"]
        if not asked or not asked[-1].strip():
            return [PARDON]
        if kind := recognise_small_talk(asked[-1]):
            greeted = any(message.role == "assistant" for message in messages)
            return [answer_small_talk(kind, notes, greeted=greeted)]
        return await self._look_up(notes, _join_question(asked)) or [UNKNOWN]

    async def _look_up(self, notes: Notes, question: str) -> list[str]:
        learned = await self._recall(notes)
        if not learned.lines:
            return []
        asked = (await self._embedder.embed([question]))[0]
        fits = [vectors @ asked for vectors in learned.spoken]
        scores = np.maximum(learned.passages @ asked, [fit.max() for fit in fits])
        best = int(scores.argmax())
        if scores[best] < MIN_SCORE:
            return []
        chosen = choose_best(fits[best].tolist(), SENTENCES, SECOND_SHARE)
        return [end_sentence(learned.lines[best][n]) for n in chosen]

    async def _recall(self, notes: Notes) -> _Learned:
        learned = self._learned.get(notes)
        if learned is None:
            learned = self._learned[notes] = await self._embed(notes)
            while len(self._learned) > MAX_LEARNED:
                self._learned.popitem(last=False)
        self._learned.move_to_end(notes)
        return learned

    async def _embed(self, notes: Notes) -> _Learned:
        passages = [passage for passage in read_notes(notes) if list_answers(passage)]
        lines = tuple(tuple(list_answers(passage)) for passage in passages)
        return _Learned(
            lines,
            await self._embedder.embed([passage.text for passage in passages]),
            tuple([await self._embedder.embed(spoken) for spoken in lines]),
        )


def _join_question(asked: Sequence[str]) -> str:
    if len(asked) > 1 and len(asked[-1].split()) <= SHORT_WORDS:
        return f"{asked[-2]} {asked[-1]}"
    return asked[-1]


class _Bound:
    """The `Llm` of one agent."""

    def __init__(self, mind: Builtin, notes: Notes) -> None:
        self._mind = mind
        self._notes = notes

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,  # noqa: ARG002 - nothing goes wrong here
        spare: Spare = no_spare,  # noqa: ARG002 - all of it is there at once
        tools: Sequence[Tool] = (),  # noqa: ARG002 - it only finds sentences
    ) -> AsyncGenerator[Piece, None]:
        for n, sentence in enumerate(await self._mind.answer(self._notes, messages)):
            yield f" {sentence}" if n else sentence
