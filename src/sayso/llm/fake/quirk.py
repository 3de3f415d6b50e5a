"""What a quirk is, and the catalogue it is written into."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import web

from sayso.llm.fake.answer import Answer

Play: TypeAlias = Callable[[Answer], Awaitable[web.StreamResponse]]
"""Answers one request in its own way."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way to answer that was seen in the wild.

    Attributes:
        name: chosen by the model `quirk:<name>` or the path `/quirk/<name>/chat/completions`.
        does: what the server does, in a sentence.
        play: does it.
        finding: the code of the failure it ends in; None if its answer is spoken as it was meant.
        partly: words come before the failure, and are spoken.
        says: what is spoken, where it is not just the answer: `{reply}` stands for that.
        params: `baseParams` that make the server show it; what the check learns helps to be
            spoken all the same.
    """

    name: str
    does: str
    play: Play
    finding: str | None = None
    partly: bool = False
    says: str = "{reply}"
    params: Mapping[str, object] = field(default_factory=dict)


class Catalogue(dict[str, Quirk]):
    """Quirks by name, written down where they are made."""

    def spoken(
        self, name: str, *, says: str = "{reply}", params: Mapping[str, object] | None = None
    ) -> Callable[[Play], Play]:
        """Keep the function below, whose answer is spoken; its docstring is the sentence."""
        return self._keep(
            lambda does, play: Quirk(name, does, play, says=says, params=params or {})
        )

    def fails(self, name: str, finding: str, *, partly: bool = False) -> Callable[[Play], Play]:
        """Keep the function below, whose answer ends in `finding`."""
        return self._keep(lambda does, play: Quirk(name, does, play, finding, partly))

    def _keep(self, make: Callable[[str, Play], Quirk]) -> Callable[[Play], Play]:
        def keep(play: Play) -> Play:
            quirk = make(" ".join((inspect.getdoc(play) or "").split()), play)
            if quirk.name in self or not quirk.does:
                raise ValueError(f"the quirk {quirk.name} is there twice, or says nothing")
            self[quirk.name] = quirk
            return play

        return keep
