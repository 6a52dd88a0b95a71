"""Where a function finds what it names: which values an expression may have, as far as code tells.

Nothing is run. A function's own names have every value that they are given anywhere in it; names
from outside are looked up where the function would look.
"""

from __future__ import annotations

import ast
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args, get_type_hints

import msgspec

from privlink.api.reference.code import body_of

_DEEPEST = 3  # calls within calls whose code is read for what they return


class Some(msgspec.Struct, frozen=True):
    """A value of which only the class is known."""

    kind: type


class _Bag(msgspec.Struct, frozen=True):
    """A list or a table of which only the contents are known."""

    contents: list[Any]


class Scope:
    """Where a function finds what it names; its own names have every value they are given."""

    def __init__(self, function: types.FunctionType, owner: Any, depth: int = 0) -> None:
        code = function.__code__
        self._locals = {*code.co_varnames, *code.co_cellvars}
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        self._outside = {name: cell.cell_contents for name, cell in cells}
        self._globals = function.__globals__
        self._parameters: dict[str, Any] = {}
        hints = _hints(function)
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            kind = _class_in(hints.get(name))
            self._parameters[name] = Some(kind) if kind else None
        if owner is not None and code.co_argcount:
            self._parameters[code.co_varnames[0]] = owner
        self._tree = body_of(function)
        self._given = _given(self._tree) if self._tree else {}
        self._looked_for: set[str] = set()
        self._depth = depth

    def find(self, node: ast.AST) -> list[Any]:
        """The values an expression may have, as far as they are known."""
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(value=value, attr=attr):
                return [each for base in self.find(value) for each in _attribute(base, attr)]
            case ast.Subscript(value=value) | ast.Starred(value=value):
                return [each for base in self.find(value) for each in _items(base)]
            case ast.Call(func=ast.Attribute(value=value, attr="items" | "values" | "get")):
                inside = [each for base in self.find(value) for each in _items(base)]
                return [_Bag(inside), *inside] if inside else self._called(node)
            case ast.Call():
                return self._called(node)
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.find(body), *self.find(orelse)]
            case ast.BoolOp(values=values):
                return [each for value in values for each in self.find(value)]
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.find(value)
            case ast.DictComp(value=value):
                return [_Bag(self.find(value))]
            case ast.ListComp(elt=value) | ast.GeneratorExp(elt=value) | ast.SetComp(elt=value):
                return [_Bag(self.find(value))]
            case ast.Dict(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
                return [_Bag([each for value in values for each in self.find(value)])]
        return []

    def find_outside(self, node: ast.AST) -> list[Any]:
        """What a name may be that is none of the function's own."""
        first = node
        while isinstance(first, ast.Attribute | ast.Subscript):
            first = first.value
        own = self._locals | self._given.keys()
        return self.find(node) if isinstance(first, ast.Name) and first.id not in own else []

    def returned(self) -> list[Any]:
        """What the function may return."""
        nodes = ast.walk(self._tree) if self._tree else ()
        values = (each.value for each in nodes if isinstance(each, ast.Return) and each.value)
        return [found for value in values for found in self.find(value)]

    def _called(self, node: ast.Call) -> list[Any]:
        made = [each for called in self.find(node.func) for each in self._made_by(called)]
        if isinstance(node.func, ast.Name) and node.func.id in ("next", "iter", "list", "tuple"):
            made += [each for base in self.find(node.args[0]) for each in (base, *_items(base))]
        return made

    def _made_by(self, called: Any) -> Iterator[Any]:
        """What calling something brings: what its types say, or else what its code returns."""
        if isinstance(called, type):
            yield Some(called)
            return
        plain = inspect.unwrap(getattr(called, "__func__", called))
        known = list(_returned(plain))
        yield from known
        is_ours = isinstance(plain, types.FunctionType) and package_of(plain) == "privlink"
        if is_ours and not known and self._depth < _DEEPEST:
            owner = getattr(called, "__self__", None)
            yield from Scope(plain, owner, self._depth + 1).returned()

    def _named(self, name: str) -> list[Any]:
        if name in self._locals or name in self._given:
            value = self._parameters.get(name)
            found = [] if value is None else [value]
            if name not in self._looked_for:
                self._looked_for.add(name)
                found += [each for given in self._given.get(name, ()) for each in self.find(given)]
                self._looked_for.discard(name)
            return found
        for place in (self._outside, self._globals):
            if name in place:
                return [place[name]]
        return []


@functools.cache
def _given(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What a function gives to its own names, wherever it does."""
    given: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _give(given, target, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                _give(given, target, value)
            case ast.NamedExpr(target=target, value=value):
                _give(given, target, value)
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                _give(given, target, ast.Starred(value=value))
    return given


def _give(given: dict[str, list[ast.expr]], target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Name):
        given.setdefault(target.id, []).append(value)
    elif isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
        for inner, part in zip(target.elts, parts, strict=False):
            _give(given, inner, part)


def _attribute(base: Any, name: str) -> Iterator[Any]:
    if isinstance(base, Some):
        found = inspect.getattr_static(base.kind, name, None)
        if isinstance(found, types.FunctionType):
            yield types.MethodType(found, base)
        elif isinstance(found, property):
            yield from _returned(found.fget)
        elif kind := _class_in(_hints(base.kind).get(name)):
            yield Some(kind)
    elif not isinstance(inspect.getattr_static(base, name, None), property):
        with_it = getattr(base, name, None)
        if with_it is not None:
            yield with_it


def _items(base: Any) -> Iterable[Any]:
    if isinstance(base, _Bag):
        return base.contents
    if isinstance(base, Mapping):
        return list(base.values())
    return base if isinstance(base, list | tuple) else ()


def _returned(function: Any) -> Iterator[Some]:
    if isinstance(function, types.FunctionType) and (
        kind := _class_in(_hints(function).get("return"))
    ):
        yield Some(kind)


def _class_in(hint: Any) -> type | None:
    """The class of ours that a hint names, with or without `| None`."""
    for each in (hint, *get_args(hint)):
        if isinstance(each, type) and each.__module__.startswith("privlink."):
            return each
    return None


@functools.cache
def _hints(owner: Any) -> dict[str, Any]:
    try:
        return get_type_hints(owner)
    except (NameError, TypeError):
        return {}


def package_of(function: Callable[..., Any]) -> str:
    """The package a function is in."""
    return function.__module__.partition(".")[0]
