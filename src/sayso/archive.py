"""What is kept of conversations, put together: records, recordings, and how long.

`app.py` makes one, and runs its parts as long as the server lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sayso.audio.apart import Apart
from sayso.clock import Clock
from sayso.config import Settings
from sayso.conversations.analytics import Analytics
from sayso.conversations.keeping import Keeper, Keeps
from sayso.conversations.recordings import KIND, Recordings
from sayso.conversations.records import Records
from sayso.store.database import Database
from sayso.store.jobs import Duty, Jobs

FOLDER = "recordings"
"""Below the data folder: the sound of conversations."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Everything that is kept of conversations.

    Attributes:
        records: what the REST API lists, rates and shares.
        recordings: their sound.
        analytics: what is counted of them.
        keeper: lets go of what has been kept long enough.
    """

    records: Records
    recordings: Recordings
    analytics: Analytics
    keeper: Keeper

    @property
    def duties(self) -> Mapping[str, Duty]:
        """What a worker of jobs does for it."""
        return {KIND: self.recordings}


def make_archive(settings: Settings, database: Database, clock: Clock, jobs: Jobs) -> Archive:
    """Put it together; nothing is opened yet."""
    recordings = Recordings(settings.data_dir / FOLDER, database, jobs, Apart())
    keeps = Keeps(settings.keep_recordings_days, settings.keep_conversations_days)
    return Archive(
        Records(database, recordings, settings.url),
        recordings,
        Analytics(database),
        Keeper(database, clock, recordings, keeps),
    )
