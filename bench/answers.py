"""Measures answers out of an agent's knowledge: what is found, refused, and made up.

    python bench/answers.py               without a language model: half a minute
    python bench/answers.py --llama http://127.0.0.1:8080/v1 --sample 5 --who LLM2
                                          an LLM instead, asked every fifth question
    python bench/answers.py --page docs/reference/answers.md

Each question of the evaluation set goes the way of a conversation: lookup, prompt, mind. The fake
LLM echoes what it is sent, so it "finds" what reached it, and what it did not have to refuse was
left to the LLM. Thresholds are calibrated on one half of the set; tables show the other.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from machine import describe_machine
from questions import (
    MORE,
    Question,
    join_passages,
    read_more,
    read_passages,
    read_questions,
    split_halves,
)
from sayso.clock import SystemClock
from sayso.errors import KnowledgeError, LlmError
from sayso.knowledge.embed import Embedder
from sayso.knowledge.local import LEAST_SCORE
from sayso.knowledge.passages import BETWEEN, Found, Passage, list_headings, text_to_embed
from sayso.knowledge.search import Index, build_index
from sayso.knowledge.sentences import Meanings, Rounded, round_off
from sayso.knowledge.split import split_sentences
from sayso.llm import Endpoint, Message, Mind
from sayso.llm.builtin import CAVEAT, REFUSED, Builtin
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.failover import Runner, Standby
from sayso.llm.fake.answer import FakeConfig
from sayso.llm.fake.server import running_fake
from sayso.llm.grounded import Grounded
from sayso.llm.grounds import NEW_BELOW, NEW_NAME_BELOW, Grounds, Weighed, is_request, judge
from sayso.llm.lexicon import Lexicon
from sayso.llm.notes import Notes
from sayso.llm.prompt import PromptParts, build_messages
from sayso.talk.lookup import Lookup
from sayso.talk.record import Stopwatch

PROMPT: Final = (
    "You answer the telephone of Larkfield Bicycles, a bicycle shop with rentals, repairs and "
    "guided tours. Be friendly and brief."
)
PASSAGES: Final = 5
"""As many as the server shows an LLM."""
RECALL_AIM: Final = 0.95
LLAMA_TOKENS: Final = 40
LONGEST_S: Final = 300.0
PATIENT: Final = Deadlines(
    first_token_s=LONGEST_S, between_tokens_s=LONGEST_S, reply_s=10 * LONGEST_S
)
"""What is measured is what is said, on a machine that may be busy."""
CUTS: Final = (0.08, 0.1, 0.12, 0.14, 0.16, 0.2, 0.25, 0.3)
WORD_CUTS: Final = (0.0, 0.3, 0.35, 0.38, 0.4, 0.42, 0.45, 0.5)
CAVEAT_MARK: Final = CAVEAT.rpartition("}")[2]
KINDS: Final = ("answerable", "off-topic", "near-topic", "outside")


class Files:
    """The documents, searched as the server does it."""

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self._index, self._embedder = index, embedder

    async def find(self, asked: str, context: Sequence[str], limit: int) -> list[Found]:
        """See `Retriever`."""
        del context
        meaning = (await self._embedder.embed([asked]))[0]
        found = self._index.search(meaning, asked, limit)
        return [one for one in found if one.score >= LEAST_SCORE]


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to answer."""

    name: str
    mind: Mind
    parts: PromptParts
    lookup: Lookup
    echoes: bool = False

    async def ask(self, words: str) -> str:
        """The answer to the first question of a conversation."""
        prompt = build_messages(self.parts, [Message("user", words)], max_chars=10_000)
        prompt = list(await self.lookup.add(prompt, Stopwatch(0.0), SystemClock(), _refuse_trouble))
        try:
            return "".join([str(piece) async for piece in self.mind.reply(prompt)])
        except LlmError as error:
            return f"({error.finding})"


def _refuse_trouble(error: KnowledgeError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class Graded:
    """What became of one question."""

    question: Question
    answer: str
    grade: str
    took_s: float


async def run_setup(
    setup: Setup, questions: Sequence[Question], say: Callable[[str], None]
) -> list[Graded]:
    """Ask everything once, and `say` how it goes."""
    say(f"{setup.name} …")
    graded = []
    for question in questions:
        began_s = time.perf_counter()
        answer = await setup.ask(question.words)
        took_s = time.perf_counter() - began_s
        grade = question.grade(answer)
        if setup.echoes and grade != "found":  # it repeats the prompt's words, refusals too
            grade = "refused" if answer.endswith(REFUSED) else "wrong"
        graded.append(Graded(question, answer, grade, took_s))
        say(f"{grade:8} {question.words}\n         {answer}")
    return graded


async def measure_recall(files: Files, questions: Sequence[Question]) -> dict[int, float]:
    """How often the right passage is among the first 1, 3, 4, 5."""
    asked = [one for one in questions if one.section]
    ranks = Counter[int]()
    for one in asked:
        meaning = (await files._embedder.embed([one.words]))[0]  # noqa: SLF001 - our own
        found = files._index.search(meaning, one.words, 5)  # noqa: SLF001
        places = [n for n, each in enumerate(found, 1) if one.section in each.passage.id.split("+")]
        ranks[places[0] if places else 99] += 1
    return {
        at: sum(n for rank, n in ranks.items() if rank <= at) / len(asked) for at in (1, 3, 4, 5)
    }


@dataclass(frozen=True, slots=True)
class Choice:
    """What is run.

    Attributes:
        llm_url: an LLM to ask as well; "" for none.
        who: part of the names of those who are asked.
        sample: every so many-th question is asked.
        say: is told how it goes.
    """

    llm_url: str
    who: str
    sample: int
    say: Callable[[str], None]


def thin_out(questions: Sequence[Question], every: int) -> list[Question]:
    """Every so many-th question of each kind."""
    kinds = dict.fromkeys(one.kind for one in questions)
    return [q for kind in kinds for q in [one for one in questions if one.kind == kind][::every]]


def show_progress(line: str) -> None:
    """To the terminal, beside the results."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def ignore_progress(_: str) -> None:
    """To nobody."""


# Tables --------------------------------------------------------------------------------------


def make_row(name: str, graded: Sequence[Graded]) -> str:
    """One line of the table."""
    by_kind: Mapping[str, Counter[str]] = {
        kind: Counter(one.grade for one in graded if one.question.kind == kind) for kind in KINDS
    }
    cells = [
        " / ".join(str(by_kind["answerable"][grade]) for grade in ("found", "refused", "wrong"))
    ]
    cells += [
        f"{by_kind[kind]['refused']} of {by_kind[kind].total()}"
        for kind in ("off-topic", "near-topic", "outside")
    ]
    with_caveat = [one for one in graded if one.grade == "found" and CAVEAT_MARK in one.answer]
    cells.insert(1, str(len(with_caveat)))
    took_ms = 1000 * median(one.took_s for one in graded)
    return f"| {name} | {' | '.join(cells)} | {took_ms:.0f} |"


HEAD: Final = """\
| Who answers | Answerable: found / refused / wrong | Found, with a caveat | \
Off-topic refused | Near-topic refused | Outside refused | ms, median |
| --- | --- | --- | --- | --- | --- | --- |"""


def show_recall(name: str, recall: Mapping[int, float]) -> str:
    """One line about finding the passage."""
    shown = ", ".join(f"@{at} {share:.2f}" for at, share in recall.items())
    reached = "reached" if recall[3] >= RECALL_AIM else "missed"
    return f"Recall, {name}: {shown} (the aim of {RECALL_AIM} @3 is {reached})."


def write_page(body: str) -> str:
    """The page."""
    return f"""{PAGE_HEAD.format(day=datetime.now(UTC).date().isoformat())}
{body}
{PAGE_END}"""


PAGE_HEAD: Final = """# Answers, measured

Recorded by `python bench/answers.py --page docs/reference/answers.md` on {day}; rows of
*SmolLM2 135M*, a real LLM that is far too small, with `--llama` and the URL of its server besides.
`make bench` measures it on your machine.

A small company that does not exist, its documents (77 passages) and what callers ask it are in
`bench/evaluation`: 83 questions that the documents answer, worded unlike them, and 50 that they do
not. An answer is *found* if it holds the fact, *refused* if it says that it does not know (whatever
else it says), and *wrong* otherwise. What had to be calibrated was so with one half of the
questions; the tables show the other half. Passages are short here, about 35 words; *three sections
a passage* are about as long as those that a text without headings is cut into.
"""
PAGE_END: Final = """
- *Files*: the documents are looked up, five passages a question. *Pasted*: they are the agent's own
  text.
- *Only knowledge*: `answerOnlyFromCriticalKnowledge`. What nothing known is about is not asked.
- The *fake LLM* echoes its prompt: it "finds" what reached it, and refuses only what it was not
  asked. Whatever it does not refuse is left to the LLM, which is told that nothing surely fits.
- *Found, with a caveat*: the fact comes behind "I have nothing about a puncture in my notes. The
  closest I have is this:".
- *Lead*: how much closer a question is to a passage than to the world (`llm/grounds.py`). Below the
  threshold the LLM is not asked.
- *Word*: how close in meaning a noun of the question, which is none of the known words, is to the
  nearest of those (`llm/ideas.py`). Below the threshold the LLM is not asked either; those refused
  by their lead are counted in.
- A question in the documents' own words about something they do not say ("How much does a new
  Osprey cost?") has neither far meaning nor new words: that is left to the LLM, and is what the
  built-in mind answers wrong most.
"""


# A run ---------------------------------------------------------------------------------------


@asynccontextmanager
async def open_embedder() -> AsyncGenerator[Embedder]:
    embedder = Embedder()
    await embedder.open()
    try:
        yield embedder
    finally:
        await embedder.close()


async def index_passages(passages: Sequence[Passage], embedder: Embedder) -> Index:
    """All of them, with their headings."""
    texts = [text_to_embed(one.title, one.text) for one in passages]
    vectors = await embedder.embed(texts)
    sentences = [
        round_off(await embedder.embed(split_sentences(one.title, one.text))) for one in passages
    ]
    headings = await embed_headings(passages, embedder)
    *_, index = build_index(passages, Meanings(vectors, sentences, headings))
    assert index is not None
    return index


async def embed_headings(passages: Sequence[Passage], embedder: Embedder) -> list[Rounded | None]:
    """What the heading of each means that has one of its own."""
    named = list_headings([one.title for one in passages])
    return [round_off(await embedder.embed([one] if one else [])) for one in named]


def write_out(passages: Sequence[Passage]) -> str:
    """The documents as one text, as somebody would paste them."""
    return "\n\n".join(f"## {one.title.rpartition(BETWEEN)[2]}\n{one.text}" for one in passages)


async def make_setups(
    stack: AsyncExitStack, passages: Sequence[Passage], embedder: Embedder, llama_url: str
) -> list[Setup]:
    """All ways to answer."""
    files = Files(await index_passages(passages, embedder), embedder)
    lookup = Lookup((files,), limit=PASSAGES, deadline_s=LONGEST_S)
    builtin = Builtin(embedder, Lexicon())
    standby = Standby(start_s=LONGEST_S)
    stack.push_async_callback(standby.close)
    client = LlmClient(PATIENT)
    await client.open()
    stack.push_async_callback(client.close)
    quick = FakeConfig(first_token_s=0.0, token_s=0.0)
    fake_url = await stack.enter_async_context(running_fake(quick))

    def bind(notes: Notes, endpoint: Endpoint | None) -> Mind:
        llm = client.bind(endpoint) if endpoint else builtin.bind(notes)
        mind = standby.bind([Runner(llm)])
        return Grounded(mind, builtin, notes, "english") if notes.answer_only else mind

    setups = []
    text = write_out(passages)
    whos = [("built-in mind", None), ("fake LLM (echo)", Endpoint(fake_url))]
    if llama_url:
        whos.append(("SmolLM2 135M", Endpoint(llama_url, temperature=0, max_tokens=LLAMA_TOKENS)))
    for who, endpoint in whos:
        for only in (False, True):
            for pasted in (False, True) if endpoint is None else (False,):
                knowledge = text if pasted else ""
                notes = Notes("Larkfield", "", PROMPT, knowledge, only)
                await builtin.learn(notes)
                parts = PromptParts("Larkfield", PROMPT, knowledge, only)
                where = "pasted" if pasted else "files"
                name = f"{who}, {where}{', only knowledge' if only else ''}"
                setups.append(
                    Setup(name, bind(notes, endpoint), parts, _of(lookup, pasted), "echo" in who)
                )
    return setups


def _of(lookup: Lookup, pasted: bool) -> Lookup:
    return Lookup() if pasted else lookup


async def calibrate(
    builtin: Builtin, setup: Setup, notes: Notes, questions: Sequence[Question]
) -> list[tuple[Question, Weighed]]:
    """How each request is weighed."""
    all_weighed = []
    for one in questions:
        if not is_request(one.words):
            continue
        prompt = build_messages(setup.parts, [Message("user", one.words)], max_chars=10_000)
        prompt = list(
            await setup.lookup.add(prompt, Stopwatch(0.0), SystemClock(), _refuse_trouble)
        )
        weighed = await builtin.weigh(notes, prompt)
        if weighed is not None:
            all_weighed.append((one, weighed))
    return all_weighed


async def run(choice: Choice) -> str:
    """Everything that was chosen; gives the page's body."""
    calibrating, reported = split_halves(read_questions())
    passages = read_passages()
    lines: list[str] = []
    async with open_embedder() as embedder, AsyncExitStack() as stack:
        files = Files(await index_passages(passages, embedder), embedder)
        whole = await measure_recall(files, [*calibrating, *reported])
        lines += [show_recall("all questions", whole)]
        lines += [show_recall("reported half", await measure_recall(files, reported))]
        long = Files(await index_passages(join_passages(passages), embedder), embedder)
        whole = await measure_recall(long, [*calibrating, *reported])
        lines += [show_recall("all questions, three sections a passage", whole)]
        lines += [await measure_more(embedder), ""]
        lines += [HEAD]
        for setup in await make_setups(stack, passages, embedder, choice.llm_url):
            if choice.who in setup.name:
                graded = await run_setup(setup, thin_out(reported, choice.sample), choice.say)
                lines.append(make_row(setup.name, graded))
        lines += ["", *await show_thresholds(embedder, files, calibrating, reported)]
    return "\n".join(lines)


async def measure_more(embedder: Embedder) -> str:
    """One line about the other companies, each searched by itself."""
    found = Counter[int]()
    count = 0
    for folder in MORE:
        files = Files(await index_passages(read_passages(folder), embedder), embedder)
        asked = read_more(folder)
        count += len(asked)
        for at, share in (await measure_recall(files, asked)).items():
            found[at] += round(share * len(asked))
    shown = ", ".join(f"@{at} {number / count:.2f}" for at, number in found.items())
    return (
        f"Recall, {count} harder questions that only calibrate, to three other companies: {shown}."
    )


async def show_thresholds(
    embedder: Embedder,
    files: Files,
    calibrating: Sequence[Question],
    reported: Sequence[Question],
) -> list[str]:
    """What other thresholds would do, on either half."""
    builtin = Builtin(embedder, Lexicon())
    notes = Notes("Larkfield", "", PROMPT, "", answer_only=True)
    await builtin.learn(notes)
    parts = PromptParts("Larkfield", PROMPT, "", answer_only=True)
    lookup = Lookup((files,), limit=PASSAGES, deadline_s=LONGEST_S)
    setup = Setup("", builtin.bind(notes), parts, lookup)  # type: ignore[arg-type]
    halves = [await calibrate(builtin, setup, notes, half) for half in (calibrating, reported)]
    by_lead = [_show_cut(cut, halves, partial(_leads_less, cut)) for cut in CUTS]
    by_word = [_show_cut(cut, halves, partial(_is_refused, cut)) for cut in WORD_CUTS]
    return [_head("lead"), *by_lead, "", _head("word"), *by_word]


def _head(what: str) -> str:
    kinds = "answerable / off / near / outside"
    return f"| Refuse below ({what}) | Calibrating half: {kinds} | Reported half |\n{3 * '| --- '}|"


def _leads_less(cut: float, weighed: Weighed) -> bool:
    return weighed.lead < cut


def _is_refused(cut: float, weighed: Weighed) -> bool:
    """Whether it is refused if words are new below `cut`, and names as much farther as they are."""
    beyond = NEW_NAME_BELOW - NEW_BELOW
    new = [one.closeness < cut + beyond * one.is_name for one in weighed.odd]
    return judge(replace(weighed, odd=())) is Grounds.NONE or (cut > 0 and any(new))


def _show_cut(
    cut: float,
    halves: Sequence[Sequence[tuple[Question, Weighed]]],
    refuses: Callable[[Weighed], bool],
) -> str:
    cells = []
    for half in halves:
        own = [[refuses(w) for one, w in half if one.kind == kind] for kind in KINDS]
        cells.append(" / ".join(f"{sum(each) / len(each):.0%}" for each in own))
    return f"| {cut} | {' | '.join(cells)} |"


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--llama", default="", help="base URL of an LLM to measure as well")
    parser.add_argument("--who", default="", help="only those whose name holds this")
    parser.add_argument("--sample", type=int, default=1, help="ask every so many-th question")
    parser.add_argument("--page", type=Path, help="write what was found as a page")
    parser.add_argument("--verbose", action="store_true", help="show every answer")
    args = parser.parse_args()
    machine = describe_machine()
    say = show_progress if args.verbose else ignore_progress
    body = f"{asyncio.run(run(Choice(args.llama, args.who, args.sample, say)))}\n\n{machine}"
    sys.stdout.write(f"{body}\n")
    if args.page:
        args.page.write_text(write_page(body), "utf-8")


if __name__ == "__main__":
    main()
