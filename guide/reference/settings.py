"""The page of the server's and the workers' settings, from their classes."""

import ast
import inspect
import textwrap
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from guide.reference.text import code, plain, table
from service.settings import Settings
from workers.settings import WorkerSettings

_INTRODUCTION = """# Settings

Each is a variable of the environment; an empty one counts as none. A value that cannot be used is
refused when the program starts, with a sentence that says what to change.
"""


def page() -> str:
    """Every setting with its default and its meaning."""
    parts = [_INTRODUCTION]
    for title, settings in (("The server", Settings), ("Workers", WorkerSettings)):
        parts += [f"## {title}", _table(settings)]
    return "\n\n".join(parts) + "\n"


def _table(settings: type[BaseSettings]) -> str:
    meanings = _docstrings(settings)
    prefix = settings.model_config.get("env_prefix", "")
    rows = [
        (code(f"{prefix}{name}".upper()), _default(field), plain(meanings.get(name, "")))
        for name, field in settings.model_fields.items()
    ]
    return table(("variable", "default", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "none; needed" if field.default_factory is None else ""
    if value in (None, ""):
        return "none"
    if isinstance(value, float):
        return code(f"{value:g}")
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def _docstrings(settings: type) -> dict[str, str]:
    """By name of a field the text that stands below it."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(settings))).body
    assert isinstance(body, ast.ClassDef)
    texts: dict[str, str] = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            texts[field.target.id] = str(after.value.value)
    return texts
