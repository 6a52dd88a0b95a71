"""Which errors a function can answer, read from its code and from all that it calls.

The code is read, not run: names are looked up where the function would find them (its module, its
closure, its instance), calls are followed into privlink's own functions, and what an `except`
takes is taken out. So the list is never forgotten, and errs to the safe side: it may name a refusal
that a caller's earlier check makes impossible, but leaves none out. The tests hold it to that:
whatever an action answers there must be in its list.
"""

from __future__ import annotations

import ast
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args, get_type_hints

import msgspec

from privlink.api.action import Action
from privlink.api.reference.code import tree_of
from privlink.errors import ApiError, ParameterError

Refusal = type[ApiError]
Found = frozenset[Refusal]
_NONE: Found = frozenset()
_DEEPEST = 3  # calls within calls whose code is read for what they return


def code_of(refusal: Refusal) -> str:
    """The code as the reference writes it: some end with the name of a parameter."""
    return refusal.code + ("‹Parameter›" if issubclass(refusal, ParameterError) else "")


def _sorted(found: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(sorted(found, key=lambda each: (each.code, each.__name__)))


def _of_its_class(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a class as a method of some instance."""
    owner = inspect.getmodule(function)
    name, _, method = function.__qualname__.rpartition(".")
    kind = getattr(owner, name, None)
    return (
        types.MethodType(function, _Some(kind)) if method and isinstance(kind, type) else function
    )


class _Some(msgspec.Struct, frozen=True):
    """A value of which only the class is known."""

    kind: type


class _Bag(msgspec.Struct, frozen=True):
    """A list or a table of which only the contents are known."""

    contents: list[Any]


class Reader:
    """Reads functions, each of them once.

    Followed are functions of privlink, and of the packages of those that it is asked about.
    """

    def __init__(self) -> None:
        self._followed = {"privlink"}
        self._known: dict[Any, Found] = {}
        self._reading: set[Any] = set()
        self._met: set[Any] = set()  # while they are being read: these call themselves

    def of_action(self, action: Action) -> tuple[Refusal, ...]:
        """What an action can answer instead of its answer, its parameters' errors first."""
        self._followed.add(_package(action.function))
        own = self._function(action.function)
        parsing = self._function(types.MethodType(Action.parse, action))
        product = action.product
        before: set[Refusal] = set() if action.resource is None else {product.denied}
        before |= {product.token_reused, product.token_in_use} if action.writes else set()
        return *_sorted(parsing), *_sorted(before), *_sorted(own - {*parsing, *before})

    def of_functions(self, functions: Iterable[Callable[..., Any]]) -> tuple[Refusal, ...]:
        """What functions, and methods of whichever instance, can raise."""
        found: set[Refusal] = set()
        for each in functions:
            self._followed.add(_package(each))
            found |= self._function(_of_its_class(each))
        return _sorted(found)

    def _is_followed(self, function: Any) -> bool:
        return isinstance(function, types.FunctionType) and _package(function) in self._followed

    def _function(self, function: Any) -> Found:
        """What a function, or a method with what it is bound to, can raise."""
        owner = getattr(function, "__self__", None)
        plain = inspect.unwrap(getattr(function, "__func__", function))
        if not self._is_followed(plain):
            return _NONE
        key = (plain, owner.kind if isinstance(owner, _Some) else id(owner))
        if key in self._known:
            return self._known[key]
        if key in self._reading:
            self._met.add(key)
            return _NONE  # what calls itself adds nothing by that
        tree = tree_of(plain)
        self._reading.add(key)
        found = self._all(_Scope(plain, owner), tree.body) if tree else _NONE
        self._reading.discard(key)
        self._met.discard(key)
        if not self._met:  # or it is a part only of what a caller will know
            self._known[key] = found
        return found

    def _all(self, scope: _Scope, nodes: Iterable[ast.AST]) -> Found:
        return _NONE.union(*(self._node(scope, node) for node in nodes))

    def _node(self, scope: _Scope, node: ast.AST) -> Found:
        match node:
            case ast.Try():
                return self._try(scope, node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._all(scope, node.body)
            case ast.AnnAssign():
                return self._node(scope, node.value) if node.value else _NONE
            case ast.Call():
                return self._call(scope, node)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                found = _NONE.union(*(self._value(each) for each in scope.find(node)))
                return found | self._all(scope, ast.iter_child_nodes(node))
        return self._all(scope, ast.iter_child_nodes(node))

    def _try(self, scope: _Scope, node: ast.Try) -> Found:
        raised = self._all(scope, node.body)
        for handler in node.handlers:
            if handler.type is None or _raises_again(handler):
                continue
            named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            taken = tuple(
                each for name in named for each in scope.find(name) if isinstance(each, type)
            )
            raised = frozenset(each for each in raised if not issubclass(each, taken))
        rest = [*node.orelse, *node.finalbody]
        rest += [each for handler in node.handlers for each in handler.body]
        return raised | self._all(scope, rest)

    def _call(self, scope: _Scope, node: ast.Call) -> Found:
        called = scope.find(node.func)
        found = _NONE.union(*(self._value(each) | self._defaults(each, node) for each in called))
        if isinstance(node.func, ast.Attribute):
            found |= self._node(scope, node.func.value)
        given = [*node.args, *(each.value for each in node.keywords)]
        if all(each.arg != "refusal" for each in node.keywords):
            # A quota brings an error of its own, unless another is passed with it.
            found |= frozenset(error for each in given for error in _held(scope.find_outside(each)))
        return found | self._all(scope, given)

    def _defaults(self, called: Any, node: ast.Call) -> Found:
        """The errors that a called function falls back on where the call passes none."""
        plain = getattr(called, "__func__", called)
        if not self._is_followed(plain):
            return _NONE
        parameters = list(inspect.signature(plain).parameters.values())
        if plain is not called:
            parameters = parameters[1:]
        passed = {each.arg for each in node.keywords}
        passed |= {each.name for each in parameters[: len(node.args)]}
        return frozenset(
            each.default
            for each in parameters
            if each.name not in passed
            and isinstance(each.default, type)
            and issubclass(each.default, ApiError)
        )

    def _value(self, value: Any) -> Found:
        """What naming a value can lead to: an error, or a function that is then called."""
        if isinstance(value, type):
            is_refusal = issubclass(value, ApiError) and hasattr(value, "code")
            return (
                frozenset({value})
                if is_refusal
                else self._function(inspect.getattr_static(value, "__init__"))
            )
        return self._function(value)


class _Scope:
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
            self._parameters[name] = _Some(kind) if kind else None
        if owner is not None and code.co_argcount:
            self._parameters[code.co_varnames[0]] = owner
        self._tree = tree_of(function)
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
            yield _Some(called)
            return
        plain = inspect.unwrap(getattr(called, "__func__", called))
        known = list(_returned(plain))
        yield from known
        is_ours = isinstance(plain, types.FunctionType) and _package(plain) == "privlink"
        if is_ours and not known and self._depth < _DEEPEST:
            owner = getattr(called, "__self__", None)
            yield from _Scope(plain, owner, self._depth + 1).returned()

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
    if isinstance(base, _Some):
        found = inspect.getattr_static(base.kind, name, None)
        if isinstance(found, types.FunctionType):
            yield types.MethodType(found, base)
        elif isinstance(found, property):
            yield from _returned(found.fget)
        elif kind := _class_in(_hints(base.kind).get(name)):
            yield _Some(kind)
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


def _returned(function: Any) -> Iterator[_Some]:
    if isinstance(function, types.FunctionType) and (
        kind := _class_in(_hints(function).get("return"))
    ):
        yield _Some(kind)


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


def _package(function: Callable[..., Any]) -> str:
    return function.__module__.partition(".")[0]


def _held(values: Iterable[Any]) -> Iterator[Refusal]:
    """The errors that values hold in their fields."""
    for value in values:
        if isinstance(value, msgspec.Struct) and not isinstance(value, _Some):
            for name in value.__struct_fields__:
                field = getattr(value, name)
                if isinstance(field, type) and issubclass(field, ApiError):
                    yield field


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(each, ast.Raise) and each.exc is None for each in ast.walk(handler))
