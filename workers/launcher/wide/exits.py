"""The ends of an attempt's hosts, and the one ProcessExit that they make."""

from collections.abc import Sequence

from workers.launcher.process_exit import ProcessExit, RankExit
from workers.launcher.wide.engine import Host
from workers.launcher.wide.messages import HostReport


class HostExits:
    """Takes the reports of the hosts, in the order in which they come."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._ranks: dict[int, list[RankExit]] = {}
        self._exits: dict[int, ProcessExit] = {}
        self._gone: dict[int, str] = {}

    def take(self, report: HostReport, *, is_silent: bool) -> None:
        """Take what a report says of its host's end.

        `is_silent` says that the host has not ended until it was made to, long after another one. A
        host that was cut off is lost: what it says of its ranks it has done to them itself.
        """
        if report.cut_off:
            self.note_gone(report.host, "nothing more came from its agent")
            return
        self._ranks.setdefault(report.host, []).extend(report.ranks)
        if report.ended is None:
            return
        ranks = tuple(self._ranks[report.host])
        silent = tuple(each.rank for each in ranks) if is_silent else report.ended.silent
        self._exits[report.host] = report.ended.model_copy(
            update={"ranks": ranks, "silent": silent}
        )

    def note_gone(self, number: int, how: str) -> None:
        """The process of this host is known to have ended; what it has started may live on."""
        self._gone.setdefault(number, how)

    @property
    def any_ended(self) -> bool:
        """Whether one host has ended, well or not."""
        return bool(self._exits)

    @property
    def any_failed(self) -> bool:
        """Whether the attempt cannot go on."""
        failed = any(
            exit_.problem or exit_.overdue or any(rank.status for rank in exit_.ranks)
            for exit_ in self._exits.values()
        )
        return failed or bool(self._lost)

    @property
    def all_reported(self) -> bool:
        """Whether every host has reported its end."""
        return len(self._exits) == len(self._hosts)

    def merged(self) -> ProcessExit:
        """The end of the attempt; a host without a report is lost."""
        exits = list(self._exits.values())
        lost = [number for number in range(len(self._hosts)) if number not in self._exits]
        problems = [exit_.problem for exit_ in exits if exit_.problem]
        return ProcessExit(
            ranks=tuple(rank for exit_ in exits for rank in exit_.ranks),
            problem="; ".join(map(self._loss, lost)) or next(iter(problems), ""),
            overdue=any(exit_.overdue for exit_ in exits),
            out_of_memory=any(exit_.out_of_memory for exit_ in exits),
            silent=tuple(rank for exit_ in exits for rank in exit_.silent),
            lost_hosts=tuple(self._hosts[number].name for number in lost),
        )

    @property
    def _lost(self) -> set[int]:
        return self._gone.keys() - self._exits.keys()

    def _loss(self, number: int) -> str:
        how = self._gone.get(number)
        sentence = f"host {self._hosts[number].name} was lost"
        return f"{sentence} ({how})" if how else sentence
