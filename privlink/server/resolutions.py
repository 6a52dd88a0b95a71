"""The node's action PushNames: what the names that full-NAT entries call are resolved to."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer, Fields
from privlink.model.ids import FullNatEntryId
from privlink.model.nat import Resolution
from privlink.server import feed
from privlink.store import changes, resolutions

MOST_NAMES = 500
_LONGEST = 200  # what a node may write of a reason
_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_ADDRESS = rf"{_OCTET}(\.{_OCTET}){{3}}"
_DAY = r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_MOMENT = rf"^{_DAY}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\Z"

Moment = Annotated[
    str, msgspec.Meta(pattern=_MOMENT, description="a time is UTC, such as 2026-12-01T09:30:00Z.")
]


class NameReport(Fields, frozen=True):
    """What one name is resolved to, of what its consumer permits."""

    key: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^door/[^/]{1,64}\Z", description="the key of an item: door/ and an entry."
        ),
    ]
    name: Annotated[str, msgspec.Meta(max_length=253)]
    since: Moment
    addresses: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^({_ADDRESS}(,{_ADDRESS}){{0,31}})?\Z",
            description="up to 32 IPv4 addresses, with commas between them.",
        ),
    ] = ""
    why: Annotated[str, msgspec.Meta(max_length=_LONGEST)] = ""


@action(PRIVLINK, writes=True, who=Who.NODE, resource="node/{node_id}")
def push_names(
    call: Call,
    *,
    node_id: str,
    life: feed.Revision,
    names: Annotated[tuple[NameReport, ...], msgspec.Meta(max_length=MOST_NAMES)] = (),
) -> Answer:
    """A node's word on names: those of which it knows something new, or after a full pull all.

    What it said of the others still holds. With `Addresses`, `Why` is that they are those it had
    before. `Life` is 0 from a node that holds nothing, which voids all it said.
    """
    node = feed.check_is_self(call, node_id, "PushNames")
    if life == 0:
        resolutions.forget_node(call.tx, node.id)
    elif life == changes.life(call.tx):
        resolutions.put(
            call.tx,
            (
                Resolution(
                    FullNatEntryId(each.key.partition("/")[2]),
                    node.id,
                    each.name,
                    each.addresses,
                    each.why,
                    each.since,
                )
                for each in names
            ),
        )
    return Answer()


ACTIONS = (push_names,)
