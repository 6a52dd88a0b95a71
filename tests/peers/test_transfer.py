"""Knot as a secondary of ours: it is notified, and transfers the domain; others may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone
import pytest

from privlink.dns.answers.view import View
from privlink.dns.peers.following import Peers, State
from privlink.model.naming import AnyDocument
from tests.peers.documents import DOMAIN, endpoint, server, view
from tests.peers.knot import KEY, OTHER, SECRET, Knot
from tests.peers.primary import Primary
from tests.peers.waiting import until

REST = f"epsrv-1.local.{DOMAIN}"


class Installation:
    """A view that changes, what answers from it, and the peers that follow it."""

    def __init__(self, first: View) -> None:
        self.view = first
        self.primary = Primary(lambda: self.view)
        self.peers = Peers(lambda: self.view)

    def change(self, **documents: AnyDocument | None) -> None:
        """Other documents, by their keys."""
        self.view = self.view.changed(documents, self.view.revision + 1)
        self.peers.look()

    def close(self) -> None:
        """Answer and tell no more."""
        self.peers.stop()
        self.primary.close()


@pytest.fixture
def ours() -> Iterator[Installation]:
    """An installation with an endpoint and a secondary that is not there."""
    installation = Installation(view(1, 2, knot=server(9, pushes=False)))
    yield installation
    installation.close()


@pytest.fixture
def knot(tmp_path: Path, ours: Installation) -> Iterator[Knot]:
    """The secondary."""
    knot = Knot(tmp_path, DOMAIN, primary=ours.primary.port)
    ours.view = ours.view.changed({"server/knot": server(knot.port, pushes=False)}, 8)
    knot.start()
    yield knot
    knot.stop()


def test_a_secondary_has_the_domain_and_follows_it(ours: Installation, knot: Knot) -> None:
    until(lambda: knot.records(f"ep-1.{REST}") == {"10.1.0.1", "10.2.0.1"})
    assert knot.records(f"ep-1-local-b.{REST}", "AAAA") == {"fd00::1"}
    assert knot.records(DOMAIN, "NS") == {f"ns.{DOMAIN}."}
    assert knot.records(f"ns.{DOMAIN}") == {"127.0.0.1"}
    ours.peers.start()
    ours.change(**{"names/ep-3": endpoint(3), "names/ep-1": None})
    until(lambda: knot.records(f"ep-3.{REST}") == {"10.1.0.3", "10.2.0.3"})
    assert knot.code("ep-1.epsrv-1.local") == dns.rcode.NXDOMAIN
    assert " 9 60 10 604800 5" in next(iter(knot.records(DOMAIN, "SOA")))
    (standing,) = ours.peers.standings()
    assert standing.state is State.IN_STEP
    asked = ours.primary.transfers
    ours.change(**{"server/knot": server(knot.port, pushes=False)})  # nothing that it has to know
    ours.change(**{"names/ep-4": endpoint(4)})
    until(lambda: knot.records(f"ep-4.{REST}") == {"10.1.0.4", "10.2.0.4"})
    assert ours.primary.transfers == asked + 1


def test_a_secondary_is_told_until_it_has_heard(ours: Installation, knot: Knot) -> None:
    until(lambda: bool(knot.records(f"ep-1.{REST}")))
    knot.stop()
    ours.peers.start()
    ours.change(**{"names/ep-3": endpoint(3)})
    until(lambda: [each.state for each in ours.peers.standings()] == [State.FAILING])
    knot.start()
    until(lambda: [each.state for each in ours.peers.standings()] == [State.IN_STEP])
    until(lambda: knot.records(f"ep-3.{REST}") == {"10.1.0.3", "10.2.0.3"})


def test_whoever_has_the_key_gets_all_of_it_and_nothing_of_any_vpc(ours: Installation) -> None:
    zone = transferred(ours.primary.port)
    names = {each.to_text() for each in zone.nodes}
    rest = "epsrv-1.local"
    zones = {
        f"ep-{number}{zone}.{rest}" for number in (1, 2) for zone in ("", "-local-a", "-local-b")
    }
    assert names == {"@", "ns", *zones}
    assert zone.find_rdataset(f"ep-1.{rest}", "A").ttl == 5


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (None, dns.xfr.TransferError),
        (dns.tsig.Key(KEY, OTHER), dns.tsig.PeerBadSignature),
        (dns.tsig.Key("nobodys", SECRET), dns.tsig.PeerBadKey),
        (dns.tsig.Key(KEY, SECRET, "hmac-sha512"), dns.tsig.PeerBadKey),
    ],
)
def test_nobody_else_gets_anything(
    ours: Installation, key: dns.tsig.Key | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        transferred(ours.primary.port, key)


def test_whoever_is_pushed_to_may_not_transfer(ours: Installation) -> None:
    ours.change(**{"server/knot": server(9, pushes=True)})
    with pytest.raises(dns.xfr.TransferError) as refused:
        transferred(ours.primary.port)
    assert refused.value.rcode == dns.rcode.REFUSED


def test_another_zone_is_not_ours_to_transfer(ours: Installation) -> None:
    with pytest.raises(dns.xfr.TransferError) as refused:
        transferred(ours.primary.port, zone="vendor.example")
    assert refused.value.rcode == dns.rcode.NOTAUTH


def test_a_transfer_by_udp_is_refused(ours: Installation) -> None:
    question = dns.message.make_query(DOMAIN, dns.rdatatype.AXFR)
    for shared in (None, key()):
        if shared is not None:
            question.use_tsig(shared)
        wire = next(ours.primary.answers(question.to_wire(), stream=False))
        answer = dns.message.from_wire(wire)
        assert (answer.rcode(), answer.answer) == (dns.rcode.REFUSED, [])


def test_an_incremental_transfer_is_the_whole_or_nothing(ours: Installation) -> None:
    def asked(serial: int) -> int:
        answers = list(
            dns.query.xfr(
                "127.0.0.1",
                DOMAIN,
                "IXFR",
                port=ours.primary.port,
                keyring={key().name: key()},
                serial=serial,
                lifetime=10,
            )
        )
        return sum(len(rrset) for each in answers for rrset in each.answer)

    assert asked(ours.view.revision) == 1
    assert asked(ours.view.revision - 1) > 10


def test_a_thousand_endpoints_come_in_many_messages(ours: Installation) -> None:
    ours.view = view(*range(1, 1001), knot=server(9, pushes=False))
    zone = transferred(ours.primary.port)
    assert len(zone.nodes) == 2 + 3 * 1000


def key() -> dns.tsig.Key:
    return dns.tsig.Key(KEY, SECRET)


def transferred(
    port: int, shared: dns.tsig.Key | str | None = "", zone: str = DOMAIN
) -> dns.zone.Zone:
    """The domain, as whoever asks at this port gets it."""
    used = key() if shared == "" else shared
    found = dns.zone.Zone(zone)
    query, _ = dns.xfr.make_query(found)
    if isinstance(used, dns.tsig.Key):
        query.use_tsig(used)
    dns.query.inbound_xfr("127.0.0.1", found, query, port=port, lifetime=20)
    return found
