"""The kinds of job, each in a file of its own; nothing else of the control plane knows them."""

from typing import Any

from service.contract.specs import AnySpec
from service.control.kinds.base import Kind
from service.control.kinds.evaluate import EvalKind
from service.control.kinds.export import ExportKind
from service.control.kinds.import_ import ImportKind
from service.control.kinds.train import TrainKind

KINDS: dict[str, Kind[Any]] = {
    kind.name: kind for kind in (TrainKind(), EvalKind(), ImportKind(), ExportKind())
}


def kind_of(spec: AnySpec) -> Kind[Any]:
    """The kind of a submission."""
    return KINDS[spec.kind]
