from __future__ import annotations

from pathlib import Path

import pytest

from sayso.app import make_engines
from sayso.config import Settings
from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError
from sayso.stt.scripted import ScriptedStt


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_an_engine_is_found_by_its_entry_point() -> None:
    engine = load_engine("sayso.stt", "scripted", EngineConfig(Path()))
    assert isinstance(engine, ScriptedStt)


@pytest.mark.parametrize("group", ["sayso.vad", "sayso.stt", "sayso.tts"])
def test_an_unknown_engine_is_refused_with_the_known_ones(group: str) -> None:
    with pytest.raises(InstallationError, match="engine is called 'telepathy'") as refused:
        load_engine(group, "telepathy", EngineConfig(Path()))
    assert "installed: " in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("room", ["stt", "tts"])
async def test_what_an_engine_may_call_is_the_operators_setting(room: str, tmp_path: Path) -> None:
    options = {"url": "http://127.0.0.1:1/v1"}
    for private in (True, False):
        settings = Settings.model_validate(
            {"data_dir": tmp_path, room: "openai", f"{room}_options": options}
            | {"outbound_private": private}
        )
        engine = getattr(make_engines(settings).rooms, room)
        if private:
            await engine.open()
            await engine.close()
        else:
            with pytest.raises(InstallationError, match="SAYSO_OUTBOUND_PRIVATE is off"):
                await engine.open()
