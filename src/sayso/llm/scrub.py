"""Keeps what belongs to templates and functions out of an answer's words. Pure.

Servers with the wrong template let `<|im_end|>` through, and models that were once taught functions
write them down as text: `[TOOL_CALLS] [...]`, `<tool_call>{...}</tool_call>`, `functions.find:0`
(livekit/agents PR#4999, PR#5840; bolna-ai/bolna PR#920, PR#921). Neither is for the voice.
"""

from __future__ import annotations

import re

MAX_MARK_CHARS = 64
"""A longer `<|...` is no mark; so much may be held back until that is known."""
MAX_OPEN_CHARS = 80
"""More than anything that is dropped needs until it is known; what is longer is words."""
MAX_KEPT_CHARS = 64_000
"""Most text of calls that is kept of one answer."""

_TURN_ENDS = (
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "<|end|>",
    "<|return|>", "<|call|>", "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>",
    "<end_of_turn>", "<\uff5cend\u2581of\u2581sentence\uff5c>",
)  # fmt: skip
"""What comes behind one of these is the model talking to itself."""

_BLOCKS = {
    "<tool_call>": "</tool_call>",
    "<tool_calls>": "</tool_calls>",
    "<tool_code>": "</tool_code>",
    "<tool_response>": "</tool_response>",
    "<function_call>": "</function_call>",
    "<function_calls>": "</function_calls>",
    "<functioncall>": "</functioncall>",
    "<function=": "</function>",
    "<|tool_call_start|>": "<|tool_call_end|>",
    "<|tool_call_begin|>": "<|tool_call_end|>",
    "<|tool_call|>": "<|/tool_call|>",
    "<|tool_calls_section_begin|>": "<|tool_calls_section_end|>",
    "<|channel|>analysis": "<|channel|>final<|message|>",
    "<|channel|>commentary": "<|channel|>final<|message|>",
    "<\uff5ctool\u2581calls\u2581begin\uff5c>": "<\uff5ctool\u2581calls\u2581end\uff5c>",
    "[TOOL_REQUEST]": "[END_TOOL_REQUEST]",
    "[TOOL_CALLS]": "",
    "<|python_tag|>": "",
}
"""What opens a call of a function, and what closes it; "" where only the end of the answer does."""

_RESPONSE = "<tool_response>"
"""Opens what an LLM makes up in place of a function's answer."""

_MARKS = (
    "<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<bos>", "<eos>", "<start_of_turn>",
    *sorted({close for close in _BLOCKS.values() if close}),
)  # fmt: skip
"""What is simply left out."""

_ROLE = r"(?:[ \t]{0,8}(?:assistant|model|user|system)(?![A-Za-z]))?"
_ROLED = r"<\|im_start\|>|<\|start_header_id\|>|<\|start\|>|<start_of_turn>"


def _either(texts: tuple[str, ...]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))


_PATTERN = re.compile(
    rf"(?P<end>{_either(_TURN_ENDS)})"
    rf"|(?P<block>{_either(tuple(_BLOCKS))})"
    rf"|(?P<called>(?<![\w.])functions\.\w{{1,64}}(?=[:(]))"
    rf"|(?P<mark>(?:{_ROLED}){_ROLE}(?:<\|end_header_id\|>|<\|message\|>)?"
    rf"|<\|channel\|>final<\|message\|>"
    rf"|{_either(_MARKS)}|<[|\uff5c][^\s<>|\uff5c]{{1,{MAX_MARK_CHARS}}}[|\uff5c]>)"
)
_LITERALS = (*_TURN_ENDS, *_BLOCKS, *_MARKS, "<|channel|>final<|message|>", "functions.")
_OPEN_MARK = re.compile(rf"<[|\uff5c][^\s<>|\uff5c]{{0,{MAX_MARK_CHARS}}}[|\uff5c]?")
_OPEN_ROLE = re.compile(rf"(?:{_ROLED})[ \t]{{0,8}}[a-z]{{0,9}}(?:<[|a-z_]{{0,16}})?")
_OPEN_CALL = re.compile(r"functions\.\w{0,64}")
_CUT_MARK = re.compile(r"<[|\uff5c][^\s<>|\uff5c]*[|\uff5c]?$")
_WORD = "functions."
_WORD_BEGINS = tuple(_WORD[:chars] for chars in range(1, len(_WORD)))
_BEGIN = re.compile(r"[<\[]|(?<![\w.])f\w{0,9}\.?\w{0,64}\Z")


class Scrub:
    """Drops template and function text, however it is cut into pieces.

    Attributes:
        called: what was dropped asked for a function.
        blocks: with `keep`, the text of each stretch that did, with its opening mark.
    """

    def __init__(self, *, keep: bool = False) -> None:
        """With `keep`, calls are kept, and what follows one is dropped: an LLM's own guess."""
        self._keep = keep
        self._kept_chars = 0
        self._keeping = False  # the block we are in is a call
        self.blocks: list[list[str]] = []
        self._held = ""
        self._before = ""  # the character before what is held: `my_functions.x(` is a word
        self._until: str | None = None  # what closes the block we are in; "" for the end
        self.called = False

    def feed(self, text: str) -> str:
        """Take a piece; get what is to be spoken."""
        if not text:
            return ""
        if not self._held and self._until is None and not _may_begin(text):
            self._before = text[-1]
            return "" if self._keep and self.called else text
        text, self._held = self._held + text, ""
        return self._sift(text, last=False)

    def finish(self) -> str:
        """Take the end; get what was held back and turned out to be words."""
        text, self._held = self._held, ""
        if self._until is not None:
            self._keep_text(text)
            return ""
        return _CUT_MARK.sub("", self._sift(text, last=True))

    def _sift(self, text: str, *, last: bool) -> str:
        spoken = ""
        while text:
            if self._until is not None:
                text = self._skip(text)
                continue
            deaf = self._keep and self.called
            text, found = self._look(text, last=last)
            spoken += "" if deaf else found
        return spoken

    def _look(self, text: str, *, last: bool) -> tuple[str, str]:
        """Outside a block: what is left to look at, and what is to be spoken."""
        offset = len(self._before)
        text = self._before + text
        match = _PATTERN.search(text, offset)
        if match is not None and (last or _is_sure(match)):
            self._until = _closing(match)
            self._keeping = self._keep and _calls(match) and match[0] != _RESPONSE
            self.called = self.called or _calls(match)
            if self._keeping:
                self.blocks.append([match[0]])
            self._before = match[0][-1]
            return text[match.end() :], text[offset : match.start()]
        begins = None if last else _begins_at(text, offset)
        at = len(text) if begins is None else begins
        self._held = text[at:]
        self._before = text[at - 1 : at]
        return "", text[offset:at]

    def _keep_text(self, text: str) -> None:
        """Keep text of a call, as far as there is room."""
        if self._keeping and self._kept_chars < MAX_KEPT_CHARS:
            self.blocks[-1].append(text)
            self._kept_chars += len(text)

    def _skip(self, text: str) -> str:
        """Inside a block: what is left to look at; nothing in it is spoken."""
        if not self._until:
            self._keep_text(text)
            return ""
        at = text.find(self._until)
        if at < 0:
            keep = max(0, len(text) - len(self._until) + 1)
            self._keep_text(text[:keep])
            self._held = text[keep:]
            return ""
        self._keep_text(text[:at])
        behind = text[at + len(self._until) :]
        self._before, self._until = self._until[-1], None
        return behind


def _closing(match: re.Match[str]) -> str | None:
    """What ends the block that `match` begins; None if it is no block, "" for the very end."""
    if match.lastgroup == "block":
        return _BLOCKS[match["block"]]
    return None if match.lastgroup == "mark" else ""


def _calls(match: re.Match[str]) -> bool:
    """Whether `match` begins a call of a function; a channel is one of thoughts."""
    return match.lastgroup == "called" or (
        match.lastgroup == "block" and not match[0].startswith("<|channel|>")
    )


def _is_sure(match: re.Match[str]) -> bool:
    """Whether nothing that follows could make another thing of `match`."""
    return match.lastgroup != "mark" or not _is_open(match.string, match.start())


def _may_begin(text: str) -> bool:
    """A quick look: whether anything in `text` could begin what is dropped."""
    return "<" in text or "[" in text or _WORD in text or text.endswith(_WORD_BEGINS)


def _begins_at(text: str, offset: int) -> int | None:
    """Where the end of `text` begins something that only what follows decides."""
    for match in _BEGIN.finditer(text, max(offset, len(text) - MAX_OPEN_CHARS)):
        if _is_open(text, match.start()):
            return match.start()
    return None


def _is_open(text: str, begin: int) -> bool:
    """Whether only what follows `text` decides what stands there from `begin` on."""
    if len(text) - begin > MAX_OPEN_CHARS:
        return False
    tail = text[begin:]
    return (
        any(literal.startswith(tail) for literal in _LITERALS)
        or _OPEN_MARK.fullmatch(tail) is not None
        or _OPEN_ROLE.fullmatch(tail) is not None
        or _OPEN_CALL.fullmatch(tail) is not None
    )
