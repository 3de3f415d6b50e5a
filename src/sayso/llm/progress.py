"""Tells how a check is going: each stage that is past, each finding as it is made. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sayso.llm.findings import Finding
from sayso.llm.stages import Stage, StageName, StageState
from sayso.llm.verdict import CheckReport

Step: TypeAlias = Stage | Finding
Tell: TypeAlias = Callable[[Step], None]


def keep_still(_: Step) -> None:
    """For a check nobody watches."""


class Progress:
    """What a check has told so far.

    What is told before the end is told of the endpoint itself; what another base URL does that is
    tried instead is the report's.
    """

    def __init__(self, tell: Tell, *, secure: bool) -> None:
        """`secure`: whether the endpoint is asked by TLS."""
        self._tell = tell
        self._secure = secure
        self._stages: dict[StageName, StageState] = {}
        self._findings: dict[str, Finding] = {}
        self._over = False

    def reach(self, name: StageName, took_s: float | None = None) -> None:
        """`name` went well, in `took_s` seconds, and so did all before it."""
        for stage in StageName:
            if stage not in self._stages and not self._over:
                unused = stage is StageName.TLS and not self._secure
                state = StageState.SKIPPED if unused else StageState.OK
                ms = None if took_s is None or stage is not name else round(took_s * 1000, 1)
                self._say(Stage(stage, state, ms))
            if stage is name:
                return

    def find(self, finding: Finding) -> None:
        """Something was noticed."""
        if not self._over and self._findings.get(finding.code) != finding:
            self._findings[finding.code] = finding
            self._tell(finding)

    def settle(self, report: CheckReport) -> None:
        """All that is left to tell, and what turned out otherwise; nothing is told after it."""
        for stage in report.stages:
            if self._stages.get(stage.name) is not stage.state:
                self._say(stage)
        for finding in report.findings:
            self.find(finding)
        self._over = True

    def _say(self, stage: Stage) -> None:
        self._stages[stage.name] = stage.state
        self._tell(stage)
