"""What a question is about, word for word, and what of it nothing says that is known. Pure.

"Do you rent mountain bikes?" is close in meaning to whatever rents bicycles out; only its words
tell that mountains are new. So the nouns of a question are looked for among the words of what is
known. English only: verbs are told from nouns by the words before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sayso.llm.grounds import is_asking

MAX_IDEAS: Final = 4
"""New words of one question that are looked at, first ones first."""

MAX_TEXTS: Final = 512
"""Texts whose words are kept: passages that were found, and what agents are told."""

MAX_STEMS: Final = 8192
"""Words whose stems are kept."""

MIN_STEM_CHARS: Final = 3
"""So much of a word is left when its ending is taken off."""

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[.!?,;:]")
_CLAUSE = re.compile(r"(?<=[.!?,;:])\s+")
_ENDINGS = (
    *("ations", "ation", "ings", "ing", "ments", "ment", "ances", "ance", "ers", "ies", "ied"),
    *("ed", "es", "er", "ly", "al", "s", "y", "e"),
)

_PLAIN = frozenset(
    # the grammar
    "a an the this that these those it its itself he him his himself she her hers herself "
    "they them their theirs we us our ours you your yours yourself i me my mine myself who "
    "whom whose what which when where why how and or but if so because than then as at by for "
    "from in into of off on onto out over to under until till up upon with within without "
    "about above across after against ahead along among around away back before behind below "
    "beside besides between beyond down during inside near outside since through toward "
    "towards while is am are was were be been being do does did doing done have has had "
    "having can could may might must shall should will would ought not no nor never none "
    "nothing nobody nowhere yes any anybody anyone anything anywhere some somebody someone "
    "something somewhere every everybody everyone everything everywhere each either neither "
    "both all other others another else own same such self "
    # words that go with everything
    "actually afterwards again ago almost already also altogether always anyway apart "
    "available bad beforehand best better big bit case certain common current currently "
    "different early easy enough especially even ever exact exactly extra far few fewer fine "
    "first full further general good great high hi hello hey however important instead just "
    "kind kinds large last late later latest least less like likely little long longest lot "
    "lots low main many maximum maybe mean minimum more most much necessary need new next "
    "nice normal now number often oh ok okay old once one ones only open ordinary original "
    "overall particular people per perhaps person please possible probably question quick "
    "quickly quite rather ready real really right seldom several short similar simple small "
    "somehow sometimes soon sorry special still sort stuff sure thank thanks thing things too "
    "total true twice type types typical usual usually various very way ways well whole wrong "
    "yet um uh "
    # doing
    "accept add allow allowed answer arrange ask become begin bring buy call change charge "
    "check choose close come cost costs exist exists explain find get getting gets give given "
    "go goes going gone got happen happens help include included includes keep know known "
    "learn leave let list look make makes matter needs offer order pay plan provide put "
    "recommend rent rule say see sell send show speak start stay stop take takes taken talk "
    "tell think try turn understand use used using visit wait want wants wish won work works "
    # when and how much
    "pm o'clock time times today tomorrow tonight yesterday morning mornings noon afternoon "
    "evening evenings night nights midnight day days daily week weeks weekly weekend weekends "
    "weekday weekdays month months monthly year years yearly hour hours minute minutes second "
    "seconds moment date dates season spring summer autumn winter holiday holidays christmas "
    "easter eve monday tuesday wednesday thursday friday saturday sunday mondays tuesdays "
    "wednesdays thursdays fridays saturdays sundays january february march april june july "
    "august september october november december amount price prices priced fee fees rate "
    "rates money euro euros dollar dollars pound pounds cent cents cheap cheaper cheapest "
    "expensive free half quarter dozen pair percent zero two three four five six seven eight "
    "nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million third "
    "fourth fifth "
    # the house itself
    "place company business firm office team staff here there "
    # who comes along
    "man men woman women child children kid kids baby son sons daughter daughters mother mom "
    "mum father dad parent parents husband wife partner brother sister grandma grandmother "
    "grandpa grandfather friend friends boyfriend girlfriend family guest guests colleague "
    "colleagues caller customer customers mr mrs ms".split()
)
"""Words that carry no idea by themselves, whatever is asked."""

_BEFORE_VERBS = frozenset(
    "i you we they he she it who to can could may might must shall should will would do does "
    "did not please somebody someone anybody anyone i'd i'll you'd you'll we'd we'll they'd "
    "let's how".split()
)
"""Behind these no noun follows, unless it is a name: "to Lisbon"."""

_ARTICLES = frozenset(("a", "an", "the"))


@dataclass(frozen=True, slots=True)
class Idea:
    """A word that a question is about.

    Attributes:
        word: as it was said.
        phrase: with the words that belong to it: "mountain bikes".
        is_name: it is written as a name, for which no other word stands.
    """

    word: str
    phrase: str
    is_name: bool = False


@lru_cache(MAX_STEMS)
def find_stem(word: str) -> str:
    """`word` without its ending, to be compared: "renting", "rents", "rental" are "rent"."""
    plain = word.casefold().replace("’", "'").partition("'")[0]
    for ending in _ENDINGS:
        if ending == "s" and plain.endswith("ss"):
            break
        if plain.endswith(ending) and len(plain) - len(ending) >= MIN_STEM_CHARS:
            plain = plain.removesuffix(ending)
            break
    if len(plain) > MIN_STEM_CHARS and plain[-1] == plain[-2] and plain[-1] not in "ls":
        return plain[:-1]
    return plain[:-1] if len(plain) > MIN_STEM_CHARS and plain[-1] in "ei" else plain


def list_words(texts: Iterable[str]) -> list[str]:
    """The words of `texts` that carry ideas, small, each once."""
    return list(dict.fromkeys(word for text in texts for word in _list_words(text)))


@lru_cache(MAX_TEXTS)
def _list_words(text: str) -> tuple[str, ...]:
    words = dict.fromkeys(word.casefold() for word in _TOKEN.findall(text))
    return tuple(word for word in words if not is_plain(word))


def is_plain(word: str) -> bool:
    """Whether `word` carries no idea: grammar, numbers, times, what goes with everything."""
    small = word.casefold().replace("’", "'")
    return (
        len(small) <= 1
        or any(map(str.isdigit, small))
        or not small[0].isalpha()
        or {small, small.partition("'")[0]} & _PLAIN != set()
    )


def find_new(question: str, known: Sequence[str]) -> list[Idea]:
    """The ideas of `question` that are none of the `known` words, nor one in another form."""
    stems = set(map(find_stem, known))
    new = [idea for idea in list_ideas(question) if find_stem(idea.word) not in stems]
    return new[:MAX_IDEAS]


def list_ideas(question: str) -> list[Idea]:
    """What `question` is about, in the order of its words."""
    tokens = _TOKEN.findall(cut_circumstances(question))
    bears = [_bears(tokens, at) for at in range(len(tokens))]
    return list(
        dict.fromkeys(
            Idea(token, _surround(tokens, bears, at), at > 0 and token[0].isupper())
            for at, token in enumerate(tokens)
            if bears[at]
        )
    )


def cut_circumstances(question: str) -> str:
    """`question` without what the caller tells first: "My son is six, what does it cost?"."""
    clauses = _CLAUSE.split(question.strip())
    asking = [n for n, clause in enumerate(clauses) if is_asking(clause)]
    return " ".join(clauses[asking[-1] if len(asking) == 1 else min(asking, default=0) :])


def _bears(tokens: Sequence[str], at: int) -> bool:
    """Whether the word at this place carries an idea, as far as its neighbours tell."""
    word, before = tokens[at], tokens[at - 1].casefold() if at else ""
    if is_plain(word) or not word[0].isalpha():
        return False
    if at and word[0].isupper():
        return True
    verb = not before or before in ".!?,;:" or before.replace("’", "'") in _BEFORE_VERBS
    return not verb and (word.endswith("eed") or not word.endswith(("ed", "ly")))


def _surround(tokens: Sequence[str], bears: Sequence[bool], at: int) -> str:
    """The words around this place that carry ideas too."""
    begin, end = at, at + 1
    while begin and bears[begin - 1]:
        begin -= 1
    while end < len(tokens) and bears[end]:
        end += 1
    if begin and tokens[begin - 1] in _ARTICLES:
        begin -= 1
    return " ".join(tokens[begin:end])


def name_phrases(phrases: Sequence[str]) -> str:
    """`phrases` as they are spoken: "GPS devices or maps"."""
    return " or ".join(dict.fromkeys(phrases))
