"""The ledger's entries of one target as one run sees them: read once, then carried on with what the run adds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from orchestrator.effects.ledger.lease import Held
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.model.ledger.ledger import Draft, Entry, History


class TargetChain:
    """May be used by several threads at once.

    What others add meanwhile is not in `history`. A decision by it must end in `append`, which decides anew where
    somebody else came first; where it does not, or a person was waited for, `read` asks the ledger again.
    """

    def __init__(self, ledger: Ledger, target: str) -> None:
        self._ledger = ledger
        self._target = target
        self._known: History | None = None
        self._lock = threading.RLock()

    @property
    def history(self) -> History:
        with self._lock:
            return self.read() if self._known is None else self._known

    def read(self) -> History:
        """The newest entries as the ledger has them now."""
        with self._lock:
            self._known = self._ledger.history(self._target)
            return self._known

    def append(self, decide: Callable[[History], Draft], lease: Held | None = None) -> Entry:
        """As `Ledger.append`; the ledger is read again only where it holds more, or other entries, than we know of."""
        with self._lock:
            known, self._known = self._known, None  # after an error nothing is known
            seen: list[History] = []

            def deciding(history: History) -> Draft:
                seen.append(history)
                return decide(history)

            entry = self._ledger.append(self._target, deciding, lease, known)
            self._known = History([entry, *seen[-1].entries])
            return entry
