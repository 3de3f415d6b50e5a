"""What opens over a page, or on it after a click: accessible in both themes, wide and narrow.

The keyboard goes into a dialog, stays in it, and comes back to where it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from console.inspection import AXE, find_violations, find_wider, settle
from console.sample import Sample, running_sample
from console.visits import WIDE, Visits, visiting

pytestmark = pytest.mark.browser

NARROW = {"width": 360, "height": 740}
LOOKS = (("light", WIDE), ("dark", NARROW))
ANSWERED_MS = 30_000
MOST_TABS = 60
NOBODY = "http://127.0.0.1:9/mcp"
"""Nobody listens there."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    if not AXE.exists():
        pytest.skip("needs axe-core: `npm ci`")
    with running_sample(tmp_path_factory.mktemp("dialogs")) as sample:
        yield sample


@pytest.fixture(scope="module")
def visits(chromium: Browser) -> Iterator[Visits]:
    assert chromium.is_connected()  # it is closed after its tabs
    with visiting() as visits:
        yield visits


@pytest.fixture(scope="module")
def page(visits: Visits, chromium: Browser, sample: Sample) -> Page:
    """One tab for everything."""
    return visits.open(chromium, storage_state=sample.owner, reduced_motion="reduce")


def go(page: Page, sample: Sample, path: str) -> Page:
    page.goto(f"{sample.url}{path}")
    settle(page)
    return page


def click(within: Page | Locator, name: str) -> None:
    within.get_by_role("button", name=name, exact=True).click()


def look(page: Page) -> None:
    """Nothing is against the rules, nor stands out of the window."""
    for scheme, size in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert find_violations(page) == [], scheme
        assert find_wider(page) == [], scheme
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]


def see_trapped(page: Page, dialog: Locator) -> None:
    """The keyboard is in the dialog, and goes round in it, both ways."""
    inside = dialog.locator(":focus")
    expect(inside.or_(dialog.and_(page.locator(":focus")))).to_have_count(1)
    count = dialog.locator("a, button, input, select, textarea, pre[tabindex]").count()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(min(count, MOST_TABS) + 2):
            page.keyboard.press(key)
            expect(inside).to_have_count(1)


def close(page: Page, dialog: Locator, back: Locator) -> None:
    """Escape closes it, and the keyboard is back."""
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(back).to_be_focused()


def test_the_shortcuts(page: Page, sample: Sample) -> None:
    go(page, sample, "/")
    opener = page.get_by_role("button", name="Keyboard shortcuts")
    opener.focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    look(page)
    see_trapped(page, dialog)
    close(page, dialog, opener)


def test_the_menu_of_a_narrow_window(page: Page, sample: Sample) -> None:
    go(page, sample, "/")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    opener = page.get_by_role("button", name="Menu")
    opener.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    for scheme, _ in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert find_violations(page) == []
    assert find_wider(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Home")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(opener).to_be_focused()
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]


def test_an_agents_menu_and_its_deletion_taken_back(page: Page, sample: Sample) -> None:
    go(page, sample, "/my-agents")
    opener = page.get_by_role("button", name="More about Pizza line")
    opener.press("Enter")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    look(page)
    close(page, menu, opener)
    opener.press("Enter")
    page.keyboard.press("ArrowUp")  # the last comes before the first
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    toast = page.get_by_role("dialog").filter(has_text="“Pizza line” is deleted.")
    expect(toast).to_be_visible()
    expect(opener).to_have_count(0)
    page.keyboard.press("F6")  # goes to the messages, which then stay
    look(page)
    toast.get_by_role("button", name="Undo").press("Enter")
    expect(opener).to_be_visible()
    expect(toast).to_have_count(0)


def test_a_new_function(page: Page, sample: Sample) -> None:
    go(page, sample, "/functions")
    opener = page.get_by_role("button", name="New function")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="New function")
    expect(dialog.get_by_label("Name")).to_be_focused()
    for kind in ("string", "enum", "const"):
        click(dialog, "Add a parameter")
        dialog.get_by_label("Value", exact=True).last.select_option(kind)
    look(page)
    see_trapped(page, dialog)
    close(page, dialog, opener)


def test_a_function_is_refused(visits: Visits, page: Page, sample: Sample) -> None:
    visits.refused.add("/api/v1/external-functions")
    go(page, sample, "/functions")
    click(page, "New function")
    dialog = page.get_by_role("dialog", name="New function")
    dialog.get_by_label("Name").fill("get weather!")
    dialog.get_by_label("What it does").fill("Tells the weather.")
    dialog.get_by_label("Address").fill("https://api.example.com/{city}")
    click(dialog, "Save")
    expect(dialog.get_by_role("alert")).to_have_count(1)  # beside the field, and nowhere else
    expect(dialog.get_by_role("alert")).not_to_contain_text("endpointUrl", ignore_case=True)
    click(dialog, "Add city, of the address")
    expect(dialog.get_by_label("Sent in")).to_have_value("url")
    expect(dialog.get_by_role("button", name="Add city")).to_have_count(0)
    look(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_function_is_tried_and_deleted(page: Page, sample: Sample) -> None:
    go(page, sample, "/functions")
    opener = page.get_by_role("button", name="Try it")
    opener.press("Enter")
    trial = page.get_by_role("dialog", name="Try “get_weather”")
    trial.get_by_label("city").fill("Graz")
    click(trial, "Call it")
    expect(trial.get_by_text("It worked")).to_be_visible()
    look(page)
    see_trapped(page, trial)
    close(page, trial, opener)
    more = page.get_by_role("button", name="More about get_weather")
    more.press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    sure = page.get_by_role("dialog", name="Delete “get_weather”?")
    expect(sure.get_by_role("button", name="Keep it")).to_be_focused()
    look(page)
    see_trapped(page, sure)
    close(page, sure, more)


def test_a_call_beside_what_is_not_saved(page: Page, sample: Sample) -> None:
    go(page, sample, f"/my-agents/{sample.agent}/behaviour")
    page.get_by_label("Greeting").fill("Good evening.")
    expect(page.get_by_role("region", name="Unsaved changes")).to_be_visible()
    click(page, "Talk")
    click(page, "Type instead")
    page.get_by_label("Message to the agent").fill("What is the weather in Vienna?")
    click(page, "Send")
    expect(page.locator("li.agent").last).to_contain_text("sunny", timeout=ANSWERED_MS)
    look(page)
    click(page, "Hang up")
    expect(page.get_by_role("status").filter(has_text="The call has ended")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Discard").press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.get_by_role("link", name="See this conversation").click()
    expect(page.get_by_role("heading", name="Turn by turn")).to_be_visible()
    expect(page.get_by_role("heading", name="Greeting")).to_be_visible()


def test_a_spoken_call_with_a_choice_of_devices(page: Page, sample: Sample) -> None:
    go(page, sample, "/")
    click(page, "Start talking")
    expect(page.get_by_label("Speaker", exact=True)).to_be_visible(timeout=ANSWERED_MS)
    look(page)
    click(page, "Hang up")


def test_versions_and_what_changed(page: Page, sample: Sample) -> None:
    go(page, sample, f"/my-agents/{sample.agent}/versions")
    page.get_by_role("list", name="Versions").get_by_role("button").last.click()
    expect(page.get_by_role("button", name="Go back to this version")).to_be_visible()
    settle(page)
    look(page)


def test_an_llm_that_works_and_one_that_does_not(page: Page, sample: Sample) -> None:
    go(page, sample, f"/my-agents/{sample.agent}/llm")
    click(page, "Test")
    expect(page.get_by_text(re.compile("It works"))).to_be_visible(timeout=ANSWERED_MS)
    look(page)
    address = page.get_by_label("Base URL")
    address.fill(address.input_value().removesuffix("/v1"))
    expect(page.get_by_text(re.compile("It works"))).to_have_count(0)  # that was another address
    page.get_by_text("Parameters, headers and timeouts").click()
    click(page, "Add a fallback server")
    click(page, "Test")
    expect(page.get_by_text("Another address works:")).to_be_visible(timeout=ANSWERED_MS)
    look(page)
    click(page, "Use the proposed URL")
    click(page, "Discard")


def test_an_agent_without_an_llm_is_offered_servers(
    visits: Visits, chromium: Browser, sample: Sample
) -> None:
    page = visits.open(chromium, storage_state=sample.newcomer, reduced_motion="reduce")
    go(page, sample, "/my-agents")
    page.get_by_role("link", name="Sayso guide").click()
    page.get_by_role("link", name="LLM").click()
    expect(page.get_by_text("No language model configured")).to_be_visible()
    look(page)
    click(page, "Connect a server")
    expect(page.get_by_label("Base URL")).to_be_focused()
    click(page, "Ollama")
    expect(page.get_by_label("Base URL")).to_be_focused()
    expect(page.get_by_label("Base URL")).to_have_value("http://127.0.0.1:11434/v1")
    look(page)
    click(page, "Discard")


def test_an_llm_that_is_refused_is_told_where_one_looks(
    visits: Visits, page: Page, sample: Sample
) -> None:
    visits.refused.add(f"/api/v1/agents/{sample.agent}")
    go(page, sample, f"/my-agents/{sample.agent}/llm")
    page.get_by_label("Base URL").fill(NOBODY)
    page.get_by_label("Said when nobody could answer").scroll_into_view_if_needed()
    click(page, "Save")
    refused = page.get_by_text("Nothing was saved. What the check of your LLM found stands below.")
    expect(refused).to_be_in_viewport(timeout=ANSWERED_MS)
    expect(page.get_by_text("Saved.", exact=True)).to_have_count(0)
    click(page, "Discard")


def test_servers_and_people_an_agent_turns_to(page: Page, sample: Sample) -> None:
    go(page, sample, f"/my-agents/{sample.agent}/actions")
    click(page, "Add a server")
    page.get_by_label("Address").fill(NOBODY)
    click(page, "Connect and list its tools")
    expect(page.get_by_text("It could not be used.")).to_be_visible(timeout=ANSWERED_MS)
    click(page, "Add somebody")
    look(page)
    opener = page.get_by_role("button", name="New function")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="New function")
    close(page, dialog, opener)
    click(page, "Discard")


def test_knowledge_that_is_asked(page: Page, sample: Sample) -> None:
    go(page, sample, f"/my-agents/{sample.agent}/knowledge")
    page.get_by_label("Question").fill("When does the garage close?")
    click(page, "Ask")
    expect(page.get_by_role("listitem").filter(has_text="garage").first).to_be_visible()
    page.get_by_label("Ask a retrieval server of mine").check()
    look(page)
    click(page, "Discard")
    opener = page.get_by_role("button", name="More about manual.pdf")
    opener.press("Enter")
    menu = page.get_by_role("menu")
    look(page)
    close(page, menu, opener)


def test_a_conversation_is_shared_and_nearly_deleted(page: Page, sample: Sample) -> None:
    go(page, sample, f"/conversations/{sample.conversation}")
    for summary in page.locator("summary").all():
        summary.click()
    look(page)
    opener = page.get_by_role("button", name="Shared")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Share this conversation")
    look(page)
    see_trapped(page, dialog)
    close(page, dialog, opener)
    more = page.get_by_role("button", name="More", exact=True)
    more.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export as JSON").press("Enter")
    assert download.value.suggested_filename == f"conversation-{sample.conversation}.json"
    more.press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    sure = page.get_by_role("dialog", name="Delete this conversation?")
    expect(sure.get_by_role("button", name="Keep it")).to_be_focused()
    look(page)
    close(page, sure, more)


def test_a_key_is_shown_once_and_nearly_revoked(page: Page, sample: Sample) -> None:
    go(page, sample, "/developers")
    page.get_by_role("textbox", name="Name").fill("dialogs")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Try it")).to_be_visible()
    look(page)
    row = page.get_by_role("row").filter(has_text="telephone bridge")
    opener = row.get_by_role("button", name="Revoke")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Revoke “telephone bridge”?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    look(page)
    see_trapped(page, dialog)
    close(page, dialog, opener)
    expect(page.get_by_label("Try it")).to_be_visible()
