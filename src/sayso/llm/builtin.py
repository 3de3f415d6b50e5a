"""The mind of agents without an LLM: answers with the fitting sentences of the agent's own notes.

It invents nothing. Where a tiny language model got 20 of 50 questions right with the right passage
before its eyes, the two best sentences of the best passage answered 40, in about 30 ms.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec
import numpy as np

from sayso.llm import Excerpt, Exchanged, Llm, Message, Mishap, Piece, Spare, Tool, ignore, no_spare
from sayso.llm.grounds import (
    WORLD,
    Grounds,
    Near,
    Odd,
    Weighed,
    is_english,
    is_odd,
    is_request,
    join_question,
    judge,
    list_readings,
)
from sayso.llm.ideas import Idea, find_new, list_words, name_phrases
from sayso.llm.known import Known, Texts, embed_notes, under
from sayso.llm.meanings import Embeds, Meanings, Vectors
from sayso.llm.notes import (
    Notes,
    Passage,
    answer_small_talk,
    choose_best,
    cut_sentences,
    end_sentence,
    list_answers,
    list_rows,
    recognise_small_talk,
)
from sayso.llm.watching import find_watcher

EXTRACTIVE: Final = "built-in-extractive"
"""What records and pages call it: it is no language model."""
REFUSED = " in my notes, sorry. Is there something else you would like to know?"
"""The end of every refusal."""
UNKNOWN = f"I don't have that{REFUSED}"
CAVEAT = "I have nothing about {what} in my notes. The closest I have is this:"
LATE = "I could not look that up just now, sorry. Please ask me again."
PARDON = "Sorry, I did not catch that. What would you like to know?"
MIN_SCORE: Final = 0.25
"""Cosine below which no sentence is about the question."""
SECOND_SHARE: Final = 0.6
"""How close to the best sentence the second one must come to be spoken as well."""
SENTENCES: Final = 2
RIVAL_SHARE: Final = 0.85
"""How close to the best passage a second one must come to be quoted as well. On half of the
evaluation set 37 of 42 questions are answered so, with 35 words; 33 without, with 24 words."""
EXCERPTS: Final = 2
"""Of what was found for a question, so many are read sentence by sentence, 5 ms each the first
time. Of 42 questions 2 answer 37, and 3 as many."""
MAX_ODD: Final = 2
"""Odd words of a question whose meaning is looked at: four words to embed for each, 2 ms a word the
first time."""
MAX_EXCERPT_SENTENCES: Final = 12
"""Sentences of one excerpt that are read."""
UNSEEN: Final = 0.2
"""A passage that fits less is not found at all (`LEAST_SCORE` of `knowledge/local.py`): where
nothing is, so much may still be there."""
MAX_LEARNED: Final = 64
"""How many agents' notes are kept embedded; the longest unused go first."""


class Compares(Protocol):
    """What the built-in mind needs of a lexicon."""

    def compare(self, words: Sequence[str], known: Sequence[str]) -> list[Near]:
        """How close each of `words` is to the nearest of the `known` ones, and which these are."""
        ...


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Lines that may hold the answer, how well each fits, and how well they do together."""

    score: float
    lines: Sequence[str]
    fits: Sequence[float]
    rows: Sequence[bool] = ()
    """Which lines are rows of a table, where that is known."""


class Builtin:
    """The built-in mind, shared by all agents without an LLM."""

    def __init__(self, embedder: Embeds, lexicon: Compares | None = None) -> None:
        """Without a `lexicon` it does not see which words are new."""
        self._embedder = embedder
        self.lexicon = lexicon
        self._learned: OrderedDict[Notes, Known] = OrderedDict()
        self._reading: dict[Notes, asyncio.Lock] = {}
        self._meanings = Meanings(embedder)
        self._world: Vectors | None = None

    def bind(self, notes: Notes) -> Llm:
        """The `Llm` of an agent with these notes."""
        return _Bound(self, notes)

    async def learn(self, notes: Notes) -> None:
        """Embed `notes` ahead of the first question: about 5 ms a sentence."""
        await self._recall(notes)  # first: who asks meanwhile, waits for it
        await self._recall_world()
        if self.lexicon is not None:  # a thousand words take 40 ms, which no question waits for
            words = list_words([notes.critical_knowledge, notes.agent_prompt])
            await asyncio.to_thread(self.lexicon.compare, ["one"], ["word", *words])

    async def answer(self, notes: Notes, messages: Sequence[Message]) -> list[str]:
        """The sentences to say to the last of `messages`."""
        asked = [message.content for message in messages if message.role == "user"]
        if not asked or not asked[-1].strip():
            return [PARDON]
        if kind := recognise_small_talk(asked[-1]):
            greeted = any(message.role == "assistant" for message in messages)
            return [answer_small_talk(kind, notes, greeted=greeted)]
        last = messages[-1]
        found = await self._look_up(notes, join_question(asked), last.excerpts)
        if not found:
            return [LATE if last.search == "failed" else UNKNOWN]
        odd = [one.phrase for one in await self._find_odd(notes, messages)]
        return [CAVEAT.format(what=name_phrases(odd)), *found] if odd else found

    async def weigh(self, notes: Notes, messages: Sequence[Message]) -> Weighed | None:
        """How close the last of `messages` is to what is known, and to the world.

        None where nothing is known. Waits for notes that are being read, and reads none itself.
        Raises TimeoutError if their reading has not begun.
        """
        last = messages[-1]
        if notes not in self._learned and notes not in self._reading:
            raise TimeoutError("the agent's texts are not read yet")
        known = await self._recall(notes)
        if not known and last.search == "none":
            return None
        asked = [message.content for message in messages if message.role == "user"]
        fits = [one.score for one in last.excerpts] + [UNSEEN] * (last.search == "done")
        world = await self._recall_world()
        said = known.says(asked[-1])
        weighed = [
            Weighed(max([*fits, known.measure(meaning)]), float((world @ meaning).max()), said=said)
            for meaning in await self._meanings.of(list_readings(asked))
        ]
        best = max(weighed, key=lambda one: one.lead)
        odd = await self._find_odd(notes, messages, measured=judge(best) is not Grounds.NONE)
        return replace(best, odd=odd)

    async def _find_odd(
        self, notes: Notes, messages: Sequence[Message], *, measured: bool = True
    ) -> tuple[Odd, ...]:
        """What the last of `messages` names that nothing known does, as far as words tell.

        Without being `measured` by meaning, it is only named. Off the loop: new passages take 5 ms.
        """
        last = messages[-1]
        own = (notes.critical_knowledge, notes.agent_prompt, notes.greeting, notes.name)
        found = [f"{one.title}\n{one.text}" for one in last.excerpts]
        if self.lexicon is None or last.search == "failed" or not is_request(last.content):
            return ()
        if not (is_english(last.content) and is_english("\n".join([*found, *own]))):
            return ()
        told = [line.content for line in messages if line.role == "system"]
        texts = [*own, *told, *found]
        nears = await asyncio.to_thread(_find_odd_words, self.lexicon, last.content, texts)
        if measured:
            return await self._measure(nears[:MAX_ODD])
        return tuple(Odd(i.phrase, near.closeness, i.is_name) for i, near in nears[:MAX_ODD])

    async def _measure(self, nears: Sequence[tuple[Idea, Near]]) -> tuple[Odd, ...]:
        """How far ideas are from the words they are near to, in meaning: four words to embed."""
        if not nears:
            return ()
        words = [w for idea, near in nears for w in (idea.word.casefold(), *near.words)]
        rows = dict(zip(words, await self._meanings.of(words), strict=True))
        return tuple(
            Odd(idea.phrase, _find_closest(rows, idea.word.casefold(), near.words), idea.is_name)
            for idea, near in nears
        )

    async def _look_up(self, notes: Notes, question: str, excerpts: Sequence[Excerpt]) -> list[str]:
        answers = (await self._recall(notes)).answers
        if not answers and not excerpts:
            return []
        asked = (await self._meanings.of([question]))[0]
        candidates = _compare_notes(answers, asked)
        for excerpt in excerpts[:EXCERPTS]:
            candidates += await self._read_excerpt(excerpt, asked)
        candidates.sort(key=lambda one: -one.score)
        if not candidates or candidates[0].score < MIN_SCORE:
            return []
        best = candidates[0]
        world = float((await self._recall_world() @ asked).max())
        if judge(Weighed(best.score, world)) is Grounds.NONE:
            return []
        said = _choose_lines(best, SENTENCES)
        if len(candidates) > 1 and candidates[1].score >= RIVAL_SHARE * best.score:
            said += _choose_lines(candidates[1], SENTENCES)
        return list(dict.fromkeys(said))

    async def _read_excerpt(self, excerpt: Excerpt, asked: Vectors) -> list[_Candidate]:
        passage = Passage(tuple(cut_sentences(excerpt.text)))
        lines = list_answers(passage)[:MAX_EXCERPT_SENTENCES]
        if not lines:
            return []
        rows = list_rows(passage)[:MAX_EXCERPT_SENTENCES]
        section = excerpt.title.rpartition(" › ")[2]
        fits = (await self._meanings.of([under(section, line) for line in lines])) @ asked
        closest = float(fits.max())
        score = (excerpt.score + closest) / 2 if excerpt.measured else closest
        return [_Candidate(score, lines, fits.tolist(), rows)]

    async def _recall(self, notes: Notes) -> Known:
        """What was learned from `notes`; who comes while they are read, waits for the same."""
        learned = self._learned.get(notes)
        if learned is None:
            async with self._reading.setdefault(notes, asyncio.Lock()):
                learned = self._learned.get(notes) or await self._read(notes)
        if notes in self._learned:
            self._learned.move_to_end(notes)
        return learned

    async def _read(self, notes: Notes) -> Known:
        try:
            learned = self._learned[notes] = await embed_notes(notes, self._embedder)
        finally:
            self._reading.pop(notes, None)
        while len(self._learned) > MAX_LEARNED:
            self._learned.popitem(last=False)
        return learned

    async def _recall_world(self) -> Vectors:
        if self._world is None:
            self._world = await self._embedder.embed(WORLD)
        return self._world


def refuse(phrases: Sequence[str] = ()) -> str:
    """What is said where nothing is known: about `phrases`, if these are what is missing."""
    return f"I don't have anything about {name_phrases(phrases)}{REFUSED}" if phrases else UNKNOWN


def _find_odd_words(
    lexicon: Compares, question: str, texts: Sequence[str]
) -> list[tuple[Idea, Near]]:
    """The odd words of `question`, the farthest from all known ones first."""
    known = list_words(texts)
    new = find_new(question, known)
    nears = lexicon.compare([idea.word.casefold() for idea in new], known)
    both = [
        (i, near) for i, near in zip(new, nears, strict=True) if is_odd(near, is_name=i.is_name)
    ]
    return sorted(both, key=lambda one: one[1].closeness)


def _find_closest(rows: Mapping[str, Vectors], word: str, others: Sequence[str]) -> float:
    """The cosine of `word` with the nearest of the `others`."""
    return max((float(rows[other] @ rows[word]) for other in others), default=-1.0)


def _choose_lines(one: _Candidate, count: int) -> list[str]:
    """The `count` lines that fit best, in their order: sentences or rows, as the best is.

    A row below a sentence fits through the heading they share, and is about something else.
    """
    fits = one.fits
    if any(one.rows):
        best = max(range(len(fits)), key=fits.__getitem__)
        same = (one.rows[n] == one.rows[best] for n in range(len(fits)))
        fits = [fit if alike else -1.0 for fit, alike in zip(fits, same, strict=True)]
    return [end_sentence(one.lines[n]) for n in choose_best(fits, count, SECOND_SHARE)]


def _compare_notes(texts: Texts, asked: Vectors) -> list[_Candidate]:
    """The two best passages of an agent's own texts, if it has any."""
    if not texts:
        return []
    scores, fits = texts.compare(asked)
    best = np.argsort(-scores, kind="stable")[:EXCERPTS]
    return [_Candidate(float(scores[n]), texts.lines[n], fits[n].tolist()) for n in best]


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
        began_s = asyncio.get_running_loop().time()
        sentences = await self._mind.answer(self._notes, messages)
        if (watcher := find_watcher()) is not None:
            watcher(_take_down(messages, sentences, asyncio.get_running_loop().time() - began_s))
        for n, sentence in enumerate(sentences):
            yield f" {sentence}" if n else sentence


class Late:
    """An `Llm` that is made ready only when it is asked: most conversations never ask it."""

    def __init__(self, llm: Llm, prepare: Callable[[], Awaitable[None]]) -> None:
        """Answer with `llm` once `prepare` has run; both take no time here."""
        self._llm = llm
        self._prepare = prepare

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        """Answer as that one does."""
        await self._prepare()
        async with aclosing(self._llm.reply(messages, mishap, spare, tools)) as pieces:
            async for piece in pieces:
                yield piece


def _take_down(messages: Sequence[Message], sentences: Sequence[str], took_s: float) -> Exchanged:
    """What the built-in mind was asked, and answered; all of its answer is there at once."""
    took_ms = round(took_s * 1000, 1)
    return Exchanged(
        llm="built-in",
        model="built-in",
        request=msgspec.json.encode({"messages": messages}),
        response=" ".join(sentences),
        calls=(),
        outcome="answered",
        finding="",
        status=None,
        first_token_ms=took_ms,
        total_ms=took_ms,
    )
