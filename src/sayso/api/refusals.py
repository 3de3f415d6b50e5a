"""Turns every error of the REST API into one body, which all known readers understand.

Original clients read `errorMessage` and `errorId`, others read `message` (contract §1.3).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sayso.api.lost import show_lost
from sayso.api.mistakes import describe_fields, describe_json
from sayso.errors import (
    BadRequestError,
    ForbiddenError,
    NobodyError,
    NotFoundError,
    RefusedError,
    TooManyError,
    UnauthorizedError,
)
from sayso.sizes import show_bytes
from sayso.store.identifiers import random_text

_log = structlog.get_logger(__name__)

MAX_DETAILS = 20
"""Mistakes listed in one answer."""


class ErrorDetail(BaseModel):
    """One of several things that are wrong."""

    model_config = ConfigDict(extra="allow")

    message: str


class ErrorBody(BaseModel):
    """Every error of this API."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    error_message: str = Field(description="What is wrong, in a sentence.")
    error_id: str = Field(description="The kind of error, for programs.", examples=["BAD_REQUEST"])
    message: str = Field(description="The same as `errorMessage`.")
    hint: str | None = Field(description="What to do about it.")
    field: str | None = Field(description="The part of the request to change: `llm.baseURL`.")
    details: list[ErrorDetail] | None = Field(
        default=None, description="Each thing on its own, when several are wrong."
    )
    sign_up_open: bool | None = Field(
        default=None,
        description="Of `GET /session` only: whether strangers may make an account.",
    )


def error_response(status: int, error_id: str, error: RefusedError) -> JSONResponse:
    """`error` as a response."""
    text = _sentence(error.message, error.field)
    body = ErrorBody(
        error_message=text, error_id=error_id, message=text, hint=error.hint, field=error.field
    ).model_dump(by_alias=True, exclude={"details", "sign_up_open"})
    if error.details:
        body["details"] = list(error.details[:MAX_DETAILS])
    if isinstance(error, NobodyError):
        body["signUpOpen"] = error.sign_up_open
    headers = {}
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, headers)


def _sentence(text: str, field: str | None) -> str:
    """Capital first, full stop last; `field` and other names keep the case they are sent in."""
    first = text.split(" ", 1)[0]
    named = first == field or any(mark in first for mark in "._") or first != first.lower()
    whole = text if named else text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def install_refusals(app: FastAPI) -> None:
    """Make `app` answer every error in our shape."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)  # noqa: S101 Starlette chose us by this type
    return error_response(error.status, error.error_id, error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 Starlette chose us by this type
    refusal = _refusal(error)
    return error_response(refusal.status, refusal.error_id, refusal)


def _refusal(error: RequestValidationError) -> BadRequestError:
    errors = error.errors()
    cause = error.__cause__
    if isinstance(cause, json.JSONDecodeError):
        return BadRequestError(describe_json(cause.doc, cause.pos))
    if isinstance(error.body, bytes):
        return BadRequestError(
            "The body is not marked as JSON.", hint="Send `Content-Type: application/json`."
        )
    mistakes = describe_fields(errors)
    details = tuple(dict[str, object](message=one.message, field=one.field) for one in mistakes)
    return BadRequestError(
        " ".join(one.message for one in mistakes[:MAX_DETAILS]),
        field=mistakes[0].field,
        details=details if len(details) > 1 else (),
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 Starlette chose us by this type
    if error.status_code == NotFoundError.status and (page := show_lost(request)):
        return page
    status, refusal = error.status_code, _http_refusal(request, error)
    response = error_response(status, _HTTP_IDS.get(status, refusal.error_id), refusal)
    response.headers.update(error.headers or {})
    if status == _METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_possible_methods(request))
    return response


def _possible_methods(request: Request) -> list[str]:
    """The methods of this path; the router itself only names those of the first route it met."""
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


_METHOD_NOT_ALLOWED = 405
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HTTP_IDS = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "CONTENT_TOO_LARGE"}


def _http_refusal(request: Request, error: HTTPException) -> RefusedError:
    if error.status_code == NotFoundError.status:
        return NotFoundError("there is nothing at this path", hint="See /docs for what there is.")
    if error.status_code == _METHOD_NOT_ALLOWED:
        possible = ", ".join(_possible_methods(request))
        return RefusedError(f"{request.method} is not possible here", hint=f"Possible: {possible}.")
    if isinstance(error.__cause__, UnicodeDecodeError):
        return BadRequestError(
            f"the body is not valid UTF-8 at byte {error.__cause__.start + 1}",
            hint="Send JSON encoded as UTF-8.",
        )
    if isinstance(error.__cause__, RecursionError):
        return BadRequestError("the body is nested too deeply")
    if error.status_code == ForbiddenError.status:
        return ForbiddenError(str(error.detail))
    return RefusedError(str(error.detail))


class BodyLimit:
    """Refuses request bodies over a size, announced or not; pure ASGI.

    Forms have a size of their own: files come in them, which are not held in memory. `form_bytes`
    are what a form has around its file.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, max_document_bytes: int, form_bytes: int
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_document_bytes = max_document_bytes
        self._form_bytes = form_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let requests pass whose body is announced small, and count as it comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes, sentence = self._limit(scope)
        if _announced_bytes(scope) > max_bytes:
            refusal = error_response(413, _HTTP_IDS[413], RefusedError(sentence))
            await refusal(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > max_bytes:
                raise HTTPException(413, sentence)
            return message

        await self._app(scope, counted, send)

    def _limit(self, scope: Scope) -> tuple[int, str]:
        """How many bytes this request may bring, and what is said if it brings more."""
        what, most, around, setting = "body", self._max_bytes, 0, "SAYSO_MAX_BODY_BYTES"
        if _UPLOAD.fullmatch(scope["path"]):
            what, most, around = "file", self._max_document_bytes, self._form_bytes
            setting = "SAYSO_MAX_DOCUMENT_BYTES"
        return most + around, (
            f"The {what} is larger than {show_bytes(most)}, the most that is taken; "
            f"the operator can raise {setting}."
        )


_UPLOAD = re.compile(r"/api/v1/agents/[^/]+/critical-knowledge-files(/[^/]+)?")


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


class LastResort:
    """Answers 500 for what nobody expected: a reference for the client, the story for the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass; answer for it when it fails before its answer began."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noticed(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        except Exception as error:  # the last resort catches all
            response = _unexpected(scope, error)
            if started:
                raise
            await response(scope, receive, send)


def _unexpected(scope: Scope, error: Exception) -> JSONResponse:
    reference = random_text(8)
    _log.error(
        "request_failed",
        reference=reference,
        method=scope["method"],
        path=scope["path"],
        error=type(error).__name__,
        at=_where(error),
    )
    refusal = RefusedError(
        "the server failed to answer this request; this is its fault, not yours",
        hint=f"Give the operator this reference: {reference}. The server's log has a line with it.",
    )
    return error_response(500, "INTERNAL_ERROR", refusal)


def _where(error: Exception) -> str:
    """The frames an error passed, innermost last; without its text, which may hold a secret."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " > ".join(frames[-8:])


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says about errors with these statuses."""
    return {status: {"model": ErrorBody, **_MEANINGS[status]} for status in statuses}


_RETRY_AFTER: Mapping[str, Any] = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
}
_MEANINGS: Mapping[int, Mapping[str, Any]] = {
    400: {"description": "What was sent is not valid, or the agent's LLM did not pass its check."},
    401: {"description": "No API key, an unknown one, or somebody else's user id."},
    403: {"description": "The object belongs to another account."},
    404: {"description": "There is no such object."},
    409: {"description": "The object changed meanwhile, or a limit on objects is reached."},
    413: {"description": "The body is too large."},
    429: {"description": "Too many requests with this API key.", "headers": _RETRY_AFTER},
    500: {"description": "The server failed; the hint has a reference for its operator."},
}
