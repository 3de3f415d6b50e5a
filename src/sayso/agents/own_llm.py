"""One LLM of an owner, its secrets in plain: as it was sent, as it is called, and masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from sayso.agents.llm_schema import OPENAI_COMPATIBLE, LlmServer
from sayso.llm import Endpoint, Tell, Timeouts
from sayso.security.masks import mask_key, mask_url, mask_values
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
