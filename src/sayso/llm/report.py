"""An LLM check for the terminal: `sayso check-llm`."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from sayso.config import Settings
from sayso.llm import Endpoint
from sayso.llm.check import CheckReport, LlmCheck
from sayso.llm.client import LlmClient, deadlines_of
from sayso.llm.findings import Severity

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}


async def check_once(endpoint: Endpoint, settings: Settings) -> CheckReport:
    """Check `endpoint` with a client of its own."""
    client = LlmClient(deadlines_of(settings), private=settings.outbound_private)
    await client.open()
    try:
        return await LlmCheck(client, budget_s=settings.llm_check_timeout_s).check(endpoint)
    finally:
        await client.close()


def print_report(report: CheckReport, *, as_json: bool) -> None:
    """Print what was found, for a person or for a program."""
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2, ensure_ascii=False))
        return
    typer.secho(
        f"{'passed' if report.ok else 'failed'}  {report.url}",
        fg="green" if report.ok else "red",
        bold=True,
    )
    for finding in report.findings:
        typer.secho(f"  {finding.severity.value} {finding.code}", fg=_COLOURS[finding.severity])
        typer.echo(f"    {finding.message}")
        typer.echo(f"    {finding.fix}")
    if report.suggestion:
        typer.echo(f"  a base URL that works: {report.suggestion}")
    if report.first_token_ms is not None:
        typer.echo(f"  first word after {report.first_token_ms:.0f} ms, {report.answer!r}")
