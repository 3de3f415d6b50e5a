"""Which secrets `llm` and `knowledge` mean: those sent, or the stored ones their masks stand for.

A stored secret never follows to another server: whoever may edit the agent could otherwise read
it by pointing `baseURL` at a server of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias
from urllib.parse import unquote

from pydantic import SecretStr

from sayso.agents.knowledge import OwnKnowledge, read_knowledge
from sayso.agents.llm_schema import BuiltIn, LlmServer, OpenAiCompatible
from sayso.agents.own_llm import OwnLlm, read_server
from sayso.agents.retrieval import Knowledge
from sayso.errors import BadRequestError
from sayso.security.masks import (
    is_mask,
    is_mask_of,
    join_query,
    mask_key,
    mask_url,
    number,
    origin,
    read_query,
    split_query,
)


class Own(Protocol):
    """A server of an owner, its secrets in plain."""

    @property
    def url(self) -> str:
        """Its base URL."""
        ...

    @property
    def key(self) -> SecretStr | None:
        """Its API key."""
        ...

    @property
    def headers(self) -> Mapping[str, str | None] | None:
        """Sent with each request."""
        ...

    @property
    def query(self) -> Mapping[str, str] | None:
        """Parameters beside those of the URL."""
        ...


class Sent(Protocol):
    """A server as it was sent."""

    @property
    def base_url(self) -> str:
        """Where it is."""
        ...

    @property
    def api_key(self) -> SecretStr | None:
        """Its key, or a mask."""
        ...

    @property
    def model_fields_set(self) -> AbstractSet[str]:
        """What was not left away."""
        ...


def choose_knowledge(knowledge: Knowledge | None, own: OwnKnowledge | None) -> OwnKnowledge | None:
    """What a `knowledge` field means; its masks stand for secrets of its `own` stored one.

    Raises:
        BadRequestError: a mask stands for nothing, or for a secret of another server.
    """
    if knowledge is None:
        return None
    sent, known = read_knowledge(knowledge), [] if own is None else [own]
    restorer = _Restorer(sent, known, "knowledge", "headers")
    return replace(
        sent,
        key=_choose_key(knowledge, own, known, "knowledge"),
        url=restorer.url(),
        headers=restorer.headers(),
    )


def choose_llms(
    llm: OpenAiCompatible | BuiltIn | None,
    main: OwnLlm | None,
    fallbacks: Sequence[OwnLlm | None],
) -> list[OwnLlm | None]:
    """What an `llm` field means, itself first, then its fallbacks; None for built-in ones.

    Args:
        llm: as it was sent.
        main: the stored one.
        fallbacks: the stored ones.

    Raises:
        BadRequestError: a mask stands for nothing, or for a secret of another server.
    """
    if not isinstance(llm, OpenAiCompatible):
        return []
    known = [one for one in (main, *fallbacks) if one is not None]
    chosen: list[OwnLlm | None] = [choose_llm(llm, main, known, "llm")]
    for n, server in enumerate(llm.fallbacks or []):
        if isinstance(server, BuiltIn):
            chosen.append(None)
            continue
        same = [one for one in known if one is not main and _is_at(one, server)]
        here = fallbacks[n] if n < len(fallbacks) else None
        own = here if here in same or not same else same[0]
        chosen.append(choose_llm(server, own, known, f"llm.fallbacks.{n}"))
    return chosen


def choose_tried(
    server: LlmServer, main: OwnLlm | None, fallbacks: Sequence[OwnLlm | None]
) -> OwnLlm:
    """What an LLM to be tried means: that of the stored ones which has its URL, else the main one.

    Raises:
        BadRequestError: a mask stands for nothing, or for a secret of another server.
    """
    known = [one for one in (main, *fallbacks) if one is not None]
    same = [one for one in known if _is_at(one, server)]
    return choose_llm(server, same[0] if same else main, known, "llm")


def _is_at(one: OwnLlm, server: LlmServer) -> bool:
    return unquote(server.base_url) in (unquote(one.url), unquote(mask_url(one.url)))


def choose_llm(
    server: LlmServer, own: OwnLlm | None, known: Sequence[OwnLlm], field: str
) -> OwnLlm:
    """What one LLM means; its masks stand for secrets of its `own`, else of any `known`.

    Raises:
        BadRequestError: a mask stands for nothing, or for a secret of another server.
    """
    sent = read_server(server)
    others = [one for one in known if one is not own]
    restorer = _Restorer(sent, [own, *others] if own else others, field)
    return replace(
        sent,
        key=_choose_key(server, own, known, field),
        url=restorer.url(),
        headers=restorer.headers(),
        query=restorer.query(),
    )


# Keys -----------------------------------------------------------------------------------------


def _choose_key(
    server: Sent, own: Own | None, known: Sequence[Own], field: str
) -> SecretStr | None:
    """The key a server means: the one sent, or the stored one of its `own` when it sends none."""
    sent = "" if server.api_key is None else server.api_key.get_secret_value()
    if "api_key" in server.model_fields_set and not is_mask(sent):
        return SecretStr(sent) if sent else None
    if sent:
        own = _find_masked(server, sent, [one for one in (own, *known) if one], field)
    if own is None or own.key is None:
        return None
    if origin(own.url) != origin(server.base_url):
        raise _other_server(field, "key", f"{field}.apiKey", instead=", or null if it needs none")
    return own.key


def _find_masked(server: Sent, mask: str, known: Sequence[Own], field: str) -> Own:
    """Whose key `mask` stands for; of several, one of the same server."""
    found = [one for one in known if one.key and mask == mask_key(one.key.get_secret_value())]
    if not found:
        raise _no_such_mask(f"{field}.apiKey", "key")
    here = [one for one in found if origin(one.url) == origin(server.base_url)]
    return (here or found)[0]


# Values of headers and queries ----------------------------------------------------------------

Slots: TypeAlias = Mapping[Any, str]
"""The secrets of one server in one place, by where they stand there."""


def _headers_of(one: Own) -> Slots:
    found = (one.headers or {}).items()
    return {name.lower(): value for name, value in found if value is not None}


def _query_of(one: Own) -> Slots:
    return one.query or {}


def _url_query_of(one: Own) -> Slots:
    return number(read_query(split_query(one.url)[1]))


@dataclass(frozen=True, slots=True)
class _Restorer:
    """Puts stored values in the place of masks.

    Attributes:
        sent: the server as it was sent.
        known: whose values they may be, the likeliest first.
        field: the server's name in errors.
        headers_at: where its headers are in `field`.
    """

    sent: Own
    known: Sequence[Own]
    field: str
    headers_at: str = "baseParams.defaultHeaders"

    def url(self) -> str:
        """The base URL that is meant."""
        base, query = split_query(self.sent.url)
        pairs = read_query(query)
        restored = [
            self._restore(value, slot, _url_query_of, f"{self.field}.baseURL")
            for slot, value in number(pairs).items()
        ]
        return join_query(base, zip((name for name, _ in pairs), restored, strict=True))

    def headers(self) -> dict[str, str | None] | None:
        """The headers that are meant; names are the same in any case."""
        if self.sent.headers is None:
            return None
        at = f"{self.field}.{self.headers_at}"
        return {
            name: value and self._restore(value, name.lower(), _headers_of, f"{at}.{name}")
            for name, value in self.sent.headers.items()
        }

    def query(self) -> dict[str, str] | None:
        """The parameters that are meant."""
        if self.sent.query is None:
            return None
        at = f"{self.field}.baseParams.query"
        return {
            name: self._restore(value, name, _query_of, f"{at}.{name}")
            for name, value in self.sent.query.items()
        }

    def _restore(
        self, value: str, slot: object, slots_of: Callable[[Own], Slots], field: str
    ) -> str:
        """`value`, or what it stands for if it is a mask: of several, one of the same server."""
        if not is_mask(value):
            return value
        stored = [(one, slots_of(one).get(slot)) for one in self.known]
        found = [
            (one, secret)
            for one, secret in stored
            if secret is not None and is_mask_of(value, secret)
        ]
        if not found:
            raise _no_such_mask(field, "value")
        here = [secret for one, secret in found if origin(one.url) == origin(self.sent.url)]
        if not here:
            raise _other_server(self.field, "value", field)
        return here[0]


def _no_such_mask(field: str, what: str) -> BadRequestError:
    return BadRequestError(
        f"{field} holds a mask, as responses show it, and not the mask of the {what} stored there",
        field=field,
        hint=f"Send the {what} itself.",
    )


def _other_server(server: str, what: str, field: str, *, instead: str = "") -> BadRequestError:
    return BadRequestError(
        f"{server}.baseURL points to another server than before, and the stored {what} is not sent "
        "to a server it was not given for",
        field=field,
        hint=f"Send {field} again for the new server{instead}.",
    )
