"""One attempt, from the claim to its report."""

from collections.abc import Callable
from queue import Empty, SimpleQueue

import structlog

from service.contract.agent import AttemptResult, Beat, BeatReply, Claim, Report
from service.contract.checkpoints import attempt_path
from workers.agent.attempt_results import (
    from_event,
    from_exit,
    from_volume_error,
    released,
    report_of,
    stalled,
)
from workers.agent.client import ControlPlaneError, LeaseLost
from workers.agent.commands import Command
from workers.agent.lease import AttemptLease
from workers.agent.process_tree import DUMP_SECONDS, ProcessTree
from workers.agent.purge import Purger
from workers.agent.spool import Spool
from workers.agent.volume_watcher import VolumeWatcher
from workers.agent.watchdog import Watchdog
from workers.agent.worker_paths import WorkerPaths
from workers.attempt_dir import Assignment, AttemptDir
from workers.checkpoints.folder import sweep_stale
from workers.launcher.base import Launch, Launcher
from workers.launcher.process_exit import ProcessExit

_log = structlog.get_logger()


class Attempt:
    """Runs in a thread of its own; others leave their words in its inbox.

    `runs` while there are ranks: before and after them only words are said. `clock` is the
    `boot_clock`, in seconds; `deliver` returns once the report is answered.
    """

    def __init__(
        self,
        claim: Claim,
        paths: WorkerPaths,
        launcher: Launcher,
        deliver: Callable[[Report], BeatReply],
        clock: Callable[[], float],
    ) -> None:
        self.claim = claim
        self._paths, self._processes, self._deliver = paths, ProcessTree(launcher), deliver
        self._lease = AttemptLease(claim.lease, clock)
        self._folder = AttemptDir(paths.volume / attempt_path(claim.job_id, claim.attempt))
        self._spool = Spool(self._folder.events_path)
        self._watchdog = Watchdog(self._folder.sign_of_progress, claim.lease, clock)
        self._watcher = VolumeWatcher(self._spool, self._watchdog, claim.job_id)
        self._purger = Purger(paths.volume, claim)
        self._inbox: SimpleQueue[BeatReply | Command | ProcessExit] = SimpleQueue()
        self._asked, self.runs = "", False
        self._lost = self._told = self._hurried = self._stalled = self._wedged = False
        self._log = _log.bind(job_id=claim.job_id, attempt=claim.attempt)

    def beat(self) -> Beat:
        """This attempt's share of the next heartbeat; touches no volume, which may hang."""
        return Beat(
            job_id=self.claim.job_id,
            attempt=self.claim.attempt,
            token=self.claim.token,
            events=() if self._told else self._spool.waiting(),
            purged=self._purger.take_gone(),
        )

    def has_news(self) -> bool:
        """True if an event waits that the control plane should hear of soon."""
        return not self._told and bool(self._spool.waiting())

    def is_wedged(self) -> bool:
        """True if it should have ended for want of progress and has not: the lease must end it.

        So it is where not even a SIGKILL gets through to the ranks, or where none can be started.
        """
        grace = DUMP_SECONDS + self.claim.lease.kill_grace_seconds
        wedged = self._watchdog.has_stalled(for_seconds=grace)
        if wedged and not self._wedged:
            self._log.error("wedged", stall_seconds=self.claim.lease.stall_seconds)
        self._wedged = wedged
        return wedged

    def answered(self, reply: BeatReply, sent_at: float) -> None:
        """Take the reply to a beat that was sent at `sent_at`."""
        self._spool.acknowledge(reply.acked_seq)
        if not reply.lease_lost:
            # At once: whoever reads the inbox may be held up by the volume.
            self._lease.renew(sent_at)
        self._inbox.put(reply)

    def tell(self, word: Command) -> None:
        """Have the attempt end."""
        self._inbox.put(word)

    def run(self) -> None:
        """Run to the end that the control plane has heard of, or has refused."""
        result = self._run()
        self._purger.close()
        if result is None or self._lost:
            self._log.warning("lease_lost")
            return
        try:
            self._told = True
            self._deliver(report_of(result, self.claim, self._spool.waiting()))
        except LeaseLost:
            self._log.warning("lease_lost", outcome=result.outcome)
        except ControlPlaneError as error:
            self._log.error("report_not_delivered", outcome=result.outcome, error=str(error))
        else:
            self._log.info("attempt_ended", outcome=result.outcome, reason=result.reason)

    def _run(self) -> AttemptResult | None:
        # An attempt that the control plane has not heard of may be given to another worker.
        while not self._lease.is_held and not self._asked and not self._lost:
            self._hear()
        if self._lost:
            return None
        if self._lease.is_held and self._lease.has_run_out():
            # The agent was stopped in between: somebody else may have the job.
            self._asked = "the lease ran out before the ranks were started"
        if self._asked:
            return released(self._asked)
        try:
            self.runs = True
            self._watchdog.begin()
            self._start()
            self._processes.hold_until(self._lease.over_at)
            self._watcher.begin()
            exit_ = self._watch()
            self.runs = False
            self._sweep()
            return self._result(exit_)
        except OSError as error:
            self._log.error("volume_unusable", error=str(error))
            self._processes.end()
            self.runs = False
            return from_volume_error(error)
        finally:
            self._watcher.close()

    def _start(self) -> None:
        for number in range(1, self.claim.attempt):
            folder = self._paths.volume / attempt_path(self.claim.job_id, number)
            sweep_stale(folder)
        paths = self._paths
        self._folder.put(
            Assignment(
                claim=self.claim,
                volume=paths.volume,
                data_root=paths.data_root,
                import_root=paths.import_root,
            )
        )
        self._log.info("attempt_started", resume=len(self.claim.resume))
        gpus = self.claim.spec.resources.gpus
        spec_path, log_path = self._folder.spec_path, self._folder.log_path
        launch = Launch(self.claim.job_id, spec_path, log_path, gpus)
        self._processes.start(launch, ended=self._inbox.put)

    def _watch(self) -> ProcessExit:
        while True:
            exit_ = self._hear(self._lease.seconds_to_look())
            if exit_ is not None:
                return exit_
            self._keep_deadlines()

    def _hear(self, timeout_seconds: float | None = None) -> ProcessExit | None:
        try:
            word = self._inbox.get(timeout=timeout_seconds)
        except Empty:
            return None
        if isinstance(word, ProcessExit):
            return word
        if isinstance(word, BeatReply):
            self._obey(word)
        elif word is Command.RELEASE:
            self._stop("the worker is shutting down, and gave the job back")
        else:
            self._hurried = True
            self._stop("the worker was ended")
            self._processes.kill()
        return None

    def _obey(self, reply: BeatReply) -> None:
        if reply.lease_lost:
            self._lost = True
            self._processes.kill()
            return
        self._processes.hold_until(self._lease.over_at)
        self._purger.ask(reply.purge)
        if reply.directive == "checkpoint_and_stop":
            self._stop("stopped by the control plane")
        elif reply.directive == "stop":
            self._stop("stopped by the control plane, without saving")
            self._processes.kill()

    def _stop(self, why: str) -> None:
        if self._asked:
            return
        self._asked = why
        self._log.info("stopping", why=why)
        self._processes.terminate()
        self._lease.begin_grace()

    def _keep_deadlines(self) -> None:
        if self._lease.has_run_out():
            silent = self.claim.lease.self_end_seconds
            self._stop(f"the control plane was not heard of for {silent:g} s")
        if self._lease.grace_is_over():
            self._processes.kill()
        if self._watchdog.has_stalled() and not self._asked and not self._stalled:
            self._stalled = True
            self._log.error("stalled", stall_seconds=self.claim.lease.stall_seconds)
            self._processes.kill_with_stacks()

    def _sweep(self) -> None:
        # What stays is swept by the next attempt; the end is what it is.
        try:
            sweep_stale(self._folder.folder)
        except OSError as error:
            self._log.warning("sweep_failed", error=str(error))

    def _result(self, exit_: ProcessExit) -> AttemptResult:
        # The heartbeats carry what one report cannot hold.
        while not self._spool.read() and not self._lost and not self._hurried:
            self._hear()
        ended = self._spool.ended_event
        result = from_event(ended) if ended is not None else None
        if result is not None:
            return result
        if self._stalled:
            return stalled(self.claim.lease)
        if self._asked:
            return released(self._asked)
        if exit_.overdue:
            return released("its agent was stopped for longer than it holds its lease")
        return from_exit(exit_, self._folder.log_path, self._paths.volume)
