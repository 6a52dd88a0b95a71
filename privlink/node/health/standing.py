"""How a server is, as PushHealth has it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from privlink.node.balancing import ServerName
from privlink.node.health.course import State

_LONGEST_WHY: Final = 200  # characters; the server takes no longer one

Place = tuple[str, ServerName]  # the key of an item, and a server in it


class Standing(msgspec.Struct, frozen=True):
    """How a server is."""

    key: str
    name: ServerName
    state: State
    since: str  # UTC, ISO 8601
    why: str = ""  # of one that is down, or that cannot be asked

    @property
    def place(self) -> Place:
        """What it is about."""
        return self.key, self.name

    def parameters(self) -> dict[str, Any]:
        """As the API spells it."""
        group, address, port = self.name
        return {
            "Key": self.key,
            "Group": group,
            "Address": address,
            "Port": port,
            "State": self.state.value,
            "Since": self.since,
            "Why": self.why[:_LONGEST_WHY],
        }
