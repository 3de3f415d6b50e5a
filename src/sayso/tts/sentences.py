"""Cuts a reply, while it is being written, into clauses that can be spoken. Pure.

The first clause goes out early, at a comma or in front of a conjunction if need be, so that the
caller hears something; after it, sentences stay whole, since a voice gives a sentence its melody.
Where a cut falls depends on the text alone, never on the pieces it came in: a stop at the end of
what has come so far waits for the next character ("3." may become "3.14"), and `finish` says that
none will come.
"""

from __future__ import annotations

import re

FIRST_CHARS = 10
"""The first clause may end at a comma once it is this long: "Of course,"."""

FIRST_WIDE_CHARS = 5
"""The same where a letter is a syllable or a word."""

JOINT_CHARS = 28
"""The first clause may end in front of a word that begins another ("but", "because") once it is
this long: not quite two seconds of speech."""

LOOSE_CHARS = 42
"""The same in front of "and", "with", "until" and their like."""

THAI_CHARS = 48
"""Where a space is the only mark there is, a later clause may end at one once it is this long."""

LONGEST_CHARS = 240
"""A longer sentence is cut at its last comma, else at a space: about 15 s of speech."""

LONGEST_CODE_CHARS = 10_000
"""A fenced code block is one piece, so that it can be left out as a whole, up to this length."""

LOOK_AHEAD_CHARS = 8
"""How far past a stop the text is read before deciding: closing quotes, spaces, one letter."""

STOPS = ".!?…"
WIDE_STOPS = "。！？．｡।॥؟۔။።។"  # no space follows these
SOFT = ",;:"
WIDE_SOFT = "，、；：،"
DASHES = "—–"
CLOSERS = "\"'”’»)]}*_」』）】》"
FENCE = "```"
ELLIPSIS = "…"
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Letters of Thai, Lao, Burmese and Khmer, which write a space where others write a comma."""

HALF_WORD = re.compile(rf"[^\s{UNSPACED}\u2e80-\u9fff\uf900-\uffef]+$")
"""What may be the beginning of a word; where words have no spaces, any letter may be the last."""

CANDIDATE = re.compile(
    f"[\n`{re.escape(STOPS + WIDE_STOPS + SOFT + WIDE_SOFT + DASHES)}]"
    f"|(?<=[{UNSPACED}])\\s(?=[{UNSPACED}])"
)

ABBREVIATIONS = frozenset(
    "mr mrs ms mx dr prof st mt ft gen gov sen rep capt lt col sgt rev hon pres supt fr jr sr "
    "vs etc al approx est dept inc ltd corp co bros ave blvd rd apt ste bldg cf ca viz".split()
)
"""A stop after these ends no sentence; a missed cut only makes a longer clause."""

BEFORE_NUMBERS = frozenset(
    "no nos fig figs vol p pp ch sec art jan feb mar apr jun jul aug sep sept oct nov dec "
    "mon tue tues wed thu thurs fri sat sun".split()
)
"""A stop after these ends no sentence when a digit follows: "No. 5", but "No. I mean it"."""

LETTERS_AND_STOPS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")  # e.g  i.e  U.S  p.m
LIST_NUMBER = re.compile(r"(?:\d{1,3}|[a-zA-Z])")
PLAIN = re.compile(r"\s{1,2}[^\W\d_]|[^\W_]")
SOFT_CUT = re.compile(rf"[{re.escape(SOFT)}](?=\s)|[{re.escape(WIDE_SOFT + DASHES)}]")
WORD_COMMA = re.compile(r"(?<=[^\W\d_])[,;]")
"""A comma behind a letter needs no look at what follows: it is no 1,000."""


JOINTS = frozenset("but because so which while when if unless although though who where".split())
LOOSE_JOINTS = JOINTS | frozenset(
    "and or that with without from in at until before after within during near".split()
)
BOUND = frozenset(
    "am is are was were be or and not just even only such so as the a an what than rather more "
    "most much many".split()
)
"""Words that belong to the next one: nothing is cut behind them."""

JOINT = re.compile(r"(?<=[a-z]) ([a-z]+)(?=[^\w’'-])")


class Sentences:
    """Cuts one reply. `feed` it as it comes; `finish` it at the end; use a new one for the next."""

    def __init__(self) -> None:
        self._held = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """Take more of the reply; get the clauses that are complete now."""
        self._held += text
        return self._cut_all(final=False)

    def finish(self) -> list[str]:
        """Get what is left; nothing more will come."""
        return self._cut_all(final=True)

    def break_off(self) -> list[str]:
        """Get what is left of a text that broke off: without half a word, and marked as broken.

        Half a number is another number, and half a word is none. A first word is kept, as people
        break off, if it is no number: without it there would be no answer at all.
        """
        if FENCE not in self._held:
            self._held = close_off(self._held, keeps_word=self._first)
        return self.finish()

    def pause(self) -> list[str]:
        """The writer pauses: a sentence that stands complete need not wait for what follows."""
        text = self._held.strip()
        at = len(text.rstrip(CLOSERS)) - 1
        if at < 0 or FENCE in text or not has_words(text) or text[at - 1].isdigit():
            return []  # "3." may become 3.14
        shortens = text[at] == "." and is_abbreviation(text, 0, at, "A")
        stops = text[at] in WIDE_STOPS + STOPS and not shortens
        return self._cut_all(final=True) if stops else []

    def _cut_all(self, *, final: bool) -> list[str]:
        pieces: list[str] = []
        begin = 0
        while (end := self._find_end(begin, final=final)) is not None:
            self._keep(self._held[begin:end], pieces)
            begin = end
        # White space in front is never spoken; kept, it would be looked through at each piece.
        self._held = self._held[skip_space(self._held, begin) :]
        if final:
            self._keep(self._held, pieces)
            self._held = ""
        return pieces

    def _keep(self, text: str, pieces: list[str]) -> None:
        piece = text.strip()
        if piece:
            pieces.append(piece)
            self._first = self._first and not has_words(piece)

    def _find_end(self, begin: int, *, final: bool) -> int | None:
        """Where the clause that begins at `begin` ends; None if that cannot be told yet."""
        text = self._held
        begin = skip_space(text, begin)
        at = begin
        while match := CANDIDATE.search(text, at, begin + LONGEST_CHARS):
            at = match.start()
            if (early := self._find_early(begin, at)) is not None:
                return early
            if not final and at + 1 + LOOK_AHEAD_CHARS > len(text) and not is_plain(text, at + 1):
                return None
            if text.startswith(FENCE, at):
                return end_of_code(text, begin, at, final=final)
            end = self._judge(text, begin, at)
            if end is not None:
                return end
            at += 1
        joint = self._find_joint(begin, min(len(text), begin + LONGEST_CHARS))
        if joint is None and len(text) - begin > LONGEST_CHARS:
            return cut_long(text, begin)
        return joint

    def _find_early(self, begin: int, at: int) -> int | None:
        """Where the first clause ends at the mark at `at` or before it, whatever comes after it."""
        joint = self._find_joint(begin, at)
        if joint is not None or not self._first or at + 1 - begin < FIRST_CHARS:
            return joint
        return at + 1 if WORD_COMMA.match(self._held, at) else None

    def _find_joint(self, begin: int, end: int) -> int | None:
        return find_joint(self._held, begin, end) if self._first else None

    def _judge(self, text: str, begin: int, at: int) -> int | None:
        """Where the clause ends if the mark at `at` ends it."""
        mark = text[at]
        if mark == "\n":
            return at + 1 if has_words(text[begin:at]) else None
        if mark in WIDE_STOPS:
            return skip_closers(text, at + 1)
        if mark in STOPS:
            return end_of_sentence(text, begin, at)
        if mark.isspace():
            enough = FIRST_CHARS if self._first else THAI_CHARS
            return at + 1 if at - begin >= enough else None
        enough = FIRST_WIDE_CHARS if mark in WIDE_SOFT else FIRST_CHARS
        if self._first and at + 1 - begin >= enough and SOFT_CUT.match(text, at):
            return at + 1
        return None


def is_plain(text: str, at: int) -> bool:
    """Whether what follows a mark settles the matter already: a space or two, then a letter."""
    return PLAIN.match(text, at) is not None


def find_joint(text: str, begin: int, end: int) -> int | None:
    """Where the first clause may be cut between two words before `end`; None for nowhere (yet).

    Not inside brackets, quotes or code, nor behind a word that needs the next one.
    """
    for match in JOINT.finditer(text, begin + JOINT_CHARS, end):
        at, word = match.start(), match[1]
        chars = at - begin
        if word not in (JOINTS if chars < LOOSE_CHARS else LOOSE_JOINTS):
            continue
        head = text[begin:at]
        *_, before = words = head.lower().split()
        open_range = word == "and" and "between" in words[-5:]
        if before not in BOUND | LOOSE_JOINTS and not open_range and is_closed(head):
            return at
    return None


def is_closed(text: str) -> bool:
    """Whether every bracket, quote and code that `text` opens is closed in it."""
    pairs = all(text.count(a) == text.count(b) for a, b in ("()", "[]", "“”", "<>"))
    return pairs and not any(text.count(mark) % 2 for mark in '"`*')


def end_of_sentence(text: str, begin: int, at: int) -> int | None:
    """Where the sentence ends if the stop at `at` ends one: behind its quotes and brackets."""
    if at + 1 < len(text) and text[at + 1] in STOPS:
        return None  # the last of several stops decides
    end = skip_closers(text, at + 1)
    if end < len(text) and not text[end].isspace():
        return None  # 3.14, example.com, "Yahoo!-like"
    following = text[end : at + 1 + LOOK_AHEAD_CHARS].lstrip()[:1]
    if following.islower() and not text[begin:end].islower():
        return None  # "Really?" he said; but some write everything in lower case
    if text[at] == "." and is_abbreviation(text, begin, at, following):
        return None
    return end


def is_abbreviation(text: str, begin: int, at: int, following: str) -> bool:
    """Whether the dot at `at` belongs to its word: "Dr.", "e.g.", "J.", or a list's "1."."""
    start = at
    while start > begin and not text[start - 1].isspace():
        start -= 1
    word = text[start:at].lstrip("(\"'“‘[*_")
    if not following:
        return False
    if start == begin and LIST_NUMBER.fullmatch(word):
        return True
    if LETTERS_AND_STOPS.fullmatch(word) or (len(word) == 1 and word.isupper() and word != "I"):
        return True
    lower = word.lower()
    return lower in ABBREVIATIONS or (lower in BEFORE_NUMBERS and following.isdigit())


def end_of_code(text: str, begin: int, at: int, *, final: bool) -> int | None:
    """Where a fenced block ends. Text in front of the fence is a piece of its own."""
    if has_words(text[begin:at]):
        return at
    closing = text.find(FENCE, at + len(FENCE), begin + LONGEST_CODE_CHARS)
    if closing >= 0:
        return closing + len(FENCE)
    if len(text) - begin >= LONGEST_CODE_CHARS:
        return begin + LONGEST_CODE_CHARS
    return len(text) if final else None


def cut_long(text: str, begin: int) -> int:
    """Where to cut a sentence that is too long: its last comma, else its last space, else there."""
    limit = begin + LONGEST_CHARS
    marks = [match.end() for match in SOFT_CUT.finditer(text, begin + FIRST_CHARS, limit)]
    if marks:
        return marks[-1]
    space = max(text.rfind(" ", begin, limit), text.rfind("\n", begin, limit))
    return space if space > begin else limit


def close_off(text: str, *, keeps_word: bool) -> str:
    """`text`, which broke off, up to its last whole word; "" if nothing is left to say.

    It gets an ellipsis if it ends amid a sentence.
    """
    whole = drop_half_word(text).rstrip()
    if keeps_word and not has_words(whole) and not any(map(str.isdigit, text)):
        whole = text.rstrip()
    if not has_words(whole) or ends_sentence(whole):
        return whole if has_words(whole) else ""
    return whole.rstrip(SOFT + WIDE_SOFT + DASHES + " ") + ELLIPSIS


def drop_half_word(text: str) -> str:
    """`text` without its last word, unless a mark or a space shows that the word is whole."""
    bare = text.rstrip(CLOSERS)
    marked = bare.endswith(tuple(STOPS + WIDE_STOPS + SOFT + WIDE_SOFT + DASHES))
    if marked and not bare[-2:-1].isdigit():  # "3." may be half of 3.14
        return text
    return HALF_WORD.sub("", text)


def ends_sentence(text: str) -> bool:
    """Whether `text` ends with a stop, or a stop and what closes behind it."""
    return text.rstrip().rstrip(CLOSERS).endswith(tuple(STOPS + WIDE_STOPS))


def skip_space(text: str, at: int) -> int:
    """The first index from `at` on that holds no white space."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def skip_closers(text: str, at: int) -> int:
    """The first index from `at` on that holds no closing quote or bracket."""
    end = min(len(text), at + LOOK_AHEAD_CHARS - 1)
    while at < end and text[at] in CLOSERS:
        at += 1
    return at


def has_words(text: str) -> bool:
    """Whether there is anything to say: a letter or a digit of any script."""
    return any(character.isalnum() for character in text)
