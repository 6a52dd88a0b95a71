"""privlink as its users have it: started by its own command, driven by the official SDKs.

A stage is a provider and a consumer with the same addresses, real workloads in both, and nothing
between them but what a test makes.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple

from demo.cloud import Cloud, Network
from privlink.client import Client
from privlink.config import instance_of
from privlink.node import purge
from tests.kernel import lab

PRIVLINK = Path(sys.executable).with_name("privlink")
PORT = 7000  # of every echo server
SERVER = CLIENT = "10.0.0.5"  # the same on purpose
SOURCES = ip_network("100.64.0.0/10")  # of whoever comes through an endpoint


class Installation:
    """One `privlink up` on a state folder and a port of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.instance = instance_of(state)
        self.listen = f"127.0.0.1:{free_port()}"
        self.dns = f"127.0.0.1:{free_port()}"
        self._keys: dict[str, dict[str, str]] = {}  # of accounts, as commands take them

    def up(self, *options: str) -> None:
        """Start it; returns once it is ready."""
        listen = ("--listen", self.listen, "--dns-listen", self.dns)
        self.run("up", "--detach", *listen, *options)

    def run(self, *arguments: str, account: str = "") -> str:
        """What a `privlink` command prints. Raises CalledProcessError."""
        return self.attempt(*arguments, check=True, account=account).stdout

    def attempt(
        self, *arguments: str, check: bool = False, account: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """A `privlink` command, with the key of the first account or another, and how it ended."""
        environment = {
            name: value for name, value in os.environ.items() if "ALIBABA" not in name
        } | {"PRIVLINK_STATE": str(self.state)}
        environment |= self._keys[account] if account else {}
        return subprocess.run(
            [PRIVLINK, *arguments], env=environment, check=check, capture_output=True, text=True
        )

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """What an action of our own product answers the operator. Raises RemoteError."""
        with closing(Client(f"http://{self.listen}", *self._operator())) as calls:
            return calls.call(action, **parameters)

    def cloud(self) -> Cloud:
        """The SDKs with the operator's key."""
        return Cloud(self.listen, *self._operator())

    def _operator(self) -> tuple[str, str]:
        keys = json.loads((self.state / "credentials.json").read_text())
        return keys["access_key_id"], keys["access_key_secret"]

    def account(self, name: str) -> tuple[str, Cloud]:
        """A new account's id, and the SDKs with its key; PrivateLink is switched on in it."""
        keys = json.loads(self.run("account", "create", name, "-o", "json"))
        cloud = Cloud(self.listen, keys["access_key_id"], keys["access_key_secret"])
        cloud.open_privatelink()
        self._keys[keys["account_id"]] = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": keys["access_key_id"],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": keys["access_key_secret"],
        }
        return keys["account_id"], cloud

    def process(self, module: str) -> int:
        """The id of the running process of `privlink.server` or `privlink.node`."""
        supervisor = (self.state / "up.lock").read_text()
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        for child in children:
            if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
        raise LookupError(f"{module} does not run")

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        host, _, port = self.listen.partition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
                return b" 200 " in connection.recv(64)
        except OSError:
            return False

    def tear_down(self) -> None:
        """Stop it and remove every trace, and see that none is left."""
        self.run("down", "--purge", "--delete-state")
        assert purge.traces(self.instance) == []
        assert not self.state.exists()


class Workload(NamedTuple):
    """A network namespace in a vSwitch."""

    netns: str
    address: str
    attachment: str


class Stage(NamedTuple):
    """A provider with an echo server and a consumer with a client, both at 10.0.0.5."""

    cloud: Cloud
    provider: Network
    consumer: Network
    server: Workload
    client: Workload
    balancer: str
    group: str  # lets the consumer's VPC use the echo port, and ping
    everybody: list[str]  # addresses the server was called from, health checks' among them

    @property
    def callers(self) -> list[str]:
        """The addresses of those who came through endpoints."""
        return consumers(self.everybody)

    def connected_endpoint(self, address: str = "10.0.0.80") -> tuple[str, str]:
        """A service and an endpoint of it that is accepted and Connected."""
        service = self.cloud.service(self.balancer)
        endpoint = self.cloud.endpoint(self.consumer, service, self.group, address)
        self.cloud.accept(service, endpoint)
        self.cloud.await_connection(endpoint, "Connected")
        return service, endpoint


@contextmanager
def workload(
    installation: Installation,
    network: Network,
    word: str,
    address: str,
    account: str = "",
    address6: str = "",
) -> Iterator[Workload]:
    """A network namespace attached to an account's vSwitch by `privlink attach`."""
    with lab.namespace(word) as netns:
        place = ["--vswitch", network.vswitch, "--netns", netns, "--ip", address]
        place += ["--ipv6", address6] if address6 else []
        told = installation.run("attach", *place, "-o", "json", account=account)
        attached = json.loads(told)
        yield Workload(netns, address, attached["AttachmentId"])


@contextmanager
def stage(installation: Installation) -> Iterator[Stage]:
    """Two networks with the same addresses, a server in one and a client in the other."""
    cloud = installation.cloud()
    provider, consumer = cloud.network("provider"), cloud.network("consumer")
    with ExitStack() as stack:
        server = stack.enter_context(workload(installation, provider, "server", SERVER))
        client = stack.enter_context(workload(installation, consumer, "client", CLIENT))
        callers = stack.enter_context(lab.echo_server(server.netns, PORT))
        balancer = cloud.load_balancer(provider, [SERVER], PORT)
        group = cloud.security_group(consumer, ("tcp", f"{PORT}/{PORT}"), ("icmp", "-1/-1"))
        yield Stage(cloud, provider, consumer, server, client, balancer, group, callers)


def consumers(callers: Iterable[str]) -> list[str]:
    """Those of a server's callers who came through endpoints."""
    return [each for each in callers if ip_address(each) in SOURCES]


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
