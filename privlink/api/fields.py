"""Parameters that several products take alike."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import Call

Name = Annotated[
    str,
    msgspec.Meta(
        max_length=128,
        pattern="^(?!https?://)",
        description="a name has up to 128 characters and does not begin with http(s)://.",
    ),
]
Description = Annotated[
    str,
    msgspec.Meta(
        max_length=256,
        pattern="^(?!https?://)",
        description="a description has up to 256 characters and does not begin with http(s)://.",
    ),
]

Switch = Annotated[bool, msgspec.Meta(description="it is true or false.")]


def check_zone(call: Call, zone_id: str) -> None:
    """Refuse a zone that this region does not have."""
    if zone_id not in call.config.zones:
        known = ", ".join(call.config.zones)
        raise errors.InvalidZoneId(zone_id=zone_id, region_id=call.config.region, known=known)
