"""One attempt, from the claim to its report."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

import structlog

from service.contract.agent import AttemptResult, Beat, BeatReply, Claim, Report
from service.contract.checkpoints import attempt_path
from service.contract.jobs import Reason
from service.volume.identity import WrongVolume
from workers.agent.attempt_launch import AttemptLaunch
from workers.agent.attempt_results import (
    from_agent_error,
    from_event,
    from_exit,
    from_unusable_gpus,
    from_volume_error,
    gpu_problem,
    lost,
    released,
    report_of,
    with_silence,
)
from workers.agent.attempt_stop import AttemptStop
from workers.agent.commands import Command
from workers.agent.control_plane_errors import ControlPlaneError, LeaseLost
from workers.agent.lease import AttemptLease
from workers.agent.process_tree import ProcessTree
from workers.agent.purge import Purger
from workers.agent.spool import Spool
from workers.agent.volume_watcher import VolumeWatcher
from workers.agent.watchdog import Watchdog
from workers.agent.worker_paths import WorkerPaths
from workers.attempt_dir import AttemptDir
from workers.launcher.base import Launcher, TooLittleRoom
from workers.launcher.process_exit import ProcessExit

_log = structlog.get_logger()


class Attempt:
    """Runs in a thread of its own; other threads put messages into its inbox.

    `runs` is true while there may be ranks: before and after them it only waits for replies.
    `clock` is the `boot_clock`, in seconds; `deliver` returns once the report is answered.
    `on_unusable_gpus` is called before that, with the indices of GPUs that ranks could not use.
    """

    def __init__(
        self,
        claim: Claim,
        paths: WorkerPaths,
        launcher: Launcher,
        deliver: Callable[[Report], BeatReply],
        clock: Callable[[], float],
        on_unusable_gpus: Callable[[Sequence[int], str], None] = lambda *_: None,
    ) -> None:
        self.claim = claim
        self._on_unusable_gpus = on_unusable_gpus
        self._paths, self._processes, self._deliver = paths, ProcessTree(launcher), deliver
        self._lease = AttemptLease(claim.lease, clock)
        self._folder = AttemptDir(paths.volume / attempt_path(claim.job_id, claim.attempt))
        self._launch = AttemptLaunch(claim, paths, self._folder)
        self._spool = Spool(self._folder.events_path)
        self._watchdog = Watchdog(self._folder.sign_of_progress, claim.lease, clock)
        log_path = self._folder.log_path
        self._watcher = VolumeWatcher(
            self._spool, self._watchdog, log_path, claim.job_id, lambda: datetime.now(UTC)
        )
        self._purger = Purger(paths.shared_volume, claim)
        self._inbox: SimpleQueue[BeatReply | Command | ProcessExit | Exception] = SimpleQueue()
        self._log = _log.bind(job_id=claim.job_id, attempt=claim.attempt)
        self._stop = AttemptStop(
            claim.lease, self._lease, self._watchdog, self._processes, self._log
        )
        self.runs = self._lease_lost = self._reported = self._ends_now = False

    def event_bytes(self) -> int:
        """The bytes of the events in the next beat, about."""
        return self._spool.waiting_bytes()

    def beat(self) -> Beat:
        """This attempt's share of the next heartbeat; touches no volume, which may hang."""
        return Beat(
            job_id=self.claim.job_id,
            attempt=self.claim.attempt,
            token=self.claim.token,
            events=() if self._reported else self._spool.waiting(),
            purged=self._purger.take_purged(),
        )

    @property
    def gpus(self) -> Sequence[int]:
        """The indices of the GPUs that its ranks use."""
        return self._processes.gpus if self.runs else ()

    def has_news(self) -> bool:
        """True if an event waits that the control plane should get soon."""
        return not self._reported and bool(self._spool.waiting())

    def is_wedged(self) -> bool:
        """True if it should have ended for want of progress and has not: the lease must end it.

        So it is where not even a SIGKILL gets through to the ranks, or where none can be started.
        """
        return self._stop.is_wedged()

    def take_reply(self, reply: BeatReply, sent_at: float) -> None:
        """Take the reply to a beat that was sent at `sent_at`, in seconds of the clock."""
        self._spool.acknowledge(reply.acked_seq)
        if not reply.lease_lost:
            # At once: whoever reads the inbox may be held up by the volume.
            self._lease.renew(sent_at)
        self._inbox.put(reply)

    def send(self, command: Command) -> None:
        """Have the attempt end."""
        self._inbox.put(command)

    def run(self) -> None:
        """Run to an end that the control plane has received or refused.

        An error of the agent's own ends the ranks and is reported as a crash. It is raised if the
        ranks cannot be ended: no report may come before their end, and the lease runs out.
        """
        try:
            result = self._run()
        except Exception as error:
            self._log.exception("attempt_broken")
            self._processes.end()
            self.runs = False
            result = from_agent_error(error)
        finally:
            self._purger.close()
        if result is None or self._lease_lost:
            self._log.warning("lease_lost")
            return
        try:
            self._reported = True
            self._deliver(report_of(result, self.claim, self._spool.waiting()))
        except LeaseLost:
            self._log.warning("lease_lost", outcome=result.outcome)
        except ControlPlaneError as error:
            self._log.error("report_not_delivered", outcome=result.outcome, error=str(error))
        else:
            self._log.info("attempt_ended", outcome=result.outcome, reason=result.reason)

    def _run(self) -> AttemptResult | None:
        # An attempt whose lease the control plane has not confirmed may be given to another worker.
        while not self._lease.is_held and not self._stop.reason and not self._lease_lost:
            self._receive()
        if self._lease_lost:
            return None
        if self._lease.is_held and self._lease.has_run_out():
            # The agent was stopped in between: somebody else may have the job.
            return released("the lease ran out before the ranks were started")
        if self._stop.reason:
            return released(self._stop.reason)
        try:
            self.runs = True
            self._watchdog.begin()
            self._start()
            self._processes.extend_deadline(self._lease.kill_deadline)
            self._watcher.start()
            exit_ = self._watch()
            self.runs = False
            self._launch.sweep(self._log)
            return with_silence(self._result(exit_), exit_)
        except TooLittleRoom as error:
            self.runs = False
            self._log.warning("too_little_room", error=str(error))
            return released(f"this worker gave the job back: {error}")
        except WrongVolume as error:
            self._log.error("wrong_volume", error=str(error))
            return released(f"this worker gave the job back: {error}")
        except OSError as error:
            self._log.error("volume_unusable", error=str(error))
            self._processes.end()
            self.runs = False
            return from_volume_error(error)
        finally:
            self._watcher.close()

    def _start(self) -> None:
        launch = self._launch.prepare()
        self._log.info("attempt_started", resume=len(self.claim.resume))
        self._processes.start(launch, on_end=self._inbox.put)

    def _watch(self) -> ProcessExit:
        while True:
            exit_ = self._receive(self._lease.seconds_to_look())
            if exit_ is not None:
                return exit_
            self._stop.keep_deadlines()

    def _receive(self, timeout_seconds: float | None = None) -> ProcessExit | None:
        try:
            message = self._inbox.get(timeout=timeout_seconds)
        except Empty:
            return None
        if isinstance(message, ProcessExit):
            return message
        if isinstance(message, Exception):
            raise message
        if isinstance(message, BeatReply):
            self._follow(message)
        elif message is Command.END_NOW:
            self._ends_now = True
            self._stop.at_once(message.value)
        else:
            self._stop.begin(message.value)
        return None

    def _follow(self, reply: BeatReply) -> None:
        if reply.lease_lost:
            self._lease_lost = True
            self._processes.kill()
            return
        self._processes.extend_deadline(self._lease.kill_deadline)
        self._purger.request(reply.purge)
        if reply.directive == "checkpoint_and_stop":
            self._stop.begin("stopped by the control plane")
        elif reply.directive == "stop":
            self._stop.at_once("stopped by the control plane, without saving")

    def _result(self, exit_: ProcessExit) -> AttemptResult:
        # The heartbeats carry what one report cannot hold.
        while not self._spool.read() and not self._lease_lost and not self._ends_now:
            self._receive()
        ended = self._spool.ended_event
        result = from_event(ended) if ended is not None else None
        if result is not None and not (exit_.lost_hosts and result.reason is Reason.CRASHED):
            return result
        stopped = self._stop.result()
        if stopped is not None:
            return stopped
        if exit_.overdue:
            return released("its agent was stopped for longer than it holds its lease")
        if exit_.ranks_without_gpu:
            gpus = self._processes.gpus_of(exit_.ranks_without_gpu)
            problem = gpu_problem(self._folder.log_path)
            self._on_unusable_gpus(gpus, problem)
            return from_unusable_gpus(gpus, problem)
        if exit_.lost_hosts:
            return lost(exit_)
        # Ranks that find no volume crash, and it is not their job's fault.
        self._paths.shared_volume.require()
        return from_exit(exit_, self.claim.spec, self._folder, self._paths.volume)
