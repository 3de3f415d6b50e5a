from __future__ import annotations

import pytest

from sayso.agents.issues import LlmIssue
from sayso.agents.places import attribute, path_of, place, put
from sayso.agents.reports import LlmCheckView


def issue(fix: str) -> LlmIssue:
    return LlmIssue("auth.refused", "The key was refused", fix, "error")


def test_an_llm_comes_before_its_fallbacks() -> None:
    assert [path_of(n) for n in range(3)] == ["llm", "llm.fallbacks.0", "llm.fallbacks.1"]


@pytest.mark.parametrize(
    ("fix", "placed", "field"),
    [
        ("Check llm.apiKey, please.", "Check llm.fallbacks.0.apiKey, please.", ".apiKey"),
        (
            "Set llm.baseParams.model.",
            "Set llm.fallbacks.0.baseParams.model.",
            ".baseParams.model",
        ),
        (
            "Set baseURL to https://x.example/baseURL/v1: it works.",
            "Set llm.fallbacks.0.baseURL to https://x.example/baseURL/v1: it works.",
            ".baseURL",
        ),
        (
            "Leave it out of baseParams.",
            "Leave it out of llm.fallbacks.0.baseParams.",
            ".baseParams",
        ),
        ("Start the server.", "Start the server.", ""),
    ],
)
def test_a_fix_names_the_fields_of_its_own_llm(fix: str, placed: str, field: str) -> None:
    found = put(issue(fix), 1)
    assert (found.fix, found.field) == (placed, f"llm.fallbacks.0{field}")
    main = put(issue(fix), 0)
    assert (main.fix, main.field) == (fix, f"llm{field}")


def test_a_name_stands_before_what_could_be_anothers() -> None:
    one = issue("Check llm.apiKey.")
    assert attribute(one, 0, named=False).message == "The key was refused"
    assert attribute(one, 0, named=True).message == "The LLM (llm): The key was refused"
    alone, among = attribute(one, 2, named=False), attribute(one, 2, named=True)
    assert alone.message == among.message == "Fallback 2 (llm.fallbacks.1): The key was refused"
    assert alone.fix == "Check llm.fallbacks.1.apiKey."
    assert among.fix == "Fallback 2 (llm.fallbacks.1): Check llm.fallbacks.1.apiKey."
    assert attribute(issue(""), 2, named=True).fix == ""


def test_a_report_is_placed_with_its_findings() -> None:
    view = LlmCheckView(
        state="quick", ok=False, url="https://x.example", suggestion=None, answer="",
        first_token_ms=None, total_ms=1.0, stages=[], findings=[issue("Check llm.apiKey.")],
        profile=None,
    )  # fmt: skip
    (found,) = place(view, 1).findings
    assert found.field == "llm.fallbacks.0.apiKey"
    assert view.findings[0].field is None
