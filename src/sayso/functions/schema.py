"""An external function's fields, as the contract names them (§2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sayso.bodies import (
    EXTENSION,
    MAX_NAMED,
    Body,
    FieldWarning,
    View,
    check_url,
    find_ignored,
    refuse_unstorable,
)
from sayso.functions.definition import DEFAULT_TIMEOUT_S, PLACE
from sayso.security.masks import HARMLESS, MASK

MAX_NAME_CHARS = 250
MAX_DESCRIPTION_CHARS = 500
MAX_ENDPOINT_CHARS = 500
MAX_PARAMETERS = 50
MAX_PARAMETER_ID_CHARS = 100
MAX_PARAMETER_NAME_CHARS = 250
MAX_CHOICES = 100
MAX_CHOICE_CHARS = 250
MAX_VALUE_CHARS = 8192
MAX_FILLER_CHARS = 250
SHORTEST_TIMEOUT_S, LONGEST_TIMEOUT_S = 0.5, 30.0
"""How long a call may take: a caller who waits longer has hung up."""

Method: TypeAlias = Literal["POST", "GET", "PUT", "DELETE"]
Subtype: TypeAlias = Literal["custom", "zapier", "make"]
Place: TypeAlias = Literal["body", "header", "query", "url"]
Scalar: TypeAlias = Literal["number", "string", "boolean", "enum"]

# What may be sent ---------------------------------------------------------------------------


def _check_endpoint(text: str) -> str:
    """Refuse what is not an http(s) URL, and places of parameters that are none."""
    url = check_url(text, "endpoint", "use a fixed parameter, such as the header Authorization")
    host = urlsplit(url).netloc
    if "{" in host or "}" in host:
        raise PydanticCustomError(
            "endpoint", "must not leave its host to a parameter; places are for path and query"
        )
    if re.search(r"[{}]", PLACE.sub("", url)):
        raise PydanticCustomError("endpoint", "has a brace without its partner")
    return url


EndpointUrl = Annotated[
    str,
    AfterValidator(_check_endpoint),
    Field(
        min_length=1,
        max_length=MAX_ENDPOINT_CHARS,
        description="`{name}` in its path or query is the place of the `url` parameter of that "
        "name; `url` parameters without a place are appended to the path. Values in its query are "
        "sealed, shown as masks and kept as fixed values are.",
        json_schema_extra={"format": "uri"},
    ),
]


class ParameterBody(Body):
    """What all parameters have."""

    id: Annotated[str, Field(max_length=MAX_PARAMETER_ID_CHARS)] | None = Field(
        default=None, description="Yours to choose; left away, it is made."
    )
    name: Annotated[str, Field(min_length=1, max_length=MAX_PARAMETER_NAME_CHARS)]
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARS)] | None = None
    description_placeholder: Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARS)] | None = None
    parameter_position: Place = "body"


def _required() -> Any:  # noqa: ANN401
    return Field(
        default=True,
        description="Whether the caller is asked for it when the LLM does not know it.",
        json_schema_extra=EXTENSION,
    )


class DynamicParameter(ParameterBody):
    """A value the LLM gives, out of the conversation."""

    type: Literal["number", "string", "boolean"]
    required: bool = _required()


class EnumParameter(ParameterBody):
    """One of some values, which the LLM chooses, out of the conversation."""

    type: Literal["enum"]
    values: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_CHOICE_CHARS)]],
        Field(min_length=1, max_length=MAX_CHOICES),
    ]
    required: bool = _required()


class ConstParameter(ParameterBody):
    """A fixed value, such as an API key: the LLM neither gives nor sees it."""

    type: Literal["const"]
    value: Annotated[
        str,
        Field(
            max_length=MAX_VALUE_CHARS,
            description="May hold `{{variables}}`. Sealed at rest and shown as a mask, unless it "
            "is a boolean, nothing but variables, or has one of these names: "
            + ", ".join(f"`{name}`" for name in sorted(HARMLESS))
            + ". On PATCH, a mask keeps the stored value, on the same server.",
        ),
    ]
    const_type: Scalar = "string"


AnyParameter = Annotated[
    DynamicParameter | EnumParameter | ConstParameter, Field(discriminator="type")
]


class Metadata(Body):
    """What else PlayAI's clients keep with a function."""

    tool_requires_confirmation: bool = Field(
        default=False, description="Whether the caller is asked before it is called."
    )


class NewFunction(Body):
    """The body of `POST /api/v1/external-functions`."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
    description: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_DESCRIPTION_CHARS,
            description="The LLM decides by this text when to call it.",
        ),
    ]
    endpoint_url: EndpointUrl = Field(examples=["https://shop.example.com/orders/{orderId}"])
    method: Method = "GET"
    parameters: Annotated[list[AnyParameter], Field(max_length=MAX_PARAMETERS)] = Field(
        default=[], description="No two in one position may have the same name."
    )
    subtype: Subtype = "custom"
    metadata: Metadata | None = None
    timeout_seconds: Annotated[float, Field(ge=SHORTEST_TIMEOUT_S, le=LONGEST_TIMEOUT_S)] | None = (
        Field(
            default=None,
            description=f"How long a call may take; null for {DEFAULT_TIMEOUT_S:g}.",
            json_schema_extra=EXTENSION,
        )
    )
    filler: Annotated[str, Field(max_length=MAX_FILLER_CHARS)] | None = Field(
        default=None,
        description="What the agent says while a call takes long; null for the usual sentences.",
        json_schema_extra=EXTENSION,
    )

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


def _drop_defaults(schema: dict[str, Any]) -> None:
    """In a PATCH, what is absent stays as it is: there are no defaults to show."""
    for shape in schema["properties"].values():
        shape.pop("default", None)


class FunctionChanges(NewFunction):
    """The body of `PATCH /api/v1/external-functions/{functionId}`; only the keys sent change."""

    model_config = ConfigDict(json_schema_extra=_drop_defaults)

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)] = ""
    description: Annotated[str, Field(min_length=1, max_length=MAX_DESCRIPTION_CHARS)] = ""
    endpoint_url: EndpointUrl = ""


class NewTrial(Body):
    """The body of `POST /api/v1/external-functions/{functionId}/try`."""

    arguments: dict[str, JsonValue] = Field(
        default={}, description="What the LLM would give, by the parameters' names."
    )

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


# What is answered -----------------------------------------------------------------------------


class ParameterView(View):
    """What all parameters have."""

    id: str
    name: str
    description: str
    description_placeholder: str
    parameter_position: Place


class DynamicParameterView(ParameterView):
    """A value the LLM gives, as it is answered."""

    type: Literal["number", "string", "boolean"]
    required: bool = Field(json_schema_extra=EXTENSION)


class EnumParameterView(ParameterView):
    """One of some values, as it is answered."""

    type: Literal["enum"]
    values: list[str]
    required: bool = Field(json_schema_extra=EXTENSION)


class ConstParameterView(ParameterView):
    """A fixed value, as it is answered: masked."""

    type: Literal["const"]
    value: str = Field(examples=[f"{MASK}abcd"])
    const_type: Scalar


AnyParameterView = Annotated[
    DynamicParameterView | EnumParameterView | ConstParameterView, Field(discriminator="type")
]


class MetadataView(View):
    """What else is kept with a function."""

    tool_requires_confirmation: bool


class FunctionView(View):
    """An external function as it is answered; every key is always present."""

    id: str
    name: str
    description: str
    endpoint_url: str
    method: Method
    parameters: list[AnyParameterView]
    subtype: Subtype
    metadata: MetadataView
    timeout_seconds: float | None = Field(json_schema_extra=EXTENSION)
    filler: str | None = Field(json_schema_extra=EXTENSION)
    warnings: list[FieldWarning] = Field(
        default=[],
        description="What this very request sent in vain: keys nobody reads, the first "
        f"{MAX_NAMED}. Not kept.",
        json_schema_extra=EXTENSION,
    )


class DeletedFunction(View):
    """What deleting a function did."""

    id: str
    removed_from: list[str] = Field(
        description="The agents that had it among their `actions`, and have it no more.",
        json_schema_extra=EXTENSION,
    )


class SentView(View):
    """A request as it went out, spelled as the endpoint gets it, fixed values masked."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


class TrialView(View):
    """What came of trying a function."""

    ok: bool
    result: str = Field(description="What the LLM is told.")
    finding: str = Field(description="Why it failed, as a stable code; empty if it did not.")
    sent: SentView | None = Field(description="What was sent; null if nothing was.")
    status: int | None = Field(description="What the endpoint answered; null if it did not.")
    ms: float = Field(description="How long it took, in milliseconds.")
    tries: int = Field(description="How often it was asked.")


def list_ignored(body: NewFunction) -> list[FieldWarning]:
    """The keys of `body` that nobody reads, at most MAX_NAMED."""
    return list(_find_ignored(body))[:MAX_NAMED]


_VIEWS: Mapping[str, type[ParameterView]] = {"enum": EnumParameterView, "const": ConstParameterView}


def _find_ignored(body: NewFunction) -> Iterator[FieldWarning]:
    yield from find_ignored("", body, FunctionView)
    for n, one in enumerate(body.parameters):
        view = _VIEWS.get(one.type, DynamicParameterView)
        yield from find_ignored(f"parameters.{n}.", one, view)
    if body.metadata is not None:
        yield from find_ignored("metadata.", body.metadata, MetadataView)
