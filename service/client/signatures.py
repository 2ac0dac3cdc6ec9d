"""Makes methods of calls: what `help` and a notebook show of them is what the call says."""

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any


def method_of(
    call: Callable[..., Any], perform: Callable[[Any, Any], Any], bound: str | None = None
) -> Callable[..., Any]:
    """A method that performs the flow of a call: `perform(self, flow)`.

    `bound` is what the call's first argument is of the object: its attribute `id`, or `self`.
    """

    def method(self: Any, /, *args: Any, **options: Any) -> Any:
        if bound is not None:
            args = (self if bound == "self" else getattr(self, bound), *args)
        return perform(self, call(*args, **options))

    update_wrapper(method, call)
    own = inspect.signature(call)
    parameters = list(own.parameters.values())[0 if bound is None else 1 :]
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    described: Any = method
    described.__signature__ = own.replace(
        parameters=[this, *parameters], return_annotation=inspect.Signature.empty
    )
    return method
