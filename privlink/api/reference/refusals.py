"""Which errors a function can answer, read from its code and from all that it calls.

The code is read, not run: names are looked up where the function would find them (its module, its
closure, its instance), calls are followed into privlink's own functions, and what an `except`
takes is taken out. So the list is never forgotten, and errs to the safe side: it may name a refusal
that a caller's earlier check makes impossible, but leaves none out. The tests hold it to that:
whatever an action answers there must be in its list.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from privlink.api.action import Action
from privlink.api.reference.code import body_of
from privlink.api.reference.scope import Scope, Some, package_of
from privlink.errors import ApiError, ParameterError

Refusal = type[ApiError]
Found = frozenset[Refusal]
_NONE: Found = frozenset()


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
    return types.MethodType(function, Some(kind)) if method and isinstance(kind, type) else function


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
        self._followed.add(package_of(action.function))
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
            self._followed.add(package_of(each))
            found |= self._function(_of_its_class(each))
        return _sorted(found)

    def _is_followed(self, function: Any) -> bool:
        return isinstance(function, types.FunctionType) and package_of(function) in self._followed

    def _function(self, function: Any) -> Found:
        """What a function, or a method with what it is bound to, can raise."""
        owner = getattr(function, "__self__", None)
        plain = inspect.unwrap(getattr(function, "__func__", function))
        if not self._is_followed(plain):
            return _NONE
        key = (plain, owner.kind if isinstance(owner, Some) else id(owner))
        if key in self._known:
            return self._known[key]
        if key in self._reading:
            self._met.add(key)
            return _NONE  # what calls itself adds nothing by that
        tree = body_of(plain)
        self._reading.add(key)
        found = self._all(Scope(plain, owner), tree.body) if tree else _NONE
        self._reading.discard(key)
        self._met.discard(key)
        if not self._met:  # or it is a part only of what a caller will know
            self._known[key] = found
        return found

    def _all(self, scope: Scope, nodes: Iterable[ast.AST]) -> Found:
        return _NONE.union(*(self._node(scope, node) for node in nodes))

    def _node(self, scope: Scope, node: ast.AST) -> Found:
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

    def _try(self, scope: Scope, node: ast.Try) -> Found:
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

    def _call(self, scope: Scope, node: ast.Call) -> Found:
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


def _held(values: Iterable[Any]) -> Iterator[Refusal]:
    """The errors that values hold in their fields."""
    for value in values:
        if isinstance(value, msgspec.Struct) and not isinstance(value, Some):
            for name in value.__struct_fields__:
                field = getattr(value, name)
                if isinstance(field, type) and issubclass(field, ApiError):
                    yield field


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(each, ast.Raise) and each.exc is None for each in ast.walk(handler))
