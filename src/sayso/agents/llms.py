"""Takes an agent's `llm` apart for the store, and puts it together again: sealed and opened.

Keys, headers and the values of queries are sealed. The query of a base URL is one of them; rows
of a version that kept it in the URL are read as they are, and sealed by the next write to their
agent, for a migration has no master key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import SecretStr

from sayso.agents.llm_schema import (
    BUILT_IN,
    OPENAI_COMPATIBLE,
    BuiltIn,
    FallbackView,
    LlmView,
    OpenAiCompatible,
)
from sayso.agents.own_llm import OwnLlm
from sayso.security.masks import split_query
from sayso.security.secrets import Secrets
from sayso.store.tables import AgentRow


@dataclass(frozen=True, slots=True)
class SealedLlm:
    """An `llm` field as it is stored: nothing in it that is secret is plain."""

    llm: dict[str, Any] | None = None
    key: str | None = None
    headers: str | None = None

    def put_into(self, row: AgentRow) -> None:
        """Store it."""
        row.llm, row.llm_key, row.llm_headers = self.llm, self.key, self.headers


class LlmSafe:
    """Where the secrets of LLMs are sealed and opened."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    # In -----------------------------------------------------------------------------------

    def seal(
        self,
        agent_id: str,
        llm: OpenAiCompatible | BuiltIn | None,
        servers: Sequence[OwnLlm | None],
    ) -> SealedLlm:
        """`llm` for the store; `servers` are what it and its fallbacks mean, None if built in."""
        if llm is None:
            return SealedLlm()
        if isinstance(llm, BuiltIn):
            return SealedLlm(_plain_built_in(llm))
        bodies = [llm, *(llm.fallbacks or [])]
        main, *fallbacks = (
            _plain_built_in(cast("BuiltIn", body)) if own is None else self._lock(agent_id, own)
            for body, own in zip(bodies, servers, strict=True)
        )
        key, headers = main.pop("key"), main.pop("headers")
        more = {
            "fallbacks": fallbacks,
            "failureMessage": llm.failure_message or None,
            "hedgeAfterMs": llm.hedge_after_ms,
        }
        return SealedLlm({**main, **more}, key, headers)

    def seal_old(self, row: AgentRow) -> None:
        """Seal what an earlier version stored in plain, if there is any."""
        llm = row.llm or {}
        stored = [llm, *(llm.get("fallbacks") or [])]
        if any("?" in one.get("baseURL", "") for one in stored):
            main, *fallbacks = ({**one, **self._lock_url(row.id, one)} for one in stored)
            row.llm = {**main, "fallbacks": fallbacks}

    def _lock(self, agent_id: str, own: OwnLlm) -> dict[str, Any]:
        def seal(value: object, at: str) -> str | None:
            return None if value is None else self._secrets.seal(json.dumps(value), at)

        key = None if own.key is None else own.key.get_secret_value()
        return {
            "type": OPENAI_COMPATIBLE,
            **self._lock_url(agent_id, {"baseURL": own.url}),
            "baseParams": None if own.params is None else dict(own.params),
            "timeouts": None if own.timeouts is None else dict(own.timeouts),
            "tell": own.tell,
            "key": key and self._secrets.seal(key, _key_at(agent_id)),
            "headers": seal(own.headers, _headers_at(agent_id)),
            "query": seal(own.query, _query_at(agent_id)),
        }

    def _lock_url(self, agent_id: str, stored: Mapping[str, Any]) -> dict[str, Any]:
        base, query = split_query(stored.get("baseURL", ""))
        if not query:
            return {name: stored[name] for name in ("baseURL",) if name in stored}
        return {"baseURL": base, "urlQuery": self._secrets.seal(query, _url_query_at(agent_id))}

    # Out ----------------------------------------------------------------------------------

    def open_main(self, row: AgentRow) -> OwnLlm | None:
        """An agent's own LLM; None for the built-in one. Raises InstallationError."""
        if row.llm is None or row.llm["type"] == BUILT_IN:
            return None
        return self._unlock(row.id, row.llm, row.llm_key, row.llm_headers)

    def open_fallbacks(self, row: AgentRow) -> tuple[OwnLlm | None, ...]:
        """Who stands by; None for the built-in one. Raises InstallationError."""
        return tuple(
            None
            if one["type"] == BUILT_IN
            else self._unlock(row.id, one, one["key"], one["headers"])
            for one in _stored_fallbacks(row)
        )

    def answering(self, row: AgentRow) -> dict[str, Any]:
        """Who answers for an agent, by the names of `Agent`. Raises InstallationError."""
        main, stored = self.open_main(row), row.llm or {}
        if main is None:
            return {"llm": None}
        hedge_ms = stored.get("hedgeAfterMs")
        return {
            "llm": main.endpoint(),
            "fallbacks": tuple(
                None if one is None else one.endpoint() for one in self.open_fallbacks(row)
            ),
            "failure_message": stored.get("failureMessage"),
            "hedge_after_s": None if hedge_ms is None else hedge_ms / 1000,
        }

    def view(self, row: AgentRow) -> LlmView | None:
        """An agent's `llm` as it is answered, every secret masked. Raises InstallationError."""
        if row.llm is None:
            return None
        main = self.open_main(row)
        if main is None:
            return LlmView(type="built-in", model=row.llm["model"])
        return LlmView(
            **main.view(),
            fallbacks=[
                FallbackView(type="built-in", model=plain["model"])
                if one is None
                else FallbackView(**one.view())
                for plain, one in zip(_stored_fallbacks(row), self.open_fallbacks(row), strict=True)
            ],
            failure_message=row.llm.get("failureMessage"),
            hedge_after_ms=row.llm.get("hedgeAfterMs"),
        )

    def _unlock(
        self, agent_id: str, stored: Mapping[str, Any], key: str | None, headers: str | None
    ) -> OwnLlm:
        unseal, query, url = self._secrets.open, stored.get("query"), stored["baseURL"]
        if (url_query := stored.get("urlQuery")) is not None:
            url = f"{url}?{unseal(url_query, _url_query_at(agent_id))}"
        return OwnLlm(
            url,
            None if key is None else SecretStr(unseal(key, _key_at(agent_id))),
            stored["baseParams"],
            None if headers is None else json.loads(unseal(headers, _headers_at(agent_id))),
            None if query is None else json.loads(unseal(query, _query_at(agent_id))),
            stored.get("timeouts"),
            stored.get("tell", "off"),
        )


def is_own(row: AgentRow) -> bool:
    """Whether an agent has an LLM of its own."""
    return row.llm is not None and row.llm["type"] == OPENAI_COMPATIBLE


def _stored_fallbacks(row: AgentRow) -> list[dict[str, Any]]:
    return (row.llm or {}).get("fallbacks") or []


def _key_at(agent_id: str) -> str:
    return f"agents:llm_key:{agent_id}"


def _headers_at(agent_id: str) -> str:
    return f"agents:llm_headers:{agent_id}"


def _query_at(agent_id: str) -> str:
    return f"agents:llm_query:{agent_id}"


def _url_query_at(agent_id: str) -> str:
    return f"agents:llm_url_query:{agent_id}"


def _plain_built_in(llm: BuiltIn) -> dict[str, Any]:
    return {"type": BUILT_IN, "model": llm.model}
