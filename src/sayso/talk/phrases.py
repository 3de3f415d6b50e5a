"""What the agent says when nobody wrote its words: failures and the goodbye of a limit."""

from __future__ import annotations

LLM_FAILED = "Sorry, I can't think of an answer right now. Please try again in a moment."
"""The LLM gave nothing at all."""

LLM_BROKE_OFF = "Sorry, I lost my train of thought there."
"""The LLM died after part of the answer was said."""

TIME_IS_NEAR = "Just so you know, we have about {seconds} seconds left."
"""The conversation will soon have taken its longest time."""

STILL_THERE = "Are you still there?"
"""Nobody has spoken for a while."""

STILL_HERE = "I'm still here if you need me."
"""Nobody has spoken for a while again."""

NOBODY_THERE = "It seems you have gone, so I'll hang up now. Goodbye!"
"""Nobody answered the nudges."""

TIME_IS_UP = "I'm sorry, our time is up. Goodbye!"
"""The conversation reached its longest time."""

NOT_HEARD = "Sorry, I had trouble hearing you. Could you say that again?"
"""The caller spoke, and the speech-to-text engine failed."""
