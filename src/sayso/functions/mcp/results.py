"""What an LLM is told of a tool's result: text, of bounded length, whatever came. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

MAX_TEXT_CHARS: Final = 8_000
"""Of a result, as for external functions (contract §7)."""
MAX_COMPLAINT_CHARS: Final = 500
"""Of an error's own words."""
MAX_PARTS: Final = 100
"""Of one result's parts; the rest is only counted."""
MIN_SECRET_CHARS: Final = 4
"""Shorter values are not searched for: they would black out ordinary words."""
CUT_NOTE: Final = "\n[The answer is longer; this is its beginning.]"


def make_text(
    content: Sequence[Mapping[str, Any]], structured: object = None, secrets: Sequence[str] = ()
) -> str:
    """The words of a result, in the protocol's names.

    Servers that answer in JSON send it as text as well, for older clients; it is told once, and
    without blanks.

    Args:
        content: its parts.
        structured: its JSON, if there is any.
        secrets: are blacked out, before anything is cut.
    """
    parts = [_describe(part) for part in content[:MAX_PARTS]]
    if len(content) > MAX_PARTS:
        parts.append(f"[{len(content) - MAX_PARTS} more parts, left out]")
    if structured is not None and not (len(parts) == 1 and _is_wrapped(parts[0], structured)):
        parts = [part for part in parts if not _is_same(part, structured)]
        parts.append(_dump(structured))
    text = "\n".join(part for part in parts if part).strip()
    return cut(redact(text, secrets)) or "(The tool answered nothing.)"


def complain(what: str, said: str = "") -> str:
    """What an LLM is told of a failure: `what` it is, and what its server `said`, as that.

    Those words are a server's: on one line, of bounded length, and never the sentence itself.
    """
    told = " ".join(said.split())[:MAX_COMPLAINT_CHARS]
    return f"The call failed: {what}. It said: {told}" if told else f"The call failed: {what}."


def cut(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """`text`, of at most `limit` characters and a note that says so."""
    return text if len(text) <= limit else text[:limit] + CUT_NOTE


def _describe(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    if kind == "text":
        return str(part.get("text", ""))
    if kind == "resource":
        held = part.get("resource") or {}
        text = held.get("text")
        return str(text) if text is not None else _name("file", held)
    if kind == "resource_link":
        return f"[link to {part.get('name') or 'a file'}: {part.get('uri', '')}]"
    return _name({"image": "picture", "audio": "sound"}.get(str(kind), "something"), part)


def _name(what: str, part: Mapping[str, Any]) -> str:
    kind = part.get("mimeType")
    return f"[a {what} ({kind}), left out]" if kind else f"[a {what}, left out]"


def _is_wrapped(text: str, structured: object) -> bool:
    """Whether `structured` says nothing but `text`: some servers wrap plain values so."""
    return structured == {"result": text} or structured == {"result": _load(text)}


def _is_same(text: str, structured: object) -> bool:
    return _load(text) == structured


def _load(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dump(structured: object) -> str:
    return json.dumps(structured, ensure_ascii=False, separators=(",", ":"))


def list_secrets(values: Iterable[str]) -> tuple[str, ...]:
    """What no message may quote: each of `values`, its last word, and as URLs write them."""
    bare = {one for value in values for one in (value, value.rpartition(" ")[2])}
    found = {spelled for one in bare for spelled in (one, quote(one, safe=""))}
    return tuple(sorted((one for one in found if len(one) >= MIN_SECRET_CHARS), key=len))[::-1]


def redact(text: str, secrets: Sequence[str]) -> str:
    """`text` with each of `secrets` blacked out, the longest first."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return text
