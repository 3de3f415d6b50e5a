"""The evaluation set: small companies' documents, and what callers ask them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sayso.knowledge.passages import BETWEEN, Passage

FOLDER: Final = Path(__file__).parent / "evaluation"

MORE: Final = tuple(FOLDER / "more" / name for name in ("copperline", "elmrow", "saltmarsh"))
"""Three more companies, to calibrate search with: each with its documents and `questions.tsv`."""

REFUSAL: Final = re.compile(
    r"(?:n['’]t|not|no longer|unable to|no) (?:\w+ ){0,2}?(?:have|know|sure|find|found|aware|able|"
    r"mention|provide|specif|contain|certain|answer|help|assist|see|information|details?|tell)"
    r"|cannot|can['’]t|unfortunately|i['’]m sorry|in my notes",
    re.IGNORECASE,
)
"""An answer that says that it is none."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        words: as it is spoken.
        section: the heading of the passage that answers it; "" if none does.
        fact: what an answer must hold.
        kind: "answerable", or why it is not: "off-topic", "near-topic", "outside".
    """

    words: str
    section: str = ""
    fact: re.Pattern[str] | None = None
    kind: str = "answerable"

    def grade(self, answer: str) -> str:
        """What `answer` is: "found", "refused" or "wrong"."""
        if self.fact is not None and self.fact.search(answer):
            return "found"
        return "refused" if REFUSAL.search(answer) else "wrong"


def read_passages(folder: Path = FOLDER / "larkfield") -> list[Passage]:
    """Every `##` section of the documents; its title is the document's with its own."""
    passages = []
    for path in sorted(folder.glob("*.md")):
        head, *sections = re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)
        name = head.removeprefix("#").strip()
        for section in sections:
            heading, _, text = section.partition("\n")
            title = f"{name}{BETWEEN}{heading}"
            passages.append(Passage(heading, text.strip(), path.stem, path.name, title=title))
    return passages


def join_passages(passages: Sequence[Passage], count: int = 3) -> list[Passage]:
    """Passages of `count` sections of a document, as one without headings would be cut.

    Headings stand in the text, and the title is the document's; ids are joined by "+".
    """
    joined = []
    for source in dict.fromkeys(one.source_id for one in passages):
        own = [one for one in passages if one.source_id == source]
        for some in (own[at : at + count] for at in range(0, len(own), count)):
            text = "\n".join(f"{one.id}. {one.text}" for one in some)
            title = some[0].title.partition(BETWEEN)[0]
            ids = "+".join(one.id for one in some)
            joined.append(replace(some[0], id=ids, text=text, title=title))
    return joined


def read_questions(folder: Path = FOLDER) -> list[Question]:
    """Answerable ones first."""
    return [
        *(
            Question(words, section, re.compile(fact, re.IGNORECASE))
            for words, section, fact in _read_table(folder / "answerable.tsv")
        ),
        *(Question(words, kind=kind) for kind, words in _read_table(folder / "unanswerable.tsv")),
    ]


def read_more(folder: Path) -> list[Question]:
    """What callers ask one of the companies of `MORE`."""
    return [
        Question(words, section, re.compile(fact, re.IGNORECASE))
        for words, section, fact in _read_table(folder / "questions.tsv")
    ]


def _read_table(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()]


def split_halves(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Those to calibrate with, and those to report: every other one of each kind."""
    kinds = dict.fromkeys(one.kind for one in questions)
    each = [[one for one in questions if one.kind == kind] for kind in kinds]
    return [q for one in each for q in one[::2]], [q for one in each for q in one[1::2]]
