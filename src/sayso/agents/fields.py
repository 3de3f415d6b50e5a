"""What addresses, keys and headers of an owner's servers may be: `llm` and `knowledge` share it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from sayso.bodies import HEADER_NAME, HEADER_VALUE, check_url
from sayso.security.masks import HARMLESS, MASK

MAX_URL_CHARS = 2048
MAX_KEY_CHARS = 8192
MAX_HEADERS = 50
MAX_HEADER_NAME_CHARS = 200
MAX_HEADER_CHARS = 8192

SECRET_VALUES = (
    "Sealed at rest and shown as masks, except a value of nothing but variables, and those named "
    + ", ".join(f"`{name}`" for name in sorted(HARMLESS))
    + ". On PATCH, a mask keeps the stored value of that name, on the same server."
)
"""Said of headers and queries."""


def _check_base_url(text: str) -> str:
    return check_url(text, "base_url", "use apiKey, or a header")


def check_headers(headers: dict[str, str | None] | None) -> dict[str, str | None] | None:
    """Refuse names and values that cannot be sent."""
    for name, value in (headers or {}).items():
        if not re.fullmatch(HEADER_NAME, name):
            raise PydanticCustomError("headers", "has a name that is not a valid header name")
        # A mask goes by: the service puts the stored value in its place.
        if value is not None and not re.fullmatch(f"[{MASK[0]} -~]*", value):
            raise PydanticCustomError(
                "headers", "has a value with line breaks or characters outside ASCII"
            )
    return headers


def _check_key(key: SecretStr) -> SecretStr:
    """A key goes into a header: printable ASCII, or a mask, which the service compares."""
    text = key.get_secret_value().strip()
    if re.search(r"[^\x21-\x7e•]", text):
        raise PydanticCustomError(
            "api_key", "holds spaces, line breaks or characters that no API key can have"
        )
    return SecretStr(text)


def _to_secret(value: object) -> object:
    """Wrap the key at once, so that no error message can show it."""
    return SecretStr(value) if isinstance(value, str) else value


ApiKey = Annotated[
    SecretStr,
    BeforeValidator(_to_secret),
    Field(max_length=MAX_KEY_CHARS),
    AfterValidator(_check_key),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": MAX_KEY_CHARS,
            "format": "password",
            "writeOnly": True,
            "pattern": "^[!-~]*$",
            "description": "Sealed at rest and never shown again. On PATCH, leave it away "
            "(or send the mask) to keep the stored one; null or empty removes it.",
        }
    ),
]
ServerUrl = Annotated[
    str,
    AfterValidator(_check_base_url),
    Field(max_length=MAX_URL_CHARS, json_schema_extra={"format": "uri"}),
]
HeaderName = Annotated[str, Field(max_length=MAX_HEADER_NAME_CHARS)]
HeaderValue = Annotated[str, Field(max_length=MAX_HEADER_CHARS)]
Headers = Annotated[
    dict[
        HeaderName,
        HeaderValue | None,
    ],
    Field(
        max_length=MAX_HEADERS,
        json_schema_extra={
            "propertyNames": {"pattern": f"^{HEADER_NAME}$", "maxLength": MAX_HEADER_NAME_CHARS},
            "additionalProperties": {
                "anyOf": [
                    {
                        "type": "string",
                        "maxLength": MAX_HEADER_CHARS,
                        "pattern": f"^{HEADER_VALUE}$",
                    },
                    {"type": "null"},
                ]
            },
        },
    ),
]
