"""What policies let an identity do, product by product, and what a refusal gives away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from privlink.api.caller import Who
from privlink.server.wiring import ACTIONS
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.cost import counted
from tests.api.identity import allow, deny, document, role, session, user
from tests.api.stage import NODE, Stage
from tests.api.test_accounts import ACTION, ask, belongings, filled
from tests.api.test_accounts import CALLS as NAMED
from tests.api.wire import acs3, send
from tests.api.world import A, World

DENIED = {"privatelink": ("NoPermission", 400)} | dict.fromkeys(
    ("ram", "sts", "resourcemanager", "privlink"), ("NoPermission", 403)
)
FORBIDDEN = ("Forbidden.RAM", 403)
Maker = Callable[..., Account]


@pytest.fixture
def may(stage: Stage, operator: Account) -> Iterator[Maker]:
    """`may(statement, ...)`: a user of the operator who may do that."""
    made: list[Account] = []

    def may(*statements: dict[str, Any]) -> Account:
        made.append(user(stage, operator, f"user-{len(made)}", *statements))
        return made[-1]

    yield may
    for account in made:
        account.own.close()


def endpoint_arn(account: Account, endpoint: str) -> str:
    return f"acs:privatelink:local:{account.id}:vpcendpoint/{endpoint}"


def test_without_a_policy_nothing_but_who_am_i_is_allowed(
    stage: Stage, operator: Account, world: World, may: Maker
) -> None:
    ids = belongings(world)
    nobody = may()
    before = stage.dump()
    free = {
        *("GetCallerIdentity", "DescribeRegions", "DescribeZones", "DescribeEndpoints"),
        *("DescribeAvailableResource", "QueryAvailableInstances", "GetJobStatus"),
    }
    for name, template in NAMED:
        expected = DENIED.get(ACTION[name].product.name, FORBIDDEN)
        own = {f"own {kind}": id for kind, id in ids.items()}
        reply = ask(stage, nobody, ACTION[name], filled(template, ids | own))
        assert (reply.code, reply.status) == expected, (name, reply.message)
        assert stage.dump() == before, name
    for action in ACTIONS:
        if action.who is Who.ACCOUNT:
            reply = ask(stage, nobody, action, {})
            assert reply.status >= 400 or action.name in free, action.name
            assert stage.dump() == before, action.name


def test_a_load_balancer_is_denied_by_one_name_in_every_call(
    stage: Stage, world: World, may: Maker
) -> None:
    ours = world.clb(world.network())
    arn = f"acs:slb:*:*:loadbalancer/{ours}"
    careful = may(allow("*"), deny("slb:*", Resource=arn))
    tagged = {"ResourceType": "instance", "ResourceId": [ours], "Tag": [{"Key": "a", "Value": ""}]}
    for name, parameters in (
        ("slb.TagResources", tagged),
        ("slb.DeleteLoadBalancer", {"LoadBalancerId": ours}),
    ):
        reply = ask(stage, careful, ACTION[name], parameters)
        assert (reply.code, reply.status) == FORBIDDEN


def test_a_nat_gateway_is_denied_by_one_name_in_every_call(
    stage: Stage, world: World, may: Maker
) -> None:
    ours = world.nat_gateway(world.network())
    service = world.reverse_service(world.nat_gateway(world.network()))
    careful = may(allow("*"), deny("*", Resource=f"acs:vpc:*:*:natgateway/{ours}"))
    resource = {"ResourceType": "vpcnat", "ResourceId": ours, "ZoneId": A}
    for name, parameters, code in (
        ("DeleteNatGateway", {"NatGatewayId": ours}, FORBIDDEN),
        ("ListFullNatEntryStates", {"NatGatewayId": ours}, DENIED["privlink"]),
        (
            "AttachResourceToVpcEndpointService",
            {"ServiceId": service} | resource,
            DENIED["privatelink"],
        ),
        (
            "CreateVpcEndpointService",
            {"ServiceResourceType": "vpcnat", "Resource": [resource]},
            DENIED["privatelink"],
        ),
    ):
        reply = ask(stage, careful, ACTION[name], parameters)
        assert (reply.code, reply.status) == code, (name, reply.message)


def test_everything_may_be_allowed(stage: Stage, operator: Account, may: Maker) -> None:
    admin = may(allow("*"))
    world = World(admin)
    network = world.network()
    service = world.published()
    endpoint = world.endpoint(service, network, A)
    assert World(operator).shown(endpoint)["VpcId"] == network.vpc
    assert admin.own.call("DescribeStatus")["OperatorAccountId"] == operator.id
    admin.own.call("CreateAccount", Name="by-admin")


def test_the_operators_actions_need_a_policy_there(
    stage: Stage, operator: Account, other: Account, may: Maker, refused: Refused
) -> None:
    without = may(allow("vpc:*"))
    with refused("NoPermission", 403, "privlink:DescribeStatus"):
        without.own.call("DescribeStatus")
    may(allow("privlink:Describe*")).own.call("DescribeStatus")
    theirs = user(stage, other, "admin", allow("*"))
    with refused("NoPermission", 403, "for the operator only"):
        theirs.own.call("DescribeStatus")
    theirs.own.close()


def test_a_user_of_one_account_reaches_nothing_of_another(
    stage: Stage, operator: Account, other: Account
) -> None:
    ids = belongings(World(operator))
    theirs = user(stage, other, "admin", allow("*"))
    owned = {f"own {kind}": id for kind, id in belongings(World(other)).items()}
    before = stage.dump()
    for name, template in NAMED:
        reply = ask(stage, theirs, ACTION[name], filled(template, ids | owned))
        assert reply.status >= 400, name
        assert stage.dump() == before, name


def test_one_resource_among_others(
    world: World, operator: Account, may: Maker, refused: Refused
) -> None:
    service, network = world.published(), world.network()
    mine, others = (world.endpoint(service, network) for _ in range(2))
    user = may(allow("privatelink:*VpcEndpoint*", on=endpoint_arn(operator, mine)))
    user.privatelink.GetVpcEndpointAttribute(EndpointId=mine)
    user.privatelink.UpdateVpcEndpointAttribute(EndpointId=mine, EndpointName="mine")
    told = []
    for endpoint in (others, "ep-00000000000000000000", "*", f"{mine}*", f"{mine} ", mine.upper()):
        with pytest.raises(Exception) as caught:
            user.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
        error: Any = caught.value
        assert (error.code, error.status_code) == ("NoPermission", 400)
        told.append(error.message.partition(" request id")[0].replace(endpoint, "<id>"))
    assert len(set(told)) == 1, told
    with refused("NoPermission", 400, "vpcendpoint/*"):
        user.privatelink.ListVpcEndpoints()


def test_a_deny_wins_over_everything(
    world: World, operator: Account, may: Maker, refused: Refused
) -> None:
    endpoint = world.endpoint(world.published(), world.network())
    user = may(allow("*"), deny("PRIVATELINK:delete*", on=endpoint_arn(operator, "*")))
    user.privatelink.GetVpcEndpointAttribute(EndpointId=endpoint)
    with refused("NoPermission", 400, "a policy denies it", "privatelink:DeleteVpcEndpoint"):
        user.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)


def test_each_product_has_its_own_words(may: Maker, refused: Refused) -> None:
    nobody = may()
    with refused("NoPermission", 400, "privatelink:ListVpcEndpoints"):
        nobody.privatelink.ListVpcEndpoints()
    with refused("Forbidden.RAM", 403, "vpc:DescribeVpcs"):
        nobody.vpc.DescribeVpcs()
    with refused("Forbidden.RAM", 403, "ecs:DescribeSecurityGroups"):
        nobody.ecs.DescribeSecurityGroups()
    with refused("Forbidden.RAM", 403, "nlb:GetLoadBalancerAttribute", "acs:nlb:local:"):
        nobody.nlb.GetLoadBalancerAttribute(LoadBalancerId="nlb-1")
    with refused("NoPermission", 403, "resourcemanager:ListResourceGroups"):
        nobody.resourcemanager.ListResourceGroups()
    with refused("NoPermission", 403, "ram:GetUser", "acs:ram::", "user/alice"):
        nobody.ram.GetUser(UserName="alice")


def test_creating_an_endpoint_touches_other_products(
    world: World, operator: Account, may: Maker, refused: Refused
) -> None:
    service, network, aside = world.published(), world.network(), world.network()
    group = world.group(network)
    arns = {
        "endpoint": endpoint_arn(operator, "*"),
        "vpc": f"acs:vpc:*:{operator.id}:vpc/{network.vpc}",
        "vswitch": f"acs:vpc:*:{operator.id}:vswitch/{network.vswitch}",
        "group": f"acs:ecs:*:{operator.id}:securitygroup/{group}",
    }
    asked: dict[str, Any] = {
        "ServiceId": service,
        "VpcId": network.vpc,
        "SecurityGroupId": [group],
        "Zone": [{"ZoneId": A, "VSwitchId": network.vswitch}],
    }
    for missing, arn in arns.items():
        user = may(allow("privatelink:Create*", on=[each for each in arns.values() if each != arn]))
        with refused("NoPermission", 400, arn.rpartition(":")[2]):
            user.privatelink.CreateVpcEndpoint(**asked)
        assert missing
    user = may(allow("privatelink:Create*", on=list(arns.values())))
    with refused("NoPermission", 400, f"vpc/{aside.vpc}"):
        user.privatelink.CreateVpcEndpoint(**asked | {"VpcId": aside.vpc})
    user.privatelink.CreateVpcEndpoint(**asked)


# What an action uses besides what it acts on: the parameter, and the name policies have for that.
USED = {
    "VpcId": "vpc:vpc/vpc-1",
    "VSwitchId": "vpc:vswitch/vsw-1",
    "ZoneMappings": "vpc:vswitch/vsw-1",
    "Zone": "vpc:vswitch/vsw-1",
    "SecurityGroupId": "ecs:securitygroup/sg-1",
    "SourceGroupId": "ecs:securitygroup/sg-2",
    "DestGroupId": "ecs:securitygroup/sg-2",
    "SourcePrefixListId": "ecs:prefixlist/pl-1",
    "DestPrefixListId": "ecs:prefixlist/pl-1",
    "ServerGroupId": "nlb:servergroup/sgp-1",
    "Resource": "nlb:loadbalancer/nlb-1",
    "ResourceId": "slb:loadbalancer/lb-1",
    "NewUserName": "ram:user/boss",
    "RouteTableIds": "vpc:routetable/vtb-1",
}
USES: list[tuple[str, dict[str, Any], str]] = [
    ("CreateSecurityGroup", {"VpcId": "vpc-1"}, "VpcId"),
    ("CreateServerGroup", {"VpcId": "vpc-1", "ServerGroupName": "web"}, "VpcId"),
    (
        "nlb.CreateLoadBalancer",
        {
            "VpcId": "vpc-1",
            "AddressType": "Intranet",
            "ZoneMappings": [{"ZoneId": A, "VSwitchId": "vsw-1"}],
        },
        "VpcId ZoneMappings",
    ),
    ("slb.CreateLoadBalancer", {"VSwitchId": "vsw-1"}, "VSwitchId"),
    (
        "CreateNatGateway",
        {"VpcId": "vpc-1", "VSwitchId": "vsw-1", "NetworkType": "intranet"},
        "VpcId VSwitchId",
    ),
    (
        "CreateListener",
        {
            "LoadBalancerId": "nlb-2",
            "ListenerProtocol": "TCP",
            "ListenerPort": 80,
            "ServerGroupId": "sgp-1",
        },
        "ServerGroupId",
    ),
    (
        "UpdateListenerAttribute",
        {"ListenerId": "lsn-1", "ServerGroupId": "sgp-1"},
        "ServerGroupId",
    ),
    (
        "CreateAttachment",
        {"VSwitchId": "vsw-1", "SecurityGroupId": ["sg-1"]},
        "VSwitchId SecurityGroupId",
    ),
    (
        "AuthorizeSecurityGroup",
        {"SecurityGroupId": "sg-1", "IpProtocol": "all", "SourceGroupId": "sg-2"},
        "SourceGroupId",
    ),
    (
        "AuthorizeSecurityGroup",
        {
            "SecurityGroupId": "sg-1",
            "Permissions": [{"IpProtocol": "all", "SourcePrefixListId": "pl-1"}],
        },
        "SourcePrefixListId",
    ),
    (
        "AuthorizeSecurityGroupEgress",
        {
            "SecurityGroupId": "sg-1",
            "Permissions": [{"IpProtocol": "all", "DestGroupId": "sg-2"}],
        },
        "DestGroupId",
    ),
    (
        "ModifySecurityGroupEgressRule",
        {"SecurityGroupId": "sg-1", "SecurityGroupRuleId": "sgr-1", "DestPrefixListId": "pl-1"},
        "DestPrefixListId",
    ),
    (
        "JoinSecurityGroup",
        {"SecurityGroupId": "sg-1", "NetworkInterfaceId": "eni-1"},
        "SecurityGroupId",
    ),
    (
        "AttachSecurityGroupToVpcEndpoint",
        {"EndpointId": "ep-1", "SecurityGroupId": "sg-1"},
        "SecurityGroupId",
    ),
    (
        "DetachSecurityGroupFromVpcEndpoint",
        {"EndpointId": "ep-1", "SecurityGroupId": "sg-1"},
        "SecurityGroupId",
    ),
    (
        "AddZoneToVpcEndpoint",
        {"EndpointId": "ep-1", "ZoneId": A, "VSwitchId": "vsw-1"},
        "VSwitchId",
    ),
    (
        "CreateVpcEndpoint",
        {
            "ServiceId": "epsrv-1",
            "VpcId": "vpc-1",
            "SecurityGroupId": ["sg-1"],
            "Zone": [{"ZoneId": A, "VSwitchId": "vsw-1"}],
        },
        "VpcId SecurityGroupId Zone",
    ),
    (
        "CreateVpcEndpointService",
        {"ServiceResourceType": "nlb", "Resource": [{"ResourceId": "nlb-1", "ZoneId": A}]},
        "Resource",
    ),
    (
        "AttachResourceToVpcEndpointService",
        {"ServiceId": "epsrv-1", "ResourceId": "lb-1", "ResourceType": "slb"},
        "ResourceId",
    ),
    ("UpdateUser", {"UserName": "me", "NewUserName": "boss"}, "NewUserName"),
    ("CreateVpcGatewayEndpoint", {"VpcId": "vpc-1", "ServiceName": "com.objects"}, "VpcId"),
    (
        "AssociateRouteTablesWithVpcGatewayEndpoint",
        {"EndpointId": "vpce-1", "RouteTableIds": ["vtb-2", "vtb-1"]},
        "RouteTableIds",
    ),
    (
        "DissociateRouteTablesFromVpcGatewayEndpoint",
        {"EndpointId": "vpce-1", "RouteTableIds": ["vtb-1"]},
        "RouteTableIds",
    ),
    (
        "ExplainName",
        {"Name": "db.internal", "VpcId": "vpc-1", "VSwitchId": "vsw-1"},
        "VpcId VSwitchId",
    ),
]


@pytest.mark.parametrize(("name", "asked", "uses"), USES, ids=[name for name, *_ in USES])
def test_what_an_action_uses_needs_a_policy_too(
    stage: Stage, may: Maker, name: str, asked: dict[str, Any], uses: str
) -> None:
    expected = DENIED.get(ACTION[name].product.name, FORBIDDEN)
    for each in uses.split():
        product, _, path = USED[each].partition(":")
        careful = may(allow("*"), deny("*", on=f"acs:{product}:*:*:{path}"))
        reply = ask(stage, careful, ACTION[name], asked)
        assert (reply.code, reply.status) == expected, (each, reply.message)
        assert path in reply.message
    assert ask(stage, may(allow("*")), ACTION[name], asked).code != expected[0]


def test_nothing_an_action_takes_into_use_is_left_out() -> None:
    """A writing action that has a parameter for such a thing says so, or has a reason here."""
    reasons = {
        "CreateNameServer": "its Zone is one of a name server, not of the installation",
        "CreateGatewayService": "the operator decides, whosever vSwitch it is",
        "AddServersToServerGroup": "what a group may reach is decided by its VPC, at creation",
        "DetachResourceFromVpcEndpointService": "it is the service's already",
        "UpdateVpcEndpointServiceResourceAttribute": "it is the service's already",
        "UpdateVpcEndpointZoneConnectionResourceAttribute": "it is the service's already",
        "RevokeSecurityGroup": "the rule names it already",
        "RevokeSecurityGroupEgress": "the rule names it already",
        "slb.CreateLoadBalancer": "its VPC is the vSwitch's; another one is refused",
    }
    for name, action in ACTION.items():
        named = str(action.resource)
        for field, (wire, *_) in action._parameters.items():
            if action.writes and wire in USED and f"{{{field}" not in named:
                assert name in reasons, (name, wire)


def test_a_user_does_not_become_somebody_by_name(
    stage: Stage, operator: Account, refused: Refused
) -> None:
    arn = role(operator, "vault", allow("*"), by=f"acs:ram::{operator.id}:user/boss")
    mine = f"acs:ram:*:{operator.id}:user/alice"
    alice = user(stage, operator, "alice", allow("ram:*", on=mine), allow("sts:AssumeRole"))
    alice.ram.UpdateUser(UserName="alice", NewComments="mine")
    with refused("NoPermission", 403, "user/boss"):
        alice.ram.UpdateUser(UserName="alice", NewUserName="boss")
    with refused("NoPermission", 403):
        session(stage, alice, arn)


def test_which_service_an_endpoint_may_lead_to(world: World, may: Maker, refused: Refused) -> None:
    good, bad, network = world.published(), world.published(), world.network()
    group = world.group(network)
    only = {"StringEquals": {"privatelink:VpcEndpointServiceId": good}}
    user = may(allow("privatelink:CreateVpcEndpoint", Condition=only))
    asked = {"VpcId": network.vpc, "SecurityGroupId": [group]}
    for wrong in (
        {"ServiceId": bad},
        {"ServiceName": f"com.aliyuncs.privatelink.local.{bad}"},
        {"ServiceId": bad, "ServiceName": f"com.aliyuncs.privatelink.local.{good}"},
        {},
    ):
        with refused("NoPermission", 400, "no policy allows it"):
            user.privatelink.CreateVpcEndpoint(**asked, **wrong)
    name = f"com.aliyuncs.privatelink.local.{good}"
    user.privatelink.CreateVpcEndpoint(**asked, ServiceId=good)
    user.privatelink.CreateVpcEndpoint(**asked, ServiceName=name)


def test_tags_decide(world: World, operator: Account, may: Maker, refused: Refused) -> None:
    service, network = world.published(), world.network()
    red = world.endpoint(service, network, Tag=[{"Key": "team", "Value": "red"}])
    blue = world.endpoint(service, network, Tag=[{"Key": "team", "Value": "blue"}])
    plain = world.endpoint(service, network)
    on_red = {"StringEquals": {"acs:ResourceTag/team": "red"}}
    user = may(
        allow("privatelink:Get*", "privatelink:UntagResources", Condition=on_red),
        deny("privatelink:Get*", Condition={"StringLike": {"acs:ResourceTag/team": "bl*"}}),
    )
    user.privatelink.GetVpcEndpointAttribute(EndpointId=red)
    for endpoint in (blue, plain):
        with refused("NoPermission", 400):
            user.privatelink.GetVpcEndpointAttribute(EndpointId=endpoint)
    own = {"ResourceType": "VpcEndpoint", "TagKey": ["team"]}
    with refused("NoPermission", 400, blue):
        user.privatelink.UntagResources(ResourceId=[red, blue], **own)
    user.privatelink.UntagResources(ResourceId=[red], **own)
    with refused("NoPermission", 400):
        user.privatelink.GetVpcEndpointAttribute(EndpointId=red)


def test_tags_that_a_request_brings(world: World, may: Maker, refused: Refused) -> None:
    wanted = {"StringEquals": {"acs:RequestTag/team": ["red", "pink"]}}
    user = may(allow("privatelink:Create*", Condition=wanted))
    red = [{"Key": "team", "Value": "red"}]
    user.privatelink.CreateVpcEndpointService(ServiceResourceType="nlb", Tag=red)
    for tags in ([], [{"Key": "Team", "Value": "red"}], [{"Key": "team", "Value": "blue"}]):
        with refused("NoPermission", 400):
            user.privatelink.CreateVpcEndpointService(ServiceResourceType="nlb", Tag=tags)


def test_a_strangers_tag_decides_nothing(
    stage: Stage, operator: Account, other: Account, world: World, refused: Refused
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), Tag=[{"Key": "a", "Value": "b"}])
    probing = {"StringEquals": {"acs:ResourceTag/a": "b"}}
    spy = user(stage, other, "spy", allow("privatelink:*", Condition=probing))
    with refused("NoPermission", 400):
        spy.privatelink.GetVpcEndpointAttribute(EndpointId=endpoint)


def test_tagging_is_asked_for_each_resource(
    world: World, operator: Account, may: Maker, refused: Refused
) -> None:
    service, network = world.published(), world.network()
    mine, others = (world.endpoint(service, network) for _ in range(2))
    group = world.resource_group()
    user = may(
        allow(
            *("privatelink:*Tag*", "privatelink:ChangeResourceGroup"),
            on=endpoint_arn(operator, mine),
        )
    )
    tag = {"ResourceType": "VpcEndpoint", "Tag": [{"Key": "a", "Value": "b"}]}
    user.privatelink.TagResources(ResourceId=[mine], **tag)
    with refused("NoPermission", 400, others):
        user.privatelink.TagResources(ResourceId=[mine, others], **tag)
    with refused("NoPermission", 400, f"vpcendpointservice/{service}"):
        user.privatelink.TagResources(
            ResourceId=[service], **tag | {"ResourceType": "vpcendpointservice"}
        )
    with refused("NoPermission", 400, "vpcendpoint/*"):
        user.privatelink.ListTagResources(**tag)
    for kind in ({}, {"ResourceType": "VpcEndpoint"}):
        user.privatelink.ChangeResourceGroup(ResourceId=mine, ResourceGroupId=group, **kind)
        with refused("NoPermission", 400, others):
            user.privatelink.ChangeResourceGroup(ResourceId=others, ResourceGroupId=group, **kind)


def test_what_is_tagged_or_moved_is_what_policies_are_asked_about() -> None:
    for action in ACTIONS:
        if {"ResourceId", "ResourceType"} <= action.names and "Tag" in action.name:
            assert action.resource == "{resource_type}/{resource_id}", action.name


def test_where_and_when_a_call_comes_from(may: Maker, stage: Stage, refused: Refused) -> None:
    def described(**condition: Any) -> Account:
        return may(allow("vpc:Describe*", Condition=condition))

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    here = described(IpAddress={"acs:SourceIp": ["127.0.0.1", "10.0.0.0/8"]})
    here.vpc.DescribeVpcs()
    described(DateLessThan={"acs:CurrentTime": tomorrow}).vpc.DescribeVpcs()
    described(Bool={"acs:SecureTransport": False, "acs:MFAPresent": "false"}).vpc.DescribeVpcs()
    for denied in (
        described(NotIpAddress={"ACS:SourceIP": "127.0.0.0/8"}),
        described(DateGreaterThan={"acs:CurrentTime": tomorrow}),
        described(Bool={"acs:SecureTransport": "true"}),
        described(Bool={"acs:MFAPresent": "true"}),
        described(StringEquals={"acs:SourceVpc": "vpc-1"}),
    ):
        with refused("Forbidden.RAM", 403):
            denied.vpc.DescribeVpcs()


def test_no_header_says_where_a_call_comes_from(may: Maker, stage: Stage) -> None:
    there = may(allow("*", Condition={"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}))
    for header in ("x_forwarded_for", "x_real_ip", "forwarded", "x_client_ip"):
        value = "for=10.0.0.1" if header == "forwarded" else "10.0.0.1"
        query = [("RegionId", "local")]
        request = acs3(there, stage.host, "DescribeVpcs", query=query, **{header: value})
        assert send(stage.host, request).code == "Forbidden.RAM"


def test_a_policy_holds_from_the_next_call_on(
    operator: Account, may: Maker, refused: Refused
) -> None:
    user = may(allow("vpc:*"))
    user.vpc.DescribeVpcs()
    named = {"PolicyName": "of-user-0"}
    empty = document(allow("ecs:*"))
    operator.ram.CreatePolicyVersion(**named, PolicyDocument=empty, SetAsDefault=True)
    with refused("Forbidden.RAM", 403):
        user.vpc.DescribeVpcs()
    operator.ram.SetDefaultPolicyVersion(**named, VersionId="v1")
    user.vpc.DescribeVpcs()
    operator.ram.DetachPolicyFromUser(UserName="user-0", PolicyType="Custom", **named)
    with refused("Forbidden.RAM", 403):
        user.vpc.DescribeVpcs()
    operator.ram.AttachPolicyToUser(
        UserName="user-0", PolicyType="System", PolicyName="AliyunVPCReadOnlyAccess"
    )
    user.vpc.DescribeVpcs()
    with refused("Forbidden.RAM", 403):
        user.vpc.CreateVpc()


def test_who_may_hand_out_policies(operator: Account, may: Maker, refused: Refused) -> None:
    clerk = may(
        allow("ram:AttachPolicyToUser", on=f"acs:ram:*:{operator.id}:*"),
        deny("ram:*", on="acs:ram:*:*:user/boss"),
    )
    for name in ("alice", "boss"):
        operator.ram.CreateUser(UserName=name)
    operator.ram.CreatePolicy(PolicyName="p", PolicyDocument=document(allow("vpc:*")))
    clerk.ram.AttachPolicyToUser(UserName="alice", PolicyName="p", PolicyType="Custom")
    admin = {"PolicyName": "AdministratorAccess", "PolicyType": "System"}
    with refused("NoPermission", 403, "acs:ram::system:policy/AdministratorAccess"):
        clerk.ram.AttachPolicyToUser(UserName="alice", **admin)
    with refused("NoPermission", 403, "user/boss"):
        clerk.ram.AttachPolicyToUser(UserName="boss", PolicyName="p", PolicyType="Custom")


def test_deleting_a_policy_takes_it_off_nobody(
    operator: Account, may: Maker, refused: Refused
) -> None:
    held = may(allow("*"), deny("vpc:*"), deny("ram:Detach*"))
    for cascading in (False, True):
        with refused("DeleteConflict.Policy.User", 409):
            held.ram.DeletePolicy(PolicyName="of-user-0", CascadingDelete=cascading)
    with refused("Forbidden.RAM", 403, "a policy denies it"):
        held.vpc.DescribeVpcs()


def test_a_client_token_opens_nothing(operator: Account, may: Maker, refused: Refused) -> None:
    asked = {"CidrBlock": "10.0.0.0/16", "ClientToken": "shared"}
    operator.vpc.CreateVpc(**asked)
    without = may(allow("ecs:*"))
    with refused("Forbidden.RAM", 403):
        without.vpc.CreateVpc(**asked)
    assert operator.vpc.DescribeVpcs()["TotalCount"] == 1


def test_a_dry_run_asks_the_policies_too(may: Maker, refused: Refused) -> None:
    without, allowed = may(allow("ecs:*")), may(allow("vpc:*"))
    with refused("Forbidden.RAM", 403):
        without.vpc.CreateVpc(DryRun=True)
    with refused("DryRunOperation", 400):
        allowed.vpc.CreateVpc(DryRun=True)


def test_wrong_parameters_are_told_before_policies_are_asked(may: Maker, refused: Refused) -> None:
    nobody = may()
    with refused("IllegalParamFormat.MaxResults", 400):
        nobody.privatelink.ListVpcEndpoints(MaxResults=0)


def test_the_node_goes_on_as_it_did(stage: Stage) -> None:
    node = Account(stage.host, "", NODE.access_key_id, NODE.access_key_secret)
    reply = ask(stage, node, ACTION["PullFeed"], {"NodeId": NODE.node_id, "Revision": 0})
    assert reply.status == 200


def test_a_very_long_name_costs_little(may: Maker) -> None:
    slow = "a*" * 3000
    user = may(allow("privatelink:*", on=f"acs:privatelink:*:*:vpcendpoint/{slow}b"))
    with pytest.raises(Exception, match="NoPermission"):
        user.privatelink.GetVpcEndpointAttribute(EndpointId="a" * 30_000)


def test_what_a_call_costs(stage: Stage, operator: Account, may: Maker) -> None:
    plain, tagged = (
        may(allow("vpc:*")),
        may(allow("vpc:*", Condition={"StringNotEquals": {"acs:ResourceTag/a": "b"}})),
    )
    guest = session(stage, may(allow("sts:*")), role(operator, "guest", allow("vpc:*")))
    costs = []
    for caller in (operator, plain, tagged, guest):
        caller.vpc.DescribeVpcs()
        with counted() as cost:
            caller.vpc.DescribeVpcs()
        costs.append(cost.statements)
    root = costs[0]
    # Its policies, and the tags where one asks for them; who holds a key is remembered.
    assert costs == [root, root + 1, root + 2, root + 1]
    assert root == 4
