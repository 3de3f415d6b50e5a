"""What the operator allows to be started."""

from __future__ import annotations

import pytest

from sayso.errors import InstallationError
from sayso.functions.mcp.commands import read_commands


def test_commands_are_split_without_a_shell() -> None:
    read = read_commands(
        {"time": "mcp-server-time --zone 'Europe/Paris; rm -rf $HOME'", "a.b": "x"}
    )
    assert read == {
        "time": ("mcp-server-time", "--zone", "Europe/Paris; rm -rf $HOME"),
        "a.b": ("x",),
    }


@pytest.mark.parametrize(
    "texts", [{"a": ""}, {"a": "  "}, {"a": "x 'y"}, {"": "x"}, {"a b": "x"}, {"-a": "x"}]
)
def test_what_is_not_valid_stops_the_start(texts: dict[str, str]) -> None:
    with pytest.raises(InstallationError, match="SAYSO_MCP_COMMANDS") as refused:
        read_commands(texts)
    assert refused.value.hint
