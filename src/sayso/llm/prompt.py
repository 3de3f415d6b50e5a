"""Builds what an LLM is sent from what an agent is and what was said. Pure.

Strict servers shape it: one system message, first; roles that alternate and begin with the caller
(microsoft/autogen#1037, weaviate/Verba#150), so a greeting goes into the system message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sayso.llm import Message
from sayso.variables import fill_text

SPOKEN = (
    "You are in a spoken conversation: your words are read aloud as you write them, and you get "
    "what the caller said as a transcript that may contain mistakes. Answer in one to three short "
    "sentences of plain speech. Never use markdown, lists, headings, emoji, links or code; "
    "write numbers, dates and units as they are spoken."
)
ONLY = (
    "Answer only from the critical knowledge and the passages found in the agent's knowledge. "
    "If they do not contain the answer, say that you do not know."
)


@dataclass(frozen=True, slots=True)
class PromptParts:
    """What an agent brings to its prompt.

    Attributes:
        name: what the agent is called.
        agent_prompt: how its owner wants it to behave.
        critical_knowledge: what it must always know.
        answer_only: answer from the critical knowledge only.
        appended_prompt: what the client of this conversation adds (`setup.prompt`).
        language: the contract's lower-case name of the language to speak.
    """

    name: str = ""
    agent_prompt: str = ""
    critical_knowledge: str = ""
    answer_only: bool = False
    appended_prompt: str = ""
    language: str = "english"

    @property
    def texts(self) -> tuple[str, ...]:
        """Those in which variables are filled in."""
        return self.agent_prompt, self.critical_knowledge, self.appended_prompt


def fill_parts(parts: PromptParts, values: Mapping[str, str]) -> PromptParts:
    """`parts` with the variables in their texts filled in."""
    return replace(
        parts,
        agent_prompt=fill_text(parts.agent_prompt, values),
        critical_knowledge=fill_text(parts.critical_knowledge, values),
        appended_prompt=fill_text(parts.appended_prompt, values),
    )


def cut_text(text: str, max_chars: int) -> str:
    """As many whole lines of the beginning of `text` as fit, or words if not even one does."""
    if len(text) <= max_chars:
        return text
    begun = text[: max_chars + 1]
    for end in ("\n", " "):
        if (at := begun.rfind(end)) > 0:
            return text[:at].rstrip()
    return text[:max_chars]


def build_messages(
    parts: PromptParts,
    history: Sequence[Message],
    *,
    max_chars: int,
) -> list[Message]:
    """The messages to send: the system message, then `history` as it was heard.

    Args:
        parts: what the agent is.
        history: oldest first; turns of one role in a row are merged.
        max_chars: how much of `history` is sent; the oldest turns go first, but never the last
            one of the caller, nor what follows it.
    """
    turns = merge_turns(history)
    begin = next((n for n, turn in enumerate(turns) if turn.role == "user"), len(turns))
    said = [turn.content for turn in turns[:begin] if turn.role == "assistant"]
    opening, turns = " ".join(filter(None, said)), turns[begin:]
    system = Message("system", build_system(parts, opening))
    return [system, *trim_turns(turns, max_chars)]


def build_system(parts: PromptParts, opening: str = "") -> str:
    """The system message; `opening` is what the agent said before the caller said anything."""
    said = [
        f"You are {parts.name.strip()}." if parts.name.strip() else "",
        SPOKEN,
        f"Speak {parts.language.strip().capitalize()}." if parts.language.strip() else "",
        parts.agent_prompt,
        _section("Critical knowledge", parts.critical_knowledge),
        ONLY if parts.answer_only else "",
        parts.appended_prompt,
        _section("You opened the conversation by saying", opening),
    ]
    return "\n\n".join(piece.strip() for piece in said if piece.strip())


def _section(title: str, text: str) -> str:
    return f"{title}:\n{text.strip()}" if text.strip() else ""


def merge_turns(history: Sequence[Message]) -> list[Message]:
    """`history` with roles that alternate; empty turns are left out.

    Calls of functions and their results stay apart, each behind the other.
    """
    turns: list[Message] = []
    for line in history:
        content, last = line.content.strip(), turns[-1] if turns else None
        if line.calls or line.role == "tool":
            turns.append(line)
        elif content and last is not None and last.role == line.role and not last.calls:
            turns[-1] = replace(line, content=f"{last.content} {content}")
        elif content:
            turns.append(replace(line, content=content))
    return turns


def trim_turns(turns: Sequence[Message], max_chars: int) -> list[Message]:
    """The newest of `turns` that fit, beginning with the caller; always from their last turn on."""
    callers = [n for n, turn in enumerate(turns) if turn.role == "user"]
    if not callers:
        return list(turns)
    chars = 0
    begin = callers[-1]
    for n in range(len(turns) - 1, -1, -1):
        chars += len(turns[n].content) + sum(len(call.arguments) for call in turns[n].calls)
        if chars > max_chars:
            break
        if turns[n].role == "user":
            begin = min(begin, n)
    return list(turns[begin:])
