"""Whether flows pass full-NAT entries, for both whose they are and whom they lead to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from privlink.api.action import Call
from privlink.model.ids import FullNatEntryId
from privlink.model.nat import FullNatEntry, Resolution
from privlink.model.parts import DoorParts
from privlink.rules import reverse
from privlink.store import changes, nodes, parts, resolutions

_NOT_YET = "its node has not confirmed it yet."
_NOT_RESOLVED = "its name has not been resolved yet."


class Resolved(msgspec.Struct, frozen=True):
    """What came of a name."""

    addresses: str  # with commas between them
    why: str  # what is wrong with it; flows may pass all the same, to where they went before


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
    said = resolutions.words(call.tx, entries)
    return {
        entry.id: reverse.why_shut(found[changes.door_key(entry.id)])
        or ("" if in_step.confirms(*keys[entry.id]) else _NOT_YET)
        or (_why_nowhere(found[changes.door_key(entry.id)], said[entry.id]) if entry.domain else "")
        for entry in entries
    }


def resolved(call: Call, entries: Sequence[FullNatEntry]) -> dict[str, Resolved]:
    """What the names of entries are for now, as far as that is permitted; those of names."""
    named = [each for each in entries if each.domain]
    found = parts.of_doors(call.tx, [entry.id for entry in named])
    said = resolutions.words(call.tx, named)
    return {
        entry.id: Resolved(
            ", ".join(_targets(found[changes.door_key(entry.id)])),
            next((each.why for each in said[entry.id] if each.why), ""),
        )
        for entry in named
    }


def _why_nowhere(door: DoorParts, said: Sequence[Resolution]) -> str:
    """Why a name has no target; empty if it has one."""
    if _targets(door):
        return ""
    return next((each.why for each in said if each.why), _NOT_RESOLVED)


def _targets(door: DoorParts) -> tuple[str, ...]:
    return reverse.addresses_in(reverse.blocks_of(door), door.known)
