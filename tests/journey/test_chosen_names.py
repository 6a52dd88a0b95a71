"""A vendor's name: proved by a record in the DNS, switched on by a consumer, and asked for."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from tests.api.name_server import NameServer
from tests.journey.installation import Installation
from tests.journey.installation import stage as built
from tests.journey.test_names_answered import ENDPOINT, addresses, in_vpc, on_host
from tests.kernel import lab

NAME, ALIAS = "db.vendor.example", "db.shop.internal"


@contextmanager
def name_server(texts: dict[str, list[str]]) -> Iterator[str]:
    """A name server of the outside world on the host, by its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opening = loop.create_datagram_endpoint(lambda: NameServer(texts), local_addr=("127.0.0.1", 0))
    transport, _ = asyncio.run_coroutine_threadsafe(opening, loop).result(lab.PATIENCE)

    def end() -> None:
        transport.close()
        loop.call_soon(loop.stop)  # behind what closing has to do

    try:
        yield "{}:{}".format(*transport.get_extra_info("sockname"))
    finally:
        loop.call_soon_threadsafe(end)
        thread.join()
        loop.close()


@pytest.fixture
def texts() -> dict[str, list[str]]:
    """The TXT records there are."""
    return {}


@pytest.fixture
def own(tmp_path: Path, texts: dict[str, list[str]]) -> Iterator[Installation]:
    """An installation that asks a name server of ours for what is not its own."""
    own = Installation(tmp_path / "own")
    with name_server(texts) as upstream:
        own.up("--dns-upstream", upstream)
        try:
            yield own
        finally:
            own.tear_down()


def told(own: Installation, *arguments: str) -> Any:
    """What a command says."""
    return json.loads(own.run(*arguments, "-o", "json"))


def test_a_vendors_name_leads_to_the_endpoint_where_it_is_switched_on(
    own: Installation, texts: dict[str, list[str]]
) -> None:
    with built(own) as stage:
        service, endpoint = stage.connected_endpoint(ENDPOINT)
        record = told(own, "service-name", "set", service, NAME)
        failed = own.attempt("service-name", "verify", service)
        assert failed.returncode == 1
        assert f"{record['TxtRecordName']} has no TXT record" in failed.stderr
        texts[record["TxtRecordName"]] = [record["TxtRecordValue"]]
        assert told(own, "service-name", "verify", service)["State"] == "Verified"
        assert in_vpc(stage, NAME).rcode() == dns.rcode.NXDOMAIN  # of the world outside
        assert told(own, "endpoint-name", "on", endpoint)["enabled"]
        lab.eventually(lambda: addresses(in_vpc(stage, NAME)) == [ENDPOINT])
        assert on_host(own, NAME).rcode() == dns.rcode.REFUSED
        told(own, "alias", "create", endpoint, ALIAS)
        lab.eventually(lambda: addresses(in_vpc(stage, ALIAS)) == [ENDPOINT])
        shown = told(own, "endpoint-name", "list", endpoint)
        assert {each["Kind"] for each in shown if each["Answers"]} == {
            *("EndpointDomain", "ZoneDomain", "ServiceDomain", "PrivateName", "Alias")
        }
        own.run("service-name", "remove", service)
        lab.eventually(lambda: in_vpc(stage, NAME).rcode() == dns.rcode.NXDOMAIN)
        assert addresses(in_vpc(stage, ALIAS)) == [ENDPOINT]
