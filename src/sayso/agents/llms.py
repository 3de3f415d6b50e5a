"""Takes an agent's `llm` apart for the store, and puts it together again: sealed, opened, masked.

Keys, headers and the values of queries are sealed. The query of a base URL is one of them; rows
of a version that kept it in the URL are read as they are, and sealed by the next write to their
agent, for a migration has no master key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from pydantic import SecretStr

from sayso.agents.llm_schema import (
    BUILT_IN,
    OPENAI_COMPATIBLE,
    BuiltIn,
    FallbackView,
    LlmServer,
    LlmView,
    OpenAiCompatible,
)
from sayso.llm import Endpoint, Tell, Timeouts
from sayso.security.masks import mask_key, mask_url, mask_values, split_query
from sayso.security.secrets import Secrets
from sayso.store.tables import AgentRow
from sayso.variables import fill_header

_OURS = frozenset({"messages", "stream"})
"""Body keys the server sets itself on each LLM call; an agent's parameters cannot change them."""


@dataclass(frozen=True, slots=True, repr=False)
class OwnLlm:
    """One LLM of an owner, its secrets in plain: as it was sent and meant, or stored and opened.

    Attributes:
        url: its base URL.
        key: its API key, if it needs one.
        params: `baseParams` by the contract's names, without headers and query; None when there
            are none.
        headers: `baseParams.defaultHeaders`; null-valued ones are not sent.
        query: `baseParams.query`.
        timeouts: in milliseconds, by the contract's names.
        tell: how it is told of the conversation.
    """

    url: str
    key: SecretStr | None
    params: Mapping[str, Any] | None
    headers: Mapping[str, str | None] | None
    query: Mapping[str, str] | None
    timeouts: Mapping[str, int | None] | None
    tell: str

    def endpoint(self) -> Endpoint:
        """As it is called."""
        return make_endpoint(
            self.url,
            self.key,
            self.params or {},
            self.headers or {},
            query=self.query,
            timeouts=self.timeouts,
            tell=self.tell,
        )

    def asked(self, variables: Mapping[str, str]) -> Endpoint:
        """As a check asks it: only what `variables` put into the request counts when compared."""
        plain = self.endpoint()

        def fill(values: Mapping[str, str]) -> dict[str, str]:
            return {name: fill_header(value, variables) for name, value in values.items()}

        told = dict(variables) if plain.tell is Tell.BODY else {}
        return replace(plain, headers=fill(plain.headers), query=fill(plain.query), variables=told)

    def view(self) -> dict[str, Any]:
        """As it is answered, by the names of `FallbackView`."""
        params = self.params
        for name, values in (("defaultHeaders", self.headers), ("query", self.query)):
            if values is not None:
                params = {**(params or {}), name: mask_values(values)}
        return {
            "type": OPENAI_COMPATIBLE,
            "base_url": mask_url(self.url),
            "api_key": None if self.key is None else mask_key(self.key.get_secret_value()),
            "base_params": params,
            "timeouts": self.timeouts,
            "tell": self.tell,
        }


def read_server(server: LlmServer) -> OwnLlm:
    """An LLM exactly as it was sent, masks and all."""
    sent = server.base_params
    params = None if sent is None else sent.model_dump(by_alias=True, exclude_unset=True)
    headers, query = (None, None) if params is None else _pop(params, "defaultHeaders", "query")
    timeouts = server.timeouts
    return OwnLlm(
        server.base_url,
        server.api_key,
        params,
        headers,
        query,
        None if timeouts is None else timeouts.model_dump(by_alias=True),
        server.tell,
    )


def _pop(params: dict[str, Any], *names: str) -> list[Any]:
    return [params.pop(name, None) for name in names]


def make_endpoint(
    base_url: str,
    key: SecretStr | None,
    params: Mapping[str, Any],
    headers: Mapping[str, str | None],
    *,
    query: Mapping[str, str] | None = None,
    timeouts: Mapping[str, int | None] | None = None,
    tell: str = "off",
) -> Endpoint:
    """The endpoint an `llm` field describes; `params` and `timeouts` in the contract's names."""
    known = {"model", "temperature", "maxTokens", "defaultHeaders", "query"}
    extra = {name: value for name, value in params.items() if name not in known}
    if isinstance(extra.get("extra_body"), dict):
        extra |= extra.pop("extra_body")
    return Endpoint(
        base_url=base_url,
        api_key=key,
        model=params.get("model"),
        temperature=params.get("temperature"),
        max_tokens=params.get("maxTokens"),
        headers={name: value for name, value in headers.items() if value is not None},
        extra={name: value for name, value in extra.items() if name not in _OURS},
        query=dict(query or {}),
        timeouts=_read_timeouts(timeouts or {}),
        tell=Tell(tell),
    )


def _read_timeouts(timeouts: Mapping[str, int | None]) -> Timeouts:
    """Milliseconds by the contract's names, as seconds."""
    waits = {name: None if ms is None else ms / 1000 for name, ms in timeouts.items()}
    return Timeouts(waits.get("connectMs"), waits.get("firstTokenMs"), waits.get("betweenTokensMs"))


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
