from __future__ import annotations

from pathlib import Path

import pytest

from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError
from sayso.stt.scripted import ScriptedStt


def test_an_engine_is_found_by_its_entry_point() -> None:
    engine = load_engine("sayso.stt", "scripted", EngineConfig(Path()))
    assert isinstance(engine, ScriptedStt)


@pytest.mark.parametrize("group", ["sayso.vad", "sayso.stt", "sayso.tts"])
def test_an_unknown_engine_is_refused_with_the_known_ones(group: str) -> None:
    with pytest.raises(InstallationError, match="engine is called 'telepathy'") as refused:
        load_engine(group, "telepathy", EngineConfig(Path()))
    assert "installed: " in refused.value.message
    assert refused.value.hint
