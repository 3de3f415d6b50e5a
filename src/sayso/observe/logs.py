"""Logs: one line for each thing worth knowing, with its conversation, never with what was said.

Colour on a terminal, JSON elsewhere. Whatever looks like a secret is blacked out on its way.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

Format = Literal["auto", "json", "console"]

_SECRETS = re.compile(r"(?i)\b(ak-[0-9a-f]{8,}|(?:sk|ss|si|tk)-[\w.-]{8,}|bearer\s+\S+)")
BLACKED_OUT = "[secret]"


def set_up_logs(level: str, style: Format) -> None:
    """Send our lines and our libraries' to standard error, in one style."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        black_out,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(style),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    # Their information is ours at another level; their warnings are kept.
    for chatty in ("uvicorn.error", "uvicorn.access", "aiosqlite", "alembic", "sqlalchemy.engine"):
        logging.getLogger(chatty).setLevel(max(threshold, logging.WARNING))


def _renderers(style: Format) -> list[Any]:
    if style == "json" or (style == "auto" and not sys.stderr.isatty()):
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer()]


def black_out(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Remove what looks like a key from every text of a line."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _SECRETS.sub(BLACKED_OUT, value)
    return event
