"""The states that a call on a page goes through: none is missed, however short it is."""

from __future__ import annotations

from playwright.sync_api import Page

RECORDER = """
(() => {
  window.states = [];
  window.seen = 0;
  const note = () => {
    const state = document.querySelector("[data-state]")?.dataset.state;
    if (state && window.states.at(-1) !== state) window.states.push(state);
  };
  const what = { subtree: true, childList: true, attributeFilter: ["data-state"] };
  new MutationObserver(note).observe(document, what);
})();
"""
"""Keeps in `states` what the page's call went through, from the first on."""

SEEN = """
(state) => {
  const at = window.states.indexOf(state, window.seen);
  if (at >= 0) window.seen = at;
  return at >= 0;
}
"""
WITHIN_MS = 20_000


def see_state(page: Page, state: str) -> None:
    """Wait until the call is, or was, in `state`: not before the one that was seen last."""
    page.wait_for_function(SEEN, arg=state, polling=50, timeout=WITHIN_MS)
