"""The kinds of job, each in a file of its own; nothing else of the control plane knows them."""

from typing import Any

from service.contract.specs import AnySpec
from service.contract.stored_specs import UnreadableSpec
from service.control.kinds.base import Kind
from service.control.kinds.check_data import CheckDataKind
from service.control.kinds.evaluate import EvalKind
from service.control.kinds.export import ExportKind
from service.control.kinds.import_ import ImportKind
from service.control.kinds.search import SearchKind
from service.control.kinds.train import TrainKind
from service.control.kinds.unreadable import UnreadableKind

KINDS: dict[str, Kind[Any]] = {
    kind.name: kind
    for kind in (
        TrainKind(),
        EvalKind(),
        CheckDataKind(),
        ImportKind(),
        ExportKind(),
        SearchKind(),
    )
}


_UNREADABLE = UnreadableKind()


def kind_of(spec: AnySpec | UnreadableSpec) -> Kind[Any]:
    """The kind of a submission or of a stored spec, of one that cannot be read too."""
    return _UNREADABLE if isinstance(spec, UnreadableSpec) else KINDS[spec.kind]
