"""What is said, and how long the models take: the same for every server that is measured.

The time of a turn that no server can avoid is computed here, from the script alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sayso.llm.fake import cut_pieces

FRAME_S = 0.02
"""Sound in one message of a caller, in seconds: telephone pace."""

CALLER_WORDS = "What time is it?"
REPLY = "Thank you for calling, all is well."
FIRST_CLAUSE = "Thank you for calling,"


@dataclass(frozen=True, slots=True)
class ModelTimes:
    """How long the scripted models take, and how patient the servers are; in seconds."""

    patience_s: float = 0.45
    stt_s: float = 0.02
    first_token_s: float = 0.02
    token_s: float = 0.005
    tts_s: float = 0.02

    @property
    def first_clause_s(self) -> float:
        """From the request to the token that completes the first clause."""
        return self.first_token_s + self.token_s * (len(cut_pieces(FIRST_CLAUSE)) - 1)

    @property
    def whole_reply_s(self) -> float:
        """From the request to the last token."""
        return self.first_token_s + self.token_s * (len(cut_pieces(REPLY)) - 1)

    @property
    def heard_patience_s(self) -> float:
        """Patience in whole frames: a server cannot know of silence it was not sent."""
        return ceil(round(self.patience_s / FRAME_S, 6)) * FRAME_S

    @property
    def unavoidable_s(self) -> float:
        """End of speech to first sound, if all but the models took no time.

        The transcript is made within the patience, so its time is not on the way.
        """
        return self.heard_patience_s + self.first_clause_s + self.tts_s

    def unavoidable_before_s(self, *, sentences: bool) -> float:
        """The same for a server that speaks whole `sentences` only: the reply is one."""
        begins_s = self.whole_reply_s if sentences else self.first_clause_s
        return self.unavoidable_s + begins_s - self.first_clause_s
