"""Checks endpoints, and lets conversations use what a check found out.

An agent's LLM is looked at when it is saved, the operator's own when the server starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from sayso.llm import Endpoint
from sayso.llm.aside import Quiet
from sayso.llm.body import DEFAULT_MODEL
from sayso.llm.catalogue import Severity
from sayso.llm.check import LlmCheck
from sayso.llm.findings import Finding
from sayso.llm.profile import Profile, ProfileKey, Profiles, key_of
from sayso.llm.progress import Tell, keep_still
from sayso.llm.verdict import CheckReport

_log = structlog.get_logger(__name__)


class Inspector:
    """Looks at endpoints with one engine, and keeps what that teaches in one place."""

    def __init__(self, check: LlmCheck, profiles: Profiles, quiet: Quiet | None = None) -> None:
        """Check with `check`, teach `profiles`; deeper only while it is `quiet`."""
        self._check = check
        self._profiles = profiles
        self._quiet = quiet

    async def look(self, endpoint: Endpoint, tell: Tell = keep_still) -> Inspection:
        """Check `endpoint`; teaches nothing yet. `tell` is told how it is going."""
        key = key_of(endpoint, DEFAULT_MODEL)
        since = self._profiles.get(key)
        report = await self._check.check(endpoint, tell)
        if report.profile.tools is None:  # until it is tried again, it is what it was
            report = replace(report, profile=replace(report.profile, tools=since.tools))
        return Inspection(self, endpoint, key, since, report)

    async def look_at_own(self, endpoint: Endpoint, *, deep: bool) -> None:
        """Check the operator's own LLM, say in one line of the log how it went, and learn."""
        seen = await self.look(endpoint)
        _tell(seen.report)
        if seen.report.ok:
            await seen.learn()
            if deep:
                await seen.deepen()

    async def keep(self, key: ProfileKey, profile: Profile, since: Profile) -> None:
        """Let conversations use `profile`; what they learned `since` then stays."""
        await self._profiles.put(key, profile, since)

    async def complete(self, endpoint: Endpoint, report: CheckReport) -> CheckReport:
        """Look into everything that `report` left out."""
        return await self._check.deepen(endpoint, report, self._quiet)


@dataclass(frozen=True, slots=True)
class Inspection:
    """An endpoint that was looked at.

    Attributes:
        since: what was known of it before.
        report: what was found.
    """

    inspector: Inspector
    endpoint: Endpoint
    key: ProfileKey
    since: Profile
    report: CheckReport

    async def learn(self) -> None:
        """Let conversations use what was found; only for a check that passed."""
        await self.inspector.keep(self.key, self.report.profile, self.since)

    async def deepen(self) -> CheckReport:
        """Look into everything else, let conversations use that, and give the whole report.

        It stays quick when there was too little time without conversations.
        """
        whole = await self.inspector.complete(self.endpoint, self.report)
        if not whole.complete:
            _log.info("llm_check_stays_quick", url=whole.url, reason="somebody always talks")
        # What differs from the report by now was learned by conversations, or a later check.
        await self.inspector.keep(self.key, whole.profile, self.report.profile)
        return whole


def _tell(report: CheckReport) -> None:
    """One line: it passed, or what is wrong and what to do about it."""
    wrong = [finding for finding in report.findings if finding.severity is not Severity.NOTE]
    facts = {"url": report.url, "first_token_ms": report.first_token_ms}
    if not wrong:
        _log.info("builtin_llm_checked", result="passed", **facts)
        return
    result = "passed with warnings" if report.ok else "failed"
    _log.warning("builtin_llm_checked", result=result, **facts, **_list(wrong))


def _list(findings: Sequence[Finding]) -> dict[str, list[str]]:
    return {
        "findings": [finding.code for finding in findings],
        "fixes": [finding.fix for finding in findings],
    }
