"""Pages of lists: by number (VPC, ECS) and by token (NLB, PrivateLink). Long lists: `listing`.

A token names the last item that was given, so a list that changes meanwhile neither repeats nor
skips what stayed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec

T = TypeVar("T")

PageNumber = Annotated[
    int, msgspec.Meta(ge=1, le=2**31 - 1, description="pages count from 1, to 2147483647.")
]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=50, description="a page has 1 to 50 items.")]
MaxResults = Annotated[int, msgspec.Meta(ge=1, le=1000, description="a page has 1 to 1000 items.")]
MaxResults50 = Annotated[int, msgspec.Meta(ge=1, le=50, description="a page has 1 to 50 items.")]
NextToken = Annotated[str, msgspec.Meta(max_length=512)]
_WAY_OUT = "which is none of ours. Pass on the token of the last page, unchanged."


class UnknownToken(ValueError):
    """A token that no page ended with. The action's product has its own error for that."""


def by_number(items: Sequence[T], number: int, size: int) -> Sequence[T]:
    """Page `number`, counted from 1, of `size` items each."""
    return items[(number - 1) * size : number * size]


def by_token(
    items: Sequence[T], key: Callable[[T], str], size: int, token: str
) -> tuple[Sequence[T], str | msgspec.UnsetType]:
    """The items after `token` and the token of the next page, UNSET on the last.

    `items` ascend by `key`, which must be unique. Raises UnknownToken for a token not ours.
    """
    after = place_of(token)
    rest = [item for item in items if key(item) > after]
    page = rest[:size]
    return page, _encode(key(page[-1])) if len(rest) > size else msgspec.UNSET


def place_of(token: str) -> str:
    """The key of the last item that was given, empty at the start.

    Raises UnknownToken for a token not ours.
    """
    return _decode(token) if token else ""


def token_after(key: str) -> str:
    """The token of the page after an item."""
    return _encode(key)


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise UnknownToken(f"{token!r} was given, {_WAY_OUT}") from None
