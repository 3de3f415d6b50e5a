from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sayso.llm.findings import Scene
from sayso.llm.profile import Answers, Limit, Profile
from sayso.llm.stages import Times, lay_out
from sayso.llm.verdict import CheckReport, describe_profile, make_document

FOUND = Scene("http://h/v1/chat/completions").find("system.refused", "no such role")
PROFILE = Profile(system=False, refused=frozenset({"top_p", "seed"}), tools=True)
TRIED = replace(PROFILE, alternates=False)
REPORT = CheckReport(
    ok=True,
    findings=(FOUND,),
    url="http://h/v1/chat/completions",
    first_token_ms=12.5,
    total_ms=20.0,
    answer="Hello.",
    suggestion="http://h/v2",
    stages=lay_out((FOUND,), Times(connect_s=0.002)),
    profile=PROFILE,
)


def test_a_report_as_a_document() -> None:
    told = make_document(REPORT)
    assert json.loads(json.dumps(told)) == told
    assert (told["state"], told["ok"], told["suggestion"]) == ("quick", True, "http://h/v2")
    assert (told["answer"], told["firstTokenMs"], told["totalMs"]) == ("Hello.", 12.5, 20.0)
    assert told["stages"][3] == {"name": "connect", "state": "ok", "ms": 2.0}
    assert told["findings"] == [
        {
            "code": "system.refused",
            "severity": "warning",
            "message": FOUND.message,
            "evidence": "no such role",
            "fix": FOUND.fix,
        }
    ]
    profile = told["profile"]
    assert (profile["system"], profile["tools"], profile["parallel"]) == (False, True, None)
    assert profile["alternates"] is None
    assert make_document(replace(REPORT, profile=TRIED))["profile"]["alternates"] is False
    assert profile["refused"] == ["seed", "top_p"]


def test_a_complete_report_and_one_that_failed() -> None:
    assert make_document(replace(REPORT, complete=True))["state"] == "complete"
    assert make_document(replace(REPORT, ok=False))["profile"] is None


def test_a_profile_in_sentences() -> None:
    profile = Profile(
        answers=Answers.JSON,
        limit=Limit.NONE,
        system=False,
        refused=frozenset({"seed", "max_tokens"}),
        parallel=False,
    )
    assert list(describe_profile(profile)) == [
        "Answers come as: json",
        "The agent's prompt goes: in the caller's first message",
        "Left out: max_tokens, seed",
        "Callers at once: no",
    ]


@pytest.mark.parametrize("limit", [Limit.MAX_TOKENS, Limit.MAX_COMPLETION_TOKENS])
def test_how_the_longest_answer_is_sent(limit: Limit) -> None:
    assert list(describe_profile(Profile(limit=limit))) == [
        "Answers come as: stream",
        "The agent's prompt goes: in a system message",
        f"The longest answer is sent as: {limit}",
    ]
