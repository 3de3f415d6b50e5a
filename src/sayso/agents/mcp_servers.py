"""An agent's `mcpServers`: checked before saving, sealed for the store, masked for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from sayso.bodies import FieldWarning
from sayso.errors import BadRequestError, ConflictError
from sayso.functions.mcp import McpServer
from sayso.functions.mcp.check import Finding, Report, check_server
from sayso.functions.mcp.findings import FINDINGS
from sayso.functions.mcp.pool import McpPool
from sayso.functions.mcp.safe import McpSafe, OwnMcp, Plain, read_body, restore
from sayso.functions.mcp.schema import (
    McpCheckView,
    McpFindingView,
    McpServerBody,
    McpServerView,
    McpToolView,
    NewMcpCheck,
)
from sayso.security.secrets import Secrets
from sayso.store.tables import AgentRow
from sayso.variables import fill_header

FIELD = "mcpServers"
StoredMcp: TypeAlias = tuple[Plain, str | None]
"""What a row holds of its MCP servers."""


@dataclass(frozen=True, slots=True)
class ReadyMcp:
    """An `mcpServers` field that may be saved: sealed, and what its check noticed.

    `seen` is what was stored when it was checked, to notice another's change.
    """

    stored: StoredMcp
    warnings: Sequence[FieldWarning] = ()
    seen: StoredMcp | None = None

    def put_into(self, row: AgentRow) -> None:
        """Store it. Raises ConflictError: somebody else changed it during the check."""
        if self.seen is not None and stored_mcp(row) != self.seen:
            raise ConflictError(
                "the agent's mcpServers were changed by another request meanwhile",
                field=FIELD,
                hint="Read the agent again and repeat your change.",
            )
        row.mcp_servers, row.mcp_sealed = self.stored


def stored_mcp(row: AgentRow) -> StoredMcp:
    """What `row` holds."""
    return row.mcp_servers, row.mcp_sealed


class AgentMcp:
    """The MCP servers of agents."""

    def __init__(self, pool: McpPool, secrets: Secrets) -> None:
        self._pool = pool
        self._safe = McpSafe(secrets)

    async def prepare(
        self,
        agent_id: str,
        sent: Sequence[McpServerBody],
        variables: Mapping[str, str],
        row: AgentRow | None = None,
        before: Mapping[str, str] | None = None,
    ) -> ReadyMcp:
        """Check what is new in an `mcpServers` field, and seal it.

        A server that is what is stored is not checked again: while it is down, what was read can be
        changed elsewhere and written back.

        Args:
            agent_id: whose it is.
            sent: the field.
            variables: what `{{names}}` in headers stand for.
            row: the agent as it is stored; None for a new one.
            before: what they stood for until now.

        Raises:
            BadRequestError: a server cannot be used, or a mask stands for nothing.
        """
        stored = [] if row is None else self._open(row)
        known = {_asked(one, before or {}) for one in stored}
        meant = [restore(read_body(one), stored, f"{FIELD}.{n}.") for n, one in enumerate(sent)]
        new = {n: one for n, one in enumerate(meant) if _asked(one, variables) not in known}
        reports = await asyncio.gather(
            *(check_server(self._pool, one.server(), variables) for one in new.values())
        )
        found = [
            (n, finding)
            for n, report in zip(new, reports, strict=True)
            for finding in report.findings
        ]
        if any(finding.forbids for _, finding in found):
            raise _refuse(found)
        return ReadyMcp(
            self._safe.seal(agent_id, meant),
            [_warn(n, finding) for n, finding in found],
            None if row is None else stored_mcp(row),
        )

    async def try_out(
        self, body: NewMcpCheck, row: AgentRow | None, variables: Mapping[str, str]
    ) -> McpCheckView:
        """Check a server without saving anything; `row` is an agent whose values masks stand for.

        Raises:
            BadRequestError: a mask stands for nothing, or for a value of another server.
        """
        meant = restore(read_body(body), [] if row is None else self._open(row), "")
        return _view_report(await check_server(self._pool, meant.server(), variables))

    def view(self, row: AgentRow) -> list[McpServerView]:
        """An agent's servers as they are answered. Raises InstallationError."""
        return [one.view() for one in self._open(row)]

    def load(self, row: AgentRow) -> tuple[McpServer, ...]:
        """An agent's servers as they are called. Raises InstallationError."""
        return tuple(one.server() for one in self._open(row))

    def _open(self, row: AgentRow) -> list[OwnMcp]:
        return self._safe.open(row.id, *stored_mcp(row))


def _asked(one: OwnMcp, variables: Mapping[str, str]) -> tuple[Any, ...]:
    """What a check would ask, and look for."""
    headers = {name: fill_header(text, variables) for name, text in (one.headers or {}).items()}
    return one.url, one.command, frozenset(headers.items()), frozenset(one.tools)


def _refuse(found: Sequence[tuple[int, Finding]]) -> BadRequestError:
    wrong = [(n, finding) for n, finding in found if finding.forbids]
    details = [{**_describe(finding), "field": _path(n, finding)} for n, finding in wrong]
    n, first = wrong[0]
    return BadRequestError(
        " ".join(finding.message for _, finding in wrong),
        field=_path(n, first),
        hint=FINDINGS[first.code].fix,
        details=tuple(details),
    )


def _path(n: int, finding: Finding) -> str:
    return f"{FIELD}.{n}.{finding.field}"


def _describe(finding: Finding) -> dict[str, object]:
    kind = FINDINGS[finding.code]
    return {**asdict(finding), "fix": kind.fix, "severity": kind.severity}


def _warn(n: int, finding: Finding) -> FieldWarning:
    return FieldWarning(
        code="mcp.no_tools",
        field=_path(n, finding),
        message=f"{finding.message} ({finding.evidence})",
        meant=None,
    )


def _view_report(report: Report) -> McpCheckView:
    return McpCheckView(
        ok=report.ok,
        server=report.hello.name,
        version=report.hello.version,
        protocol=report.hello.protocol,
        ms=report.ms,
        tools=[
            McpToolView(
                name=one.name,
                description=one.description,
                parameters=dict(one.parameters),
                read_only=one.safe,
                destructive=one.destructive,
            )
            for one in report.tools
        ],
        findings=[McpFindingView.model_validate(_describe(one)) for one in report.findings],
    )
