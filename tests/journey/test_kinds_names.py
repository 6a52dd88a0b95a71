"""Full-NAT entries that call a name, which the consumer's own DNS server is asked for.

provider 10.0.0.0/16                     consumer 10.0.0.0/16
worker 10.0.0.5 ─▶ NAT gateway ─▶ endpoint 10.0.0.80 ─┬ asks ─▶ resolver 10.0.0.2
                                                      ├───────▶ 10.0.0.5
                                                      └───────▶ 10.0.0.6
An answer is believed for five seconds at least, so a change is awaited for longer than that.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest
from alibabacloud_vpc20160428 import models as vpc

from demo.cloud import REGION
from tests.journey.installation import CLIENT, PORT, Installation, workload
from tests.journey.parties import (
    ENDPOINT,
    MODULES,
    Consumer,
    Provider,
    echoes,
    ends,
    one,
    provider,
    refuses,
    server_in,
    two,
)
from tests.kernel import lab
from tests.kernel.dns_server import Zone, serving

__all__ = ["one", "provider", "two"]  # fixtures

NAME, RESOLVER, SECOND = "db.customer.example", "10.0.0.2", "10.0.0.6"
SOON = 60.0  # seconds; a silent server is asked less and less often
NOT_ASKED = "the endpoint's owner names no DNS server to ask; SetEndpointTargets takes one."


class Named(NamedTuple):
    """An entry that calls a name, and whom that is asked of."""

    installation: Installation
    consumer: Consumer
    provider: Provider
    endpoint: str
    entry: str
    port: int
    zone: Zone
    second: list[str]  # who called 10.0.0.6

    def shown(self) -> tuple[str, str]:
        """The status of the entry and what its name is resolved to, as its provider sees it."""
        request = vpc.ListFullNatEntriesRequest(
            region_id=REGION,
            nat_gateway_id=self.provider.gateway,
            full_nat_entry_id=self.entry,
        )
        (found,) = self.provider.cloud.vpc.list_full_nat_entries(request).body.full_nat_entries
        return found.full_nat_entry_status, found.domain_resolve

    def says(self, why: str) -> None:
        """Wait until its provider is told so; empty: that nothing is wrong."""
        lab.eventually(lambda: self._why() == why, within=SOON)

    def _why(self) -> str:
        listed = self.installation.call(
            "ListFullNatEntryStates", NatGatewayId=self.provider.gateway
        )
        return next(
            str(each["Why"]) for each in listed["Entries"] if each["FullNatEntryId"] == self.entry
        )

    def leads_to(self, *addresses: str) -> None:
        """Wait until it leads there; nowhere: until it is shut."""
        wanted = ("Available" if addresses else "Pending", ", ".join(addresses))
        lab.eventually(lambda: self.shown() == wanted, within=SOON)

    def targets(self, *options: str) -> None:
        """What the consumer says of its endpoint."""
        self.installation.run("endpoint-targets", self.endpoint, *options)

    def ask(self, word: bytes = b"a word") -> None:
        """See that a new connection gets through."""
        netns = self.provider.workload.netns
        assert lab.ask(netns, self.provider.nat, self.port, word) == word

    def refuses(self) -> bool:
        return refuses(self.provider, self.port)


def entry_of(provider: Provider, made: str, name: str = NAME) -> tuple[str, int]:
    """The id and the port of an entry that calls a name."""
    calls = provider.cloud.vpc
    asked = vpc.GetNatGatewayAttributeRequest(region_id=REGION, nat_gateway_id=provider.gateway)
    table = calls.get_nat_gateway_attribute(asked).body.full_nat_table.full_nat_table_id
    (interface,) = provider.cloud.interfaces(made).values()
    entry: str = calls.create_full_nat_entry(
        vpc.CreateFullNatEntryRequest(
            region_id=REGION,
            full_nat_table_id=table,
            ip_protocol="TCP",
            nat_ip=provider.nat,
            network_interface_id=interface,
            access_domain=name,
            access_port=str(PORT),
        )
    ).body.full_nat_entry_id
    listing = vpc.ListFullNatEntriesRequest(
        region_id=REGION, nat_gateway_id=provider.gateway, full_nat_entry_id=entry
    )
    (found,) = calls.list_full_nat_entries(listing).body.full_nat_entries
    assert (found.access_domain, found.access_ip) == (name, None)
    return entry, int(found.nat_ip_port)


@contextmanager
def named_by(
    installation: Installation, consumer: Consumer, provider: Provider, account: str = ""
) -> Iterator[Named]:
    """An entry whose name is the consumer's first server to begin with."""
    made = provider.asked(consumer)
    provider.accept(consumer, made)
    place = (installation, consumer.network)
    with (
        workload(*place, "resolver", RESOLVER, account) as resolver,
        server_in(*place, "second", SECOND, account) as (_, second),
        serving(resolver.netns, Zone(CLIENT)) as zone,
    ):
        entry, port = entry_of(provider, made)
        named = Named(installation, consumer, provider, made, entry, port, zone, second)
        assert named.shown() == ("Pending", "")
        named.says(NOT_ASKED)
        assert named.refuses()
        installation.run("endpoint-targets", made, "--resolver", RESOLVER, account=account)
        named.leads_to(CLIENT)
        yield named


@pytest.fixture
def named(installation: Installation, one: Consumer, provider: Provider) -> Iterator[Named]:
    with named_by(installation, one, provider) as ready:
        yield ready


def test_an_entry_leads_where_its_name_does_and_follows_it(named: Named) -> None:
    named.ask(b"the first byte")
    netns = named.provider.workload.netns
    with lab.connect(netns, named.provider.nat, named.port) as running:
        assert echoes(running)
        named.zone.addresses = (SECOND,)
        named.leads_to(SECOND)
        ends(running)
        named.ask(b"the second server")
    # Both servers and the resolver see the endpoint, and nobody else of the provider's.
    assert (named.consumer.callers, named.second) == ([ENDPOINT] * 2, [ENDPOINT])
    assert set(named.zone.asked) == {(ENDPOINT, NAME)}
    told = named.installation.run("endpoint-targets", named.endpoint)
    assert f"{NAME} ({SECOND})" in told
    assert f"names are asked of {RESOLVER}" in told


def test_a_name_with_two_addresses_shares_out_what_comes(named: Named) -> None:
    named.zone.addresses = (SECOND, CLIENT)
    named.leads_to(CLIENT, SECOND)
    before = len(named.consumer.callers)
    for _ in range(4):
        named.ask()
    assert (len(named.consumer.callers) - before, len(named.second)) == (2, 2)


def test_a_resolver_that_dies_changes_nothing(named: Named) -> None:
    netns = named.provider.workload.netns
    with lab.connect(netns, named.provider.nat, named.port) as running:
        assert echoes(running)
        named.zone.silent = True
        named.says("the DNS server does not answer.")
        assert named.shown() == ("Available", CLIENT)
        assert echoes(running)
        named.ask()
        named.zone.silent, named.zone.addresses = False, (SECOND,)
        named.leads_to(SECOND)  # as soon as it is asked again
        named.says("")
        ends(running)


def test_a_name_that_goes_shuts_the_door(named: Named) -> None:
    netns = named.provider.workload.netns
    with lab.connect(netns, named.provider.nat, named.port) as running:
        assert echoes(running)
        named.zone.addresses = ()
        named.leads_to()
        ends(running)
    named.says("the DNS server knows no such name.")
    assert named.refuses()


def test_kill_9_of_both_with_a_name_ends_nothing(named: Named) -> None:
    """Its resolver is silent when they come back: it leads where it last did."""
    netns = named.provider.workload.netns
    with lab.connect(netns, named.provider.nat, named.port) as running:
        assert echoes(running)
        named.zone.silent = True
        for module in MODULES:
            os.kill(named.installation.process(module), signal.SIGKILL)
        for number in range(20):  # while both are dead or coming back
            assert echoes(running, b"%d" % number)
            named.ask(b"new %d" % number)
        lab.eventually(named.installation.is_ready)
        asked = len(named.zone.asked)
        lab.eventually(lambda: len(named.zone.asked) > asked, within=SOON)
        assert echoes(running)
        assert named.shown() == ("Available", CLIENT)
        named.ask()
        named.zone.silent, named.zone.addresses = False, (SECOND,)
        named.leads_to(SECOND)
        ends(running)
        named.ask()
    assert named.second == [ENDPOINT]


@pytest.mark.parametrize("module", MODULES)
def test_a_name_that_changes_while_one_of_both_is_dead_is_followed(
    named: Named, module: str
) -> None:
    named.zone.addresses = (SECOND,)
    os.kill(named.installation.process(module), signal.SIGKILL)
    lab.eventually(named.installation.is_ready, within=SOON)
    named.leads_to(SECOND)
    named.ask()
    assert named.second == [ENDPOINT]


def test_only_targets_that_the_consumer_permits_are_called(named: Named) -> None:
    netns, called = named.provider.workload.netns, named.consumer.callers
    with lab.connect(netns, named.provider.nat, named.port) as running:
        assert echoes(running)
        named.targets("--permit", f"{SECOND}/32,tcp,{PORT}/{PORT}")
        named.leads_to()
        ends(running)
        assert named.refuses()
    before = len(called)
    named.zone.addresses = (CLIENT, SECOND)
    named.leads_to(SECOND)  # of the two, the one
    for _ in range(3):
        named.ask()
    assert (len(called), named.second) == (before, [ENDPOINT] * 3)
    named.targets("--permit", f"{SECOND}/32,udp,{PORT}/{PORT}")
    named.leads_to()
    named.says("it is not among the targets that the endpoint's owner permits.")
    named.targets("--permit-all")
    named.leads_to(CLIENT, SECOND)


def test_an_answer_outside_of_the_consumers_vpc_leads_nowhere(named: Named) -> None:
    """Whoever answers may lead where he likes; whoever is led may not."""
    named.zone.addresses = (named.provider.nat, "127.0.0.1", "169.254.169.254", "192.168.0.1")
    assert named.provider.nat.startswith("10.0.")
    with lab.echo_server(named.provider.workload.netns, PORT) as theirs:
        lab.eventually(lambda: named.shown()[1] == named.provider.nat, within=SOON)
        # An address of the VPC that nobody has there, though the provider has it in its own.
        with pytest.raises(OSError):
            lab.connect(named.provider.workload.netns, named.provider.nat, named.port, timeout=1)
        named.zone.addresses = ("127.0.0.1", "169.254.169.254", "192.168.0.1")
        named.leads_to()
        assert named.refuses()
        named.says("its name has no address that the endpoint's owner permits.")
    assert theirs == []


def test_a_consumer_that_takes_its_resolver_back_shuts_the_door(named: Named) -> None:
    netns = named.provider.workload.netns
    with lab.connect(netns, named.provider.nat, named.port) as running:
        assert echoes(running)
        named.targets("--resolver", "")
        named.leads_to()
        ends(running)
    assert named.refuses()
    named.says(NOT_ASKED)
    asked = len(named.zone.asked)
    named.targets("--resolver", RESOLVER)
    named.leads_to(CLIENT)
    assert len(named.zone.asked) > asked


def test_equal_consumers_are_each_asked_for_their_own(
    installation: Installation, one: Consumer, two: Consumer, provider: Provider
) -> None:
    with ExitStack() as stack:
        theirs = [
            stack.enter_context(named_by(installation, each, provider, account))
            for each, account in ((one, ""), (two, two.account))
        ]
        theirs[1].zone.addresses = (SECOND,)
        theirs[1].leads_to(SECOND)
        assert theirs[0].shown() == ("Available", CLIENT)
        for each in theirs:
            each.ask()
        assert [(len(each.consumer.callers), len(each.second)) for each in theirs] == [
            (1, 0),
            (0, 1),
        ]
