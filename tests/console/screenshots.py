"""Takes a picture of every page, on a server full of sample content: `make screenshots`.

python -m console.screenshots [FOLDER [NAME ...]]     with tests/ and bench/ on the path
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

from console.chromium import ALLOW, launch
from console.inspection import settle
from console.sample import Sample, running_sample
from console.visits import Visits, visiting

FOLDER: Final = Path("build/screenshots")
SIZES: Final = {"1280": {"width": 1280, "height": 860}, "360": {"width": 360, "height": 740}}
SCHEMES: Final = ("light", "dark")
WITHIN_MS = 30_000
REFUSED: Final = frozenset({"/api/v1/external-functions", "/my-agent"})
FORBIDDEN: Final = """
navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
null
"""
"""What a browser does once somebody has said no to the microphone."""


def test_llm(page: Page) -> None:
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("It works")).to_be_visible(timeout=WITHIN_MS)


def ask_knowledge(page: Page) -> None:
    page.get_by_label("Question").fill("When does the garage close?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="garage").first).to_be_visible()


def type_to(page: Page) -> None:
    page.get_by_role("button", name="Type instead").click()
    page.get_by_label("Message to the agent").fill("What is the weather in Vienna?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("li.agent").last).to_contain_text("sunny", timeout=WITHIN_MS)


def type_beside(page: Page) -> None:
    page.get_by_role("button", name="Talk", exact=True).click()
    type_to(page)


def make_function(page: Page) -> None:
    page.get_by_role("button", name="New function").click()
    page.get_by_role("button", name="Add a parameter").click()


def open_menu(page: Page) -> None:
    page.get_by_role("button", name="More about Pizza line").click()


def share(page: Page) -> None:
    page.get_by_role("button", name="Shared").click()


def unfold(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()


def make_key(page: Page) -> None:
    page.get_by_role("textbox", name="Name").fill("screenshots")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_label("Try it")).to_be_visible()


def show_keys(page: Page) -> None:
    page.get_by_role("main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def show_versions(page: Page) -> None:
    page.get_by_role("link", name="Versions").click()
    page.get_by_role("list", name="Versions").get_by_role("button").last.click()
    expect(page.get_by_role("button", name="Go back to this version")).to_be_visible()
    settle(page)


def test_wrong_llm(page: Page) -> None:
    address = page.get_by_label("Base URL")
    address.fill(address.input_value().removesuffix("/v1"))
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("Another address works:")).to_be_visible(timeout=WITHIN_MS)


def copy_id(page: Page) -> None:
    open_menu(page)
    page.get_by_role("menuitem", name="Copy the id").click()
    expect(page.get_by_role("dialog", name="Message")).to_be_visible()


def try_function(page: Page) -> None:
    page.get_by_role("button", name="Try it").click()
    page.get_by_label("city").fill("Graz")
    page.get_by_role("button", name="Call it").click()
    expect(page.get_by_text("It worked")).to_be_visible()


def open_navigation(page: Page) -> None:
    menu = page.get_by_role("button", name="Menu", exact=True)
    if menu.is_visible():  # in a narrow window
        menu.click()


def search_agents(page: Page) -> None:
    page.get_by_label("Search agents").fill("zither")


def change(page: Page) -> None:
    page.get_by_label("Greeting").fill("Good evening, this is the Grand Hotel.")
    expect(page.get_by_role("region", name="Unsaved changes")).to_be_visible()


def open_parameters(page: Page) -> None:
    page.get_by_text("Parameters, headers and timeouts").click()
    page.get_by_role("button", name="Add a fallback server").click()


def add_servers(page: Page) -> None:
    page.get_by_role("button", name="Add a server").click()
    page.get_by_label("Address").fill("http://127.0.0.1:9/mcp")
    page.get_by_role("button", name="Connect and list its tools").click()
    expect(page.get_by_text("It could not be used.")).to_be_visible(timeout=WITHIN_MS)
    page.get_by_role("button", name="Add somebody").click()


def choose_retrieval(page: Page) -> None:
    page.get_by_label("Ask a retrieval server of mine").check()
    page.get_by_label("Collection").scroll_into_view_if_needed()


def refuse_function(page: Page) -> None:
    page.get_by_role("button", name="New function").click()
    page.get_by_label("Name").fill("get weather!")
    page.get_by_label("What it does").fill("Tells the weather.")
    page.get_by_label("Address").fill("https://api.example.com/{city}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_be_visible()


def delete_function(page: Page) -> None:
    page.get_by_role("button", name="More about get_weather").click()
    page.get_by_role("menuitem", name="Delete").click()


def delete_conversation(page: Page) -> None:
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Delete").click()


def revoke_key(page: Page) -> None:
    page.get_by_role("button", name="Revoke").first.click()


def fail_to_sign_in(page: Page) -> None:
    page.get_by_label("Email").fill("somebody@example.com")
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def forbid_microphone(page: Page) -> None:
    page.evaluate(FORBIDDEN)
    page.get_by_role("button", name="Start talking").click()
    expect(page.get_by_role("alert")).not_to_be_empty(timeout=WITHIN_MS)
    expect(page.get_by_text("Connecting…")).to_have_count(0)


def hang_up(page: Page) -> None:
    type_to(page)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text("The call has ended")).to_be_visible()


def open_element(page: Page) -> None:
    page.get_by_role("button", name="Talk to us").click()
    expect(page.get_by_role("button", name="Start talking")).to_be_visible()


def walk(page: Page) -> None:
    for _ in range(4):
        page.keyboard.press("Tab")


def speak(page: Page) -> None:
    page.get_by_role("button", name="Start talking").click()
    expect(page.get_by_label("Speaker", exact=True)).to_be_visible(timeout=WITHIN_MS)
    expect(page.get_by_text("Connecting…")).to_have_count(0)


DEEDS: Final[Mapping[str, tuple[str, Callable[[Page], None]]]] = {
    "home-talking": ("home", type_to),
    "home-speaking": ("home", speak),
    "talk-speaking": ("talk", speak),
    "editor-versions": ("editor-identity", show_versions),
    "editor-llm-refused": ("editor-llm", test_wrong_llm),
    "function-tried": ("functions", try_function),
    "agents-menu": ("agents", open_menu),
    "editor-talking": ("editor-behaviour", type_beside),
    "editor-llm-tested": ("editor-llm", test_llm),
    "editor-knowledge-asked": ("editor-knowledge", ask_knowledge),
    "function-new": ("functions", make_function),
    "conversation-unfolded": ("conversation", unfold),
    "conversation-share": ("conversation", share),
    "keys-made": ("keys", make_key),
    "shortcuts": ("home", show_keys),
    "talk-talking": ("talk", type_to),
    "talk-ended": ("talk", hang_up),
    "talk-no-microphone": ("talk", forbid_microphone),
    "embed-open": ("embed", open_element),
    "navigation": ("conversations", open_navigation),
    "focus": ("agents", walk),
    "agents-not-found": ("agents", search_agents),
    "editor-changed": ("editor-behaviour", change),
    "editor-llm-more": ("editor-llm", open_parameters),
    "editor-actions-more": ("editor-actions", add_servers),
    "editor-knowledge-own": ("editor-knowledge", choose_retrieval),
    "function-refused": ("functions", refuse_function),
    "function-delete": ("functions", delete_function),
    "conversations-filters": ("conversations", unfold),
    "conversation-delete": ("conversation", delete_conversation),
    "keys-revoke": ("keys", revoke_key),
    "sign-in-refused": ("sign-in", fail_to_sign_in),
    "agents-copied": ("agents", copy_id),
}
"""Pages after something was done there: a name, the page, and what is done."""


MORE_PAGES: Final = {
    "not-found": "/my-agent",
    "conversations-none": "/conversations?query=zither",
    "analytics-day": "/analytics?days=1",
}
"""What a page says where there is nothing, and other views of one: a name, and the address."""


def list_shots(
    sample: Sample,
) -> Iterator[tuple[str, str, StorageState | None, Callable[[Page], None] | None]]:
    """(name, path, session, deed) of every picture."""
    pages = {name: (path, session) for name, path, session in sample.visitors()}
    for name, (path, session) in pages.items():
        yield name, path, session, None
    for name, path in MORE_PAGES.items():
        yield name, path, sample.owner, None
    yield "empty-home", "/", sample.newcomer, None
    for name, (page, deed) in DEEDS.items():
        yield name, *pages[page], deed


def shoot(
    visits: Visits, browser: Browser, sample: Sample, folder: Path, names: Collection[str]
) -> int:
    """Lay a picture of every page, or of those in `names`, into `folder`; gives how many."""
    folder.mkdir(parents=True, exist_ok=True)
    visits.refused |= REFUSED
    count = 0
    for scheme in SCHEMES:
        for size, viewport in SIZES.items():
            for name, path, session, deed in list_shots(sample):
                if names and name not in names:
                    continue
                page = visits.open(
                    browser, f"{sample.url}{path}", storage_state=session, viewport=viewport,
                    color_scheme=scheme, reduced_motion="reduce",
                )  # fmt: skip
                settle(page)
                if deed:
                    deed(page)
                page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=not deed)
                page.context.close()
                count += 1
    return count


def main(folder: Path, *names: str) -> None:
    """Fill a server, take the pictures, say where they are."""
    with (
        tempfile.TemporaryDirectory() as data,
        running_sample(Path(data)) as sample,
        sync_playwright() as playwright,
        visiting() as visits,
    ):
        browser = launch(playwright, ALLOW, "--hide-scrollbars")  # else they stand in the width
        count = shoot(visits, browser, sample, folder, names)
        browser.close()
    sys.stdout.write(f"{count} pictures in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER, *sys.argv[2:])
