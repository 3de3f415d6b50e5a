"""How words end: closed, open, in the middle of dictating, or saying nothing but "I listen". Pure.

English, like the bundled ears; of other languages a few words are known (`tongues.py`), and what
punctuation and digits tell. A transcript's full stops are little use: Moonshine puts one after
"I would like to", too. So the last words decide. A rule that is wrong costs a second of waiting,
never a word.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import takewhile
from unicodedata import normalize

from sayso.talk.tongues import TONGUES, UNKNOWN, split_words

ENGLISH = "english"


class Ending(StrEnum):
    """How the words of a turn end so far.

    CLOSED     as sentences do; so do many that go on
    COMPLETE   surely: a phone number with all its digits, "that's all"
    OPEN       as sentences do not: "and", "my name is", "let me see", a comma
    DICTATING  in a number that still grows, a spelled name, half an e-mail address
    """

    CLOSED = "closed"
    COMPLETE = "complete"
    OPEN = "open"
    DICTATING = "dictating"


_GOES_ON = frozenset(
    """a an the and or but so because cause if that which whose unless although whether than as my
    your our his her their its every um uh er erm hmm ah i we they he she i'm i'd i'll i've we're
    we'd we'll we've they're he's she's you're it's there's that's let's gonna wanna very""".split()
)
_QUESTION = frozenset("what who whom whose which where when how why".split())
_PREPOSITIONS = frozenset(
    "with to for from of at into about between without until than like during per".split()
)
_PARTICLES = frozenset("in on by".split())
"""Prepositions that also end verbs: "I am logged in", but "I live in"."""

_BEFORE_PARTICLE = frozenset(
    """log logged logs login sign signed check checked come came go goes went going hold held hang
    turn turned turns move moved moving drop dropped stop passed put stand plug plugged fill filled
    later early carry drive live-in opt add added get getting got it them that this me""".split()
)
_BE = frozenset("is are was were am be".split())
_SUBJECTS = frozenset("it he she they this that there we you i who what where how".split())
_THINKING = re.compile(
    r"(?:so |well |okay |um |uh )*(?:let me (?:see|think|check|look)(?: here)?|let's see|hold on|"
    r"hang on|(?:just )?(?:one|a) (?:moment|second|sec|minute)|just (?:one|a) \w+|"
    r"give me (?:one|a) \w+|well|so|actually|you know|i mean|i think|i guess|like|or|then|"
    r"what was it|how do you say)(?: please)?"
)
_CLOSING = re.compile(
    r"(?:^|.* )(?:that's all|that is all|that's it|that will be all|thank you(?: very much)?|"
    r"thanks|good-?bye|bye|bye-bye|please)"
)
_CONDITION = re.compile(r"(?:if|unless|although|whenever|while) ")
_CONDITION_WORDS = 6

_OPEN_MARKS = (",", "，", "、", "،", "-", "–", "—", "…", "...", ":", ";")


def words_of(text: str) -> list[str]:
    """The bare lower-case words of `text`, without punctuation."""
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower().replace("’", "'"))


def find_ending(text: str, language: str = ENGLISH) -> Ending:
    """How `text` ends; CLOSED where nothing is known against it, as for ""."""
    if language != ENGLISH:
        return _find_foreign_ending(text, language)
    words = words_of(text)
    if not words:
        return Ending.CLOSED
    if (dictated := _find_dictation(text, words)) is not None:
        return dictated
    if _is_open(text.rstrip(), words):
        return Ending.OPEN
    return Ending.COMPLETE if _CLOSING.fullmatch(" ".join(words)) else Ending.CLOSED


def is_open(text: str, language: str = ENGLISH) -> bool:
    """Whether more is to come, for all that the words tell."""
    return find_ending(text, language) in {Ending.OPEN, Ending.DICTATING}


def _find_foreign_ending(text: str, language: str) -> Ending:
    """As far as digits, punctuation and the last word tell."""
    words = split_words(text)
    if not words:
        return Ending.CLOSED
    digits = list(takewhile(str.isdigit, reversed(words)))[::-1]
    if (dictated := _weigh_run(digits, words)) is not None:
        return dictated
    goes_on = words[-1] in TONGUES.get(language, UNKNOWN).open
    return Ending.OPEN if goes_on or text.rstrip().endswith(_OPEN_MARKS) else Ending.CLOSED


# Phrases -----------------------------------------------------------------------------------------


def says(text: str, phrase: str) -> bool:
    """Whether `text` has `phrase` in it, as whole words; case and what stands between are alike.

    "Good-bye!" says "good bye", and "a byway" does not say "bye". Scripts without capitals may do
    without spaces, too: there a phrase is found within other letters.
    """
    told, sought = _bare(text), _bare(phrase)
    if not sought:
        return False
    begin, end = (r"\b" if _is_spaced(sought[at]) else "" for at in (0, -1))
    return re.search(begin + re.escape(sought) + end, told) is not None


def _bare(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", normalize("NFKC", text).casefold()))


def _is_spaced(letter: str) -> bool:
    return letter.isdigit() or letter.upper() != letter


# Sentences -----------------------------------------------------------------------------------


def _is_open(text: str, words: list[str]) -> bool:
    last, sentence = words[-1], words_of(_last_sentence(text))
    asks = bool(sentence) and (sentence[0] in _QUESTION or text.endswith("?"))
    if _THINKING.fullmatch(" ".join(sentence)):
        return True
    if last in _PARTICLES or last in _BE:
        return _hangs(words) and not (asks and last in _PARTICLES)
    if last in _PREPOSITIONS:
        return not (asks and sentence[0] in _QUESTION)
    if last in _GOES_ON or text.endswith(_OPEN_MARKS):
        return not (last == "that" and asks)
    return _is_condition(text, sentence)


def _hangs(words: list[str]) -> bool:
    """Whether "in" or "is" at the end wants something after it: "my name is", not "there it is"."""
    before = words[-2] if len(words) > 1 else ""
    return before not in (_BEFORE_PARTICLE if words[-1] in _PARTICLES else _SUBJECTS)


def _is_condition(text: str, sentence: list[str]) -> bool:
    """Whether the last sentence is an "if" that lacks its "then"."""
    short = len(sentence) <= _CONDITION_WORDS and "," not in _last_sentence(text)
    return short and not text.endswith("?") and bool(_CONDITION.match(" ".join(sentence)))


def _last_sentence(text: str) -> str:
    return re.split(r"[.?!]\s+", text.rstrip())[-1]


# Numbers, letters, addresses -----------------------------------------------------------------

_DIGITS = {
    word: digit
    for digit, words in enumerate("zero one two three four five six seven eight nine".split())
    for word in [words]
} | {"oh": 0}
_MULTIPLES = frozenset({"double", "triple"})
_NUMBERED = frozenset(
    """number phone cell mobile telephone card code account pin zip passport id reference
    confirmation iban policy""".split()
)
_FULL_LENGTHS = frozenset({10, 16})
"""Digits of a phone number (11 when it begins with the country's 1), and of a payment card."""

_LOOK_BACK_WORDS = 6
_MAIL = re.compile(r"\b(?:e-?mail|mail)(?: address)?(?: is|'s)\b(?!.*\?)")
_WHOLE_ADDRESS = re.compile(r"(?:\bdot |\.)(?:com|org|net|edu|gov|info|biz|io|co|uk|de|eu|us)\b")
_ADDRESS_PART = frozenset("dot underscore hyphen dash slash".split())


def _find_dictation(text: str, words: list[str]) -> Ending | None:
    lower = text.lower().rstrip(" .,")
    if words[-1] in _MULTIPLES | _ADDRESS_PART or re.search(r"\bas in \w+$", lower):
        return Ending.DICTATING
    if _MAIL.search(lower) and not lower.endswith("?"):
        return Ending.COMPLETE if _WHOLE_ADDRESS.search(lower) else Ending.DICTATING
    return _weigh_run(_run_of(words), words)


def _run_of(words: list[str]) -> list[str]:
    """The digits and letters at the end, one token for each word that was heard."""
    tokens = [part for word in words for part in word.split("-")]
    run: list[str] = []
    for token in reversed(tokens):
        spelled = len(token) == 1 or token in _DIGITS or token in _MULTIPLES
        if not (spelled or token.isdigit()):
            break
        run.insert(0, token)
    return run


def _weigh_run(run: list[str], words: list[str]) -> Ending | None:
    """Whether a run of digits or letters grows on: None for none, and for an ordinary number."""
    if not run or run in (["i"], ["a"]):
        return None
    digits = "".join(str(_DIGITS.get(token, token)) for token in run)
    before = words[: max(0, len(words) - len(run))]
    if digits.isdigit() and _is_full(digits):
        return Ending.COMPLETE
    dictated = len(run) >= 2 or (not before and (len(digits) >= 3 or digits.isalpha()))
    named = digits.isdigit() and bool(_NUMBERED & set(before[-_LOOK_BACK_WORDS:]))
    return Ending.DICTATING if dictated or named else None


def _is_full(digits: str) -> bool:
    return len(digits) in _FULL_LENGTHS or (len(digits) == 11 and digits[0] == "1")


# Over a reply --------------------------------------------------------------------------------

_LAUGHS = frozenset("ha hah haha ha-ha heh hehe he hee uh huh uh-huh h u tata".split())

_BACKCHANNELS = _LAUGHS | frozenset(
    """mm hm mhm mm-hm mm-hmm mmhm mmm hmm hm yeah yep yes yup right ok okay sure ah oh aha i see
    got it go on really wow cool nice great good alright true exactly so well er erm um perfect
    absolutely definitely interesting amazing""".split()
)

_PLEASED = re.compile(
    r"\b(?:all right|of course|that'?s (?:great|good|nice|cool|right|true|fine|perfect|amazing))\b"
)

_HUMS = frozenset("mama mamma mum mums mummy mom moon money man me my writes bright".split())
"""What Moonshine writes for a "mm-hm" with closed lips, or for "mm-hm, right"."""

_LAUGH = re.compile(r"\w{0,4}?(?:[fhkt]a){2,}h?")
"""A laugh in one word: "Tataha", "Fatata"."""

_LAUGHED_TIMES = 3

HUM_S = 0.9
"""A hum lasts no longer: "mm-hm, right" takes 0.8 s."""

_BACKCHANNEL_WORDS = 3

_EMPTY = frozenset(
    """you the this them they it it's its that's a an i off of at and in is uh um er erm ah mm hm
    hmm""".split()
)
"""What Moonshine writes for a hum, a cough or a throat that is cleared, and nobody says alone."""

_GRUNTS = frozenset("uh-huh mm-hm mm-hmm mhm mmhm mmm oh ah aha mama mamma".split())
"""What it writes for louder ones, and people say, too: they answer a question, and nothing else."""

_BRIEF = frozenset("no yes stop wait hi hey what".split())

SHORT_S = 0.45
"""Speech shorter than this may be a noise."""

BARELY_S = 0.2
"""Speech shorter than this is one: of 1,243 words and phrases, recorded and synthesized, some at
1.4 times the speed, none was."""

BRIEF_S, BRIEF_LETTERS_PER_S = 0.3, 20.0
LETTERS_PER_S = 27.0
"""Nobody speaks faster, in less than 0.3 s and in more: of those words none did. "Twins" takes
longer than a cough."""


def is_backchannel(text: str, spoken_s: float | None = None, language: str = ENGLISH) -> bool:
    """Whether `text` only says "I am listening" ("uh-huh", "yeah, right"), or is a laugh.

    `spoken_s` is how long that took, in seconds, if it is known: a hum is told by it.
    """
    if language != ENGLISH:
        words, listening = split_words(text), TONGUES.get(language, UNKNOWN).listening
        return len(words) <= _BACKCHANNEL_WORDS and listening.issuperset(words)
    words = words_of(_PLEASED.sub("great", text.lower().replace("’", "'")))
    if all(word in _LAUGHS or _LAUGH.fullmatch(word) for word in words) or _is_laughed(words):
        return True
    hummed = spoken_s is not None and spoken_s <= HUM_S
    known = _BACKCHANNELS | _HUMS if hummed else _BACKCHANNELS
    return len(words) <= _BACKCHANNEL_WORDS and set(words) <= known


def _is_laughed(words: list[str]) -> bool:
    """Whether the same was said again and again, for no reason: "How, how, how?"."""
    again = len(words) >= _LAUGHED_TIMES and len(set(words)) == 1
    return again and not (_FLOOR | _BACKCHANNELS).issuperset(words)


_FLOOR = frozenset(
    "stop wait no hold excuse sorry hello hey help please listen quiet enough cancel".split()
)
"""Who says one of these wants the floor, however unclearly."""


_ARE_YOU_THERE = frozenset(
    """hello|hello hello|hey|are you there|you there|hello are you there|are you still there|
    is anybody there|anybody there|can you hear me|hello can you hear me""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)


def is_impatient(text: str, language: str = ENGLISH) -> bool:
    """Whether `text` only asks whether anybody is there: "Hello?", while an answer is made."""
    return language == ENGLISH and " ".join(words_of(text)) in _ARE_YOU_THERE


def is_grunt(text: str, spoken_s: float, language: str = ENGLISH) -> bool:
    """Whether `text` is no more than a grunt of `spoken_s` seconds: an answer, or a cough."""
    words = words_of(text)
    grunts = language == ENGLISH and set(words) <= _GRUNTS
    return bool(words) and spoken_s <= SHORT_S and grunts


UNSURE = 0.23
"""Words of which the ears are less sure than this are none, over a reply."""


def is_unsure(text: str, confidence: float | None, language: str = ENGLISH) -> bool:
    """Whether `text` is likely to be something else than what was said over a reply.

    What nobody says alone is: sound without words, however long, comes out as "You".
    """
    words = words_of(text)
    if language == ENGLISH and words and _EMPTY.issuperset(words):
        return True
    if confidence is None or confidence >= UNSURE:
        return False
    return not wants_floor(text, language)


def wants_floor(text: str, language: str = ENGLISH) -> bool:
    """Whether a word of `text` is said to those who talk, so that they stop."""
    return language == ENGLISH and bool(_FLOOR.intersection(words_of(text)))


def is_noise(text: str, spoken_s: float, language: str = ENGLISH) -> bool:
    """Whether `text` was written for a sound that was no word: `spoken_s` of it, in seconds.

    Of 252 hums and coughs of 0.1-0.4 s that passed for speech, all came out as words (tests/talk/
    test_noises.py makes some); a grunt that may be an answer ("mm-hm", "oh") is none of these.
    """
    words = words_of(text)
    if not words:
        return False
    fastest = BRIEF_LETTERS_PER_S if spoken_s < BRIEF_S else LETTERS_PER_S
    if sum(map(len, words)) > fastest * spoken_s:
        return True
    if language != ENGLISH:
        return False
    if spoken_s < BARELY_S:
        return not set(words) <= _BRIEF
    return spoken_s <= SHORT_S and set(words) <= _EMPTY
