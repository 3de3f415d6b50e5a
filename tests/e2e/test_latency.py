"""The latency benchmark runs; its figures are for people, and no test depends on them."""

from __future__ import annotations

import pytest

from latency import Latency, describe, run

pytestmark = pytest.mark.speech


async def test_a_short_run_measures_every_turn() -> None:
    (found,) = await run([2], 1)
    print(f"\n{describe(found)}")
    assert (found.callers, len(found.waits_ms), found.missing, found.early) == (2, 2, 0, 0)
    assert all(wait_ms > 100 for wait_ms in found.waits_ms), "the LLM alone takes that long"
    assert {"endpoint", "llm_first_token", "first_sound_sent"} <= set(found.stages_ms)


def test_a_run_in_which_nobody_was_answered_says_so() -> None:
    assert describe(Latency(1, [], 0, 3, {})) == "1 caller: no answer was heard"
