"""Knot DNS, as people run it: a server of its own on ports of its own, for one test at a time."""

from __future__ import annotations

import getpass
import socket
import subprocess
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from tests.peers.waiting import until

SECRET = "c2VjcmV0IHRoYXQgdHdvIHNlcnZlcnMga25vdy4uLi4="
OTHER = "YW5vdGhlciBzZWNyZXQsIHdoaWNoIGlzIG5vdCBpdC4="
KEY = "privlink-key"
ZONE = """\
@ 3600 SOA ns.other.example. hostmaster.other.example. 1 3600 600 86400 5
@ 3600 NS ns.other.example.
www 60 A 192.0.2.80
"""
_CONFIGURATION = """\
server:
    rundir: {folder}
    user: {user}
    listen: 127.0.0.1@{port}
log:
  - target: {folder}/knot.log
    any: info
database:
    storage: {folder}
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
remote:
  - id: privlink
    address: 127.0.0.1@{primary}
    key: {key}
acl:
  - id: push
    key: {key}
    action: [{actions}]
  - id: notify
    key: {key}
    action: notify
zone:
  - domain: {zone}
    storage: {folder}
    file: {zone}.zone
    {rest}
"""


class Knot:
    """One knotd, with one zone that is its own, or that it transfers from `primary`."""

    def __init__(
        self,
        folder: Path,
        zone: str,
        *,
        primary: int = 0,
        content: str = ZONE,
        actions: str = "transfer, update",
    ) -> None:
        self.zone, self.port = zone, free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        rest = "acl: push"
        if primary:
            rest = "master: privlink\n    acl: [notify, push]"
        else:
            (folder / f"{zone}.zone").write_text(content)
        self.configuration = folder / "knot.conf"
        self.configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                user=getpass.getuser(),
                port=self.port,
                key=KEY,
                secret=SECRET,
                primary=primary or 1,
                actions=actions,
                zone=zone,
                rest=rest,
            )
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = ["/usr/sbin/knotd", "-c", str(self.configuration)]
        with (self._folder / "knotd.out").open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        until(lambda: self.code("nothing") is not None)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def code(self, name: str) -> dns.rcode.Rcode | None:
        """The code that it answers for a name of its zone; None if it does not answer."""
        message = dns.message.make_query(f"{name}.{self.zone}", dns.rdatatype.A)
        try:
            return dns.query.udp(message, "127.0.0.1", timeout=1, port=self.port).rcode()
        except (OSError, dns.exception.Timeout):
            return None

    def records(self, name: str, kind: str = "A") -> set[str]:
        """The records of a name, as text."""
        message = dns.message.make_query(name, kind)
        answer = dns.query.udp(message, "127.0.0.1", timeout=5, port=self.port)
        return {each.to_text() for rrset in answer.answer for each in rrset}

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self._folder / "knot.log").read_text()


def free_port() -> int:
    """A port of the loopback address that nobody uses, by UDP or TCP."""
    with socket.socket() as stream:
        stream.bind(("127.0.0.1", 0))
        port = int(stream.getsockname()[1])
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            datagrams.bind(("127.0.0.1", port))
    return port
