"""Whether an agent's LLM works, asked the way a conversation would ask (contract §3.3).

One user message asks to repeat the smoke-test sentence, streamed; then a whole conversation is
sent. Everything that would leave a caller in silence is found here, before the agent is saved,
and said in one sentence with the proof and the next step. `check` answers soon; `deepen` looks
further, after the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from sayso.llm import Endpoint
from sayso.llm.aside import PATIENCE_S, Aside, Quiet
from sayso.llm.body import DEFAULT_MODEL
from sayso.llm.candidates import list_candidates
from sayso.llm.catalogue import Severity
from sayso.llm.client import LlmClient
from sayso.llm.findings import Finding, show_url
from sayso.llm.offers import tell_default, tell_models
from sayso.llm.probes import PROBES, Probe
from sayso.llm.progress import Progress, Tell, keep_still
from sayso.llm.stages import Stage, StageName, Times, lay_out
from sayso.llm.tolerance import (
    CONVERSATION,
    SMOKE,
    learn_cadence,
    learn_parameters,
    learn_roles,
    read_smoke,
)
from sayso.llm.trial import Answer, Trial, on_trial
from sayso.llm.verdict import CheckReport

LATE_S = 1.5
"""A first word later than this is worth a warning, in seconds."""
CANDIDATE_S = 3.0
"""How long each other base URL may take, in seconds."""
MODELS_S = 3.0
"""How long a server that does not know the model may take to list those it has, in seconds."""
DEEP_BUDGET_S = 120.0
"""Longest look into an endpoint after the answer, in seconds."""

_WRONG_PLACE = frozenset(
    ("body.not_sse", "http.html", "path.not_found", "redirect.refused", "stream.no_choices")
)
_SENTENCE = "smoke test has passed"


class LlmCheck:
    """Checks endpoints, each within one budget of time."""

    def __init__(
        self,
        client: LlmClient,
        *,
        budget_s: float = 12.0,
        deep_budget_s: float = DEEP_BUDGET_S,
        start_s: float = 20.0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Check by the limits of `client`.

        Args:
            client: whose limits hold; checks have connections of their own.
            budget_s: longest `check`, in seconds (`llm_check_timeout_s`).
            deep_budget_s: longest `deepen`, in seconds.
            start_s: when a conversation apologises, in seconds (`llm_reply_start_timeout_s`).
            patience_s: how long its probes wait for quiet in all, in seconds; not counted.
        """
        self._client = client
        self._budget_s = budget_s
        self._deep_budget_s = deep_budget_s
        self._start_s = start_s
        self._patience_s = patience_s

    async def check(self, endpoint: Endpoint, tell: Tell = keep_still) -> CheckReport:
        """Try `endpoint`, and look for the right base URL if it is wrong. Never raises LlmError.

        `tell` is told of stages and findings as they come.
        """
        now_s = asyncio.get_running_loop().time
        started_s = now_s()
        progress = Progress(tell, secure=_is_secure(endpoint))
        async with on_trial(
            self._client, endpoint, budget_s=self._budget_s, progress=progress
        ) as trial:
            smoke = await _offer_models(trial, await _converse(trial))
            self._compare_waits(trial)
            report = _report(trial, smoke)
            progress.settle(report)
            if not report.ok and report.findings[0].code in _WRONG_PLACE:
                found = await _search(trial, smoke.location)
                report = _propose(report, found) if found else report
        return replace(report, total_ms=_ms(now_s() - started_s))

    async def deepen(
        self, endpoint: Endpoint, report: CheckReport, quiet: Quiet | None = None
    ) -> CheckReport:
        """Look into everything else, if `check` found that `endpoint` works. Never raises LlmError.

        Gives `report` with what was found added to its findings, stages and profile. Probes are
        sent while it is `quiet`; waiting is not counted. Without enough of that it stays quick.
        """
        if not report.ok:
            return replace(report, complete=True)
        budget_s = self._deep_budget_s
        async with on_trial(
            self._client, endpoint, budget_s=budget_s, profile=report.profile
        ) as trial:
            aside = Aside(quiet or (lambda: True), patience_s=self._patience_s)
            for probe in PROBES:
                await _probe_aside(trial, probe, aside)
        return replace(_extend(report, trial), complete=not aside.gave_up)

    def _compare_waits(self, trial: Trial) -> None:
        """Note an agent that is told to wait longer than any conversation does."""
        allowed_s = trial.endpoint.timeouts.first_token_s
        if allowed_s is not None and allowed_s > self._start_s:
            trial.note("timeouts.capped", allowed_s=allowed_s, limit_s=self._start_s)


async def _probe_aside(trial: Trial, probe: Probe, aside: Aside) -> None:
    """Send `probe` while it is quiet; again if somebody began to talk."""
    while True:
        await trial.rest(aside.wait())
        if aside.gave_up or trial.left_s <= 0:
            return
        if await aside.attempt(partial(probe, trial)):
            return


# The part a save waits for --------------------------------------------------------------------


async def _converse(trial: Trial) -> Answer:
    """The smoke test, and all that a conversation needs to know; the test's answer."""
    smoke, conversation = await _ask_twice(trial)
    if smoke.refused:
        smoke = await learn_parameters(trial, smoke)
        conversation = None
    if smoke.failure is not None and smoke.failure.code == "stream.empty":
        smoke = await _ask_again(trial, smoke)
    if smoke.failure is not None:
        return smoke
    trial.profile = read_smoke(trial.profile, smoke)
    await learn_roles(trial, conversation)
    await learn_cadence(trial, smoke)
    return smoke


async def _ask_twice(trial: Trial) -> tuple[Answer, Answer | None]:
    """The smoke test, and a whole conversation as soon as the test's first word has come.

    Not sooner: a server that does one thing at a time would look slow.
    """
    spoke = asyncio.Event()
    async with asyncio.TaskGroup() as both:
        first = both.create_task(trial.ask(SMOKE, spoke=spoke))
        await spoke.wait()
        if first.done() and first.result().failure is not None:
            return first.result(), None
        second = both.create_task(trial.ask(CONVERSATION, enough=1))
    return first.result(), second.result()


async def _ask_again(trial: Trial, empty: Answer) -> Answer:
    """Some servers answer nothing once, and then answer; a conversation asks again, too."""
    again = await trial.ask(SMOKE)
    if again.failure is not None:
        return empty
    trial.note("stream.empty_once")
    return again


async def _offer_models(trial: Trial, smoke: Answer) -> Answer:
    """The same answer; if the model is unknown, its failure names those there are."""
    unknown = smoke.failure
    if unknown is None or unknown.code != "model.unknown":
        return smoke
    names = await trial.list_models(MODELS_S)
    if not trial.endpoint.model:
        unknown = tell_default(unknown)
    wanted = trial.endpoint.model or DEFAULT_MODEL
    return replace(smoke, failure=tell_models(unknown, names, wanted, trial.secrets))


async def _search(trial: Trial, location: str | None) -> str | None:
    """The first other base URL that works."""
    for base_url in list_candidates(trial.endpoint.base_url, location):
        if trial.left_s <= 0:
            return None
        meant = replace(trial.endpoint, base_url=base_url)
        answer = await trial.ask(SMOKE, endpoint=meant, limit_s=CANDIDATE_S)
        if answer.failure is None:
            return base_url
    return None


# Reports --------------------------------------------------------------------------------------


def _report(trial: Trial, smoke: Answer) -> CheckReport:
    """What the answer to the smoke test, and everything noted, amount to."""
    if smoke.failure is not None:
        trial.findings.setdefault(smoke.failure.code, smoke.failure)
    for warning in smoke.warnings:
        trial.findings.setdefault(warning.code, _price(warning, smoke))
    if smoke.failure is None and _SENTENCE not in smoke.text.lower():
        trial.note("answer.different", smoke.text)
    if smoke.failure is None and smoke.first_s is not None and smoke.first_s > LATE_S:
        trial.note("answer.late", first_token_s=smoke.first_s, limit_s=LATE_S)
    findings = _sort(trial.findings.values())
    return CheckReport(
        ok=_is_ok(findings),
        findings=findings,
        url=smoke.url,
        first_token_ms=None if smoke.first_s is None else _ms(smoke.first_s),
        total_ms=0.0,
        answer=smoke.text,
        stages=lay_out(
            findings,
            _measure(trial, smoke),
            secure=_is_secure(trial.endpoint),
            unseen=_unseen(smoke),
        ),
        profile=trial.profile,
        status=smoke.status,
    )


def _price(warning: Finding, smoke: Answer) -> Finding:
    """Say what an answer in one piece costs."""
    if warning.code != "body.json_not_sse" or smoke.first_s is None:
        return warning
    cost = f"Callers wait {smoke.first_s:.1f} s even for a short answer, longer for a long one."
    return replace(warning, message=f"{warning.message} {cost}")


def _measure(trial: Trial, smoke: Answer) -> Times:
    spread_s = smoke.arrivals_s[-1] - smoke.arrivals_s[0] if smoke.arrivals_s else None
    return Times(
        dns_s=trial.trace.dns_s,
        connect_s=trial.trace.connect_s,
        headers_s=trial.trace.headers_s,
        first_token_s=smoke.first_s,
        spread_s=spread_s,
        total_s=smoke.total_s,
    )


def _unseen(smoke: Answer) -> tuple[StageName, ...]:
    """What the endpoint sent nothing of: no status, or nothing behind it."""
    if smoke.status is None:
        return (StageName.HTTP, StageName.CONTENT)
    return () if smoke.heard else (StageName.CONTENT,)


def _is_secure(endpoint: Endpoint) -> bool:
    try:
        return urlsplit(endpoint.base_url.strip()).scheme == "https"
    except ValueError:
        return False


def _extend(report: CheckReport, trial: Trial) -> CheckReport:
    """`report` with what was found later."""
    known = {finding.code for finding in report.findings}
    added = [finding for finding in trial.findings.values() if finding.code not in known]
    findings = _sort([*report.findings, *added])
    later = {stage.name: stage for stage in lay_out(added, Times())}
    stages = tuple(max(stage, later[stage.name], key=_gravity) for stage in report.stages)
    return replace(
        report,
        ok=_is_ok(findings),
        findings=findings,
        stages=stages,
        profile=trial.profile,
        complete=True,
    )


def _gravity(stage: Stage) -> int:
    return ("skipped", "ok", "warning", "failed").index(stage.state.value)


def _sort(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: list(Severity).index(finding.severity)))


def _is_ok(findings: tuple[Finding, ...]) -> bool:
    return all(finding.severity is not Severity.ERROR for finding in findings)


def _propose(report: CheckReport, base_url: str) -> CheckReport:
    """The same report, whose first fix names the base URL that works."""
    shown = show_url(base_url)
    first = replace(report.findings[0], fix=f"Set baseURL to {shown}: it was tried and works.")
    return replace(report, findings=(first, *report.findings[1:]), suggestion=shown)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
