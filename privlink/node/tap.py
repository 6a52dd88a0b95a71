"""A workload behind a tap device: a virtual machine whose monitor opens the tap by its name.

    monitor ⇄ tap NAME ⇄ pl<instance><number>  ┊  at<number> ─ bridge
              this namespace                   ┊  fabric

The tap has to be where the monitor looks for it, so a veth pair leads on into the fabric, and two
one-line eBPF programs hand each frame across. The tap carries a note (its alias) of what it is for.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pyroute2 import IPRoute

from privlink.node import system
from privlink.node.errors import KernelError
from privlink.node.links import INGRESS, fabric_name, refusals, workload_name
from privlink.node.plug import MTU
from privlink.node.program import libbpf

_TUN = Path("/dev/net/tun")
_TUNSETIFF, _TUNSETPERSIST, _IFF_TAP_NO_PI = 0x400454CA, 0x400454CB, 0x1002  # linux/if_tun.h
_SCHED_CLS = 3  # BPF_PROG_TYPE_SCHED_CLS
# r1 = ifindex; r2 = 0; call bpf_redirect; exit (linux/bpf.h: instruction encoding, helper 23)
_REDIRECT = "b7010000{ifindex} b702000000000000 8500000017000000 9500000000000000"


def plug_tap(instance: str, number: int, tap: str, *, mtu: int = MTU) -> None:
    """Make a tap in this network namespace and lead it into the fabric, all or nothing.

    The machine behind it must use the attachment's MAC and addresses. ValueError where the caller
    can put it right, KernelError where the kernel refuses.
    """
    fabric = system.NAMESPACES / fabric_name(instance)
    if not system.is_namespace(fabric):
        raise ValueError(f"no node of instance {instance!r} runs on this host: start `privlink up`")
    with closing(IPRoute()) as here, fabric.open("rb") as inside:
        if here.link_lookup(ifname=tap):
            raise ValueError(f"there is a link named {tap} already; choose another --tap")
        peer = {"ifname": workload_name(number), "mtu": mtu, "net_ns_fd": inside.fileno()}
        try:
            with refusals(f"make tap {tap}"):
                _make_persistent(tap)
                here.link(
                    "set", index=here.link_lookup(ifname=tap)[0], ifalias=_note(instance, number)
                )
            with refusals(f"plug {tap} into {workload_name(number)}"):
                name = f"pl{instance}{number:x}"
                here.link("add", ifname=name, kind="veth", mtu=mtu, peer=peer)
                for link in (tap, name):
                    _silence(link)
                _join(here, here.link_lookup(ifname=tap)[0], here.link_lookup(ifname=name)[0], mtu)
        except BaseException:
            remove_taps(instance, number)
            raise


def taps(instance: str) -> list[str]:
    """The taps in this network namespace that belong to an instance."""
    with closing(IPRoute()) as here:
        return [name for name, _ in _noted(here, _note(instance, None))]


def remove_taps(instance: str, number: int | None = None) -> None:
    """Remove an attachment's tap and what leads from it, or every tap of an instance."""
    with closing(IPRoute()) as here:
        for name, note in list(_noted(here, _note(instance, number))):
            leads = f"pl{instance}{int(note.rpartition(' ')[2]):x}"
            for link in (name, leads):
                for index in here.link_lookup(ifname=link):
                    with refusals(f"remove {link}"):
                        here.link("del", index=index)


def _make_persistent(tap: str) -> None:
    """A tap that stays when nobody has it open, as `ip tuntap add` makes it. Raises KernelError."""
    try:
        with _TUN.open("r+b", buffering=0) as file:
            fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", tap.encode(), _IFF_TAP_NO_PI))
            fcntl.ioctl(file, _TUNSETPERSIST, 1)
    except OSError as error:
        raise KernelError(f"make tap {tap}", error) from error


def _silence(link: str) -> None:
    """Keep this namespace's own stack from speaking to the machine, and into the fabric."""
    file = Path(f"/proc/sys/net/ipv6/conf/{link}/disable_ipv6")
    if not file.exists():
        return  # a kernel without IPv6 has nothing to say
    try:
        file.write_text("1")
    except OSError as error:
        raise KernelError(f"switch IPv6 off on {link}", error) from error


def _join(here: IPRoute, tap: int, veth: int, mtu: int) -> None:
    """Hand every frame that comes in by one link out by the other."""
    for arriving, leaving in ((tap, veth), (veth, tap)):
        program = _redirect_to(leaving)
        try:
            here.tc("add", "clsact", arriving)
            here.tc(
                "add-filter",
                "bpf",
                arriving,
                1,
                parent=INGRESS,
                prio=1,
                fd=program,
                name="privlink_tap",
                direct_action=True,
            )
        finally:
            os.close(program)
        here.link("set", index=arriving, mtu=mtu, state="up")


def _redirect_to(ifindex: int) -> int:
    code = bytes.fromhex(_REDIRECT.format(ifindex=ifindex.to_bytes(4, "little").hex()))
    count = ctypes.c_size_t(len(code) // 8)
    program: int = libbpf.load().bpf_prog_load(
        _SCHED_CLS, b"privlink_tap", b"Apache-2.0", code, count, None
    )
    if program < 0:
        raise KernelError.of("load the eBPF program of a tap", -program)
    return program


def _note(instance: str, number: int | None) -> str:
    return f"privlink {instance} " + ("" if number is None else str(number))


def _noted(here: IPRoute, note: str) -> Iterator[tuple[str, str]]:
    for link in here.get_links():
        alias = str(link.get_attr("IFLA_IFALIAS") or "")
        if alias == note or (note.endswith(" ") and alias.startswith(note)):
            yield str(link.get_attr("IFLA_IFNAME")), alias
