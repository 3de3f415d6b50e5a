"""Reads an agent's own texts as notes to answer from: sentences, passages, small talk. Pure.

What its owner tells the agent ("You are a helpful receptionist. Never give discounts.") is not
an answer for a caller: of the prompt, only statements about the world count as notes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sayso.llm.rows import speak_row

MAX_PASSAGE_CHARS = 400
"""Longest passage; a paragraph beyond it is cut between sentences."""
MAX_PASSAGES = 400
"""How many passages are kept; more than the contract's limits can fill."""
MAX_SMALL_TALK_WORDS = 7
"""A longer sentence is a question, even if it begins with a hello."""

_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|[-*•]\s+|\d+[.)]\s+|>\s+)")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+(?P<title>.+?)\s*#*|(?P<label>[^.!?:]{2,60}):)\s*$")
_EMPHASIS = re.compile(r"\*\*|__|`")
_ENDS = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9ÄÖÜÉ])")
_ABBREVIATIONS = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|vs|etc|e\.g|i\.e|approx)|\b[A-Z])\.$")
_SPEAKER = re.compile(r"^(?:Q|A|Question|Answer)\s*[:.]\s*", re.IGNORECASE)

_ADDRESSED = re.compile(
    r"\b(?:you|your|yours|yourself|you're|you'll)\b"
    r"|\b(?:the|a|an|each|every) (?:user|caller)s?\b|\b(?:assistant|chatbot|persona)\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"^(?:please\s+)?(?:act|add|address|adopt|allow|always|answer|apologi[sz]e|ask|assist|avoid|be|"
    r"begin|behave|confirm|collect|continue|do|don't|end|encourage|ensure|explain|finish|focus|"
    r"follow|gather|generate|get|give|greet|handle|help|if|imagine|introduce|keep|let|limit|listen|"
    r"maintain|make|mention|must|never|note|offer|only|play|pretend|provide|refer|refuse|remember|"
    r"repeat|reply|respond|say|sound|speak|start|stay|stick|suggest|take|talk|tell|thank|transfer|"
    r"treat|try|use|verify|wait|when|write)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Notes:
    """The texts of an agent that the built-in mind answers from."""

    name: str = ""
    greeting: str = ""
    agent_prompt: str = ""
    critical_knowledge: str = ""
    answer_only: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A few sentences that belong together, and the heading they stand under."""

    sentences: tuple[str, ...]
    heading: str = ""

    @property
    def text(self) -> str:
        """The whole passage with its heading, as it is searched."""
        said = " ".join(self.sentences)
        return f"{self.heading}: {said}" if self.heading else said


def read_notes(notes: Notes) -> list[Passage]:
    """All passages to answer from, the critical knowledge first."""
    passages = cut_passages(notes.critical_knowledge)
    if not notes.answer_only:
        for passage in cut_passages(notes.agent_prompt):
            facts = tuple(line for line in passage.sentences if is_fact(line))
            if facts:
                passages.append(
                    Passage(facts, "" if is_order(passage.heading) else passage.heading)
                )
    return passages[:MAX_PASSAGES]


def is_order(sentence: str) -> bool:
    """Whether `sentence` of a prompt speaks to the agent."""
    return bool(_ADDRESSED.search(sentence) or _ORDER.match(sentence))


def is_fact(sentence: str) -> bool:
    """Whether `sentence` of a prompt says something about the world."""
    return not is_order(sentence) and not sentence.endswith(("?", ":")) and " " in sentence


def cut_sentences(text: str) -> list[str]:
    """The sentences of `text`; each line ends one. Marks of lists and emphasis are left out."""
    sentences: list[str] = []
    for line in text.splitlines():
        bare = _EMPHASIS.sub("", _MARKS.sub("", line)).strip()
        begun = ""
        for piece in _ENDS.split(bare):
            begun = f"{begun} {piece}".strip()
            if not _ABBREVIATIONS.search(begun):
                sentences.append(begun)
                begun = ""
        sentences.append(begun)
    return [sentence for sentence in sentences if sentence]


def cut_passages(text: str) -> list[Passage]:
    """`text` as passages: a blank line or a heading ends one, and so does the limit."""
    passages: list[Passage] = []
    heading = ""
    held: list[str] = []

    def close() -> None:
        if held:
            passages.append(Passage(tuple(held), heading))
            held.clear()

    for line in text.splitlines():
        title = _HEADING.match(line)
        if title or not line.strip():
            close()
            heading = (title["title"] or title["label"]).strip() if title else heading
            continue
        for sentence in cut_sentences(line):
            if sum(map(len, held)) + len(sentence) > MAX_PASSAGE_CHARS:
                close()
            held.append(sentence)
    close()
    return passages


def list_answers(passage: Passage) -> list[str]:
    """The sentences of `passage` that can be spoken: no questions, no `A:` in front, no rows."""
    return [speak_row(line) or line for line in _list_lines(passage)]


def list_rows(passage: Passage) -> list[bool]:
    """Which of them were rows of a table."""
    return [speak_row(line) is not None for line in _list_lines(passage)]


def _list_lines(passage: Passage) -> list[str]:
    lines = [_SPEAKER.sub("", line) for line in passage.sentences if not line.endswith("?")]
    return [line for line in lines if line]


def end_sentence(line: str) -> str:
    """`line` with a full stop if it has no end, so that the voice falls."""
    return line if line.endswith((".", "!", "…")) else f"{line.rstrip(' ,;:')}."


def choose_best(scores: Sequence[float], count: int, share: float) -> list[int]:
    """The places of the `count` best scores in their order, each at least `share` of the best."""
    ranked = sorted(range(len(scores)), key=lambda n: -scores[n])[:count]
    return sorted(n for n in ranked if scores[n] >= share * scores[ranked[0]])


_SMALL_TALK = (
    (
        "who",
        re.compile(r"who (?:are|am i speaking|is this)|what(?:'s| is) your name|your name\??$"),
    ),
    ("how", re.compile(r"how are you|how(?:'s| is) it going|how do you do|how(?:'re| are) things")),
    ("what", re.compile(r"what can you (?:do|help)|(?:can|could) you help(?: me)?\??$|^help\b")),
    ("thanks", re.compile(r"\b(?:thanks|thank you|thx|cheers)\b")),
    ("bye", re.compile(r"\b(?:bye|goodbye|see you|good night|that(?:'s| is) all)\b")),
    ("hello", re.compile(r"^(?:hi|hello|hey|howdy|good (?:morning|afternoon|evening|day))\b")),
)


def recognise_small_talk(words: str) -> str | None:
    """What kind of small talk `words` are: who, how, what, thanks, bye or hello; else None."""
    plain = " ".join(words.lower().replace("’", "'").split()).strip(" .!,")
    if len(plain.split()) > MAX_SMALL_TALK_WORDS:
        return None
    for kind, pattern in _SMALL_TALK:
        if pattern.search(plain) and not (kind == "hello" and "?" in words):
            return kind
    return None


def answer_small_talk(kind: str, notes: Notes, *, greeted: bool) -> str:
    """What the agent says to small talk, from its own name and greeting."""
    name = notes.name.strip()
    iam = f"I am {name}." if name else "I am a voice agent."
    match kind:
        case "who":
            return f"{iam} I answer questions from my notes."
        case "how":
            return "I am doing well, thank you. What would you like to know?"
        case "what":
            return f"I can answer questions about what is in my notes.{_mention(notes)}"
        case "thanks":
            return "You are welcome."
        case "bye":
            return "Thank you for calling. Goodbye!"
        case _:
            return "Hello! What would you like to know?" if greeted else _greet(notes, iam)


def _greet(notes: Notes, iam: str) -> str:
    return notes.greeting.strip() or f"Hello! {iam} What would you like to know?"


def _mention(notes: Notes) -> str:
    headings = [passage.heading for passage in read_notes(notes) if passage.heading]
    known = list(dict.fromkeys(heading.lower() for heading in headings))[:3]
    return f" For example: {', '.join(known)}." if known else ""
