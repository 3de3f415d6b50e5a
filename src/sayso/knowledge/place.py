"""Where an owner's own retrieval server is, and how it is asked. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from sayso.variables import fill_header

PROBE: Final = "What do you know?"
"""What a check asks, and a look at whether one that rests is well again."""
MIN_SECRET_CHARS: Final = 6
"""A shorter value is no key; blacked out, it would spoil every message."""


@dataclass(frozen=True, slots=True)
class Place:
    """One retrieval server, as an agent's `knowledge` field names it.

    Attributes:
        base_url: what `/retrieval` is added to.
        api_key: sent as a Bearer token, if there is one.
        knowledge_id: which of its collections; the agent's id unless the owner says.
        top_k: the most records that are asked for.
        timeout_s: how long it may take, in seconds.
        headers: sent with each request.
    """

    base_url: str = field(repr=False)
    api_key: SecretStr | None = None
    knowledge_id: str = ""
    top_k: int = 4
    timeout_s: float = 1.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """Where it is asked."""
        parts = urlsplit(self.base_url.strip())
        path = parts.path.rstrip("/").removesuffix("/retrieval") + "/retrieval"
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))

    @property
    def token(self) -> str:
        """The key as it goes behind `Bearer `, however it was pasted; "" for none."""
        key = self.api_key.get_secret_value().strip() if self.api_key else ""
        return key.removeprefix("Bearer ").strip()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may quote, the longest first: one may be a part of another."""
        values = [pair.partition("=")[2] or pair for pair in urlsplit(self.url).query.split("&")]
        found = [self.token, *self.headers.values(), *values, *map(unquote, values)]
        found += [value.removeprefix("Bearer ") for value in self.headers.values()]
        return tuple(sorted({one for one in found if len(one) >= MIN_SECRET_CHARS}, key=len))[::-1]

    @property
    def key(self) -> Hashable:
        """Shared by all requests that would fail together."""
        headers = tuple(sorted(self.headers.items()))
        return self.base_url, self.api_key, self.knowledge_id, self.timeout_s, headers

    def fill(self, values: Mapping[str, str]) -> Place:
        """The same with the `{{variables}}` in its headers filled in."""
        headers = {name: fill_header(value, values) for name, value in self.headers.items()}
        return replace(self, headers=headers)

    def within(self, longest_s: float) -> Place:
        """The same, waited for no longer than `longest_s` seconds."""
        return replace(self, timeout_s=min(self.timeout_s, longest_s))
