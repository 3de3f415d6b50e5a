import numpy as np

from sayso.engines import EngineConfig, load_engine
from sayso.eot import Eot
from sayso.models import MODELS_DIR


async def test_the_words_decide_alone() -> None:
    engine: Eot = load_engine("sayso.eot", "rules", EngineConfig(MODELS_DIR))
    await engine.open()
    assert await engine.judge(np.zeros(16_000, np.float32)) is None
    await engine.close()
