"""The server is killed while it writes: what it answered is there, and answers to nothing twice."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

from tests.api.account import Account
from tests.api.stage import OPERATOR
from tests.api.test_paging import ids, pages
from tests.api.wire import PRIVATELINK, acs3, send
from tests.api.world import A, World

ROOT = Path(__file__).parent.parent.parent
CLIENTS, ENOUGH = 16, 100
REGION = ("RegionId", "local")


@contextmanager
def serving(file: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server over a database file, and where it is."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.api.lone_server", str(file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def account(host: str) -> Account:
    """The operator."""
    key = OPERATOR.access_key_id, OPERATOR.access_key_secret
    return Account(host, OPERATOR.account_id, *key)


def test_kill_9_loses_nothing_that_was_answered(fresh_database: Path, tmp_path: Path) -> None:
    file = tmp_path / "privlink.db"
    copyfile(fresh_database, file)
    answered: list[str] = []
    enough = threading.Event()

    def create(host: str, service: str, place: dict[str, Any]) -> None:
        mine = account(host)
        while True:
            try:
                made = mine.privatelink.CreateVpcEndpoint(ServiceId=service, **place)
            except Exception:
                return  # it was killed
            answered.append(made["EndpointId"])
            if len(answered) >= ENOUGH:
                enough.set()

    with serving(file) as (process, host):
        operator = account(host)
        world = World(operator)
        service, network = world.published(), world.network()
        place = {
            "VpcId": network.vpc,
            "SecurityGroupId": [world.group(network)],
            "Zone": [{"ZoneId": A, "VSwitchId": network.vswitch}],
        }
        sent = acs3(operator, host, "ListVpcEndpoints", version=PRIVATELINK, query=[REGION])
        assert send(host, sent).code == "OK"
        clients = [
            threading.Thread(target=create, args=(host, service, place)) for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        assert enough.wait(60)
        process.kill()
        for client in clients:
            client.join()
    assert len(answered) >= ENOUGH

    with serving(file) as (_, host):
        operator = account(host)
        listed = operator.privatelink.ListVpcEndpoints
        found = [each for page in pages(listed, "Endpoints") for each in ids(page)]
        assert set(answered) <= set(found)
        assert len(found) == len(set(found)) == listed()["TotalCount"]
        assert len(found) <= len(answered) + CLIENTS
        addresses = {World(operator).zones(endpoint)[A]["EniIp"] for endpoint in found}
        assert len(addresses) == len(found)
        again = send(host, sent)  # Host and all as they were signed
        assert again.code == "SignatureNonceUsed"
