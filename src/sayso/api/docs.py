"""The documentation page: Swagger UI from files of a Python package, nothing from outside.

Of `fastapi-offline` only the files are used; its code, which walks the routes, is not.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.requests import Request
from starlette.responses import FileResponse

from sayso.errors import InstallationError

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sayso API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<main id="swagger-ui"></main>
<noscript>This page needs JavaScript; the same as data: <a href="openapi.json">openapi.json</a>.
</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""


def install_docs(app: FastAPI) -> None:
    """Serve `/docs` and its files."""
    folder = _swagger_folder()

    async def page(_request: Request) -> Response:
        return HTMLResponse(_PAGE, headers=_HEADERS)

    async def start(_request: Request) -> Response:
        return Response(_START, media_type="text/javascript", headers=_HEADERS)

    app.add_route("/docs", page, include_in_schema=False)
    app.add_route("/docs/start.js", start, include_in_schema=False)
    for name, kind in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
        _serve(app, folder / name, kind)


def _serve(app: FastAPI, path: Path, kind: str) -> None:
    async def file(_request: Request) -> Response:
        headers = {**_HEADERS, "Cache-Control": "max-age=3600"}
        return FileResponse(path, media_type=kind, headers=headers)

    app.add_route(f"/docs/{path.name}", file, include_in_schema=False)


def _swagger_folder() -> Path:
    """Where the package's files are; the package itself is not imported."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise InstallationError(
            "the package fastapi-offline, which carries the documentation page, is missing",
            hint="Install Sayso again: pip install --force-reinstall sayso",
        )
    return Path(spec.origin).parent / "static"
