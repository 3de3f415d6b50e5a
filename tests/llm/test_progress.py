"""What a check tells on its way."""

from __future__ import annotations

import pytest

from sayso.llm import Endpoint
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.findings import Finding, Scene
from sayso.llm.progress import Progress, Step, keep_still
from sayso.llm.stages import Stage, StageName, StageState, Times, lay_out
from sayso.llm.verdict import CheckReport

SCENE = Scene("https://llm.example.com/v1/chat/completions")
LATE = SCENE.find("answer.late", first_token_s=2.0, limit_s=1.5)


def report(*findings: Finding) -> CheckReport:
    stages = lay_out(findings, Times())
    return CheckReport(True, findings, "", None, 1.0, "", stages=stages)


def names(told: list[Step]) -> list[str]:
    return [one.name.value if isinstance(one, Stage) else one.code for one in told]


def test_what_is_reached_lies_behind() -> None:
    told: list[Step] = []
    progress = Progress(told.append, secure=False)
    progress.reach(StageName.CONNECT, 0.0123)
    assert names(told) == ["url", "outbound", "dns", "connect"]
    assert told[-1] == Stage(StageName.CONNECT, StageState.OK, 12.3)
    progress.reach(StageName.DNS, 1.0)
    progress.reach(StageName.HTTP)
    assert told[4:] == [
        Stage(StageName.TLS, StageState.SKIPPED),
        Stage(StageName.HTTP, StageState.OK),
    ]


def test_tls_is_a_stage_of_its_own_where_it_is_spoken() -> None:
    told: list[Step] = []
    Progress(told.append, secure=True).reach(StageName.HTTP)
    assert Stage(StageName.TLS, StageState.OK) in told


def test_the_end_tells_what_is_left_and_what_turned_out_otherwise() -> None:
    told: list[Step] = []
    progress = Progress(told.append, secure=False)
    progress.reach(StageName.FIRST_TOKEN, 2.0)
    progress.find(LATE)
    progress.find(LATE)
    told.clear()
    progress.settle(report(LATE))
    assert names(told) == ["first_token", "cadence", "end", "answer", "conversation"]
    assert told[0] == Stage(StageName.FIRST_TOKEN, StageState.WARNING)
    told.clear()
    progress.settle(report(LATE, SCENE.find("stream.cut", reason="x")))
    progress.reach(StageName.CONVERSATION)
    progress.find(SCENE.find("stream.empty_once"))
    assert len([one for one in told if isinstance(one, Finding)]) <= 1


@pytest.mark.parametrize("quirk", ["", "quirk:html", "quirk:late_first", "quirk:401"])
async def test_a_check_tells_in_order_what_its_report_says(
    client: LlmClient, fake: str, quirk: str
) -> None:
    told: list[Step] = []
    endpoint = Endpoint(fake, model=quirk or None)
    found = await LlmCheck(client, budget_s=5.0).check(endpoint, told.append)
    stages = {one.name: one.state for one in told if isinstance(one, Stage)}
    assert list(stages) == list(StageName)
    assert stages == {one.name: one.state for one in found.stages}
    findings = [one.code for one in told if isinstance(one, Finding)]
    assert sorted(findings) == sorted(one.code for one in found.findings)


def test_nobody_need_watch() -> None:
    keep_still(LATE)
