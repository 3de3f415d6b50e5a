from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from sayso.llm import Message, ToolCall
from sayso.llm.prompt import (
    ONLY,
    SPOKEN,
    PromptParts,
    build_messages,
    build_system,
    cut_text,
    fill_parts,
    merge_turns,
    trim_turns,
)

Turn = tuple[Literal["user", "assistant"], str]


def told(history: Sequence[Turn]) -> list[Message]:
    return [Message(role, content) for role, content in history]


def test_the_system_message_says_everything_in_order() -> None:
    parts = PromptParts(
        name="Front desk",
        agent_prompt="You run the front desk.",
        critical_knowledge="Open 9 to 5.",
        answer_only=True,
        appended_prompt="The caller is Ada.",
        language="french",
    )
    assert build_system(parts, "Bonjour!") == (
        f"You are Front desk.\n\n{SPOKEN}\n\nSpeak French.\n\nYou run the front desk.\n\n"
        f"Critical knowledge:\nOpen 9 to 5.\n\n{ONLY}\n\nThe caller is Ada.\n\n"
        "You opened the conversation by saying:\nBonjour!"
    )


def test_variables_are_filled_in_wherever_the_owner_or_the_client_writes() -> None:
    parts = PromptParts("{{x}}", "A {{x}}", "B {{x}}", True, "C {{x}} {{y}}", "german")
    filled = fill_parts(parts, {"x": "1"})
    assert filled == PromptParts("{{x}}", "A 1", "B 1", True, "C 1", "german")
    assert filled.texts == ("A 1", "B 1", "C 1")


def test_what_is_missing_leaves_no_gap() -> None:
    assert build_system(PromptParts(language=" ")) == SPOKEN


def test_history_follows_the_system_message() -> None:
    history: list[Turn] = [("user", "Hi"), ("assistant", "Hello"), ("user", "When?")]
    system, *rest = build_messages(PromptParts(), told(history), max_chars=1000)
    assert system.role == "system"
    assert rest == [Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "When?")]


def test_a_greeting_goes_into_the_system_message() -> None:
    history: list[Turn] = [("assistant", "Hello!"), ("user", "Hi")]
    system, *rest = build_messages(PromptParts(), told(history), max_chars=1000)
    assert system.content.endswith("You opened the conversation by saying:\nHello!")
    assert rest == [Message("user", "Hi")]


def test_no_history_is_only_the_system_message() -> None:
    assert [m.role for m in build_messages(PromptParts(), [], max_chars=10)] == ["system"]


def test_turns_of_one_role_are_merged_and_empty_ones_left_out() -> None:
    history: list[Turn] = [
        ("user", " I"),
        ("user", "want"),
        ("assistant", "  "),
        ("user", "tea "),
        ("assistant", "Sure."),
        ("assistant", "Milk?"),
    ]
    assert merge_turns(told(history)) == [
        Message("user", "I want tea"),
        Message("assistant", "Sure. Milk?"),
    ]


def test_the_oldest_turns_are_left_out_first() -> None:
    turns = merge_turns(told([("user", "aaaa"), ("assistant", "bbbb"), ("user", "cccc")]))
    assert trim_turns(turns, 12) == turns
    assert trim_turns(turns, 11) == turns[2:]
    assert trim_turns(turns, 4) == turns[2:]


def test_the_last_words_of_the_caller_always_stay() -> None:
    turns = merge_turns(
        told([("user", "a"), ("assistant", "b"), ("user", "c" * 50), ("assistant", "d")])
    )
    assert trim_turns(turns, 10) == turns[2:]
    assert trim_turns([Message("assistant", "x")], 0) == [Message("assistant", "x")]


histories = st.lists(
    st.tuples(st.sampled_from(("user", "assistant")), st.text(alphabet="ab ", max_size=8)),
    max_size=20,
)


@given(histories, st.integers(0, 60))
def test_what_is_sent_is_bounded_and_alternates(history: list[Turn], max_chars: int) -> None:
    system, *rest = build_messages(PromptParts(name="A"), told(history), max_chars=max_chars)
    assert system.role == "system"
    roles = [message.role for message in rest]
    assert all(a != b for a, b in itertools.pairwise(roles))
    said = [content.strip() for role, content in history if role == "user" and content.strip()]
    if said:
        assert roles[0] == "user"
        last = [message for message in rest if message.role == "user"][-1]
        assert last.content.endswith(said[-1])
        older = rest[: rest.index(last)]
        tail = sum(len(message.content) for message in rest)
        assert tail <= max_chars or not older
    else:
        assert roles == []


# Functions -------------------------------------------------------------------------------------

CALL = ToolCall("c1", "hours", '{"day": "Monday"}')
ROUND = [Message("assistant", "", (CALL,)), Message("tool", "9 to 5", call_id="c1")]


def test_calls_and_their_results_stay_where_they_are() -> None:
    history = [
        *told([("user", "When")]),
        *told([("user", "is it?")]),
        *ROUND,
        *told([("assistant", "At nine.")]),
        *told([("user", "Thanks.")]),
    ]
    assert merge_turns(history) == [Message("user", "When is it?"), *history[2:]]
    assert build_messages(PromptParts(), history, max_chars=100)[1:] == merge_turns(history)


def test_a_round_is_cut_as_a_whole() -> None:
    history = [*told([("user", "When?")]), *ROUND, *told([("user", "Thanks.")])]
    assert trim_turns(history, 10) == history[-1:]
    assert trim_turns(history, 100) == history


def test_what_was_done_before_anybody_spoke_is_not_told() -> None:
    history = [*told([("assistant", "Hello!")]), *ROUND, *told([("user", "Hi")])]
    system, *rest = build_messages(PromptParts(), history, max_chars=100)
    assert system.content.endswith("Hello!")
    assert rest == told([("user", "Hi")])


@given(st.text("ab \n", max_size=40), st.integers(0, 45))
def test_a_text_is_cut_to_its_beginning(text: str, max_chars: int) -> None:
    kept = cut_text(text, max_chars)
    assert len(kept) <= max_chars
    assert text.startswith(kept)
    assert kept == text or len(text) > max_chars


def test_a_text_is_cut_between_lines_else_between_words() -> None:
    assert cut_text("One two.\nThree four.", 19) == "One two."
    assert cut_text("One two.\nThree four.", 20) == "One two.\nThree four."
    assert cut_text("One two.\nThree", 8) == "One two."
    assert cut_text("One two three", 9) == "One two"
    assert cut_text("Onetwothree", 3) == "One"
    assert cut_text("One", 0) == ""
