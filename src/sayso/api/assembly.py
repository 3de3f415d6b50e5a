"""Puts the REST API together from services made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from sayso.accounts.access import Access
from sayso.accounts.routes import Greet, account_routes
from sayso.accounts.service import Accounts
from sayso.agents.avatar_routes import avatar_routes
from sayso.agents.check_routes import check_routes
from sayso.agents.keeping_routes import keeping_routes
from sayso.agents.mcp_routes import mcp_routes
from sayso.agents.routes import agent_routes
from sayso.agents.service import Agents
from sayso.agents.ticket_routes import ticket_routes
from sayso.api.builtin import Answers, builtin_routes
from sayso.api.docs import install_docs
from sayso.api.previews import Previews, preview_routes
from sayso.api.refusals import BodyLimit, LastResort, error_responses, install_refusals
from sayso.clock import Clock
from sayso.config import Settings
from sayso.conversations.analytics import Analytics
from sayso.conversations.analytics_routes import analytics_routes
from sayso.conversations.record_routes import record_routes, shared_routes
from sayso.conversations.recordings import Recordings
from sayso.conversations.records import Records
from sayso.conversations.routes import conversation_routes
from sayso.conversations.service import Conversations
from sayso.functions.routes import function_routes
from sayso.functions.service import Functions
from sayso.sources.routes import source_routes
from sayso.sources.search_routes import Search, search_routes
from sayso.sources.service import Sources
from sayso.sources.uploads import FORM_BYTES
from sayso.store.paging import PAGE_HEADERS
from sayso.tts import Voice

PREFIX = "/api/v1"
VERSION = "1.0.0"
"""The version of the contract, not of Sayso."""

DESCRIPTION = """
Make voice agents that speak with your own LLM. Compatible with the API that PlayAI published for
its agents; what Sayso adds is marked `x-sayso-extension`.
"""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes call."""

    accounts: Accounts
    agents: Agents
    conversations: Conversations
    functions: Functions
    sources: Sources
    voices: Sequence[Voice]
    records: Records
    recordings: Recordings
    analytics: Analytics
    search: Search
    previews: Previews
    answers: Answers | None = None
    greet: Greet | None = None


def build_api(
    services: Services, settings: Settings, clock: Clock, *, lifespan: Lifespan | None = None
) -> FastAPI:
    """The REST API as an ASGI application, to which sockets and pages can be added."""
    app = FastAPI(
        title="Sayso API",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        generate_unique_id_function=_operation_id,
        # Some clients in the wild send JSON without saying so. Cookies stay safe: what is sent by
        # one needs a header that no other site's page can add (accounts/access.py).
        strict_content_type=False,
    )
    access = Access(services.accounts, clock)
    for router in (
        account_routes(services.accounts, access, services.greet),
        ticket_routes(services.agents, services.accounts, access, settings),
        agent_routes(services.agents, services.voices, access, settings),
        keeping_routes(services.agents, access, settings),
        avatar_routes(services.agents, access, settings),
        check_routes(services.agents, access, settings),
        source_routes(services.sources, access, settings),
        search_routes(services.search, access, settings),
        preview_routes(services.previews, access, settings),
        mcp_routes(services.agents, access, settings),
        conversation_routes(services.conversations, access),
        record_routes(services.records, services.recordings, access),
        shared_routes(services.records, services.recordings),
        analytics_routes(services.analytics, access, clock),
        function_routes(services.functions, access, settings),
    ):
        app.include_router(router, prefix=PREFIX, responses=_ERRORS)
    if services.answers is not None:
        router = builtin_routes(services.answers, access, clock, settings.ask_builtin_per_min)
        app.include_router(router, responses=_ERRORS)
    install_refusals(app)
    install_docs(app)
    # Added last, runs first: CORS, then the last resort, then the limit.
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        max_document_bytes=settings.max_document_bytes,
        form_bytes=FORM_BYTES,
    )
    app.add_middleware(LastResort)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "X-User-Id", "Content-Type", "Accept"],
        expose_headers=[*PAGE_HEADERS, "Retry-After"],
        max_age=600,
    )
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


_ERRORS = error_responses(400, 401, 403, 404, 409, 413, 429, 500)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _ways_in(security: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How an operation that needs somebody may know who it is."""
    browser: dict[str, Any] = {"SessionCookie": []}
    if not any("ApiKeyAuth" in way for way in security):
        return [browser]
    return [{"ApiKeyAuth": [], "XUserIdAuth": []}, {"ApiKeyAuth": []}, browser]


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description, made true: we answer 400, not 422, and a key alone suffices."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version=app.openapi_version,
            description=app.description,
            routes=app.routes,
        )
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                if operation.get("security"):  # an empty one: it is for everybody
                    operation["security"] = _ways_in(operation["security"])
        for unused in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(unused, None)
        app.openapi_schema = schema
    return app.openapi_schema
