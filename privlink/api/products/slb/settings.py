"""What can be set on a CLB: its name, whether it takes flows, what protects it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink.api import balancing, ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.fields import Name
from privlink.api.wire import Answer
from privlink.model.balancer import LoadBalancer
from privlink.store import balancers

OnOff = Annotated[Literal["on", "off"], msgspec.Meta(description="it is on or off.")]
Status = Annotated[
    Literal["active", "inactive"], msgspec.Meta(description="it is active or inactive.")
]
ModificationStatus = Annotated[
    Literal["NonProtection", "ConsoleProtection"],
    msgspec.Meta(description="it is NonProtection or ConsoleProtection."),
]


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def set_load_balancer_status(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    load_balancer_status: Status,
) -> Answer:
    """Let a CLB take new flows or not; running ones go on."""
    balancer = ours.clb(call, load_balancer_id)
    balancers.set_active(call.tx, balancer, active=load_balancer_status == "active")
    return Answer()


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def set_load_balancer_name(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    load_balancer_name: Name,
) -> Answer:
    """Give a CLB another name."""
    balancer = ours.clb(call, load_balancer_id)
    balancers.change(call.tx, msgspec.structs.replace(balancer, name=load_balancer_name))
    return Answer()


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def set_load_balancer_delete_protection(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    delete_protection: OnOff,
) -> Answer:
    """Protect a CLB against deletion, or not."""
    balancer = ours.clb(call, load_balancer_id)
    changed = protected(call, balancer, delete=delete_protection, status=None, reason=None)
    balancers.change(call.tx, changed)
    return Answer()


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def set_load_balancer_modification_protection(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    modification_protection_status: ModificationStatus,
    modification_protection_reason: Name | None = None,
) -> Answer:
    """Protect a CLB against changes in a console, or not. The API may change it in any case."""
    changed = protected(
        call,
        ours.clb(call, load_balancer_id),
        delete=None,
        status=modification_protection_status,
        reason=modification_protection_reason,
    )
    balancers.change(call.tx, changed)
    return Answer()


def protected(
    call: Call,
    balancer: LoadBalancer,
    *,
    delete: str | None,
    status: str | None,
    reason: str | None,
) -> LoadBalancer:
    """A CLB with what is given of its protection.

    Raises InvalidModificationProtectionReason for a reason without protection.
    """
    no_reason = SLB.invalid(
        parameter="ModificationProtectionReason",
        why="it goes with ModificationProtectionStatus=ConsoleProtection alone. Leave it out.",
    )
    undeletable, _ = balancing.protection(
        call,
        (balancer.undeletable_since, ""),
        None if delete is None else delete == "on",
        None,
        no_reason,
    )
    since, why = balancing.protection(
        call,
        (balancer.fixed_since, balancer.fixed_reason),
        None if status is None else status == "ConsoleProtection",
        reason,
        no_reason,
    )
    return msgspec.structs.replace(
        balancer, undeletable_since=undeletable, fixed_since=since, fixed_reason=why
    )


ACTIONS = (
    set_load_balancer_status,
    set_load_balancer_name,
    set_load_balancer_delete_protection,
    set_load_balancer_modification_protection,
)
