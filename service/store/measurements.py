"""What a transaction has done, in numbers, for the metrics of the server; none of it is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

_KEY = "trainyard_measurements"


@dataclass(frozen=True)
class Measurement:
    """A number of a metric, with the values of the metric's labels in their order."""

    metric: str
    value: float
    labels: tuple[str, ...] = ()


Observer = Callable[[Sequence[Measurement]], None]


def measure(tx: Connection, metric: str, value: float, *labels: str) -> None:
    """Note a number of this transaction; observers get it once the transaction is committed."""
    tx.info.setdefault(_KEY, []).append(Measurement(metric, value, labels))


def take(tx: Connection) -> list[Measurement]:
    """What was noted since this was called last: the connection outlives its transactions."""
    noted: list[Measurement] = tx.info.pop(_KEY, [])
    return noted
