"""What an agent's own texts mean, passage by passage and sentence by sentence.

A passage that says eight things means something in between: of a hotel in one paragraph the whole
is 0.15 close to "When do I have to check out?", the sentence that answers it 0.55. So a passage
fits as well as itself and the closest of its sentences do together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.llm.ideas import find_stem, list_ideas, list_words
from sayso.llm.meanings import Embeds, Vectors
from sayso.llm.notes import Notes, Passage, cut_passages, list_answers, read_notes


@dataclass(frozen=True, slots=True)
class Known:
    """An agent's own texts, embedded.

    Attributes:
        answers: what it may be answered from.
        orders: what the agent is told, which says what it is about; only of one that is held to
            what it knows.
        words: of each sentence, by their stems.
    """

    answers: Texts
    orders: Texts
    words: tuple[frozenset[str], ...]

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.answers or self.orders)

    def measure(self, asked: Vectors) -> float:
        """How well the closest passage fits the meaning `asked`, -1 to 1."""
        return max(self.answers.measure(asked), self.orders.measure(asked))

    def says(self, question: str) -> bool:
        """Whether one sentence has all that `question` is about, word for word."""
        wanted = {find_stem(idea.word) for idea in list_ideas(question)}
        return bool(wanted) and any(wanted <= words for words in self.words)


@dataclass(frozen=True, slots=True)
class Texts:
    """Some passages.

    Attributes:
        lines: the sentences of each that can be spoken.
        passages: what each means, shape (passages, dimensions).
        spoken: what each of these sentences means, under its heading.
    """

    lines: tuple[tuple[str, ...], ...]
    passages: Vectors
    spoken: tuple[Vectors, ...]

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self.lines)

    def compare(self, asked: Vectors) -> tuple[Vectors, list[Vectors]]:
        """How well each passage fits the meaning `asked`, and how well each of its sentences."""
        fits = [vectors @ asked for vectors in self.spoken]
        return (self.passages @ asked + [fit.max() for fit in fits]) / 2, fits

    def measure(self, asked: Vectors) -> float:
        """How well the closest passage fits, as a whole or with its closest sentence."""
        if not self:
            return -1.0
        return float(np.maximum(self.passages @ asked, self.compare(asked)[0]).max())


async def embed_notes(notes: Notes, embedder: Embeds) -> Known:
    """`notes`, embedded: about 5 ms a sentence."""
    passages = read_notes(notes)
    orders = cut_passages(notes.agent_prompt) if notes.answer_only else []
    answers, told = await _embed(passages, embedder), await _embed(orders, embedder)
    said = [under(one.heading, line) for one in [*passages, *orders] for line in list_answers(one)]
    words = tuple(frozenset(map(find_stem, list_words([line]))) for line in said)
    return Known(answers, told, words)


async def _embed(passages: Sequence[Passage], embedder: Embeds) -> Texts:
    told = [one for one in passages if list_answers(one)]
    lines = tuple(tuple(list_answers(one)) for one in told)
    spoken = [
        await embedder.embed([under(one.heading, line) for line in said])
        for one, said in zip(told, lines, strict=True)
    ]
    return Texts(lines, await embedder.embed([one.text for one in told]), tuple(spoken))


def under(heading: str, line: str) -> str:
    """`line` as its meaning is taken: "It costs 14 euros." says little without its heading."""
    return f"{heading}: {line}" if heading else line
