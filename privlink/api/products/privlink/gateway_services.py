"""Gateway services: blocks of addresses in a provider's VPC that every account may have routes to.

The operator publishes them, as the cloud's own operator does.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.paging import MaxResults, NextToken, by_token
from privlink.api.wire import Answer
from privlink.kinds import gateway as kind
from privlink.model.gateway import GatewayService
from privlink.model.ids import PrefixListId, ServiceId, VSwitchId, new_id
from privlink.model.security import AddressFamily, PrefixList, PrefixListUse
from privlink.store import gateways, networks, rows

ServiceName = Annotated[
    str,
    msgspec.Meta(
        max_length=128,
        pattern="^com(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+\\Z",
        description="it is com. and words of a-z, 0-9 and -, with dots between them, such as "
        "com.privlink.local.objects; up to 128 characters.",
    ),
]
CidrBlocks = Annotated[
    tuple[str, ...],
    msgspec.Meta(
        min_length=1,
        max_length=kind.MOST_BLOCKS,
        description=f"1 to {kind.MOST_BLOCKS} blocks.",
    ),
]


class CreateGatewayServiceAnswer(Answer):
    service_id: str
    service_name: str
    prefix_list_id: str


class GatewayServiceAnswer(Answer):
    service_id: str
    service_name: str
    vswitch_id: str
    vpc_id: str
    owner_id: str
    prefix_list_id: str
    cidr_block: list[str]
    policy_supported: bool
    default_policy_document: str
    endpoint_count: int
    create_time: str


class GatewayServicesAnswer(Answer):
    gateway_services: list[GatewayServiceAnswer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="gatewayservice/*")
def create_gateway_service(
    call: Call,
    *,
    name: ServiceName,
    vswitch_id: str,
    cidr_block: CidrBlocks,
    policy_supported: bool = False,
    default_policy_document: str = "",
) -> CreateGatewayServiceAnswer:
    """Publish blocks of the VPC of a vSwitch, whose account may be any, to gateway endpoints.

    What is called keeps its address: whoever has it in that VPC answers. The blocks, IPv4 or IPv6
    or both, are on a prefix list of the system's, which everyone may read. Without a
    `DefaultPolicyDocument`, the default policy allows everything.
    """
    kind.check_service_name(name)
    if (present := gateways.service_named(call.tx, name)) is not None:
        raise errors.GatewayServiceExists(name=name, service_id=present.id)
    vswitch = networks.vswitches_by_ids(call.tx, [vswitch_id]).get(VSwitchId(vswitch_id))
    if vswitch is None:
        raise errors.VSwitchNotFound(vswitch_id=vswitch_id, where="in any account")
    vpc = networks.vpc_by_id(call.tx, vswitch.vpc_id)
    blocks = kind.service_blocks(cidr_block, vpc)
    policy = kind.service_policy(policy_supported, default_policy_document)
    has_ipv4 = any(":" not in block for block in blocks)
    listed = PrefixList(
        id=PrefixListId(new_id("pl")),
        number=rows.next_number(call.tx, "security group"),
        account_id=call.account_id,
        family=AddressFamily.IPV4 if has_ipv4 else AddressFamily.IPV6,
        name=name,
        description="",
        max_entries=len(blocks),
        created_at=call.now,
        use=PrefixListUse.GATEWAY,
    )
    made = GatewayService(
        id=ServiceId(new_id("vpces")),
        name=name,
        vswitch_id=vswitch.id,
        vpc_id=vpc.id,
        prefix_list_id=listed.id,
        policies=policy_supported,
        default_policy=policy,
        created_at=call.now,
    )
    gateways.add_service(call.tx, made, listed, blocks)
    return CreateGatewayServiceAnswer(
        service_id=made.id, service_name=made.name, prefix_list_id=listed.id
    )


@action(PRIVLINK, who=Who.OPERATOR, resource="gatewayservice/*")
def list_gateway_services(
    call: Call,
    *,
    service_name: str | None = None,
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> GatewayServicesAnswer:
    """List the gateway services of this installation, the oldest first.

    `OwnerId` is the account of the vSwitch; `EndpointCount` is how many endpoints lead there.
    """
    found = [each for each in gateways.all_services(call.tx) if service_name in (None, each.name)]
    page, following = by_token(found, lambda each: each.id, max_results, next_token)
    blocks = gateways.blocks(call.tx, page)
    endpoints = gateways.of_services(call.tx, [each.id for each in page])
    return GatewayServicesAnswer(
        gateway_services=[
            GatewayServiceAnswer(
                service_id=each.id,
                service_name=each.name,
                vswitch_id=each.vswitch_id,
                vpc_id=each.vpc_id,
                owner_id=networks.vpc_by_id(call.tx, each.vpc_id).account_id,
                prefix_list_id=each.prefix_list_id,
                cidr_block=blocks[each.id],
                policy_supported=each.policies,
                default_policy_document=each.default_policy,
                endpoint_count=len(endpoints[each.id]),
                create_time=each.created_at,
            )
            for each in page
        ],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="gatewayservice/{service_id}")
def delete_gateway_service(call: Call, *, service_id: str) -> Answer:
    """Delete a gateway service that no endpoint leads to, and its prefix list."""
    service = gateways.service(call.tx, service_id)
    if service is None:
        raise errors.GatewayServiceNotFound(service_id=service_id)
    if using := gateways.of_services(call.tx, [service.id])[service.id]:
        dependants = ", ".join(f"{each.id} of account {each.account_id}" for each in using)
        raise errors.DependencyViolationGatewayEndpoint(resource=service.id, dependants=dependants)
    gateways.delete_service(call.tx, service)
    return Answer()


ACTIONS = (create_gateway_service, list_gateway_services, delete_gateway_service)
