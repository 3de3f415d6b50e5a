"""Finds a local voice for whatever voice an agent asks for. Pure.

Agents made elsewhere name voices we do not have, mostly PlayAI manifest URLs such as
`s3://voice-cloning-zero-shot/<uuid>/female-cs/manifest.json`. Each such name is answered with one
local voice, always the same one, of the gender it hints at.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from sayso.tts import Voice

HINTS = {
    "female": "female",
    "woman": "female",
    "girl": "female",
    "male": "male",
    "man": "male",
    "boy": "male",
}


def choose_voice(wanted: str | None, voices: Sequence[Voice]) -> Voice:
    """The voice of `voices` that answers to `wanted`; the first one when nothing is wanted.

    An id or a name matches without regard to case. Anything else is mapped by its gender hint,
    if it has one, and by a stable hash of its text: the same on every machine and every day.
    """
    if not voices:
        raise ValueError("an engine has at least one voice")
    key = (wanted or "").strip().lower()
    if not key:
        return voices[0]
    for voice in voices:
        if key in (voice.id.lower(), voice.name.lower()):
            return voice
    gender = guess_gender(key)
    fitting = [voice for voice in voices if voice.gender == gender] or list(voices)
    return fitting[_hash(key) % len(fitting)]


def guess_gender(wanted: str) -> str | None:
    """`female` or `male` where a voice's name says so (`female-cs`, `en_US_man_2`), else None."""
    for word in re.split(r"[^a-z]+", name_of(wanted).lower()):
        if word in HINTS:
            return HINTS[word]
    return None


def name_of(wanted: str) -> str:
    """The telling part of a voice: a manifest URL's name, else the whole text."""
    match = re.fullmatch(r"s3://[^/]+/[^/]+/(.+)/manifest\.json", wanted.strip())
    return match[1] if match else wanted


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
