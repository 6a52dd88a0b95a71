"""What the two APIs of load balancers, NLB and CLB, do alike."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from privlink import errors
from privlink.api.action import Call
from privlink.api.wire import Answer
from privlink.model.balancer import LoadBalancerZone
from privlink.model.ids import EniId, LoadBalancerId, VpcId
from privlink.model.network import VSwitch
from privlink.rules import addresses, families
from privlink.store import balancers, changes, labels, networks, nodes, rows


class TagShown(Answer):
    """A tag as these products' answers spell it."""

    tag_key: str
    tag_value: str


def tags(call: Call, resource_ids: Iterable[str]) -> dict[str, list[TagShown]]:
    """The tags of resources; those without any have an empty list."""
    listed = list(resource_ids)
    found = labels.tags(call.tx, listed)
    return {
        each: [TagShown(tag_key=tag.key, tag_value=tag.value) for tag in found[each]]
        for each in listed
    }


def place(
    call: Call, balancer_id: LoadBalancerId, vswitch: VSwitch, eni_id: EniId
) -> LoadBalancerZone:
    """A load balancer's place in the zone of a vSwitch, with numbers that are its own for good."""
    return LoadBalancerZone(
        balancer_id,
        vswitch.zone_id,
        vswitch.id,
        eni_id,
        number=rows.next_number(call.tx, "place"),
        opening=rows.next_number(call.tx, "opening"),
    )


def known_to_nodes(call: Call, balancer_id: LoadBalancerId) -> bool:
    """Whether every node holds a load balancer, in each of its zones, as it now is."""
    zones = balancers.zones(call.tx, balancer_id)
    keys = [changes.balancer_key(balancer_id, place.zone_id) for place in zones]
    return nodes.in_step(call.tx, keys).confirms(*keys)


def protection(
    call: Call,
    present: tuple[str, str],
    wanted: bool | None,
    reason: str | None,
    no_reason: errors.ApiError,
) -> tuple[str, str]:
    """Since when and why something is protected after a change; both empty if it is not.

    What is None stays as it is `present`. Raises `no_reason` for a reason without protection.
    """
    since, why = present
    if wanted is False or (wanted is None and not since):
        if reason:
            raise no_reason
        return "", ""
    return since or call.now, why if reason is None else reason


def addresses_of_eni(call: Call, eni_id: str, vpc_id: VpcId) -> tuple[str, ...]:
    """The addresses of an attachment's ENI, IPv4 first.

    Raises ValueError with the sentence that says why there are none.
    """
    attachment = networks.attachment_of(call.tx, eni_id)
    if attachment is None or attachment.account_id != call.account_id:
        raise ValueError("no attachment of this account has that ENI.")
    eni = networks.get_eni(call.tx, attachment.eni_id)
    if eni.vpc_id != vpc_id:
        raise ValueError(f"that ENI lies in {eni.vpc_id}.")
    return (addresses.text(eni.address), *filter(None, [eni.address6]))


def address_in_vpc(call: Call, text: str, vpc_id: VpcId) -> str:
    """An address of a VPC, in its one spelling.

    Raises ValueError with the sentence that says why it is none.
    """
    address = families.parse(text)
    if address is None:
        raise ValueError("without an ENI, a server is an IPv4 address, or an IPv6 one.")
    vpc = networks.vpc_by_id(call.tx, vpc_id)
    block = vpc.cidr if address.version == 4 else vpc.cidr6
    if not block:
        raise ValueError("that VPC has no IPv6 block; ModifyVpcAttribute EnableIPv6 gives it one.")
    if address not in ip_network(block):
        raise ValueError(f"it lies outside {block}.")
    return str(address)
