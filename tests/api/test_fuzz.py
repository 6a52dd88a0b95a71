"""Whatever parameters come, for whichever action: an answer, never a failure, nothing half-made."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from privlink.api.action import Action
from privlink.api.caller import Who
from privlink.server.wiring import ACTIONS
from tests.api.account import Account
from tests.api.identity import EVERYTHING, allow, deny, role, trust, user
from tests.api.stage import DNS, NODE, Stage
from tests.api.stand_in import Node
from tests.api.test_rule_peers import prefix_list
from tests.api.wire import acs3, rpc1, send
from tests.api.world import A, World

# What is likely to get past the first check, and what has broken programs before.
WORDS = [
    *("", "0", "1", "-1", "50", "true", "null", "[]", "{}", '["sg-1"]', "*", "a" * 300),
    *("99999999999999999999999999", "1e999", "9" * 5000, "0x10", "1_0", "٣", "\x00", "\n", "端点"),
    *("local", A, "local-b", "node-1", "Interface", "nlb", "Ip", "Eni", "TCP", "tcp", "Intranet"),
    *("GatewayEndpoint", "198.51.100.0/25", "com.privlink.local.objects", "com.x"),
    *("NetworkInterface", "NatGateway", "192.168.0.0/16", "0.0.0.0/0", "fd00:9::/32", "::/0"),
    *("UDP", "udp", "TCP_UDP", "DualStack", "on", "fd00::5", "fe80::1%eth0", "65535"),
    *("10.0.0.0/16", "10.0.0.0/24", "10.0.0.9", "10.0.0.256", "::1", "80/80", "-1/-1", "80"),
    *("acs:ram:*:42:*", "acs:ram:*:" + "9" * 30 + ":*", "http://x", "bmV4dA==", "====", "/", "."),
    *('[{"ServerId":"10.0.0.9","Type":"eniip","Port":"80"}]', '[{"ServerId":1}]', "[" * 5000),
    *("intranet", "active", "off", "wrr", "PayBySpec", "loadbalancer", "instance", "slb", "lb-x"),
    *("00000000-0001-f7b2-1d90-3f23fffda0ac", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    *(
        "Custom",
        "System",
        "Active",
        "ReadOnlyAccess",
        "v1",
        EVERYTHING,
        "[" * 3000,
        '{"Version":1}',
    ),
    *("acs:ram::1000000000000001:role/guest", trust("acs:ram::1000000000000001:root"), "900"),
    *("vpcnat", "Reverse", "Enhanced", "internet", "0.0.0.0/0", "10.0.0.9/32"),
    *("db.vendor.example", "*.vendor.example", "db.internal", "x.privatelink.internal", "a..b"),
    *("segment/x", "forward/a", "forward/a/b/c", "no/such", "%s", "{0}", "'; DROP TABLE vpc; --"),
]
NAMES = ["Zone", "1", "2", "01", "ZoneId", "VSwitchId", "ip", "", "Port", "ServerId", "IpProtocol"]
value = some.one_of(some.sampled_from(WORDS), some.text(max_size=20))


def parameters(action: Action, known: list[str]) -> some.SearchStrategy[dict[str, str]]:
    """Parameters that this action may know, in part with ids that exist."""
    top = some.sampled_from(sorted(action.names | {"DryRun", "ClientToken", "Nonsense"}))
    deeper = some.lists(some.sampled_from(NAMES), max_size=3)
    name = some.builds(lambda first, rest: ".".join([first, *rest]), top, deeper)
    pairs = some.dictionaries(some.one_of(top, top, name), value | some.sampled_from(known))
    fitting = {
        wire: some.sampled_from([each for each in known if each.startswith(prefix)])
        for wire, prefix in PREFIXES.items()
        if wire.partition(".")[0] in action.names
    }
    good = some.fixed_dictionaries({}, optional=fitting)
    return some.builds(lambda wild, tame: wild | tame | fixed_for(action), pairs, good)


PREFIXES: dict[str, str | tuple[str, ...]] = {
    "VpcId": "vpc-",
    "VSwitchId": "vsw-",
    "RouteTableId": "vtb-",
    "RouteEntryId": "rte-",
    "PrefixListId": "pl-",
    "DestinationCidrBlock": "pl-",
    "NextHopId": ("eni-", "att-"),
    "NewNextHopId": ("eni-", "att-"),
    "SecurityGroupId": "sg-",
    "LoadBalancerId": ("nlb-", "lb-"),
    "ResourceId": ("nlb-", "lb-", "ngw-"),
    "NatGatewayId": "ngw-",
    "FullNatTableId": "fulltb-",
    "FullNatEntryId": "fullnat-",
    "NatIpId": "vpcnatip-",
    "VServerGroupId": "rsp-",
    "ServerGroupId": "sgp-",
    "ListenerId": "lsn-",
    "ServiceId": ("epsrv-", "vpces-"),
    "ServiceName": "com.",
    "EndpointId": ("ep-", "vpce-"),
    "RouteTableIds.1": "vtb-",
    "AttachmentId": "att-",
    "UserName": "alice",
    "RoleName": "guest",
    "PolicyName": "of-alice",
    "UserAccessKeyId": "LTAI5t",
}


def fixed_for(action: Action) -> dict[str, str]:
    """What every fitting call of an action has."""
    fixed = {"RegionId": "local", "NodeId": NODE.node_id}
    return {name: text for name, text in fixed.items() if name in action.names}


@pytest.fixture
def alice(stage: Stage, operator: Account) -> Account:
    """A user whose policies ask for everything that policies can ask for."""
    return limited(stage, operator)


@pytest.fixture
def known(operator: Account, alice: Account, world: World) -> list[str]:
    """The ids of one thing of every kind."""
    role(operator, "guest", allow("*"))
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.0.9")
    service, clb = world.service(balancer), world.clb(network)
    world.clb_listener(clb)
    world.clb_listener(clb, 80, "udp")
    vserver_group = operator.slb.CreateVServerGroup(LoadBalancerId=clb)["VServerGroupId"]
    attachment = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    table = world.route_table(network)
    route = operator.vpc.CreateRouteEntry(
        RouteTableId=table,
        DestinationCidrBlock="172.16.0.0/12",
        NextHopId=attachment["AttachmentId"],
    )["RouteEntryId"]
    lists = (operator.vpc.CreateVpcPrefixList(), prefix_list(operator))
    gateway_service = world.gateway_service()
    nat_gateway = world.nat_gateway(network)
    reverse = world.reverse_endpoint(world.reverse_service(nat_gateway), network)
    entry = world.full_nat_entry(nat_gateway, reverse, "10.0.0.9", 80)
    listed = operator.vpc.ListFullNatEntries(NatGatewayId=nat_gateway)
    eni = listed["FullNatEntries"][0]["NetworkInterfaceId"]
    nat_ip = operator.vpc.ListNatIps(NatGatewayId=nat_gateway)["NatIps"][0]["NatIpId"]
    endpoint = world.endpoint(service, network, A)
    operator.own.call("SetServicePrivateName", ServiceId=service, Name="*.vendor.example")
    operator.own.call("ApproveServicePrivateName", ServiceId=service, Name="*.vendor.example")
    operator.own.call("CreateEndpointAlias", EndpointId=endpoint, Name="db.internal")
    return [
        *(
            world.gateway_endpoint(network),
            *(gateway_service[each] for each in ("ServiceId", "ServiceName", "PrefixListId")),
        ),
        *(route, lists[0]["PrefixListId"], lists[1]),
        *(nat_gateway, reverse, entry, nat_ip, listed["FullNatTableId"], eni),
        *(clb, vserver_group),
        *(network.vpc, network.vswitch, balancer, group, world.listener(balancer, group)),
        *(service, endpoint, world.group(network)),
        *(attachment["AttachmentId"], attachment["NetworkInterfaceId"]),
        *(table, "alice", "guest", "of-alice", alice.key_id),
    ]


def limited(stage: Stage, operator: Account) -> Account:
    """A user whose policies ask for everything that policies can ask for."""
    asks = {
        "StringLike": {"acs:ResourceTag/team": "*", "privatelink:VpcEndpointServiceId": "*"},
        "NotIpAddress": {"acs:SourceIp": "::/0"},
        "NumericLessThan": {"acs:RequestTag/team": 7},
        "DateLessThan": {"acs:RequestTag/team": "2000-01-01"},
    }
    return user(stage, operator, "alice", allow("*"), deny("*", Condition=asks))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: f"{each.product.name}.{each.name}")
def test_no_parameters_break_an_action(
    stage: Stage, operator: Account, alice: Account, node: Node, known: list[str], action: Action
) -> None:
    callers = [operator, alice]
    for who, key in ((Who.NODE, NODE), (Who.RESOLVER, DNS)):
        if action.who is who:
            callers = [Account(stage.host, "", key.access_key_id, key.access_key_secret)]

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(parameters(action, known), some.booleans(), some.sampled_from(callers))
    def ask(given: dict[str, str], old: bool, caller: Account) -> None:
        given.pop("WaitSeconds", None)  # it would wait
        before = stage.dump()
        version, pairs = action.product.version, list(given.items())
        request = (
            rpc1(caller, action.name, version=version, form=pairs)
            if old
            else acs3(caller, stage.host, action.name, version=version, form=pairs)
        )
        reply = send(stage.host, request)
        assert reply.status < 500, reply
        if reply.status != 200 or not action.writes:
            assert stage.dump() == before

    ask()


def test_no_waiting_time_breaks_a_pull(stage: Stage) -> None:
    for key, action in ((NODE, "PullFeed"), (DNS, "PullNames")):
        caller = Account(stage.host, "", key.access_key_id, key.access_key_secret)
        for wait in ("-1", "٣", "²", "9" * 5000, "61", "1.5", "soon"):
            pairs = [("NodeId", key.node_id), ("Revision", "0"), ("WaitSeconds", wait)]
            request = acs3(caller, stage.host, action, version="2026-12-01", form=pairs)
            reply = send(stage.host, request)
            assert (reply.status, reply.code) == (400, "InvalidWaitSeconds")
