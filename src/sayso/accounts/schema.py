"""What an account, its keys and its browsers look like outside the store, and over REST."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sayso.bodies import Body, View, refuse_unstorable
from sayso.config import Settings
from sayso.security.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS

MAX_EMAIL_CHARS = 254
EMAIL = r"^[ \t\r\n]*[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+[ \t\r\n]*$"
"""With control characters named: Python takes some for blanks, JavaScript does not."""
MAX_NAME_CHARS = 250
MAX_KEY_NAME_CHARS = 250
MAX_TOKEN_CHARS = 200


# Inside -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """Who sent a request: with which key, or from which signed-in browser."""

    user_id: str
    key_id: str
    session_id: str = ""

    @property
    def counted_as(self) -> str:
        """Whose requests count together: those of one key, or of all browsers of an account."""
        return self.key_id or self.user_id


@dataclass(frozen=True, slots=True)
class NewOwner:
    """The account made on the first run; the only time its key is seen."""

    user_id: str
    api_key: SecretStr


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; the only time it is seen."""

    id: str
    api_key: SecretStr
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as it is listed: `tail` is its last four characters."""

    id: str
    name: str
    tail: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser just signed in; `token` is for its cookie, and seen only now."""

    user_id: str
    session_id: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What the operator decided about accounts.

    Attributes:
        sign_up_open: whether strangers may make one.
        max_accounts: how many there may be.
        session: how long a browser stays signed in after its last use.
        link: how long a sign-in link can be used.
        sign_in_per_min: attempts a minute from one address, and for one email; 0 for no limit.
        proxies: how many proxies of the operator's add to `X-Forwarded-For`.
        url: the base URL of this server.
    """

    sign_up_open: bool = False
    max_accounts: int = 1000
    session: timedelta = timedelta(days=30)
    link: timedelta = timedelta(minutes=30)
    sign_in_per_min: int = 10
    proxies: int = 0
    url: str = ""


def read_rules(settings: Settings) -> AccountRules:
    """The rules that the settings make."""
    return AccountRules(
        sign_up_open=settings.sign_up == "open",
        max_accounts=settings.max_accounts,
        session=timedelta(days=settings.session_days),
        link=timedelta(minutes=settings.sign_in_link_min),
        sign_in_per_min=settings.sign_in_per_min,
        proxies=settings.proxies,
        url=settings.url,
    )


# What may be sent ---------------------------------------------------------------------------


def _to_secret(value: object) -> object:
    """Wrap it at once, so that no error message can show it."""
    return SecretStr(value) if isinstance(value, str) else value


def _check_email(text: str) -> str:
    """The email as it is kept: lower case, no blanks around it. Refuse what is none."""
    if not re.fullmatch(EMAIL, text):
        raise PydanticCustomError("email", "must be an email address, such as ada@example.com")
    return text.strip().lower()


def _secret_schema(least: int, most: int) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "writeOnly": True,
            "minLength": least,
            "maxLength": most,
        }
    )


Email = Annotated[
    str,
    Field(max_length=MAX_EMAIL_CHARS, json_schema_extra={"pattern": EMAIL}),
    AfterValidator(_check_email),
]
NewPassword = Annotated[
    SecretStr,
    BeforeValidator(_to_secret),
    Field(min_length=MIN_PASSWORD_CHARS, max_length=MAX_PASSWORD_CHARS),
    _secret_schema(MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS),
]
OldPassword = Annotated[
    SecretStr,
    BeforeValidator(_to_secret),
    Field(min_length=1, max_length=MAX_PASSWORD_CHARS),
    _secret_schema(1, MAX_PASSWORD_CHARS),
]
LinkToken = Annotated[
    SecretStr,
    BeforeValidator(_to_secret),
    Field(min_length=1, max_length=MAX_TOKEN_CHARS),
    _secret_schema(1, MAX_TOKEN_CHARS),
]
_NO_SECRET = SecretStr("")
PersonName = Annotated[str, StringConstraints(max_length=MAX_NAME_CHARS)]


class _Storable(Body):
    """A body whose texts can be stored and hashed."""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


def _two_ways(schema: dict[str, Any]) -> None:
    """Say in JSON Schema what `SignIn` takes: a link, or an email with its password."""
    schema["additionalProperties"] = False
    schema["oneOf"] = [
        {"required": ["link"], "maxProperties": 1},
        {"required": ["email", "password"], "maxProperties": 2},
    ]
    for shape in schema["properties"].values():
        shape.pop("default", None)


class SignIn(_Storable):
    """The body of `POST /api/v1/session`: an email with its password, or a link alone."""

    closed = True
    model_config = ConfigDict(json_schema_extra=_two_ways)

    email: Annotated[str, Field(min_length=1, max_length=MAX_EMAIL_CHARS)] = ""
    password: OldPassword = _NO_SECRET
    link: LinkToken = Field(
        default=_NO_SECRET, description="What stands behind the `#` of a sign-in link."
    )

    @model_validator(mode="after")
    def _one_way(self) -> SignIn:
        ways = {frozenset({"link"}), frozenset({"email", "password"})}
        if frozenset(self.model_fields_set) not in ways:
            raise PydanticCustomError("ways", "must have email and password, or link alone")
        return self


class NewAccount(_Storable):
    """The body of `POST /api/v1/account`: who signs up."""

    email: Email = Field(description="A name to sign in with; no mail is sent to it.")
    password: NewPassword
    name: PersonName | None = Field(default=None, description="What to call the person.")


class AccountChanges(_Storable):
    """The body of `PATCH /api/v1/account`; only the keys sent change."""

    email: Email | None = None
    password: NewPassword | None = None
    name: PersonName | None = None
    current_password: OldPassword | None = Field(
        default=None,
        description="Asked for when `email` or `password` change and there is a password, except "
        "within an hour of signing in by link.",
    )

    @property
    def needs_proof(self) -> bool:
        """Whether the way to sign in changes."""
        return self.email is not None or self.password is not None


class NewKeyBody(_Storable):
    """The body of `POST /api/v1/api-keys`."""

    name: Annotated[str, Field(max_length=MAX_KEY_NAME_CHARS)] = Field(
        default="", description="What the key is for."
    )


# What is answered ---------------------------------------------------------------------------


class SessionView(View):
    """Who is signed in."""

    user_id: str
    email: str | None
    name: str | None
    has_password: bool = Field(description="Whether the account can sign in without a link.")
    signed_in_by: Literal["browser", "key"]
    sign_up_open: bool = Field(description="Whether strangers may make an account.")


class KeyView(View):
    """An API key as it is listed."""

    id: str
    name: str
    tail: str = Field(description="Its last four characters.")
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute or so; null for never.")
    revoked_at: datetime | None


class NewKeyView(KeyView):
    """A key just made."""

    api_key: str = Field(description="The key itself: shown only now.")
