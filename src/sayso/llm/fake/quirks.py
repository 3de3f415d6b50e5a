"""All misbehaviours of the fake, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sayso.llm.fake.calling import CALLING
from sayso.llm.fake.failing import FAILING
from sayso.llm.fake.framed import FRAMED
from sayso.llm.fake.odd import ODD
from sayso.llm.fake.picky import PICKY
from sayso.llm.fake.quirk import Quirk

__all__ = ["QUIRKS", "Quirk"]

QUIRKS: Mapping[str, Quirk] = MappingProxyType(
    {
        name: quirk
        for book in (FRAMED, ODD, PICKY, FAILING, CALLING)
        for name, quirk in sorted(book.items())
    }
)
"""Misbehaviours by name; a request picks one with the model `quirk:<name>`, or with its path."""
