"""Three sieves for streamed text, each indifferent to how the text was cut into pieces.

`Surrogates` joins halves of an emoji, `Repeats` drops what a server says again and again,
`Thoughts` drops inline `<think>` blocks. All are bounded: they hold back at most one piece.
"""

from __future__ import annotations

import re

SURE_CHARS = 12
"""A last piece that repeats this much is a repetition; less may be a "ha" after a "ha"."""


class Surrogates:
    """Joins UTF-16 halves: servers written in JavaScript cut an emoji between two events."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Take a piece; get it back with whole characters only."""
        if not self._half and (text.isascii() or _is_whole(text)):
            return text
        text = self._half + text
        self._half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = text[: len(text) - len(self._half)]
        return mend(text)


def mend(text: str) -> str:
    """`text` with the halves of each emoji joined, and without a half that is alone."""
    if text.isascii() or _is_whole(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Repeats:
    """Says each part once, also where every event carries the whole answer so far.

    A piece that begins with everything said so far is only a suspect: the next piece decides,
    and at the end its length does.
    """

    def __init__(self) -> None:
        self._said: list[str] = []
        self._pieces = 0
        self._suspect: str | None = None
        self.chars = 0
        self.cumulative = False

    def feed(self, text: str, *, whole: bool = False) -> str:
        """Take a piece, or with `whole` the answer so far; get what is new in it."""
        if not text:
            return ""
        if self._suspect is not None:
            suspect, self._suspect = self._suspect, None
            if whole or text.startswith(suspect):
                self.cumulative = not whole
                return self._beyond(text)
            return self._add(suspect) + self.feed(text)
        if whole or self.cumulative:
            return self._beyond(text)
        if len(text) >= self.chars and self._repeats(text):
            self._suspect = text
            return ""
        return self._add(text)

    def finish(self) -> str:
        """Take the end; get what was held back."""
        suspect, self._suspect = self._suspect, None
        if suspect is None:
            return ""
        if self.chars >= SURE_CHARS:
            self.cumulative = True
            return self._beyond(suspect)
        return self._add(suspect)

    def _so_far(self) -> str:
        said = "".join(self._said)
        self._said = [said]
        return said

    def _repeats(self, text: str) -> bool:
        said = self._so_far()
        grown = len(text) > len(said) or self._pieces > 1
        return grown and bool(said.strip()) and text.startswith(said)

    def _add(self, text: str) -> str:
        self._said.append(text)
        self._pieces += 1
        self.chars += len(text)
        return text

    def _beyond(self, text: str) -> str:
        """What `text`, the answer so far, adds to what was said; nothing if it differs."""
        said = self._so_far()
        return self._add(text[len(said) :]) if text.startswith(said) else ""


_TAGS = ("think", "thinking", "thought", "reasoning")
_FLAGS = re.IGNORECASE | re.ASCII
_MARK = re.compile(rf"<(/?)({'|'.join(_TAGS)})>", _FLAGS)
_MARKS = tuple(f"<{slash}{tag}>" for slash in ("", "/") for tag in _TAGS)
_ANY_CLOSE = re.compile(rf"</({'|'.join(_TAGS)})>", _FLAGS)
_LONGEST = max(len(mark) for mark in _MARKS)


class Thoughts:
    """Drops `<think>...</think>` and its cousins, also when cut anywhere.

    Some templates open the block in the prompt, so that an answer begins inside its thoughts and
    only `</think>` is sent. What came before it was spoken by then; who knows beforehand passes
    `inside`, and nothing is spoken until the block closes, or the answer ends without that.

    Attributes:
        dropped: there were thoughts.
        unopened: whether the answer began inside its thoughts; None if there is no telling.
    """

    def __init__(self, *, inside: bool = False) -> None:
        self._close = _ANY_CLOSE if inside else None  # set while inside a block
        self._close_chars = _LONGEST
        self._doubted: list[str] | None = [] if inside else None
        self._held = ""
        self._trim = False
        self._spoken = False
        self.dropped = False
        self.unopened: bool | None = None

    def feed(self, text: str) -> str:
        """Take a piece; get what is to be spoken."""
        if "<" not in text and not self._held and self._close is None:
            return self._speak(text)
        text, self._held = self._held + text, ""
        spoken = ""
        while text:
            outside = self._close is None
            text, found = self._leave(text) if not outside else self._enter(text)
            spoken += self._speak(found)
        return spoken

    def finish(self) -> str:
        """Take the end; get what was held back: a `<` that opened nothing."""
        held, self._held = self._held, ""
        if self._doubted is not None:
            held, self._doubted = "".join(self._doubted) + held, None
            self._close, self.unopened = None, False if held.strip() else None
        return "" if self._close is not None else self._speak(held)

    def _enter(self, text: str) -> tuple[str, str]:
        """Outside a block: what is left to look at, and what is to be spoken."""
        match = _MARK.search(text)
        if match is None:
            at = text.rfind("<")
            if at >= 0 and any(mark.startswith(text[at:].lower()) for mark in _MARKS):
                self._held = text[at:]
                return "", text[:at]
            return "", text
        self.dropped = True
        if match[1]:
            self.unopened = True  # all up to here were thoughts, and are spoken by now
            return text[match.end() :], text[: match.start()]
        tag = f"</{match[2]}>"
        self._close, self._close_chars = re.compile(re.escape(tag), _FLAGS), len(tag)
        return text[match.end() :], text[: match.start()]

    def _leave(self, text: str) -> tuple[str, str]:
        """Inside a block: the same; nothing in it is spoken."""
        match = self._close.search(text) if self._close else None
        if match is None:
            keep = len(text) - (self._close_chars - 1)
            if self._doubted is not None:
                self._doubted.append(text[: max(0, keep)])
            self._held = text[max(0, keep) :]
            return "", ""
        self._close = None
        if self._doubted is not None:
            self._doubted, self.unopened, self.dropped = None, True, True
        self._trim = not self._spoken
        return text[match.end() :], ""

    def _speak(self, text: str) -> str:
        if self._trim:
            text = text.lstrip()
            self._trim = not text
        self._spoken = self._spoken or bool(text.strip())
        return text
