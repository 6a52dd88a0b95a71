"""The lanes that are measured: each leads from one namespace to another by one technique.

    veth       client ── server
    switch     client ── bridge ── server
    privlink   client ── bridge ── fabric ── bridge ── server
    others     client ── bridge ── router or proxy ── bridge ── server

All of it lives in namespaces of its own and goes with its context manager. The client is 10.0.0.5
and so is the server, where the technique bears that. Each is set up as well as we know how: nobody
writes logs, filters anything that need not be, or has fewer threads than processors. What a host
may have set otherwise is the same for all: TCP is not paced (as by BBR), which would hide what a
path costs, and no bridge asks the packet filter of IP (br_netfilter).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec

from bench import site
from privlink import process
from tests.kernel import lab

PORT = site.PORT
_PROCESSORS = os.cpu_count() or 1
_SETTINGS = (
    "net.ipv4.ip_local_port_range=1024 65535",
    "net.ipv4.tcp_congestion_control=reno",
    "net.bridge.bridge-nf-call-iptables=0",
)
_CLIENT, _ENDPOINT, _SERVER = "10.0.0.5", "10.0.0.80", "10.0.0.5"
_NEAR, _FAR = "near", "far"  # the bridges of whatever stands between


class Lane(msgspec.Struct, frozen=True):
    """A way from a client to a server."""

    name: str
    client: str  # network namespaces
    server: str
    address: str  # what the client calls
    why_no_udp: str = ""

    @property
    def carries_udp(self) -> bool:
        """Whether there is any use in sending datagrams."""
        return not self.why_no_udp


@contextmanager
def _veth(_folder: Path) -> Iterator[Lane]:
    """Nothing in between: the floor of the kernel."""
    with _namespace("client") as client, _namespace("server") as server:
        _ip(client, "link add eth0 type veth peer name eth0 netns", server)
        _settle(client, "10.0.0.5/24")
        _settle(server, "10.0.0.6/24")
        yield Lane("veth", client, server, "10.0.0.6")


@contextmanager
def _switch(_folder: Path) -> Iterator[Lane]:
    """Two hosts on one Linux bridge."""
    with (
        _namespace("client") as client,
        _namespace("server") as server,
        _namespace("switch") as switch,
    ):
        _bridge(switch, _NEAR)
        _plug(switch, _NEAR, client, "10.0.0.5/24")
        _plug(switch, _NEAR, server, "10.0.0.6/24")
        yield Lane("switch", client, server, "10.0.0.6")


@contextmanager
def _privlink(folder: Path) -> Iterator[Lane]:
    """The product, with one endpoint."""
    with site.build(folder / "privlink") as built:
        yield lane(built, "privlink")


def lane(built: site.Site, name: str) -> Lane:
    """The way through a site's endpoint."""
    for workload in (built.client, built.server):
        _tune(workload.netns)
    where = built.client.netns, built.server.netns, site.ENDPOINT
    return Lane(name, *where, why_no_udp=built.why_no_udp)


@contextmanager
def _nftables(_folder: Path) -> Iterator[Lane]:
    """DNAT and SNAT on a router, written by hand, between two networks with the same addresses.

    Each side's packets look up the other side's routes, so overlap costs one rule and no mark.
    """
    with _between(f"{_CLIENT}/24", f"{_SERVER}/24") as (client, router, server):
        _ip(router, f"addr add {_ENDPOINT}/32 dev", _NEAR)
        for number, (comes, goes) in enumerate(((_NEAR, _FAR), (_FAR, _NEAR)), start=100):
            _ip(router, f"rule add iif {comes} lookup {number}")
            _ip(router, f"route add 10.0.0.0/24 dev {goes} table {number}")
        _set(router, "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
        _set(router, f"net.ipv4.conf.{_NEAR}.rp_filter=0", f"net.ipv4.conf.{_FAR}.rp_filter=0")
        _ip(server, "route add default via 10.0.0.1")
        rules = f"""
            table ip nat {{
                chain prerouting {{
                    type nat hook prerouting priority dstnat;
                    iif {_NEAR} ip daddr {_ENDPOINT} meta l4proto {{ tcp, udp }} \
                        th dport {PORT} dnat to {_SERVER}
                }}
                chain postrouting {{
                    type nat hook postrouting priority srcnat;
                    oif {_FAR} snat to 100.64.0.1
                }}
            }}"""
        lab.run(router, "nft", rules)
        yield Lane("nftables", client, server, _ENDPOINT)


@contextmanager
def _nginx(folder: Path) -> Iterator[Lane]:
    """nginx's stream module."""
    with _proxied() as (client, proxy, server):
        settings = f"""
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            user root; pid nginx.pid; error_log nginx.log crit;
            worker_processes {_PROCESSORS}; worker_rlimit_nofile 16384;
            events {{ worker_connections 4096; multi_accept on; }}
            stream {{
                proxy_buffer_size 64k;
                server {{ listen {_ENDPOINT}:{PORT} reuseport; proxy_pass 10.0.1.5:{PORT}; }}
                server {{ listen {_ENDPOINT}:{PORT} udp reuseport; proxy_pass 10.0.1.5:{PORT}; }}
            }}"""
        file = _write(folder / "nginx.conf", settings)
        command = ("nginx", "-p", str(folder), "-c", file, "-g", "daemon off;")
        with _program(folder, proxy, *command) as check:
            _await(client, check)
            yield Lane("nginx", client, server, _ENDPOINT)


_HAPROXY = """
global
    nbthread {threads}
    maxconn 4096
defaults
    mode tcp
    option splice-auto
    timeout connect 5s
    timeout client 1m
    timeout server 1m
listen endpoint
    bind {address}:{port}
    server server {server}
"""


@contextmanager
def _haproxy(folder: Path) -> Iterator[Lane]:
    """HAProxy, which leaves the bytes in the kernel where it can."""
    with _proxied() as (client, proxy, server):
        file = _haproxy_file(folder / "haproxy.cfg", f"10.0.1.5:{PORT}")
        with _program(folder, proxy, "haproxy", "-db", "-q", "-f", file) as check:
            _await(client, check)
            yield Lane("haproxy", client, server, _ENDPOINT, _NO_UDP)


@contextmanager
def _socat(folder: Path) -> Iterator[Lane]:
    """HAProxy on one side, socat on the other, a UNIX socket between: OpenStack's open way.

    A UNIX socket joins what no network does, so both sides may have the same addresses.
    """
    path = folder / "socat"
    with ExitStack() as stack:
        client, front = stack.enter_context(_side("client", f"{_CLIENT}/24"))
        server, back = stack.enter_context(_side("server", f"{_SERVER}/24"))
        _ip(front, f"addr add {_ENDPOINT}/32 dev", _NEAR)
        socat = f"UNIX-LISTEN:{path},fork,backlog=4096", f"TCP:{_SERVER}:{PORT},nodelay"
        stack.enter_context(_program(folder, back, "socat", "-b", "65536", *socat))
        file = _haproxy_file(folder / "front.cfg", f"unix@{path}")
        command = ("haproxy", "-db", "-q", "-f", file)
        _await(client, stack.enter_context(_program(folder, front, *command)))
        yield Lane("socat", client, server, _ENDPOINT, _NO_UDP)


_NO_UDP = "HAProxy has no UDP"
LANES: dict[str, Callable[[Path], AbstractContextManager[Lane]]] = {
    "veth": _veth,
    "switch": _switch,
    "privlink": _privlink,
    "nftables": _nftables,
    "nginx": _nginx,
    "haproxy": _haproxy,
    "socat": _socat,
}
TITLES = {
    "veth": "veth pair",
    "switch": "same switch",
    "privlink": "privlink",
    "nftables": "nftables",
    "nginx": "nginx stream",
    "haproxy": "HAProxy",
    "socat": "HAProxy, socat",
}


def _haproxy_file(path: Path, server: str) -> str:
    settings = _HAPROXY.format(threads=_PROCESSORS, address=_ENDPOINT, port=PORT, server=server)
    return _write(path, settings)


@contextmanager
def _namespace(word: str) -> Iterator[str]:
    with lab.namespace(word) as name:
        _tune(name)
        yield name


def _tune(netns: str) -> None:
    _set(netns, *_SETTINGS)


@contextmanager
def _side(word: str, cidr: str) -> Iterator[tuple[str, str]]:
    """A host, and a router at .1 with its bridge, which may get another one."""
    with _namespace(word) as name, _namespace("middle") as middle:
        _bridge(middle, _NEAR, "10.0.0.1/24")
        _plug(middle, _NEAR, name, cidr)
        yield name, middle


@contextmanager
def _between(near: str, far: str) -> Iterator[tuple[str, str, str]]:
    """A client, what stands between, and a server, with the addresses given."""
    with _side("client", near) as (client, middle), _namespace("server") as server:
        _bridge(middle, _FAR, f"{far.rpartition('.')[0]}.1/24")
        _plug(middle, _FAR, server, far)
        yield client, middle, server


@contextmanager
def _proxied() -> Iterator[tuple[str, str, str]]:
    """The same for a proxy, which cannot tell equal addresses of its two sides apart."""
    with _between(f"{_CLIENT}/24", "10.0.1.5/24") as (client, proxy, server):
        _ip(proxy, f"addr add {_ENDPOINT}/32 dev", _NEAR)
        yield client, proxy, server


def _bridge(netns: str, name: str, cidr: str = "") -> None:
    _ip(netns, f"link add {name} type bridge")
    if cidr:
        _ip(netns, f"addr add {cidr} dev {name}")
    _ip(netns, f"link set {name} up")


def _plug(middle: str, bridge: str, netns: str, cidr: str) -> None:
    """A veth pair from a bridge to a namespace."""
    _ip(middle, f"link add {bridge}-{netns[4:8]} type veth peer name eth0 netns {netns}")
    _ip(middle, f"link set {bridge}-{netns[4:8]} master {bridge} up")
    _settle(netns, cidr)


def _settle(netns: str, cidr: str) -> None:
    _ip(netns, f"addr add {cidr} dev eth0")
    _ip(netns, "link set eth0 up")


def _ip(netns: str, *words: str) -> None:
    lab.run(netns, "ip", *" ".join(words).split())


def _set(netns: str, *settings: str) -> None:
    lab.run(netns, "sysctl", "-eqw", *settings)  # not every kernel knows bridge-nf


def _write(path: Path, content: str) -> str:
    path.write_text(content)
    return str(path)


@contextmanager
def _program(folder: Path, netns: str, *command: str) -> Iterator[Callable[[], None]]:
    """A program in a namespace, with all its children, until the end.

    Yields what raises RuntimeError with the program's own words if it has ended by itself.
    """
    said = folder / f"{command[0]}.log"
    inside = ["ip", "netns", "exec", netns, *command]
    with (
        said.open("wb") as log,
        subprocess.Popen(
            inside,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=partial(process.die_with_parent, os.getpid()),
        ) as program,
    ):

        def check() -> None:
            if program.poll() is not None:
                raise RuntimeError(f"{command[0]} has ended: {said.read_text().strip()}")

        try:
            yield check
        finally:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)


def _await(netns: str, check: Callable[[], None]) -> None:
    """Wait until somebody listens at the endpoint's address, or `check` finds out why nobody."""

    def listens() -> bool:
        check()
        try:
            lab.connect(netns, _ENDPOINT, PORT).close()
        except ConnectionRefusedError:
            return False
        return True

    lab.eventually(listens)
