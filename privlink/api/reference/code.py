"""privlink's own code, function by function."""

from __future__ import annotations

import ast
import functools
import types
from pathlib import Path

import privlink


def load() -> None:
    """Take privlink's own code into memory, for a process that will no longer see its files."""
    for path in sorted(Path(privlink.__file__).parent.rglob("*.py")):
        _text(str(path))


@functools.cache
def body_of(function: types.FunctionType) -> ast.Module | None:
    """The body of a function, or of all the lambdas on its line."""
    place = function.__code__
    bodies = _bodies_in(place.co_filename).get((place.co_firstlineno, place.co_name))
    return ast.Module(body=bodies, type_ignores=[]) if bodies else None


@functools.cache
def _bodies_in(file: str) -> dict[tuple[int, str], list[ast.stmt]]:
    """What functions of a file do, by the line they begin on, decorators included, and name."""
    found: dict[tuple[int, str], list[ast.stmt]] = {}
    for node in ast.walk(ast.parse(_text(file))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found.setdefault((first, node.name), []).extend(node.body)
        elif isinstance(node, ast.Lambda):
            found.setdefault((node.lineno, "<lambda>"), []).append(ast.Return(value=node.body))
    return found


@functools.cache
def _text(file: str) -> bytes:
    return Path(file).read_bytes()
