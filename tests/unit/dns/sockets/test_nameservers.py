"""Whom to ask for other names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from privlink.dns.sockets.nameservers import HostServers, is_ours, servers_in

CONF = """
# nameserver 192.0.2.9
search example.com
nameserver 192.0.2.1
nameserver\t2001:DB8::1
nameserver fe80::1%eth0
nameserver one.example
nameserver
nameserver 192.0.2.1
"""


def test_the_servers_of_a_file() -> None:
    assert servers_in(CONF) == (("192.0.2.1", 53), ("2001:db8::1", 53))
    assert servers_in("") == ()


@pytest.mark.parametrize(
    ("server", "listen", "ours"),
    [
        (("127.0.0.1", 53), ("127.0.0.1", 53), True),
        (("127.0.0.1", 53), ("127.0.0.1", 8653), False),
        (("127.0.0.53", 53), ("0.0.0.0", 53), True),
        (("192.0.2.1", 53), ("0.0.0.0", 53), False),
        (("127.0.0.53", 53), ("0.0.0.0", 8653), False),
        (("100.100.2.136", 53), None, True),
        (("192.0.2.1", 53), None, False),
    ],
)
def test_where_we_answer_ourselves(
    server: tuple[str, int], listen: tuple[str, int] | None, ours: bool
) -> None:
    assert is_ours(server, listen) is ours


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    servers = HostServers(("192.0.2.2", 53), file)
    assert servers.changed() == ()  # there is none yet
    assert servers.changed() is None
    file.write_text("nameserver 192.0.2.1\nnameserver 192.0.2.2\n")
    assert servers.changed() == (("192.0.2.1", 53),)
    assert servers.changed() is None
    fresh = tmp_path / "fresh"
    fresh.write_text("nameserver 192.0.2.3\n")
    os.utime(fresh, ns=(1, 1))
    fresh.replace(file)
    assert servers.changed() == (("192.0.2.3", 53),)
