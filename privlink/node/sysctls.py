"""Settings of the kernel for links and namespaces that we make."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from privlink.node.errors import KernelError

NODAD: Final = 0x02  # IFA_F_NODAD (linux/if_addr.h): it is known that nobody else has the address

Setting = tuple[str, str]  # its name below /proc/sys/net, and its value

_NET: Final = Path("/proc/sys/net")


def has_ipv6() -> bool:
    """Whether this kernel has IPv6."""
    return (_NET / "ipv6").exists()


def of_link(family: str, ifname: str, **values: str) -> tuple[Setting, ...]:
    """Settings of one link, in a family: ipv4 or ipv6."""
    return tuple((f"{family}/conf/{ifname}/{name}", value) for name, value in values.items())


def write(settings: Iterable[Setting]) -> None:
    """Give settings of the network namespace that the thread is in their values; what this kernel
    has not is left out. Raises KernelError.
    """
    for name, value in settings:
        file = _NET / name
        try:
            if file.exists():
                file.write_text(value)
        except OSError as error:
            raise KernelError(f"write {value} to {file}", error) from error
