"""The stages of a check, in order, and how far it got. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sayso.llm.catalogue import Severity
from sayso.llm.findings import Finding


class StageName(StrEnum):
    """What is looked at, in this order."""

    URL = "url"
    OUTBOUND = "outbound"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    HTTP = "http"
    CONTENT = "content"
    FIRST_TOKEN = "first_token"  # noqa: S105
    CADENCE = "cadence"
    END = "end"
    ANSWER = "answer"
    CONVERSATION = "conversation"


class StageState(StrEnum):
    """How a stage went; one after a failure is not reached."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: how it went, and how long it took in milliseconds, where that was measured."""

    name: StageName
    state: StageState
    ms: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """How long each part took, in seconds; None where it did not happen or was not seen."""

    dns_s: float | None = None
    connect_s: float | None = None
    headers_s: float | None = None
    first_token_s: float | None = None
    spread_s: float | None = None
    total_s: float | None = None


_N = StageName

_CODES: Mapping[str, StageName] = MappingProxyType(
    {
        "header.bad": _N.URL,
        "body.bad": _N.URL,
        "answer.late": _N.FIRST_TOKEN,
        "stream.empty": _N.FIRST_TOKEN,
        "stream.empty_once": _N.FIRST_TOKEN,
        "stream.reasoning_only": _N.FIRST_TOKEN,
        "stream.tool_calls_only": _N.FIRST_TOKEN,
        "stream.reasoning": _N.FIRST_TOKEN,
        "stream.stalled": _N.CADENCE,
        "stream.buffered": _N.CADENCE,
        "stream.cut": _N.END,
        "stream.no_end": _N.END,
        "stream.too_long": _N.END,
        "http.html": _N.CONTENT,
    }
)
_ROOMS: Mapping[str, StageName] = MappingProxyType(
    {
        "url": _N.URL,
        "outbound": _N.OUTBOUND,
        "dns": _N.DNS,
        "connect": _N.CONNECT,
        "tls": _N.TLS,
        "http": _N.HTTP,
        "auth": _N.HTTP,
        "path": _N.HTTP,
        "redirect": _N.HTTP,
        "rate": _N.HTTP,
        "model": _N.HTTP,
        "request": _N.HTTP,
        "body": _N.CONTENT,
        "stream": _N.CONTENT,
        "first_token": _N.FIRST_TOKEN,
        "answer": _N.ANSWER,
    }
)


def stage_of(code: str) -> StageName:
    """The stage a finding belongs to."""
    return _CODES.get(code) or _ROOMS.get(code.partition(".")[0], _N.CONVERSATION)


def lay_out(
    findings: Iterable[Finding],
    times: Times,
    *,
    secure: bool = False,
    unseen: Collection[StageName] = (),
) -> tuple[Stage, ...]:
    """All stages: ok up to the first error, not reached behind it.

    Args:
        findings: what the check found.
        times: how long things took.
        secure: whether the connection speaks TLS; its time is part of connecting.
        unseen: what nothing came of, so that it cannot have gone well.
    """
    worst: dict[StageName, Severity] = {}
    for finding in sorted(findings, key=lambda one: one.severity is Severity.ERROR):
        worst[stage_of(finding.code)] = finding.severity
    ms = _spend(times)
    failed = False
    stages = []
    for name in StageName:
        state = _judge(worst.get(name))
        unused = name in unseen or (name is StageName.TLS and not secure)
        if unused and state is StageState.OK:
            state = StageState.SKIPPED
        resolved = name is StageName.DNS and times.dns_s is not None
        if failed and not resolved:
            state = StageState.SKIPPED
        failed = failed or state is StageState.FAILED
        took = None if state is StageState.SKIPPED else ms.get(name)
        stages.append(Stage(name, state, took))
    return tuple(stages)


def _judge(severity: Severity | None) -> StageState:
    if severity is Severity.ERROR:
        return StageState.FAILED
    return StageState.WARNING if severity is Severity.WARNING else StageState.OK


def _spend(times: Times) -> dict[StageName, float | None]:
    seconds = {
        StageName.DNS: times.dns_s,
        StageName.CONNECT: times.connect_s,
        StageName.HTTP: times.headers_s,
        StageName.FIRST_TOKEN: times.first_token_s,
        StageName.CADENCE: times.spread_s,
        StageName.END: times.total_s,
    }
    return {name: None if s is None else round(s * 1000, 1) for name, s in seconds.items()}
