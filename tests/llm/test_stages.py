from __future__ import annotations

import pytest

from sayso.llm.catalogue import CATALOGUE, Severity
from sayso.llm.findings import Finding
from sayso.llm.stages import StageName, StageState, Times, lay_out, stage_of

ALL = tuple(StageName)


def find(code: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(code, severity, "", "", "")


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_finding_belongs_to_a_stage(code: str) -> None:
    assert stage_of(code) in ALL


@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("url.bad", "url"),
        ("header.bad", "url"),
        ("outbound.refused", "outbound"),
        ("dns.failed", "dns"),
        ("connect.timeout", "connect"),
        ("tls.failed", "tls"),
        ("auth.refused", "http"),
        ("model.unknown", "http"),
        ("http.html", "content"),
        ("body.json_not_sse", "content"),
        ("first_token.slow", "first_token"),
        ("answer.late", "first_token"),
        ("stream.empty", "first_token"),
        ("stream.tool_calls_only", "first_token"),
        ("stream.buffered", "cadence"),
        ("stream.cut", "end"),
        ("answer.different", "answer"),
        ("history.refused", "conversation"),
        ("tools.refused", "conversation"),
    ],
)
def test_the_stage_of_a_finding(code: str, stage: str) -> None:
    assert code in CATALOGUE
    assert stage_of(code) == stage


def test_a_good_check_passes_every_stage() -> None:
    stages = lay_out((), Times(connect_s=0.0012, total_s=1.0), secure=True)
    assert [stage.name for stage in stages] == list(ALL)
    assert {stage.state for stage in stages} == {StageState.OK}
    assert {s.name: s.ms for s in stages if s.ms is not None} == {"connect": 1.2, "end": 1000.0}


def test_without_tls_its_stage_is_not_reached() -> None:
    states = {stage.name: stage.state for stage in lay_out((), Times())}
    assert states.pop(StageName.TLS) is StageState.SKIPPED
    assert set(states.values()) == {StageState.OK}


def test_nothing_is_reached_behind_an_error() -> None:
    found = [find("http.html"), find("stream.no_end", Severity.NOTE)]
    stages = lay_out(found, Times(connect_s=0.1, total_s=1.0), secure=True)
    at = ALL.index(StageName.CONTENT)
    assert {stage.state for stage in stages[:at]} == {StageState.OK}
    assert stages[at].state is StageState.FAILED
    assert {(stage.state, stage.ms) for stage in stages[at + 1 :]} == {(StageState.SKIPPED, None)}


def test_a_refused_address_was_resolved_before() -> None:
    stages = lay_out([find("outbound.refused")], Times(dns_s=0.01))
    states = {stage.name: stage.state for stage in stages}
    assert states[StageName.URL] is StageState.OK
    assert states[StageName.OUTBOUND] is StageState.FAILED
    assert states[StageName.DNS] is StageState.OK
    assert states[StageName.CONNECT] is StageState.SKIPPED


def test_a_warning_marks_its_stage_and_an_error_wins() -> None:
    warned = lay_out([find("stream.buffered", Severity.WARNING)], Times())
    assert {s.name for s in warned if s.state is StageState.WARNING} == {"cadence"}
    both = [find("stream.cut"), find("stream.too_long", Severity.WARNING)]
    assert {s.name for s in lay_out(both, Times()) if s.state is StageState.FAILED} == {"end"}


def test_what_nothing_came_of_did_not_go_well() -> None:
    unseen = (StageName.HTTP, StageName.CONTENT)
    stages = lay_out([find("first_token.slow")], Times(connect_s=0.1), unseen=unseen)
    states = {stage.name: stage.state for stage in stages}
    assert states[StageName.CONNECT] is StageState.OK
    assert states[StageName.HTTP] is states[StageName.CONTENT] is StageState.SKIPPED
    assert states[StageName.FIRST_TOKEN] is StageState.FAILED
    failed = {s.name: s.state for s in lay_out([find("http.status")], Times(), unseen=unseen)}
    assert failed[StageName.HTTP] is StageState.FAILED
