"""Endpoints' names in the DNS that people already run: pushed to one Knot, transferred by another.

privlink ── update ──▶ knot (primary)          privlink ── notify ──▶ knot (secondary)
                                                        ◀── transfer ──
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from tests.journey.installation import Installation, Stage
from tests.journey.test_names_answered import domain_of
from tests.kernel import lab
from tests.peers.knot import KEY, OTHER, SECRET, Knot

DOMAIN = "privatelink.internal"
ENDPOINT = "10.0.0.80"


@pytest.fixture
def knots(installation: Installation, tmp_path: Path) -> Iterator[tuple[Knot, Knot]]:
    """A server of its own zone, and one that has ours."""
    with ExitStack() as stack:
        made = []
        for name, primary in (("own", 0), ("ours", int(installation.dns.partition(":")[2]))):
            folder = tmp_path / name
            folder.mkdir()
            knot = Knot(folder, DOMAIN, primary=primary)
            stack.callback(knot.stop)
            knot.start()
            made.append(knot)
        yield made[0], made[1]


def test_names_are_where_people_look_for_them(
    installation: Installation, stage: Stage, knots: tuple[Knot, Knot], tmp_path: Path
) -> None:
    shared = tmp_path / "secret"
    shared.write_text(f"{SECRET}\n")
    added = []
    for knot, how in zip(knots, ("--push", "--transfer"), strict=True):
        named = ("--port", str(knot.port), how, "--key-name", KEY, "--key-file", str(shared))
        told = installation.run("name-server", "add", "127.0.0.1", *named, "-o", "json")
        added.append(json.loads(told)["name_server_id"])
    service, endpoint = stage.connected_endpoint(ENDPOINT)
    name = domain_of(stage, endpoint)
    for knot in knots:
        lab.eventually(lambda knot=knot: knot.records(name) == {ENDPOINT})
    lab.eventually(lambda: states(installation) == {"InStep"})
    stage.cloud.refuse(service, endpoint)
    for knot in knots:
        gone = name.removesuffix(f".{DOMAIN}")
        lab.eventually(lambda knot=knot, gone=gone: knot.code(gone) == dns.rcode.NXDOMAIN)
    host, _, port = installation.dns.partition(":")
    stranger = dns.message.make_query(DOMAIN, dns.rdatatype.AXFR)
    refused = dns.query.tcp(stranger, host, timeout=5, port=int(port))
    assert (refused.rcode(), refused.answer) == (dns.rcode.REFUSED, [])
    for server in added:
        installation.run("name-server", "remove", server)
    assert "no name servers" in installation.run("name-server", "list")


def test_a_wrong_secret_is_said_and_shown_to_nobody(
    installation: Installation, knots: tuple[Knot, Knot], tmp_path: Path
) -> None:
    shared = tmp_path / "secret"
    shared.write_text(OTHER)
    named = ("--port", str(knots[0].port), "--push", "--key-name", KEY, "--key-file", str(shared))
    told = installation.run("name-server", "add", "127.0.0.1", *named, "-o", "json")
    server = json.loads(told)["name_server_id"]
    lab.eventually(lambda: states(installation) == {"Failing"})
    shown = installation.run("name-server", "list")
    assert f"{server}: the secret of key {KEY} is not the one it has." in shown
    log = (installation.state / "privlink.log").read_text()
    assert "is Failing: the secret of key" in log
    for text in (shown, log):
        assert OTHER not in text
    installation.run("name-server", "remove", server)


def states(installation: Installation) -> set[str]:
    """How far the name servers are."""
    listed = json.loads(installation.run("name-server", "list", "-o", "json"))
    return {each["State"] for each in listed}
