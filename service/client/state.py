"""Objects with verbs: a connection, and the state of a model of the contract."""

from typing import TypeVar

from pydantic import BaseModel

_Model = TypeVar("_Model", bound=BaseModel)


def with_state(kind: type[_Model], driver: object, source: BaseModel) -> _Model:
    """An object of class `kind` with all fields of `source`, a model of its base class."""
    target = kind.__new__(kind)
    return take_state(target, source, {"_driver": driver})


def take_state(target: _Model, source: BaseModel, own: dict[str, object] | None = None) -> _Model:
    """`target` with all fields of `source`; its own attributes stay, or are `own`."""
    state = source.__getstate__()
    private = target.__pydantic_private__ if own is None else own
    fields = dict(state["__dict__"])
    target.__setstate__({**state, "__dict__": fields, "__pydantic_private__": private})
    return target
