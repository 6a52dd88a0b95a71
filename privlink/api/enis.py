"""Taking an address of a vSwitch for an endpoint, a load balancer or a workload."""

from __future__ import annotations

from ipaddress import IPv4Address

from privlink import errors
from privlink.api.action import Call
from privlink.model.ids import EniId, new_id, new_mac
from privlink.model.network import Eni, EniOwner, VSwitch
from privlink.rules import addresses
from privlink.store import networks


def take(call: Call, vswitch: VSwitch, wanted: str | None, owner: EniOwner, owner_id: str) -> Eni:
    """An ENI with the wanted address, or with any free one.

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
    )
    networks.add_eni(call.tx, eni)
    return eni


def _wanted(call: Call, vswitch: VSwitch, wanted: str) -> int:
    why = addresses.why_not_in_vswitch(wanted, vswitch.cidr)
    if why is None:
        address = int(IPv4Address(wanted))
        if not networks.address_taken(call.tx, vswitch.vpc_id, address):
            return address
        why = "it is taken already. Leave it out to get a free one."
    raise errors.EniIpUnavailable(address=wanted, vswitch_id=vswitch.id, cidr=vswitch.cidr, why=why)
