"""The REST API: its assembly, its errors, its documentation page."""

from __future__ import annotations

from sayso.api.assembly import Services, build_api

__all__ = ["Services", "build_api"]
