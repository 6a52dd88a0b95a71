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


def tree_of(function: types.FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """A function's code, None for one without a name."""
    place = function.__code__
    return _functions_in(place.co_filename).get(place.co_firstlineno)


@functools.cache
def _text(file: str) -> bytes:
    return Path(file).read_bytes()


@functools.cache
def _functions_in(file: str) -> dict[int, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a file by the line they begin on, decorators included."""
    found = {}
    for node in ast.walk(ast.parse(_text(file))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[first] = node
    return found
