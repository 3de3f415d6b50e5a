from __future__ import annotations

from starlette.applications import Starlette
from starlette.testclient import TestClient

from sayso.observe.health import health_routes


def test_ready_while_there_is_room() -> None:
    inside = [0]
    client = TestClient(Starlette(routes=list(health_routes(lambda: inside[0], 2))))
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "conversations": 0,
        "limit": 2,
    }
    inside[0] = 2
    full = client.get("/health/ready")
    assert (full.status_code, full.json()["status"]) == (503, "full")
