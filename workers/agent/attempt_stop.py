"""How an agent stops an attempt before it has ended by itself."""

import structlog

from service.contract.agent import AttemptResult, Lease
from workers.agent.attempt_results import released, stalled
from workers.agent.lease import AttemptLease
from workers.agent.process_tree import DUMP_SECONDS, ProcessTree
from workers.agent.watchdog import Watchdog


class AttemptStop:
    """Has the ranks save and end, or kills them: as asked for, or when their time has run out.

    `reason` says why they were to end; it is empty as long as nothing has stopped them.
    """

    def __init__(
        self,
        terms: Lease,
        lease: AttemptLease,
        watchdog: Watchdog,
        processes: ProcessTree,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._terms, self._lease, self._watchdog = terms, lease, watchdog
        self._processes, self._log = processes, log
        self.reason = ""
        self._stalled = self._wedged = False

    def begin(self, reason: str) -> None:
        """Ask the ranks to save and end; the first reason is the one that counts."""
        if self.reason:
            return
        self.reason = reason
        self._log.info("stopping", reason=reason)
        self._processes.terminate()
        self._lease.begin_grace()

    def at_once(self, reason: str) -> None:
        """Kill the ranks, which save nothing."""
        self.begin(reason)
        self._processes.kill()

    def keep_deadlines(self) -> None:
        """Stop the ranks if their lease, their grace or the patience with a silent run is over."""
        if self._lease.has_run_out():
            silent = self._terms.self_end_seconds
            self.begin(f"the control plane has not answered for {silent:g} s")
        if self._lease.grace_is_over():
            self._processes.kill()
        if self._watchdog.has_stalled() and not self.reason and not self._stalled:
            self._stalled = True
            self._log.error("stalled", stall_seconds=self._terms.stall_seconds)
            self._processes.kill_with_stacks()

    def is_wedged(self) -> bool:
        """True if a silent run should have been killed by now, and has not ended."""
        grace = DUMP_SECONDS + self._terms.kill_grace_seconds
        wedged = self._watchdog.has_stalled(for_seconds=grace)
        if wedged and not self._wedged:
            self._log.error("wedged", stall_seconds=self._terms.stall_seconds)
        self._wedged = wedged
        return wedged

    def result(self) -> AttemptResult | None:
        """The result of an attempt that this has ended; None if it has not."""
        if self._stalled:
            return stalled(self._terms)
        return released(self.reason) if self.reason else None
