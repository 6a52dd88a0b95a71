"""Moments in requests and answers: ISO 8601 and UTC, or seconds since 1970 inside."""

from __future__ import annotations

from datetime import UTC, datetime

from privlink import errors

_LONGEST = 40  # characters
_EARLIEST, _LATEST = 0, 4_102_444_800  # 1970 to 2100


def moment_of(seconds: int) -> str:
    """A moment as answers spell it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(parameter: str, text: str) -> int:
    """A moment from a request. Raises InvalidParameter."""
    try:
        found = datetime.fromisoformat(text[:_LONGEST])
        seconds = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if not _EARLIEST <= seconds <= _LATEST:
        why = f"{text[:_LONGEST]!r} was given; it is a time such as 2026-12-01T00:00:00Z."
        raise errors.InvalidParameter(parameter=parameter, why=why)
    return seconds
