"""The report of an LLM check, in lines for a terminal."""

from __future__ import annotations

import asyncio
import json

import typer

from sayso.config import Settings
from sayso.llm import Endpoint
from sayso.llm.catalogue import Severity
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient, deadlines_of
from sayso.llm.findings import Finding
from sayso.llm.stages import StageName, StageState
from sayso.llm.verdict import CheckReport, describe_profile, make_document

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}
_SIGNS = {
    StageState.OK: ("ok", "green"),
    StageState.WARNING: ("warning", "yellow"),
    StageState.FAILED: ("failed", "red"),
    StageState.SKIPPED: ("not reached", "bright_black"),
}
_TITLES = {
    StageName.URL: "URL",
    StageName.OUTBOUND: "outbound policy",
    StageName.DNS: "name resolves",
    StageName.CONNECT: "connection",
    StageName.TLS: "TLS",
    StageName.HTTP: "HTTP answer",
    StageName.CONTENT: "content",
    StageName.FIRST_TOKEN: "first word",
    StageName.CADENCE: "stream",
    StageName.END: "end of stream",
    StageName.ANSWER: "the answer",
    StageName.CONVERSATION: "conversation",
}


_STARTING = frozenset(("connect.refused", "connect.closed"))
"""Found at the port of a server that does not listen yet; `closed` by a container's proxy."""
RETRY_S = 0.2
"""Between two looks at a server that is starting, in seconds."""


async def check_once(
    endpoint: Endpoint, settings: Settings, *, deep: bool = False, wait_s: float = 0.0
) -> CheckReport:
    """Check `endpoint` with a client of its own; with `deep`, look into everything.

    A server that is still starting is asked again for up to `wait_s` seconds.
    """
    client = LlmClient(deadlines_of(settings), private=settings.outbound_private)
    check = LlmCheck(
        client,
        budget_s=settings.llm_check_timeout_s,
        start_s=settings.llm_reply_start_timeout_s,
    )
    now_s = asyncio.get_running_loop().time
    until_s = now_s() + wait_s
    report = await check.check(endpoint)
    while is_starting(report) and now_s() < until_s:
        await asyncio.sleep(RETRY_S)
        report = await check.check(endpoint)
    return await check.deepen(endpoint, report) if deep else report


def is_starting(report: CheckReport) -> bool:
    """Whether the server may only need time: nobody listens yet, or it is loading its model."""
    return not report.ok and (report.status == 503 or report.findings[0].code in _STARTING)


# For a terminal -------------------------------------------------------------------------------


def print_report(report: CheckReport, *, as_json: bool) -> None:
    """Print what was found, for a person or for a program."""
    if as_json:
        typer.echo(json.dumps(make_document(report), indent=2, ensure_ascii=False))
        return
    word, colour = ("passed", "green") if report.ok else ("failed", "red")
    typer.secho(f"{word}  {report.url}", fg=colour, bold=True)
    _print_stages(report)
    for finding in report.findings:
        _print_finding(finding)
    if report.suggestion:
        typer.echo()
        typer.secho(f"  A base URL that works: {report.suggestion}", bold=True)
    if report.ok:
        _print_profile(report)


def _print_stages(report: CheckReport) -> None:
    typer.echo()
    failed = any(stage.state is StageState.FAILED for stage in report.stages)
    for stage in report.stages:
        sign, colour = _SIGNS[stage.state]
        plain = stage.name is StageName.TLS and report.url.startswith("http:")
        if stage.state is StageState.SKIPPED and (plain or not failed):
            sign = "not used"
        took = "" if stage.ms is None else f"{stage.ms:{20 - len(sign)}.1f} ms"
        typer.echo(f"  {_TITLES[stage.name]:<16} {typer.style(sign, fg=colour)}{took}")


def _print_finding(finding: Finding) -> None:
    typer.echo()
    typer.secho(f"  {finding.severity.value}: {finding.code}", fg=_COLOURS[finding.severity])
    typer.echo(f"    {finding.message}")
    typer.echo(f"    What to do: {finding.fix}")


def _print_profile(report: CheckReport) -> None:
    typer.echo()
    typer.echo(f"  It said: {report.answer!r}")
    for line in describe_profile(report.profile):
        typer.echo(f"  {line}")
    if not report.complete:
        typer.echo("  --deep looks further: tools, long prompts, parallel callers, hang-ups.")
