"""How long each part of an LLM's answer may take. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sayso.llm import Timeouts


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each part of an answer may take, in seconds.

    Attributes:
        connect_s: until the connection stands, name resolution and TLS included.
        first_token_s: from the request until the first useful token; comments and thoughts
            do not count (livekit/agents#5660).
        between_tokens_s: silence in the middle of an answer.
        reply_s: the whole answer.
        budget_s: what a check had left, which none of these is longer than; None outside one.
    """

    connect_s: float = 5.0
    first_token_s: float = 10.0
    between_tokens_s: float = 5.0
    reply_s: float = 120.0
    budget_s: float | None = None

    def is_cut(self, limit_s: float) -> bool:
        """Whether `limit_s`, one of these, is the check's rather than the answer's own."""
        return self.budget_s is not None and limit_s >= self.budget_s


def limit_waits(deadlines: Deadlines, timeouts: Timeouts) -> Deadlines:
    """The deadlines of an agent that has `timeouts` of its own."""
    return replace(
        deadlines,
        connect_s=timeouts.connect_s or deadlines.connect_s,
        first_token_s=timeouts.first_token_s or deadlines.first_token_s,
        between_tokens_s=timeouts.between_tokens_s or deadlines.between_tokens_s,
    )


def shorten(deadlines: Deadlines, budget_s: float) -> Deadlines:
    """The same deadlines, none longer than `budget_s`."""
    return replace(
        deadlines,
        connect_s=min(deadlines.connect_s, budget_s),
        first_token_s=min(deadlines.first_token_s, budget_s),
        between_tokens_s=min(deadlines.between_tokens_s, budget_s),
        reply_s=min(deadlines.reply_s, budget_s),
        budget_s=budget_s,
    )


@dataclass(slots=True)
class Stopwatch:
    """How long one answer has been waited for; times are on the loop's clock.

    Attributes:
        deadlines: how long it may take.
        started_s: when the waiting began.
        heard_s: when the last bytes came; None before them.
        spoke_s: when the last useful token came; None before it.
        first_s: when the first useful token came.
    """

    deadlines: Deadlines
    started_s: float
    heard_s: float | None = None
    spoke_s: float | None = None
    first_s: float | None = None

    def spoke(self, now_s: float) -> None:
        """A useful token came."""
        self.spoke_s = now_s
        if self.first_s is None:
            self.first_s = now_s

    @property
    def until_s(self) -> float:
        """By when the next bytes must come."""
        limits = self.deadlines
        if self.spoke_s is None:
            return self.started_s + min(limits.first_token_s, limits.reply_s)
        # Comments and thoughts keep a stream alive, but not for longer than a first token.
        heard_s = self.started_s if self.heard_s is None else self.heard_s
        silence = min(heard_s + limits.between_tokens_s, self.spoke_s + limits.first_token_s)
        return min(silence, self.started_s + limits.reply_s)

    @property
    def outlasted(self) -> bool:
        """Whether it is the whole answer, not the next token, that is waited for too long."""
        return self.until_s >= self.started_s + self.deadlines.reply_s
