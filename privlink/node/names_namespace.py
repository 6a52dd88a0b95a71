"""Where questions of VPCs for names arrive: a network namespace of its own, beside the fabric.

    privlink-<instance>-names            privlink-<instance>, the fabric
    eth0  100.100.2.136/32  -----------  names

Whoever answers has its sockets here, and needs no rights for the rest of its life. From a VPC
nothing is reached but UDP and TCP port 53, and from here nobody but who has just asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from privlink.model.items import Attachment
from privlink.model.naming import RESOLVER_ADDRESS
from privlink.node.entries import port_entries
from privlink.node.errors import KernelError
from privlink.node.kernel import Kernel
from privlink.node.links import fabric_name
from privlink.node.naming import RESOLVER_NETWORK, resolver_entries
from privlink.node.own_namespace import OwnNamespace, Way, Wiring, own_namespace_name
from privlink.node.program.maps import Entry

MAC: Final = "02:6e:61:6d:65:73"
_GATEWAY: Final = "100.100.2.137"  # nobody: only the MAC that a packet leaves with counts
_ASKERS: Final = "10.0.0.0/8"  # see privlink.model.naming.asker_address

NAMES: Final = Wiring(
    "names",
    MAC,
    (Way(RESOLVER_ADDRESS, 32, _GATEWAY, _ASKERS),),
    (
        ("ipv6/conf/all/disable_ipv6", "1"),
        ("ipv6/conf/default/disable_ipv6", "1"),
        ("ipv4/ip_forward", "0"),
        ("ipv4/icmp_echo_ignore_all", "1"),
        ("ipv4/conf/all/rp_filter", "1"),
        ("ipv4/conf/default/rp_filter", "1"),
        ("ipv4/conf/all/accept_redirects", "0"),
        ("ipv4/conf/default/accept_redirects", "0"),
        ("ipv4/conf/all/accept_source_route", "0"),
    ),
)

log = logging.getLogger(__name__)


def names_namespace_name(instance: str) -> str:
    """The name of the namespace in which an instance answers for names."""
    return own_namespace_name(fabric_name(instance), NAMES)


class NamesNamespace(OwnNamespace):
    """The namespace in which names are answered, with its link."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, NAMES)

    def own_entries(self) -> list[Entry]:
        """The entries by which questions get here; none while it cannot be made."""
        try:
            return list(_entries(self.ensure()))
        except KernelError as error:
            log.warning("no names are answered in VPCs: %s", error)
            return []


def _entries(ifindex: int) -> Iterator[Entry]:
    """It is a workload in a network of its own, without neighbours, routes and rules."""
    alone = f"{RESOLVER_ADDRESS}/32"
    yield from port_entries(
        Attachment(0, 0, RESOLVER_NETWORK, alone, RESOLVER_ADDRESS, MAC), ifindex
    )
    yield from resolver_entries()
