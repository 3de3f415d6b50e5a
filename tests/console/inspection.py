"""What is looked at on every page: rules of accessibility, its width, the way of the keyboard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
MAX_TABS = 200
UNDER_WAY = re.compile(r"^(Loading|Counting)\b.*…$")

QUIET = """
() => new Promise((done) => {
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (window.fetching ? wait() : done(null)), 250);
  };
  new MutationObserver(wait).observe(document, { subtree: true, childList: true });
  wait();
})
"""
"""Waits until a page has all that it asked for, and has shown it. Chromium's own idea of a quiet
network also counts the rest of a recording, which it fetches only when it is played."""

WIDER = """
() => {
  const room = document.documentElement.clientWidth;
  const scrolls = (element) => /auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX);
  const isInside = (element) => {
    for (let each = element.parentElement; each; each = each.parentElement)
      if (each !== document.body && scrolls(each)) return true;
    return false;
  };
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > room + 1 && !isInside(element))
    .map((each) => `${each.tagName} ${each.className} ${each.textContent.slice(0, 40)}`);
}
"""
"""What stands out of the window, and is not inside something that scrolls by itself."""

RUN = """
axe.run({ exclude: ["[data-base-ui-focus-guard]"] }).then(({ violations }) => violations)
"""
"""The exception: what sends the keyboard round in a menu takes it, and hands it on at once."""

WALK = """
window.walk = (root, found = []) => {
  for (const element of root.querySelectorAll("*")) {
    if (element.shadowRoot) walk(element.shadowRoot, found);
    const isOperable = element.matches(
      "a[href], button, input, select, textarea, summary, audio[controls], [tabindex]");
    if (isOperable && element.tabIndex >= 0 && !element.disabled && element.checkVisibility({
      visibilityProperty: true, contentVisibilityAuto: true,
    })) found.push(element);
  }
  return found;
};
window.named = (element) => [element.tagName.toLowerCase(),
  element.getAttribute("aria-label") || element.textContent.trim() || element.id,
].join(" ").slice(0, 60);
window.focused = () => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    at: walk(document).indexOf(element),
    name: named(element),
    isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    isInside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
};
"""


@dataclass(frozen=True)
class Step:
    """Where the keyboard came to."""

    at: int
    name: str
    isSeen: bool  # noqa: N815 - as the page says it
    isInside: bool  # noqa: N815


def settle(page: Page) -> None:
    """Wait until nothing is loading, nor what came last asks for more."""
    page.wait_for_load_state()
    page.evaluate(QUIET)
    while page.get_by_text(UNDER_WAY).count():
        expect(page.get_by_text(UNDER_WAY)).to_have_count(0)
        page.evaluate(QUIET)


@cache
def _axe() -> str:
    return AXE.read_text("utf-8")


def find_violations(page: Page) -> list[str]:
    """What axe finds against the page as it stands: rule, element, why."""
    page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def find_wider(page: Page) -> list[str]:
    """What makes the page scroll sideways."""
    found: list[str] = page.evaluate(WIDER)
    return found


def list_operable(page: Page) -> list[str]:
    """Everything that can be operated, in the order of the document."""
    page.evaluate(WALK)
    names: list[str] = page.evaluate("walk(document).map(named)")
    return names


def tab_through(page: Page) -> list[Step]:
    """Press Tab until the end of the page; what was come to, each once."""
    page.evaluate(WALK)
    steps: list[Step] = []
    for n in range(MAX_TABS):
        page.keyboard.press("Tab")
        found = page.evaluate("focused()")
        if n == 0 and found is None:
            continue  # Chromium comes to a page that cannot scroll itself, first
        if found is None or (steps and found["at"] < steps[-1].at):
            return steps
        if not steps or found["at"] != steps[-1].at:  # a date has several fields inside
            steps.append(Step(**found))
    raise AssertionError(f"the keyboard did not get through in {MAX_TABS} steps")
