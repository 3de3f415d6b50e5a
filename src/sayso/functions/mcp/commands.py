"""What the operator allows agents to start: commands by name. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from sayso.errors import InstallationError


def read_commands(texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The setting `mcp_commands` as argument lists; no shell is asked.

    Raises:
        InstallationError: a name or a command is not valid.
    """
    return {_check_name(name): _split(name, text) for name, text in texts.items()}


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        raise InstallationError(
            "SAYSO_MCP_COMMANDS has a name that is not valid",
            hint="Names are letters, digits, `_`, `.` and `-`; agents give them as `command`.",
        )
    return name


def _split(name: str, text: str) -> tuple[str, ...]:
    try:
        argv = tuple(shlex.split(text))
    except ValueError:
        argv = ()
    if not argv:
        raise InstallationError(
            f"SAYSO_MCP_COMMANDS: the command {name!r} is empty, or a quote is not closed",
            hint='Write it as in `{"time": "mcp-server-time --local-timezone UTC"}`.',
        )
    return argv
