"""`privlink flows`: ages, times and the columns of its table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from privlink.cli.flows import moment

NOW = datetime(2026, 12, 1, 12, 0, 0, 250_000, UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", "2026-12-01T11:58:30.250Z"),
        ("10m", "2026-12-01T11:50:00.250Z"),
        ("2h", "2026-12-01T10:00:00.250Z"),
        ("1d", "2026-11-30T12:00:00.250Z"),
        ("2026-12-01T11:00Z", "2026-12-01T11:00:00.000Z"),
        ("2026-12-01T11:00:00", "2026-12-01T11:00:00.000Z"),
        ("2026-12-01T11:00:00+01:00", "2026-12-01T10:00:00.000Z"),
        ("2026-12-01", "2026-12-01T00:00:00.000Z"),
    ],
)
def test_since_is_an_age_or_a_time(text: str, expected: str) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "m", "10", "10 m", "-10m", "²m", "yesterday", "999999d"])
def test_anything_else_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(ValueError, match=r"--since .*10m"):
        moment(text, NOW)
