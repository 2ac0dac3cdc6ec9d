"""What is written as JSON can be read by every reader: NaN and Infinity are no JSON."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NO_OUTPUT = {
    # A digest, a measure of length, a comparison, a key of a cache and the words of a refusal.
    ("service/contract/catalog.py", "_digest_of"),
    ("service/domain/parameters.py", "_check_size"),
    ("service/domain/parameter_schemas.py", "_unique"),
    ("service/domain/parameter_problems.py", "_enum"),
    ("service/domain/parameter_problems.py", "_shown"),
    ("service/control/scheduling/forms.py", "with_accepted_forms"),
}


def test_every_json_that_is_written_is_strict() -> None:
    lax = {
        (str(path.relative_to(ROOT)), function.name)
        for package in ("service", "workers")
        for path in (ROOT / package).rglob("*.py")
        # A released migration is not edited.
        if "migrations" not in path.parts
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in lax_calls(function)
    }
    assert lax == NO_OUTPUT


def lax_calls(function: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.dumps", "json.dump"):
            strict = any(
                each.arg == "allow_nan" and ast.unparse(each.value) == "False"
                for each in node.keywords
            )
            if not strict:
                yield node
