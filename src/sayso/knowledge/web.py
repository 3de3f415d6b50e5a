"""A web page as it came, and how far a visit to a site may go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page as its server sent it.

    Attributes:
        url: where it was found in the end.
        html: its bytes; in UTF-8 with a byte-order mark where the server named the encoding.
        waiting: how many more are known to come.
    """

    url: str
    html: bytes
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class VisitLimits:
    """What one visit may cost the site and us."""

    page_bytes: int = 2_097_152
    page_s: float = 20.0
    total_s: float = 600.0
    depth: int = 6
    parallel: int = 2
    redirects: int = 5
    failures: int = 10
