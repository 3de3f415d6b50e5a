"""The distribution's Firefox, driven by Playwright over WebDriver BiDi."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser, Playwright

FIREFOX = Path("/usr/bin/firefox-esr")
BRIDGE = Path(__file__).with_name("firefox_bridge.py")

TONE: Mapping[str, bool] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
}
"""A microphone that hums, and that nobody is asked about."""
HEARS: Mapping[str, bool] = {"media.navigator.permission.disabled": True}
"""The machine's own microphone, that nobody is asked about."""
REFUSES: Mapping[str, int] = {"permissions.default.microphone": 2}
"""A person who blocked the microphone."""


def launch_firefox(
    playwright: Playwright,
    folder: Path,
    preferences: Mapping[str, bool | int],
    env: Mapping[str, str] | None = None,
) -> Browser:
    """A new browser with a new profile; `folder` takes what starts it."""
    start = folder / "firefox"
    words = shlex.join([sys.executable, str(BRIDGE), str(FIREFOX)])
    start.write_text(f'#!/bin/sh\nexec {words} "$@"\n', "utf-8")
    start.chmod(0o755)
    return playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=start,
        firefox_user_prefs=dict(preferences),
        env=dict(env) if env else None,
        timeout=120_000,
    )
