"""Reads a whole answer, without I/O: bytes of the body in, words to speak out.

Believes the bytes, not the Content-Type: an event stream, a JSON completion, JSON lines or a
web page are told apart by how they begin.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from sayso.errors import LlmError
from sayso.llm import ToolCall
from sayso.llm.calls import MAX_CALLS, Calls
from sayso.llm.chunks import ChunkError, read_chunk
from sayso.llm.filters import Repeats, Surrogates, Thoughts
from sayso.llm.findings import Finding, Scene
from sayso.llm.scrub import Scrub
from sayso.llm.sse import MAX_EVENT_BYTES, Event, SseParser
from sayso.llm.written import Written, read_written

MAX_CAME_CHARS = 64_000
"""Text of one answer that is kept as it came."""
MAX_REPLY_CHARS = 32_000
"""Longest answer that is spoken, in characters: some 35 minutes of speech."""
MAX_ERROR_CHARS = 4096
"""How much of an error is searched for what it is about."""
MAX_JSON_BYTES = MAX_EVENT_BYTES
"""Longest JSON completion that is taken."""
MAX_HEAD_BYTES = 2048
"""How much of the beginning is kept as evidence."""

_BLANK = b"\xef\xbb\xbf \t\r\n"
_MODEL = re.compile(
    r"model_not_found|unknown[_ ]model|invalid[_ ]model|no such model|"
    r"model\b.{0,120}?\b(not found|not exist|not available|is not a valid)",
    re.IGNORECASE | re.DOTALL,
)
_PATH = re.compile(
    r"(unexpected|unknown|invalid|no such|unsupported) (endpoint|route|path|url)\b|"
    r"\b(endpoint|route|path) not found",
    re.IGNORECASE,
)


class Form(StrEnum):
    """What the body is."""

    SSE = "sse"
    JSON = "json"
    HTML = "html"


def is_about_model(error: str) -> bool:
    """Whether an error's text says that the model does not exist."""
    return _MODEL.search(error, 0, MAX_ERROR_CHARS) is not None


def is_about_path(error: str) -> bool:
    """Whether an error's text says that there is nothing at the path."""
    return _PATH.search(error) is not None


class ReplyReader:
    """The reader's memory of one answer.

    Attributes:
        model: whom was asked for.
        form: what the body turned out to be; None until its first byte.
        failure: why no more can be read; set at most once, text may come before it.
        warnings: what was noticed and overcome, by code.
        done: the answer said that it is complete; what follows is not read.
        spoken: there was something to speak.
        calling: how many events went on with a call.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        model: str = "",
        inside: bool = False,
        tools: Collection[str] | None = None,
    ) -> None:
        """Read an answer of `model`; `inside` when it begins inside its thoughts.

        `tools` are the names of the functions it was offered. Without any, what asks for one is
        dropped, and nothing else is a finding.
        """
        self._scene = scene
        self.model = model
        self._parser = SseParser()
        self._surrogates = Surrogates()
        self._repeats = Repeats()
        self._thoughts = Thoughts(inside=inside)
        self._scrub = Scrub(keep=bool(tools))
        self._written = Written(tools) if tools else None
        self._calls = Calls(tools) if tools else None
        self.calling = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._first_line_read = False
        self._events = 0
        self._odd: str | None = None
        self._reasoned = False
        self._called = False
        self._head = b""
        self.form: Form | None = None
        self.came: list[str] = []
        self._came_chars = 0
        self.failure: Finding | None = None
        self.warnings: dict[str, Finding] = {}
        self.finish_reason: str | None = None
        self.done = False
        self.spoken = False

    @property
    def unopened(self) -> bool | None:
        """Whether the answer began inside its thoughts; None if there is no telling."""
        return self._thoughts.unopened

    @property
    def complete(self) -> bool:
        """Whether the server said that its answer is over."""
        return self.done or self.finish_reason is not None

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of offered functions, once the answer was read to its end without failure.

        Where a server gives them as such, what stands in the words is not looked at.
        """
        if self._calls is None or self._written is None or self.failure is not None:
            return []
        if found := self._calls.list():
            return found
        blocks = ["".join(block) for block in self._scrub.blocks]
        return ([call for block in blocks for call in read_written(block)] + self._written.found)[
            :MAX_CALLS
        ]

    def feed(self, data: bytes) -> str:
        """Take bytes of the body; get the words in them."""
        if self.failure or self.done:
            return ""
        if len(self._head) < MAX_HEAD_BYTES:
            self._head = (self._head + data)[:MAX_HEAD_BYTES]
        if self.form is None:
            data = self._sniff(data)
        if self.form is Form.SSE:
            return self._parse(data)
        return self._hoard(data)

    def finish(self) -> str:
        """Take the end of the body; get the last words. Sets `failure` if there were none."""
        text = ""
        if self.form is Form.JSON and not self.failure:
            self._warn("body.json_not_sse", self._head)
            self._thoughts = Thoughts(inside=True)  # nothing is spoken yet, so nothing is lost
            text = self._read([Event(b"".join(self._body).decode("utf-8", "replace"))])
        elif self.form is Form.SSE and not self.failure and not self.done:
            text = self._parse_end()
        text += self._flush()
        if self.failure is None:
            self.failure = self._verdict()
        return text

    def _sniff(self, data: bytes) -> bytes:
        """Decide the form by the first byte that is not blank; get what is to be read."""
        data = (b"".join(self._body) + data).lstrip(_BLANK)
        self._body = []
        if data[:1] == b"<":
            self.form = Form.HTML
            self._fail("http.html", self._head, status=200)
        elif data[:1] == b"{" or (data[:1] == b"[" and data[1:2] not in (b"", b"D")):
            self.form = Form.JSON
        elif data and data != b"[":
            self.form = Form.SSE
        return data

    def _hoard(self, data: bytes) -> str:
        """Keep a body that is read at its end, unless it turns out to be lines of JSON."""
        self._body.append(data)
        self._body_bytes += len(data)
        if self._body_bytes > MAX_JSON_BYTES:
            self._fail("stream.too_long", reason=f"a body above {MAX_JSON_BYTES} bytes")
        elif self.form is Form.JSON and b"\n" in data and not self._first_line_read:
            return self._try_lines()
        return ""

    def _try_lines(self) -> str:
        self._first_line_read = True
        body = b"".join(self._body)
        try:
            read_chunk(body.partition(b"\n")[0].decode("utf-8", "replace"))
        except ChunkError:
            return ""
        self.form, self._body = Form.SSE, []
        self._warn("body.json_not_sse", self._head)
        return self._parse(body)

    def _parse(self, data: bytes) -> str:
        try:
            events = self._parser.feed(data)
        except LlmError as error:
            self._fail("stream.too_long", reason=error.message)
            return ""
        return self._read(events)

    def _parse_end(self) -> str:
        try:
            return self._read(self._parser.finish(), last=True)
        except LlmError as error:
            self._fail("stream.too_long", reason=error.message)
            return ""

    def _read(self, events: list[Event], *, last: bool = False) -> str:
        text = ""
        for event in events:
            if event.data == "[DONE]" or event.data.strip() == "[DONE]":
                self.done = True
            if self.done or self.failure:
                break
            text += self._read_event(event, last=last)
        return text

    def _read_event(self, event: Event, *, last: bool) -> str:
        self._events += 1
        try:
            chunk = read_chunk(event.data)
        except ChunkError:
            return self._read_unreadable(event, last=last)
        if chunk.error is not None:
            self._fail_by(chunk.error, event)
            return ""
        if event.event == "error":
            self._fail_by(event.data, event)
            return ""
        self._reasoned = self._reasoned or chunk.reasoning
        self._called = self._called or chunk.calls
        if chunk.called is not None and self._calls is not None:
            self._calls.add(chunk.called)
            self.calling += 1
        self._odd = self._odd or chunk.odd
        self.finish_reason = chunk.finish or self.finish_reason
        if chunk.whole and self._events > 1:
            self._warn("stream.cumulative", event.data)
        self._keep(chunk.text, whole=chunk.whole)
        return self._sift(chunk.text, whole=chunk.whole)

    def _keep(self, text: str, *, whole: bool) -> None:
        """Keep the text as it came: for records, which show thoughts and calls as well."""
        if whole:
            self.came, self._came_chars = [], 0
        if text and self._came_chars < MAX_CAME_CHARS:
            self.came.append(text)
            self._came_chars += len(text)

    def _read_unreadable(self, event: Event, *, last: bool) -> str:
        if event.event == "error":
            self._fail_by(event.data, event)
        elif last and not self.complete:
            self._fail("stream.cut", event.data, reason="its last event is incomplete")
        elif self.form is Form.JSON:
            self._fail("body.not_sse", self._head)
        else:
            self._warn("stream.bad_json", event.data)
        return ""

    def _fail_by(self, error: str, event: Event) -> None:
        if is_about_model(event.data):
            self._fail("model.unknown", event.data, model=self.model)
        elif self._events == 1 and is_about_path(error):
            self._fail("path.not_found", event.data, status=200)  # as LM Studio answers
        else:
            self._fail("stream.error_object", event.data, reason=error)

    def _sift(self, text: str, *, whole: bool = False) -> str:
        if not text:
            return ""
        # Cut before it is looked at: one event may have a million characters.
        text = self._surrogates.feed(text[: MAX_REPLY_CHARS + 1])
        text = self._bound(self._repeats.feed(text, whole=whole))
        return self._say(self._sieve(self._thoughts.feed(text))) if text else ""

    def _sieve(self, text: str) -> str:
        """What of `text` is words, and no call."""
        text = self._scrub.feed(text)
        return self._written.feed(text) if self._written is not None else text

    def _bound(self, text: str) -> str:
        """What may be spoken of `text`, which is new."""
        excess = self._repeats.chars - MAX_REPLY_CHARS
        if excess <= 0:
            return text
        if self.failure is None:
            self._fail("stream.too_long", reason=f"more than {MAX_REPLY_CHARS} characters")
        return text[: max(0, len(text) - excess)]

    def _flush(self) -> str:
        held = self._bound(self._repeats.finish())
        spoken = self._sieve(self._thoughts.feed(held) + self._thoughts.finish())
        rest = self._scrub.finish()
        if self._written is not None:
            rest = self._written.feed(rest) + self._written.finish()
            rest = "" if self._scrub.called else rest  # a fence around a call
        return self._say(spoken + rest)

    def _say(self, text: str) -> str:
        self.spoken = self.spoken or bool(text.strip())
        return text

    def _verdict(self) -> Finding | None:
        """What is wrong with an answer that was read to its end."""
        self._warn_about_style()
        if self.spoken or self.calls:
            return None
        if self._called or self._scrub.called:
            return self._scene.find("stream.tool_calls_only", self._head)
        if self._reasoned or self._thoughts.dropped:
            return self._scene.find("stream.reasoning_only", self._head)
        if self._odd:
            return self._scene.find("stream.no_choices", self._head, reason=self._odd)
        if self._head.strip() and not self._events and not self.done:
            return self._scene.find("body.not_sse", self._head)
        return self._scene.find("stream.empty", self._head)

    def _warn_about_style(self) -> None:
        if self._repeats.cumulative:
            self._warn("stream.cumulative")
        if self._reasoned or self._thoughts.dropped:
            self._warn("stream.reasoning")
        if self.form is Form.SSE and not self.complete:
            self._warn("stream.no_end")

    def _warn(self, code: str, evidence: str | bytes = "") -> None:
        if code not in self.warnings:
            self.warnings[code] = self._scene.find(code, evidence)

    def _fail(self, code: str, evidence: str | bytes = "", **facts: object) -> None:
        self.failure = self._scene.find(code, evidence, **facts)
