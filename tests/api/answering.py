"""What is answered inside a VPC: by the answers' own code, over the documents that are told."""

from __future__ import annotations

from typing import Any, cast

import dns.message
import dns.rdtypes.IN.A
import msgspec

from privlink.dns.answers.answer import answer
from privlink.dns.answers.view import View
from privlink.model.naming import AnyDocument, Place, asker_address
from tests.api.stand_in import Node

DOMAIN = "privatelink.internal"


def asked(node: Node, name: str, vswitch: str) -> list[str] | None:
    """The IPv4 addresses of a name for who asks from a vSwitch; None: others would be asked."""
    node.catch_up()
    held: dict[str, Any] = node.resolver.held
    told = msgspec.convert(held, dict[str, AnyDocument])
    place = told[f"place/{vswitch}"]
    assert isinstance(place, Place)
    view = View.empty(DOMAIN, "127.0.0.1").changed(told, node.resolver.revision)
    asker = view.asker(asker_address(place.number))
    assert asker is not None
    said = answer(dns.message.make_query(name, "A"), view, asker, 0)
    if said is None:
        return None
    found = [each for some in said.answer for each in some]
    return [cast("dns.rdtypes.IN.A.A", each).address for each in found]
