"""A shop that an agent may ask: where an order is, and to have it called off.

    python examples/orders.py --port 8500

Two endpoints for two external functions of docs/guide/functions.md. Nothing but Python is needed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "shop-key-1234567890"
"""What the shop wants to see in the header Authorization."""
MAX_BODY_BYTES = 10_000

orders = {"1001": "on its way; it arrives on Friday", "1002": "being packed"}


class Shop(BaseHTTPRequestHandler):
    """One request to the shop."""

    def do_GET(self) -> None:
        """`GET /orders/{orderId}`: where an order is."""
        if not self._may_ask():
            return
        number = self.path.removeprefix("/orders/")
        if number not in orders:
            self._answer(404, {"error": f"There is no order {number}."})
        else:
            self._answer(200, {"order": number, "state": orders[number]})

    def do_POST(self) -> None:
        """`POST /cancellations` with `{"orderId", "reason"}`: call an order off."""
        if not self._may_ask():
            return
        length = min(int(self.headers.get("Content-Length", "0")), MAX_BODY_BYTES)
        wanted = json.loads(self.rfile.read(length))
        number, reason = wanted["orderId"], wanted["reason"]
        if orders.get(number) != "being packed":
            self._answer(409, {"error": f"Order {number} cannot be called off any more."})
        else:
            orders[number] = f"called off: {reason}"
            self._answer(200, {"order": number, "state": orders[number]})

    def _may_ask(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            return True
        self._answer(401, {"error": "Send the key of the shop."})
        return False

    def _answer(self, status: int, body: dict[str, str]) -> None:
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)


def open_shop(port: int = 0) -> ThreadingHTTPServer:
    """A shop on a port of this machine, a free one for 0; not serving yet."""
    return ThreadingHTTPServer(("127.0.0.1", port), Shop)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="A shop that an agent may ask.")
    parser.add_argument("--port", type=int, default=8500)
    shop = open_shop(parser.parse_args(arguments).port)
    print(f"The shop is open at http://127.0.0.1:{shop.server_port}")
    try:
        shop.serve_forever()
    except KeyboardInterrupt:
        shop.server_close()


if __name__ == "__main__":
    main()
