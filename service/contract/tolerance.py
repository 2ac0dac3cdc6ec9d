"""Lists of a peer in which an item that cannot be read costs no other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, core_schema

from service.contract.sentences import dotted, sentence_of


@dataclass(frozen=True)
class ReplaceUnreadable:
    """Marks a list whose unreadable items are replaced, each by `substitute(item, problem)`.

    None leaves the item out. A list that has no items, and a substitute that is unreadable itself,
    are refused.
    """

    substitute: Callable[[Any, str], dict[str, Any] | None]

    def read(self, items: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        """The list with what can be read of it; raises ValidationError."""
        try:
            return handler(items)
        except ValidationError as error:
            if not isinstance(items, list | tuple):
                raise
            unreadable = {each["loc"][0] for each in error.errors(include_input=False)}
            readable = (
                self._readable(item, handler) if number in unreadable else item
                for number, item in enumerate(items)
            )
            return handler([item for item in readable if item is not None])

    def _readable(self, item: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            handler([item])
        except ValidationError as error:
            return self.substitute(item, sentence_of(error, _name_in_item))
        return item

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self.read, handler(source))


def _name_in_item(error: Mapping[str, Any]) -> str:
    # The list that was read had the item alone.
    return dotted({"loc": error["loc"][1:]})
