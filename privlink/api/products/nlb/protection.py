"""Protection of a load balancer against being deleted, and against changes in a console."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink.api import balancing, ours
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.fields import Name
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import LoadBalancer
from privlink.store import balancers

ModificationStatus = Annotated[
    Literal["NonProtection", "ConsoleProtection"],
    msgspec.Meta(description="it is NonProtection or ConsoleProtection."),
]


class DeletionProtection(Fields, frozen=True):
    """Whether a load balancer can be deleted."""

    enabled: bool = False
    reason: Name | None = None


class ModificationProtection(Fields, frozen=True):
    """Whether a console may change a load balancer. The API may in any case."""

    status: ModificationStatus = "NonProtection"
    reason: Name | None = None


class DeletionProtectionAnswer(Answer):
    enabled: bool
    enabled_time: str | msgspec.UnsetType
    reason: str


class ModificationProtectionAnswer(Answer):
    status: str
    enabled_time: str | msgspec.UnsetType
    reason: str


@action(NLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def update_load_balancer_protection(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    deletion_protection_enabled: bool | None = None,
    deletion_protection_reason: Name | None = None,
    modification_protection_status: ModificationStatus | None = None,
    modification_protection_reason: Name | None = None,
) -> Answer:
    """Change what is given of a load balancer's protection."""
    changed = protected(
        call,
        ours.balancer(call, load_balancer_id),
        enabled=deletion_protection_enabled,
        reason=deletion_protection_reason,
        status=modification_protection_status,
        status_reason=modification_protection_reason,
    )
    balancers.change(call.tx, changed)
    return Answer()


def protected(
    call: Call,
    balancer: LoadBalancer,
    *,
    enabled: bool | None,
    reason: str | None,
    status: str | None,
    status_reason: str | None,
) -> LoadBalancer:
    """A load balancer with what is given of its protection. Raises InvalidParameter for a reason
    without protection.
    """
    why = "it goes with protection, and there is none. Leave it out, or enable that."
    undeletable = balancing.protection(
        call,
        (balancer.undeletable_since, balancer.undeletable_reason),
        enabled,
        reason,
        NLB.invalid(parameter="DeletionProtectionReason", why=why),
    )
    fixed = balancing.protection(
        call,
        (balancer.fixed_since, balancer.fixed_reason),
        None if status is None else status == "ConsoleProtection",
        status_reason,
        NLB.invalid(parameter="ModificationProtectionReason", why=why),
    )
    return msgspec.structs.replace(
        balancer,
        undeletable_since=undeletable[0],
        undeletable_reason=undeletable[1],
        fixed_since=fixed[0],
        fixed_reason=fixed[1],
    )


def deletion_answer(balancer: LoadBalancer) -> DeletionProtectionAnswer:
    """The protection against deletion as answers show it."""
    return DeletionProtectionAnswer(
        enabled=bool(balancer.undeletable_since),
        enabled_time=balancer.undeletable_since or msgspec.UNSET,
        reason=balancer.undeletable_reason,
    )


def modification_answer(balancer: LoadBalancer) -> ModificationProtectionAnswer:
    """The protection against changes as answers show it."""
    return ModificationProtectionAnswer(
        status="ConsoleProtection" if balancer.fixed_since else "NonProtection",
        enabled_time=balancer.fixed_since or msgspec.UNSET,
        reason=balancer.fixed_reason,
    )


ACTIONS = (update_load_balancer_protection,)
