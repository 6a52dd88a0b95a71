"""Where probes come from: a network namespace of their own, beside the fabric.

privlink-<instance>-probe                   privlink-<instance>, the fabric
eth0  10.255.255.254/30, fd01::2/126  ----  probe
"""

from __future__ import annotations

from typing import Final

from privlink.node.health.probes import (
    ADDRESS4,
    ADDRESS6,
    GATEWAY4,
    GATEWAY6,
    MAC,
    TARGETS4,
    TARGETS6,
)
from privlink.node.kernel import Kernel
from privlink.node.links import fabric_name
from privlink.node.own_namespace import OwnNamespace, Way, Wiring, own_namespace_name

PROBES: Final = Wiring(
    "probe",
    MAC,
    (Way(ADDRESS4, 30, GATEWAY4, TARGETS4), Way(ADDRESS6, 126, GATEWAY6, TARGETS6)),
)


def probe_namespace_name(instance: str) -> str:
    """The name of the namespace that an instance's probes come from."""
    return own_namespace_name(fabric_name(instance), PROBES)


class ProbeNamespace(OwnNamespace):
    """The namespace of the probes of one instance, with its link."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, PROBES)
