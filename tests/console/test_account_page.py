"""The page of an account: who has a password is asked for it, and who has none is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from console.sample import EMAIL, PASSWORD, Sample, running_sample
from console.visits import Visits, visiting

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    with running_sample(tmp_path_factory.mktemp("account")) as sample:
        yield sample


@pytest.fixture
def visits() -> Iterator[Visits]:
    with visiting() as visits:
        yield visits


def save(card: Locator, button: str, said: str) -> None:
    card.get_by_role("button", name=button).click()
    expect(card.page.get_by_text(said)).to_be_visible()


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title)


def test_who_came_by_a_link_sets_a_password(
    visits: Visits, chromium: Browser, sample: Sample
) -> None:
    page = visits.open(chromium, f"{sample.url}/account", storage_state=sample.owner)
    who = card(page, "Who you are")
    who.get_by_label("Email").fill("owner@example.com")
    save(who, "Save", "Saved.")
    password = card(page, "Set a password")
    expect(password.get_by_label("Current password")).to_have_count(0)
    password.get_by_label("New password").fill(PASSWORD)
    save(password, "Set the password", "The password is set.")
    changed = card(page, "Change the password")
    expect(changed.get_by_label("Current password")).to_be_visible()


def test_who_has_a_password_shows_it_to_change_the_email(
    visits: Visits, chromium: Browser, sample: Sample
) -> None:
    page = visits.open(chromium, f"{sample.url}/account", storage_state=sample.newcomer)
    who = card(page, "Who you are")
    who.get_by_label("Name").fill("Ada")
    expect(who.get_by_label("Current password")).to_have_count(0)
    save(who, "Save", "Saved.")
    page.reload()
    expect(who.get_by_label("Name")).to_have_value("Ada")
    expect(who.get_by_label("Email")).to_have_value(EMAIL)
    who.get_by_label("Email").fill("ada@example.com")
    who.get_by_label("Current password").fill(PASSWORD)
    save(who, "Save", "Saved.")
    expect(who.get_by_label("Current password")).to_have_count(0)
