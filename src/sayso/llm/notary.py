"""Takes down one exchange with an LLM, for whoever watches the reply it is for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from sayso.llm import Exchanged, Piece, Tool, ToolCall
from sayso.llm.exchange import Exchange
from sayso.llm.watching import find_watcher


class Notary:
    """What is written down of `exchange` while it goes on; told once, by `close`.

    Attributes:
        outcome: how it ended; `stopped` until that is known.
        finding: why it failed; "" where it did not.
    """

    def __init__(self, exchange: Exchange, tools: Sequence[Tool], shown: str) -> None:
        """`shown` is what records call the LLM; "" for its URL."""
        self.outcome: Literal["answered", "stopped", "failed"] = "stopped"
        self.finding = ""
        self._watcher = find_watcher()
        self._exchange = exchange
        self._tools = tools
        self._shown = shown
        self._calls: list[ToolCall] = []
        self._began_s = _now_s()
        self._first_s: float | None = None

    def note(self, piece: Piece) -> None:
        """A piece of the answer came."""
        if self._first_s is None:
            self._first_s = _now_s()
        if not isinstance(piece, str):
            self._calls.append(piece)

    def close(self) -> None:
        """Tell the watcher, if there is one."""
        if self._watcher is None:
            return
        exchange, first_s = self._exchange, self._first_s
        request, refusal = exchange.request, exchange.refusal
        self._watcher(
            Exchanged(
                llm=self._shown or request.shown,
                model=self._shown or exchange.reader.model,
                request=request.body,
                response=refusal[1] if refusal else "".join(exchange.reader.came),
                calls=tuple(self._calls),
                outcome=self.outcome,
                finding=self.finding,
                status=exchange.status,
                first_token_ms=None if first_s is None else _ms(first_s - self._began_s),
                total_ms=_ms(_now_s() - self._began_s),
                secrets=request.keys + self._operators_own(),
                hidden={tool.name: tool.secret for tool in self._tools if tool.secret},
            )
        )

    def _operators_own(self) -> tuple[str, ...]:
        """Of an LLM that is not the owner's, neither its name nor where it is."""
        if not self._shown:
            return ()
        return (urlsplit(self._exchange.request.url).netloc, self._exchange.reader.model)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
