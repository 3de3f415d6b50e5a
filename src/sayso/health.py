"""Which servers of owners rest because they keep failing. Pure: time is an argument.

One failure says little; after two in a row an endpoint rests, longer each time, and its fallback is
asked first. A probe beside the conversations, or a caller after the rest, finds it well again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace

FAILURES = 2
"""After so many in a row an endpoint rests."""
FIRST_REST_S = 30.0
LONGEST_REST_S = 300.0
PROBE_GAP_S = 10.0
"""Between two probes of one resting endpoint, in seconds."""
MAX_KNOWN = 10_000
"""How many endpoints are kept in mind; the longest unheard of go first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint does.

    Attributes:
        failures: how many in a row.
        rest_s: how long it rests, or did last; 0 if never.
        until_s: when its rest is over.
        probed_s: when it was last probed; None if not during this rest.
        told: that others answer for it was said during this rest.
    """

    failures: int = 0
    rest_s: float = 0.0
    until_s: float = 0.0
    probed_s: float | None = None
    told: bool = False


WELL = Standing()


class Health:
    """How every endpoint does, for all conversations of the process."""

    def __init__(self, max_known: int = MAX_KNOWN) -> None:
        self._max_known = max_known
        self._standings: OrderedDict[Hashable, Standing] = OrderedDict()

    def of(self, key: Hashable) -> Standing:
        """How the endpoint `key` does."""
        return self._standings.get(key, WELL)

    def is_resting(self, key: Hashable, now_s: float) -> bool:
        """Whether others are to be asked first."""
        return now_s < self.of(key).until_s

    def worked(self, key: Hashable) -> bool:
        """It gave a whole answer: all is forgotten. Whether it had to rest before that."""
        return self._standings.pop(key, WELL).rest_s > 0

    def failed(self, key: Hashable, now_s: float) -> bool:
        """It gave none, or broke off. Whether a rest begins with that."""
        standing = self.of(key)
        failures = standing.failures + 1
        rest_s = min(standing.rest_s * 2, LONGEST_REST_S) if standing.rest_s else FIRST_REST_S
        if failures < FAILURES:
            self._keep(key, replace(standing, failures=failures))
        elif now_s < standing.until_s and standing.probed_s is None:
            # Several conversations fail at once: that is one failure, not several.
            self._keep(key, replace(standing, failures=failures))
        else:
            self._keep(key, Standing(failures, rest_s, now_s + rest_s))
            return True
        return False

    def should_tell(self, key: Hashable, now_s: float) -> bool:
        """Whether to say that others answer for it: once a rest."""
        standing = self.of(key)
        if standing.told or not self.is_resting(key, now_s):
            return False
        self._keep(key, replace(standing, told=True))
        return True

    def should_probe(self, key: Hashable, now_s: float) -> bool:
        """Whether to probe a resting endpoint now; who asks is expected to do it."""
        standing = self.of(key)
        begun_s = standing.until_s - standing.rest_s
        last_s = begun_s if standing.probed_s is None else standing.probed_s
        if not self.is_resting(key, now_s) or now_s < last_s + PROBE_GAP_S:
            return False
        self._keep(key, replace(standing, probed_s=now_s))
        return True

    def _keep(self, key: Hashable, standing: Standing) -> None:
        self._standings[key] = standing
        self._standings.move_to_end(key)
        while len(self._standings) > self._max_known:
            self._standings.popitem(last=False)
