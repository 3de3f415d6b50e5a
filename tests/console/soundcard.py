"""A sound card made of software: what is played into it comes out of its microphones.

PulseAudio with two null sinks: programs play into `ear`, and microphones hear what is played into
`mouth`. The microphones run at another rate than the loudspeaker, as they do on many machines.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from console.scripted_site import wait_for

PULSEAUDIO = Path("/usr/bin/pulseaudio")
PLAYER = Path("/usr/bin/paplay")
"""Of the Debian package pulseaudio-utils, as `parec` is."""
LOUDSPEAKER_HZ = 48_000
MICROPHONE_HZ = 44_100
MICROPHONES = ("Desk microphone", "Headset microphone")
AUDIBLE = 0.02
WINDOW_S = 0.04
STARTS_WITHIN_S = 60.0


@dataclass
class SoundCard:
    """A running one.

    Attributes:
        env: what a program needs to use it.
        heard: the file that grows with what the loudspeaker plays: 16 bits, one channel.
    """

    env: Mapping[str, str]
    heard: Path
    _counted_bytes: int = 0
    _audible: int = 0

    def speak(self, wav: Path) -> None:
        """Say it into the microphones; returns when it was said."""
        subprocess.run([PLAYER, "--device=mouth", wav], env=self.env, check=True)

    def audible_s(self) -> float:
        """Seconds of sound that have left the loudspeaker."""
        window = round(WINDOW_S * LOUDSPEAKER_HZ)
        with self.heard.open("rb") as file:
            file.seek(self._counted_bytes)
            fresh = file.read()
        whole = len(fresh) // (2 * window) * window
        sound = np.abs(np.frombuffer(fresh, "<i2", whole) / 32_768).reshape(-1, window)
        self._counted_bytes += 2 * whole
        self._audible += int((sound.max(1, initial=0.0) > AUDIBLE).sum())
        return WINDOW_S * self._audible


@contextmanager
def running_soundcard(folder: Path) -> Iterator[SoundCard]:
    """Run one of its own, beside whatever the machine has."""
    socket = folder / "sound"
    own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PULSE_SERVER": f"unix:{socket}"}
    card = SoundCard(os.environ | own, folder / "heard.raw")
    sink = "module-null-sink rate={rate} sink_name={name}"
    modules = [
        sink.format(rate=LOUDSPEAKER_HZ, name="ear"),
        sink.format(rate=MICROPHONE_HZ, name="mouth"),
        *(_microphone(n, label) for n, label in enumerate(MICROPHONES)),
        f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
    ]
    fixed = [
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--use-pid-file=no",
        "--log-level=error",
    ]
    command = [str(PULSEAUDIO), *fixed, *(f"--load={module}" for module in modules)]
    with subprocess.Popen(command, env=card.env, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: _ask(card, "info"), STARTS_WITHIN_S)
            assert _ask(card, "set-default-sink", "ear")
            assert _ask(card, "set-default-source", "microphone0")
            with _recording(card):
                yield card
        finally:
            server.terminate()


def _microphone(number: int, label: str) -> str:
    properties = f"source_properties=\"device.description='{label}'\""
    return f"module-remap-source master=mouth.monitor source_name=microphone{number} {properties}"


def _ask(card: SoundCard, *words: str) -> bool:
    done = subprocess.run(["pactl", *words], env=card.env, capture_output=True, check=False)
    return done.returncode == 0


@contextmanager
def _recording(card: SoundCard) -> Iterator[None]:
    form = ["--format=s16le", "--channels=1", f"--rate={LOUDSPEAKER_HZ}", "--raw"]
    command = ["parec", "--device=ear.monitor", *form]
    with card.heard.open("wb") as file, subprocess.Popen(command, env=card.env, stdout=file) as it:
        try:
            yield
        finally:
            it.terminate()
