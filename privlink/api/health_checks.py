"""What health checks of the two APIs of load balancers have alike: their parameters, and the rules
about several of these together. Times are in seconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink.model.items import Check, CheckKind

Timeout = Annotated[int, msgspec.Meta(ge=1, le=300, description="it is 1 to 300 seconds.")]
Threshold = Annotated[int, msgspec.Meta(ge=2, le=10, description="it is 2 to 10 answers in a row.")]
Path = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(/[A-Za-z0-9\-/.%?#&=_;~!()*\[\]@$^:'\",+]{0,79})?\Z",
        description="a path has up to 80 letters, digits and -/.%?#&=_;~!()*[]@$^:'\",+, and "
        "begins with a slash.",
    ),
]
Code = Literal["http_2xx", "http_3xx", "http_4xx", "http_5xx"]

LONGEST_INTERVAL = 50  # of checks that are not UDP


def why_not(check: Check, *, interval_field: str, expected_field: str) -> tuple[str, str] | None:
    """The field that does not go together with the others, and the rule; None if all do.

    Source: HealthCheckConfig of CreateServerGroup.
    """
    kind = check.kind.value
    if check.kind is not CheckKind.UDP and check.interval > LONGEST_INTERVAL:
        return interval_field, (
            f"'{check.interval}' is too long for a {kind} check, which is made every 1 to "
            f"{LONGEST_INTERVAL} seconds."
        )
    if check.expected and not check.request:
        return expected_field, (
            f"{check.expected!r} is the answer to a request, and there is none. Say what is sent."
        )
    return None
