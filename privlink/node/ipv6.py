"""IPv6 on links that we make: no addresses and no routes but those that we give."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from privlink.node.errors import KernelError

NODAD: Final = 0x02  # IFA_F_NODAD (linux/if_addr.h): it is known that nobody else has the address

_SETTINGS: Final = Path("/proc/sys/net/ipv6/conf")
# The fabric answers for the gateway and nobody advertises routers, so a link-local address would
# have no use but to be heard. Containers may have IPv6 off for links to come.
_ALONE: Final = (("addr_gen_mode", "1"), ("accept_ra", "0"), ("disable_ipv6", "0"))


def has_ipv6() -> bool:
    """Whether this kernel has IPv6."""
    return _SETTINGS.exists()


def prepare_ipv6(ifname: str) -> None:
    """Keep the kernel from giving a link, which is not up yet, addresses and routes of its own.

    For a link of the network namespace that the thread is in. Raises KernelError.
    """
    for name, value in _ALONE:
        file = _SETTINGS / ifname / name
        try:
            file.write_text(value)
        except OSError as error:
            raise KernelError(f"write {value} to {file}", error) from error
