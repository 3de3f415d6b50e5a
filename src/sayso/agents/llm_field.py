"""The `llm` field of agents: understood, checked and sealed before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sayso.agents.checks import Checked, LlmChecks, Passed
from sayso.agents.choices import choose_llms, choose_tried
from sayso.agents.issues import LlmIssue, dump_issues
from sayso.agents.llm_schema import BuiltIn, LlmView, OpenAiCompatible
from sayso.agents.llms import LlmSafe, SealedLlm
from sayso.agents.own_llm import OwnLlm
from sayso.agents.reports import AgentCheckView, LlmCheckView, NewCheck, Tell
from sayso.agents.schema import AgentChanges
from sayso.errors import ConflictError, NotFoundError
from sayso.llm import Endpoint
from sayso.security.secrets import Secrets
from sayso.store.tables import AgentRow
from sayso.variables import Variable, show_all

StoredLlm: TypeAlias = tuple[dict[str, Any] | None, str | None, str | None]
"""What a row holds of its LLM."""


@dataclass(frozen=True, slots=True)
class ReadyLlm:
    """An `llm` field that may be saved: sealed, and what its check noticed.

    `passed` is None where nothing was checked, for nothing was changed that a check looks at.
    `seen` is what was stored when it was checked, to notice another's change.
    """

    sealed: SealedLlm
    passed: Passed | None
    seen: StoredLlm | None = None

    @property
    def issues(self) -> Sequence[LlmIssue]:
        """What was noticed just now."""
        return () if self.passed is None else self.passed.issues

    def put_into(self, row: AgentRow) -> None:
        """Store it. Raises ConflictError when somebody else stored another one meanwhile."""
        if self.seen is not None:
            refuse_overtaken(row, self.seen)
        self.sealed.put_into(row)
        if self.passed is not None:
            row.llm_issues = dump_issues(self.passed.issues)


class LlmField:
    """What agents say of their owners' LLMs."""

    def __init__(self, secrets: Secrets, checks: LlmChecks) -> None:
        self._safe = LlmSafe(secrets)
        self._checks = checks

    # Before a save ------------------------------------------------------------------------

    async def prepare(
        self,
        agent_id: str,
        llm: OpenAiCompatible | BuiltIn | None,
        meant: Sequence[OwnLlm | None],
        variables: Mapping[str, Variable],
    ) -> ReadyLlm:
        """Check `llm` and seal it; `meant` are it and its fallbacks in plain.

        Raises:
            BadRequestError: one did not pass.
        """
        passed = await self._checks.demand(_endpoints(meant, variables))
        return ReadyLlm(self._safe.seal(agent_id, llm, meant), passed)

    async def prepare_change(self, body: AgentChanges, row: AgentRow) -> ReadyLlm:
        """Check the LLM of an update; `row` is the agent as it is stored.

        One that is asked as it is stored is not checked again.

        Raises:
            BadRequestError: one did not pass, or a mask stands for nothing.
        """
        main, fallbacks = self._safe.open_main(row), self._safe.open_fallbacks(row)
        meant = choose_llms(body.llm, main, fallbacks)
        variables = body.variables if "variables" in body.model_fields_set else row.variables
        before = [] if main is None else [main, *fallbacks]
        if meant and _asked(meant, variables) == _asked(before, row.variables):
            return ReadyLlm(self._safe.seal(row.id, body.llm, meant), None, stored_llm(row))
        ready = await self.prepare(row.id, body.llm, meant, variables)
        return replace(ready, seen=stored_llm(row))

    def seal_old(self, row: AgentRow) -> None:
        """Seal what an earlier version stored in plain, if there is any."""
        self._safe.seal_old(row)

    async def keep_saved(self, agent_id: str, ready: ReadyLlm | None) -> None:
        """Keep the reports of an LLM that was saved, if it was checked."""
        if ready is not None and ready.passed is not None:
            await self.keep(agent_id, ready.passed.checked)

    # Without a save -----------------------------------------------------------------------

    async def try_out(self, body: NewCheck, row: AgentRow | None, tell: Tell) -> LlmCheckView:
        """Check an LLM without saving; `row` is whose secrets it may use.

        Raises:
            BadRequestError: a mask stands for nothing, or for a secret of another server.
        """
        main: OwnLlm | None = None
        fallbacks: Sequence[OwnLlm | None] = ()
        if row is not None:
            main, fallbacks = self._safe.open_main(row), self._safe.open_fallbacks(row)
        tried = choose_tried(body, main, fallbacks)
        return (await self._checks.check(tried.endpoint(), tell)).view

    async def check_stored(self, row: AgentRow, tell: Tell) -> Sequence[Checked | None]:
        """Check an agent's LLM and its fallbacks as they are; keeps nothing.

        Raises:
            NotFoundError: it has no LLM.
        """
        main = self._safe.open_main(row)
        if main is None:
            raise NotFoundError(
                f"agent {row.id!r} has no LLM of its own to check", hint="Set its `llm` first."
            )
        llms = (main, *self._safe.open_fallbacks(row))
        return await self._checks.check_all(_endpoints(llms, row.variables), tell)

    async def keep(self, agent_id: str, checked: Sequence[Checked | None]) -> None:
        """Keep the reports of an agent's LLM and its fallbacks."""
        await self._checks.keep(agent_id, *checked)

    async def last_report(self, agent_id: str) -> AgentCheckView:
        """The report of an agent's LLM and its fallbacks. Raises NotFoundError."""
        return await self._checks.read(agent_id)

    # As it is stored ----------------------------------------------------------------------

    def view(self, row: AgentRow) -> LlmView | None:
        """An agent's `llm` as it is answered, every secret masked. Raises InstallationError."""
        return self._safe.view(row)

    def answering(self, row: AgentRow) -> dict[str, Any]:
        """Who answers for an agent, by the names of `Agent`. Raises InstallationError."""
        return self._safe.answering(row)


def stored_llm(row: AgentRow) -> StoredLlm:
    """What `row` holds."""
    return row.llm, row.llm_key, row.llm_headers


def refuse_overtaken(row: AgentRow, seen: StoredLlm) -> None:
    """Refuse to save an LLM over one that somebody else saved during the check.

    Raises:
        ConflictError: `row` does not hold what was `seen`.
    """
    if stored_llm(row) != seen:
        raise ConflictError(
            "the agent's llm was changed by another request meanwhile",
            field="llm",
            hint="Read the agent again and repeat your change.",
        )


def _endpoints(
    llms: Sequence[OwnLlm | None], variables: Mapping[str, Variable]
) -> list[Endpoint | None]:
    """As a check calls them."""
    values = show_all(variables)
    return [None if one is None else replace(one.endpoint(), variables=values) for one in llms]


def _asked(
    llms: Sequence[OwnLlm | None], variables: Mapping[str, Variable]
) -> list[Endpoint | None]:
    """What a check would ask."""
    values = show_all(variables)
    return [None if one is None else one.asked(values) for one in llms]
