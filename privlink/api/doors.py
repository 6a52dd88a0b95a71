"""Whether flows pass full-NAT entries, for both whose they are and whom they lead to."""

from __future__ import annotations

from collections.abc import Sequence

from privlink.api.action import Call
from privlink.model.ids import FullNatEntryId
from privlink.model.nat import FullNatEntry
from privlink.rules import reverse
from privlink.store import changes, nodes, parts

_NOT_YET = "its node has not confirmed it yet."


def why_shut(call: Call, entries: Sequence[FullNatEntry]) -> dict[FullNatEntryId, str]:
    """Why no flow passes entries; empty for those that flows pass."""
    found = parts.of_doors(call.tx, [entry.id for entry in entries])
    keys = {
        entry.id: (
            changes.door_key(entry.id),
            changes.nat_key(entry.nat_ip_id),
            changes.forward_key(entry.endpoint_id, entry.zone_id),
        )
        for entry in entries
    }
    in_step = nodes.in_step(call.tx, (key for some in keys.values() for key in some))
    return {
        entry.id: reverse.why_shut(found[changes.door_key(entry.id)])
        or ("" if in_step.confirms(*keys[entry.id]) else _NOT_YET)
        for entry in entries
    }
