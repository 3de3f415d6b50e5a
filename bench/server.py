"""Sayso as it is served, with scripted models of known time: for `pipeline.py` and `soak.py`.

python bench/server.py --llm http://127.0.0.1:3000 --data /tmp/some-folder
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import uvicorn

from child import LIFETIME_S, SERVER_CORE, obey_parent, pin
from sayso.app import Server
from sayso.caller import socket_url
from sayso.config import Settings
from sayso.memory import settle
from sayso.observe.logs import set_up_logs
from sayso.serve import uvicorn_config
from sayso.store.database import migrate
from script import CALLER_WORDS, ModelTimes


def make_settings(
    llm_url: str, data_dir: Path, times: ModelTimes, *, speculate: bool = False
) -> Settings:
    """Everything as it comes, but for the models.

    Without `speculate`, because the floor does not either, and the formula adds the steps up.
    """
    return Settings(
        data_dir=data_dir,
        port=0,
        max_conversations=256,  # what is measured is where it breaks, not where it refuses
        patience_s=times.patience_s,
        eot="rules",
        speculate=speculate,
        stt="scripted",
        stt_options={"delay_ms": str(times.stt_s * 1000), "text": CALLER_WORDS},
        tts="scripted",
        tts_options={"delay_ms": str(times.tts_s * 1000)},
        builtin_llm_url=llm_url,
        llm_deep_check=False,  # it would disturb what is measured
        log_format="json",
    )


class Announced(uvicorn.Server):
    """Tells the parent where to call once the socket is open."""

    def __init__(
        self, config: uvicorn.Config, server: Server, lifetime_s: float = LIFETIME_S
    ) -> None:
        super().__init__(config)
        self._sayso = server
        self._lifetime_s = lifetime_s

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started and self._sayso.welcome and self._sayso.welcome.agent_id:
            port = self.servers[0].sockets[0].getsockname()[1]
            agent_id = self._sayso.welcome.agent_id
            url = socket_url(f"http://127.0.0.1:{port}", agent_id, with_key=False)
            loop = asyncio.get_running_loop()
            settle()  # as `sayso serve` does
            obey_parent(url, self._leave, loop=loop, lifetime_s=self._lifetime_s)

    def _leave(self) -> None:
        self.should_exit = True


def main() -> None:
    """Run Sayso on the servers' core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llm", required=True, help="base URL of the LLM")
    parser.add_argument("--data", required=True, type=Path, help="folder for its data")
    parser.add_argument("--speculate", action="store_true", help="make drafts, as by default")
    parser.add_argument("--lifetime", type=float, default=LIFETIME_S, help="in seconds, at most")
    args = parser.parse_args()
    pin(SERVER_CORE)
    settings = make_settings(args.llm, args.data, ModelTimes(), speculate=args.speculate)
    set_up_logs(settings.log_level, settings.log_format)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate(settings.database)
    server = Server(settings)
    Announced(uvicorn_config(server, settings), server, args.lifetime).run()


if __name__ == "__main__":
    main()
