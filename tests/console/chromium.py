"""The distribution's Chromium, with a fake microphone and a meter beside its loudspeaker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless=new",  # the old headless shell has no microphone
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP insecure.test 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-proxy-server",
)
ALLOW = "--use-fake-ui-for-media-stream"
REFUSE = "--use-fake-ui-for-media-stream=deny"

METER = """
(() => {
  const AUDIBLE = 0.02; // of full scale; a peak above this is heard
  const connect = AudioNode.prototype.connect;
  window.heard = [];
  window.audibleMs = 0;
  AudioNode.prototype.connect = function (target, ...rest) {
    // Beside a microphone, sound goes through a peer connection, for the echo canceller's sake.
    const ends = [AudioDestinationNode, MediaStreamAudioDestinationNode];
    if (ends.some((kind) => target instanceof kind)) {
      const meter = new AnalyserNode(this.context, { fftSize: 2048 });
      const samples = new Float32Array(2048);
      connect.call(this, meter);
      let before = performance.now();
      setInterval(() => {
        meter.getFloatTimeDomainData(samples);
        const peak = Math.max(...samples.map(Math.abs));
        window.heard.push(peak);
        const now = performance.now();
        if (peak > AUDIBLE) window.audibleMs += now - before;
        before = now;
      }, 40);
    }
    return connect.call(this, target, ...rest);
  };
})();
"""
"""Puts a meter beside the loudspeaker: `heard` holds the peaks, 40 ms apart or more.

Where the machine is busy they are further apart, so what was audible is a sum of times.
"""

OpenPage: TypeAlias = Callable[..., Page]


def launch(playwright: Playwright, *flags: str) -> Browser:
    """A new browser with a new profile."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        headless=False,  # FLAGS say so: Playwright would look for its own headless shell
        args=[*FLAGS, *flags],
        ignore_default_args=["--mute-audio"],
    )


def audible_s(page: Page) -> float:
    """Seconds of sound that have left the loudspeaker of a page with a meter."""
    heard_ms: float = page.evaluate("audibleMs")
    return heard_ms / 1000
