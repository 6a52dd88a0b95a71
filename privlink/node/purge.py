"""Removing every trace of an instance from this host, and listing what traces there are.

Touches nothing but the namespaces of the fabric and beside it, the pins, the taps and the resolver
files of namespaces that carry the instance's name. Workloads' links are veth pairs with one end in
the fabric: they go with it.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

from privlink.node import resolv_conf, system
from privlink.node.health.probe_namespace import PROBES
from privlink.node.kernel import pin_directory
from privlink.node.links import Fabric, fabric_name
from privlink.node.names_namespace import NAMES
from privlink.node.own_namespace import own_namespace_name, remove_own_namespace
from privlink.node.tap import remove_taps, taps

_BESIDE: Final = (PROBES, NAMES)


def purge(instance: str) -> None:
    """Remove what `traces` lists. Stop the node first: it would make its fabric anew.

    Flows end, workloads lose their links. Again does no harm. Raises KernelError.
    """
    name = fabric_name(instance)
    for wiring in _BESIDE:
        remove_own_namespace(instance, wiring)
    if system.namespace_exists(name):
        # A namespace lives as long as a process or socket in it; its links must go now.
        with closing(Fabric.open(instance)) as fabric:
            for link in sorted(fabric.names() | fabric.shapers().keys()):
                fabric.remove(link)
    system.remove_namespace(name)
    remove_taps(instance)
    resolv_conf.remove_all(instance)
    shutil.rmtree(pin_directory(instance), ignore_errors=True)


def traces(instance: str) -> list[str]:
    """What is on this host of an instance: paths, and links of the fabric as namespace/link."""
    name = fabric_name(instance)
    found: list[str] = []
    if system.namespace_exists(name):
        with closing(Fabric.open(instance)) as fabric:
            found += [f"{name}/{link}" for link in sorted(fabric.names() | fabric.shapers().keys())]
    found += taps(instance)
    namespaces = (name, *(own_namespace_name(name, wiring) for wiring in _BESIDE))
    paths = (*(system.NAMESPACES / each for each in namespaces), pin_directory(instance))
    found += [str(path) for path in paths if _there(path)]
    return found + [str(file) for file in resolv_conf.made(instance)]


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
