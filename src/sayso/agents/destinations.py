"""To whom an agent may hand its callers on (`transferDestinations`): the fields, and as it is used.

All of it extends the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from sayso.agents.spoken import WITH_WORDS, check_words, keep_words
from sayso.bodies import EXTENSION, Body, View

MAX_DESTINATIONS = 20
MAX_NAME_CHARS = 60
MAX_NUMBER_CHARS = 250
MAX_WHEN_CHARS = 500
MAX_MESSAGE_CHARS = 250
E164 = r"\+[1-9][0-9]{6,14}"
"""A telephone number with its country code: at most 15 digits (ITU-T E.164 §6.2.1)."""
SIP = r"sips?:[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+(@[A-Za-z0-9.\-]+)?(:[0-9]{1,5})?(;[A-Za-z0-9=.\-]+)*"
"""A SIP address, as far as RFC 3261 §19.1 has it without a password and headers."""
_WRITTEN = re.compile(r"[\s().\-/]")
_CALLABLE: dict[str, JsonValue] = {"pattern": f"^({E164}|{SIP})$"}
"""What is refused otherwise, as JSON Schema says it; blanks and hyphens are taken beside."""


def _read_line(text: str) -> str:
    """`text` on one line. Refuse what has no word in it."""
    return check_words(" ".join(text.split()))


def _read_message(text: str | None) -> str | None:
    return keep_words(text or "") or None


def _read_number(text: str) -> str:
    """A number without what people write between its digits, or a SIP address."""
    address = text.strip()
    number = _WRITTEN.sub("", address)
    if re.fullmatch(E164, number):
        return number
    if re.fullmatch(SIP, address, re.IGNORECASE):
        return address
    raise PydanticCustomError(
        "phone_number",
        "must be a telephone number with its country code, such as +15550100123, or a SIP "
        "address, such as sip:desk@example.com",
    )


def _refuse_twins(destinations: list[TransferDestination] | None) -> list[TransferDestination]:
    """Refuse two of one name: an LLM could not tell them apart."""
    names = [one.name.casefold() for one in destinations or ()]
    twins = [one.name for n, one in enumerate(destinations or ()) if names[n] in names[:n]]
    if twins:
        raise PydanticCustomError("twins", "has two named {name}", {"name": repr(twins[0])})
    return destinations or []


class TransferDestination(Body):
    """Somebody an agent may hand its callers on to, as it is sent."""

    closed = True
    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    name: Annotated[
        str,
        Field(
            max_length=MAX_NAME_CHARS,
            description="What the LLM calls them.",
            json_schema_extra=WITH_WORDS,
        ),
        AfterValidator(_read_line),
    ]
    phone_number: Annotated[
        str,
        Field(
            max_length=MAX_NUMBER_CHARS,
            description="A number with its country code (E.164), or a `sip:` address. The LLM does "
            "not see it.",
            examples=["+15550100123", "sip:desk@example.com"],
            json_schema_extra=_CALLABLE,
        ),
        AfterValidator(_read_number),
    ]
    when: Annotated[
        str,
        Field(
            max_length=MAX_WHEN_CHARS,
            description="When callers are handed on to them, for the LLM.",
            examples=["the caller wants to order for more than 20 people"],
            json_schema_extra=WITH_WORDS,
        ),
        AfterValidator(_read_line),
    ]
    message: Annotated[
        Annotated[str, Field(max_length=MAX_MESSAGE_CHARS)] | None, AfterValidator(_read_message)
    ] = Field(
        default=None,
        description="Said to the caller before; null for the usual sentence, where the LLM has "
        "not said anything itself.",
    )


Destinations = Annotated[
    Annotated[list[TransferDestination], Field(max_length=MAX_DESTINATIONS)] | None,
    AfterValidator(_refuse_twins),
    Field(
        description="To whom the agent may hand its caller on. Its LLM is offered that where "
        "the client can do it (`canTransfer` of `setup`). Each name stands once, in whatever case. "
        "Null and an empty list are nobody.",
        json_schema_extra=EXTENSION,
    ),
]


class TransferDestinationView(View):
    """Somebody an agent may hand its callers on to, as they are answered."""

    name: str
    phone_number: str
    when: str
    message: str | None


@dataclass(frozen=True, slots=True)
class StoredDestination:
    """Somebody an agent may hand its callers on to, as the server uses it."""

    name: str
    phone_number: str = field(repr=False)
    when: str
    message: str | None


def read_destinations(stored: Iterable[Mapping[str, Any]]) -> tuple[StoredDestination, ...]:
    """The destinations of an agent, from the store."""
    return tuple(
        StoredDestination(one["name"], one["phone_number"], one["when"], one.get("message"))
        for one in stored
    )
