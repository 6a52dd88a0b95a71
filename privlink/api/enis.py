"""Taking an address of a vSwitch for an endpoint, a load balancer or a workload."""

from __future__ import annotations

import secrets
from ipaddress import IPv4Address

from privlink import errors
from privlink.api.action import Call
from privlink.model.ids import EniId, new_id, new_mac
from privlink.model.network import Eni, EniOwner, VSwitch
from privlink.rules import addresses
from privlink.store import networks

_TAKEN = "it is taken already. Leave it out to get a free one."


def take(
    call: Call,
    vswitch: VSwitch,
    wanted: str | None,
    owner: EniOwner,
    owner_id: str,
    address6: str | None = None,
) -> Eni:
    """An ENI with the wanted address, or with any free one, and with an IPv6 address if one was
    chosen for it.

    Raises EniIpUnavailable if the wanted one is outside, reserved or taken, and
    ResourceNotEnoughVSwitchIp if none is left.
    """
    address = _wanted(call, vswitch, wanted) if wanted else networks.find_address(call.tx, vswitch)
    if address is None:
        raise errors.ResourceNotEnoughVSwitchIp(vswitch_id=vswitch.id, cidr=vswitch.cidr)
    eni_id = EniId(new_id("eni"))
    eni = Eni(
        id=eni_id,
        vpc_id=vswitch.vpc_id,
        vswitch_id=vswitch.id,
        address=address,
        mac=new_mac(),
        owner_kind=owner,
        owner_id=owner_id,
        created_at=call.now,
        address6=address6,
    )
    networks.add_eni(call.tx, eni)
    return eni


def choose6(call: Call, vswitch: VSwitch, wanted: str | None = None) -> str:
    """The wanted IPv6 address of a vSwitch, or one by chance, for an ENI that is put down next.

    Raises VSwitchNotSupportIpv6 if the vSwitch has no IPv6, and EniIpUnavailable if the wanted one
    is outside, reserved or taken.
    """
    if not vswitch.cidr6:
        raise errors.VSwitchNotSupportIpv6(vswitch_id=vswitch.id)
    # One of 2^64: nobody has to search, and whoever should meet a taken one draws again.
    chosen = wanted or addresses.interface6(vswitch.cidr6, secrets.randbits(64))
    why = _why_not6(call, vswitch, chosen)
    if why is None:
        return addresses.canonical6(chosen)
    if not wanted:
        return choose6(call, vswitch)
    raise errors.EniIpUnavailable(
        address=wanted, vswitch_id=vswitch.id, cidr=vswitch.cidr6, why=why
    )


def _wanted(call: Call, vswitch: VSwitch, wanted: str) -> int:
    why = addresses.why_not_in_vswitch(wanted, vswitch.cidr)
    if why is None:
        address = int(IPv4Address(wanted))
        if not networks.address_taken(call.tx, vswitch.vpc_id, address):
            return address
        why = _TAKEN
    raise errors.EniIpUnavailable(address=wanted, vswitch_id=vswitch.id, cidr=vswitch.cidr, why=why)


def _why_not6(call: Call, vswitch: VSwitch, address: str) -> str | None:
    if why := addresses.why_not_in_vswitch(address, vswitch.cidr6):
        return why
    taken = networks.address6_taken(call.tx, vswitch.vpc_id, addresses.canonical6(address))
    return _TAKEN if taken else None
