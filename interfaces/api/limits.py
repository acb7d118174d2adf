"""How often somebody may look something up: an allowance for each member of staff that fills up again by the minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from uuid import UUID

from .errors import Problem

MOST_KNOWN = 10_000


class Allowance:
    """`a_minute` for each, all at once if need be. It holds for this process: with several, each gets its part."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_minute, self._clock = a_minute, clock
        self._left: dict[UUID, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, staff: UUID) -> None:
        """Raises Problem too_many_requests."""
        now, rate = self._clock(), self.a_minute / 60
        with self._lock:
            left, at = self._left.get(staff, (float(self.a_minute), now))
            left = min(float(self.a_minute), left + (now - at) * rate)
            if left < 1:
                raise Problem("too_many_requests", headers={"Retry-After": str(int((1 - left) / rate) + 1)})
            if len(self._left) >= MOST_KNOWN:
                self._left.clear()
            self._left[staff] = (left - 1, now)
