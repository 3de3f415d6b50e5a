"""What an LLM is told of an endpoint's answer: text, of bounded length, whatever came. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus
from typing import Final

from sayso.functions.definition import redact

MAX_TEXT_CHARS: Final = 8_000
"""Of a result (contract §7)."""
MAX_COMPLAINT_CHARS: Final = 500
"""Of the body of a refusal: it is for the LLM to understand, not to recite."""
CUT_NOTE: Final = "\n[The answer is longer; this is its beginning.]"

_SILENT = frozenset({"script", "style", "template", "noscript", "head", "svg"})
_COMMENT: Final = "!--"
_TAG = re.compile(r"[/!?]?[a-zA-Z][a-zA-Z0-9]{0,30}")
_BREAKS = frozenset(
    "p div br li ul ol table tr h1 h2 h3 h4 h5 h6 section article header footer pre hr".split()
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered, as far as it was read.

    Attributes:
        status: the HTTP status.
        kind: the media type, in lower case and without parameters; "" if none was sent.
        charset: as it was sent; "" if it was not.
        body: the bytes that were read.
        cut: whether there is more.
    """

    status: int
    kind: str
    charset: str
    body: bytes = field(repr=False)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """An answer in words: whether it is a success, and why not."""

    ok: bool
    text: str
    finding: str = ""


def read_answer(answer: Answer, secrets: Sequence[str] = ()) -> Read:
    """What the LLM is told of `answer`."""
    text = _to_text(answer)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return Read(ok=False, text=_complain(answer, text, secrets), finding="http.status")
    if text is None:
        shown = answer.kind or "data of an unknown kind"
        return Read(
            ok=False,
            text=f"The call was made, but the answer is {shown}, which cannot be read as text.",
            finding="answer.binary",
        )
    if not text.strip():
        return Read(ok=True, text="Done. The answer is empty.")
    return Read(ok=True, text=shorten(redact(text, secrets), MAX_TEXT_CHARS, cut=answer.cut))


def shorten(text: str, max_chars: int, *, cut: bool = False) -> str:
    """`text`, or as much of its beginning as may be told, with a note that there is more."""
    if len(text) <= max_chars and not cut:
        return text
    return text[: max_chars - len(CUT_NOTE)].rstrip() + CUT_NOTE


def _complain(answer: Answer, text: str | None, secrets: Sequence[str]) -> str:
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The page of a broken server may be a traceback with secrets, and a caller may ask for it.
        return f"The call failed: the service failed with {answer.status}{_name(answer.status)}."
    told = redact(" ".join((text or "").split()), secrets)[:MAX_COMPLAINT_CHARS]
    name = _name(answer.status)
    said = f" It said: {told}" if told else ""
    return f"The call failed: the server answered {answer.status}{name}.{said}"


def _name(status: int) -> str:
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


# To text --------------------------------------------------------------------------------------


def _to_text(answer: Answer) -> str | None:
    """The body as text; None if it is none."""
    kind = answer.kind
    if kind in {"", "application/octet-stream"}:
        return _guess(answer)
    if kind == "application/json" or kind.endswith("+json"):
        text = _decode(answer)
        return text if answer.cut else compact(text)
    if kind in {"text/html", "application/xhtml+xml"}:
        return strip_html(_decode(answer))
    if kind.startswith("text/") or kind.endswith(("+xml", "/xml", "javascript", "urlencoded")):
        return _tidy(_decode(answer))
    if kind in {"application/yaml", "application/x-yaml", "application/x-ndjson"}:
        return _tidy(_decode(answer))
    return None


def _guess(answer: Answer) -> str | None:
    """The body of an answer that does not say what it is, if it is text."""
    if b"\0" in answer.body:
        return None
    try:
        text = answer.body.decode()
    except UnicodeDecodeError:
        # The end of what was read may be the middle of a character.
        if not answer.cut:
            return None
        text = answer.body.decode("utf-8", "ignore")
    return text if answer.cut else compact(text)


def _decode(answer: Answer) -> str:
    try:
        return answer.body.decode(answer.charset or "utf-8", "replace").removeprefix("\ufeff")
    except (LookupError, ValueError):
        return answer.body.decode("utf-8", "replace").removeprefix("\ufeff")


def compact(text: str) -> str:
    """JSON without blanks; what is no JSON as it is."""
    try:
        parsed = json.loads(text)
        return json.dumps(parsed, ensure_ascii=False, separators=(",", ":")).encode().decode()
    except (ValueError, RecursionError):
        return _tidy(text)


def _tidy(text: str) -> str:
    """Text without control characters and without runs of blank lines."""
    plain = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    return re.sub(r"\n\s*\n+", "\n", plain).strip()


def strip_html(page: str) -> str:
    """The words of a page, a line for each block.

    It takes time in proportion to the page, whatever is on it; Python's own parser took 8 s for
    16 kB of `<a `.
    """
    text, *pieces = page.split("<")
    words, silent = [text], ""
    for piece in pieces:
        silent, said = _read_piece(piece, silent)
        words.append(said)
    lines = (" ".join(line.split()) for line in unescape("".join(words)).split("\n"))
    return _tidy("\n".join(line for line in lines if line))


def _read_piece(piece: str, silent: str) -> tuple[str, str]:
    """What is said behind a `<`: which element is silent from here on, and the words."""
    if silent == _COMMENT or (not silent and piece.startswith("!--")):
        _, end, text = piece.partition("-->")
        return ("", text) if end else (_COMMENT, "")
    found = _TAG.match(piece)
    tag = found[0].lower() if found else ""
    if silent:
        if tag not in {f"/{silent}", "body"}:
            return silent, ""
        silent = ""
    elif tag in _SILENT:
        return tag, ""
    if not tag:
        return "", f"<{piece}"
    text = piece.partition(">")[2]
    return "", f"\n{text}" if tag.lstrip("/") in _BREAKS else text
