"""VPC: gateway endpoints, their route tables, and what a node is told of both."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from privlink.model.traffic import Amount
from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_accounts import ACTION, ask
from tests.api.test_flow_records import a_flow, push, told
from tests.api.test_health import get
from tests.api.world import A, Network, World

BLOCK, BLOCK6, NAME = "198.51.100.0/24", "fd00:0:0:900::/64", "com.privlink.local.objects"
POLICY = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:Get*", "Principal": "*", "Resource": "*"}]}'  # noqa: E501


class Place(msgspec.Struct, frozen=True):
    """A consumer's network with its system route table, and a gateway endpoint in it."""

    network: Network
    table: str
    endpoint: str


@pytest.fixture
def consumer(other: Account) -> World:
    """The second account's world."""
    return World(other)


@pytest.fixture
def place(world: World, consumer: World, node: Node) -> Place:
    """A gateway endpoint that nodes hold, in no route table yet."""
    world.gateway_service()
    network = consumer.network()
    table = consumer.table(network).removeprefix("table/")
    placed = Place(network, table, consumer.gateway_endpoint(network))
    node.catch_up()
    return placed


def shown(account: Account, endpoint: str) -> Answer:
    """What GetVpcGatewayEndpointAttribute says."""
    return account.vpc.GetVpcGatewayEndpointAttribute(EndpointId=endpoint)


def status(account: Account, endpoint: str) -> tuple[str, list[str]]:
    """The status of an endpoint, and its route tables."""
    now = shown(account, endpoint)
    return now["EndpointStatus"], now["RouteTables"]


def associate(account: Account, endpoint: str, *tables: str) -> None:
    """Associate route tables."""
    account.vpc.AssociateRouteTablesWithVpcGatewayEndpoint(
        EndpointId=endpoint, RouteTableIds=list(tables)
    )


def dissociate(account: Account, endpoint: str, *tables: str) -> None:
    """Dissociate route tables."""
    account.vpc.DissociateRouteTablesFromVpcGatewayEndpoint(
        EndpointId=endpoint, RouteTableIds=list(tables)
    )


def leading(node: Node, table: str) -> dict[str, dict[str, Any]]:
    """The routes to endpoints that a node is told of in a table, by block."""
    routes = node.held[f"table/{table}"]["routes"]
    return {each["cidr"]: each for each in routes if each["kind"] == "endpoint"}


def test_it_is_created_once_a_node_holds_it(world: World, consumer: World, node: Node) -> None:
    world.gateway_service()
    network = consumer.network()
    blue = consumer.resource_group()
    made = consumer.account.vpc.CreateVpcGatewayEndpoint(
        VpcId=network.vpc,
        ServiceName=NAME,
        EndpointName="objects",
        EndpointDescription="where the pictures are",
        ResourceGroupId=blue,
        Tag=[{"Key": "team", "Value": "red"}],
    )
    endpoint = made["EndpointId"]
    assert endpoint.startswith("vpce-")
    assert (made["EndpointName"], made["ServiceName"]) == ("objects", NAME)
    assert made["ResourceGroupId"] == blue
    assert status(consumer.account, endpoint) == ("Creating", [])
    node.catch_up()
    now = shown(consumer.account, endpoint)
    assert now["EndpointStatus"] == "Created"
    assert now["EndpointDescription"] == "where the pictures are"
    assert now["Tags"] == [{"Key": "team", "Value": "red"}]
    assert (now["VpcId"], now["PolicyDocument"]) == (network.vpc, "")


def test_a_node_is_told_of_an_opening_without_an_address(
    place: Place, operator: Account, consumer: World, node: Node
) -> None:
    item = node.held[f"forward/{place.endpoint}"]
    (seen,) = operator.own.call("ListGatewayServices")["GatewayServices"]
    provider = next(
        item for key, item in node.held.items() if key == f"segment/{seen['VSwitchId']}"
    )
    assert (item["address"], item["mac"], item["filters"]) == ("", "", [])
    opening = item["opening"]
    assert (opening["network"], opening["balancer"]) == (provider["network"], 0)
    assert opening["source"].startswith("100.64.")
    assert "source6" not in opening or opening["source6"] == ""
    assert opening["flows"] == 65536


def test_a_route_comes_and_goes_with_its_association(
    place: Place, consumer: World, node: Node
) -> None:
    mine = consumer.account
    associate(mine, place.endpoint, place.table)
    assert status(mine, place.endpoint) == ("Associating", [place.table])
    node.catch_up()
    assert status(mine, place.endpoint) == ("Created", [place.table])
    item = node.held[f"forward/{place.endpoint}"]
    route = leading(node, place.table)[BLOCK]
    assert (route["opening"], route["place"]) == (item["opening"]["number"], item["number"])
    entries = mine.vpc.DescribeRouteEntryList(RouteTableId=place.table)["RouteEntrys"]
    (entry,) = [
        each
        for each in entries["RouteEntry"]
        if each["NextHops"]["NextHop"][0]["NextHopId"] == place.endpoint
    ]
    assert entry["DestinationCidrBlock"].startswith("pl-")
    dissociate(mine, place.endpoint, place.table)
    assert status(mine, place.endpoint) == ("Dissociating", [place.table])
    node.catch_up()
    assert status(mine, place.endpoint) == ("Created", [])
    assert leading(node, place.table) == {}


def test_another_change_of_the_table_is_none_of_the_endpoint(
    place: Place, consumer: World, node: Node
) -> None:
    associate(consumer.account, place.endpoint, place.table)
    node.catch_up()
    consumer.vswitch(place.network.vpc, "10.0.9.0/24")
    assert status(consumer.account, place.endpoint) == ("Created", [place.table])


def test_associations_side_by_side_queue_by_themselves(
    place: Place, consumer: World, node: Node
) -> None:
    tables = [consumer.route_table(place.network) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda table: associate(consumer.account, place.endpoint, table), tables))
    assert status(consumer.account, place.endpoint) == ("Associating", sorted(tables))
    node.catch_up()
    assert status(consumer.account, place.endpoint) == ("Created", sorted(tables))
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda table: dissociate(consumer.account, place.endpoint, table), tables))
    assert status(consumer.account, place.endpoint)[0] == "Dissociating"
    associate(consumer.account, place.endpoint, tables[0])  # which leaves, and stays now
    node.catch_up()
    assert status(consumer.account, place.endpoint) == ("Created", [tables[0]])


def test_what_a_node_cannot_do_stays_what_it_is(place: Place, consumer: World, node: Node) -> None:
    key = f"table/{place.table}"
    node.faults[key] = "no memory"
    associate(consumer.account, place.endpoint, place.table)
    node.catch_up()
    assert status(consumer.account, place.endpoint)[0] == "Associating"
    node.faults.clear()
    node.report()
    assert status(consumer.account, place.endpoint)[0] == "Created"
    node.faults[f"forward/{place.endpoint}"] = "no memory"
    node.report()
    assert status(consumer.account, place.endpoint)[0] == "Modifying"


def test_deletion_takes_its_own_routes_along(
    place: Place, consumer: World, node: Node, refused: Refused
) -> None:
    mine = consumer.account
    associate(mine, place.endpoint, place.table)
    node.catch_up()
    mine.vpc.DeleteVpcGatewayEndpoint(EndpointId=place.endpoint)
    assert shown(mine, place.endpoint)["EndpointStatus"] == "Deleting"
    for again in (
        lambda: mine.vpc.DeleteVpcGatewayEndpoint(EndpointId=place.endpoint),
        lambda: associate(mine, place.endpoint, place.table),
        lambda: mine.vpc.UpdateVpcGatewayEndpointAttribute(
            EndpointId=place.endpoint, EndpointName="late"
        ),
    ):
        with refused("IncorrectStatus.GatewayEndpoint", 400, place.endpoint):
            again()
    with refused("ResourceAlreadyExist.GatewayEndpoint", 400):
        consumer.gateway_endpoint(place.network)
    node.catch_up()
    assert f"forward/{place.endpoint}" not in node.held
    assert leading(node, place.table) == {}
    with refused("ResourceNotFound.GatewayEndpoint", 400, place.endpoint):
        shown(mine, place.endpoint)
    assert consumer.gateway_endpoint(place.network) != place.endpoint


def test_it_stays_until_no_node_has_a_route_to_it(
    place: Place, consumer: World, node: Node
) -> None:
    associate(consumer.account, place.endpoint, place.table)
    node.catch_up()
    node.faults[f"table/{place.table}"] = "no memory"
    consumer.account.vpc.DeleteVpcGatewayEndpoint(EndpointId=place.endpoint)
    node.catch_up()
    assert shown(consumer.account, place.endpoint)["EndpointStatus"] == "Deleting"
    node.faults.clear()
    node.report()
    assert consumer.account.vpc.ListVpcGatewayEndpoints()["Endpoints"] == []


def test_one_for_each_service_and_vpc(
    place: Place, world: World, consumer: World, refused: Refused
) -> None:
    with refused("ResourceAlreadyExist.GatewayEndpoint", 400, place.endpoint, NAME):
        consumer.gateway_endpoint(place.network)
    consumer.gateway_endpoint(consumer.network())
    world.gateway_service(name="com.privlink.local.others")
    another = consumer.gateway_endpoint(place.network, "com.privlink.local.others")
    associate(consumer.account, place.endpoint, place.table)
    with refused("VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE", 400, BLOCK, place.endpoint):
        associate(consumer.account, another, place.table)
    associate(consumer.account, another, consumer.route_table(place.network))


def test_what_no_table_can_be_associated_with(
    place: Place, consumer: World, refused: Refused
) -> None:
    mine, elsewhere = consumer.account, consumer.network()
    foreign = consumer.table(elsewhere).removeprefix("table/")
    with refused("Mismatch.VpcAndRouteTable", 400, foreign, elsewhere.vpc, place.network.vpc):
        associate(mine, place.endpoint, foreign)
    with refused("ResourceNotFound.RouteTable", 400, "vtb-none"):
        associate(mine, place.endpoint, place.table, "vtb-none")
    with refused("ResourceNotFound.Association", 400, place.table):
        dissociate(mine, place.endpoint, place.table)
    with refused("InvalidRouteTableIds", 400, "1 to 20"):
        associate(mine, place.endpoint, *(f"vtb-{number}" for number in range(21)))
    associate(mine, place.endpoint, place.table)
    another = consumer.route_table(place.network)
    with refused("ResourceAlreadyExist.Association", 400, place.table):
        associate(mine, place.endpoint, another, place.table)
    with refused("ResourceNotFound.GatewayEndpoint", 400, "vpce-none"):
        associate(mine, "vpce-none", place.table)


def test_a_route_that_is_there_goes_first(
    place: Place, consumer: World, node: Node, refused: Refused
) -> None:
    mine = consumer.account
    workload = mine.own.call("CreateAttachment", VSwitchId=place.network.vswitch)
    hop = {"NextHopType": "Instance", "NextHopId": workload["AttachmentId"]}
    named = {"RouteTableId": place.table, "DestinationCidrBlock": BLOCK}
    entry = mine.vpc.CreateRouteEntry(**named, **hop)["RouteEntryId"]
    with refused("VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE", 400, place.table, BLOCK, entry):
        associate(mine, place.endpoint, place.table)
    mine.vpc.DeleteRouteEntry(RouteEntryId=entry)
    own = mine.vpc.CreateVpcPrefixList(PrefixListEntries=[{"Cidr": BLOCK}])["PrefixListId"]
    listed = {"RouteTableId": place.table, "DestinationCidrBlock": own}
    entry = mine.vpc.CreateRouteEntry(**listed, **hop)["RouteEntryId"]
    with refused("VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE", 400, place.table, BLOCK, entry):
        associate(mine, place.endpoint, place.table)
    mine.vpc.DeleteRouteEntry(RouteEntryId=entry)
    # A wider route is no conflict: the longer prefix holds.
    mine.vpc.CreateRouteEntry(**named | {"DestinationCidrBlock": "198.51.0.0/16"}, **hop)
    associate(mine, place.endpoint, place.table)
    with refused("OperationFailed.CidrConflictWithPrefixList", 400, BLOCK):
        mine.vpc.CreateRouteEntry(**named, **hop)
    entries = mine.vpc.DescribeRouteEntryList(RouteTableId=place.table, NextHopId=place.endpoint)[
        "RouteEntrys"
    ]["RouteEntry"]
    with refused("OperationDenied.DeleteGatewayEndpointRoute", 400, place.endpoint):
        mine.vpc.DeleteRouteEntry(RouteEntryId=entries[0]["RouteEntryId"])


def test_blocks_of_the_consumers_own_vpc_stay_there(
    world: World, consumer: World, refused: Refused
) -> None:
    world.gateway_service("198.51.100.128/25")
    vpc = consumer.account.vpc.CreateVpc(CidrBlock="198.51.0.0/16")["VpcId"]
    consumer.vswitch(vpc, "198.51.100.0/24")
    endpoint = consumer.gateway_endpoint(Network(vpc, {}))
    (table,) = consumer.account.vpc.DescribeRouteTableList(VpcId=vpc)["RouterTableList"][
        "RouterTableListType"
    ]
    with refused(
        "OperationUnsupported.DestinationCidrBlockOverlapWithVSwitch", 400, "198.51.100.128/25"
    ):
        associate(consumer.account, endpoint, table["RouteTableId"])


def test_a_policy_where_the_service_has_one_and_nowhere_else(
    world: World, consumer: World, refused: Refused
) -> None:
    mine, network = consumer.account, consumer.network()
    world.gateway_service(PolicySupported=True)
    world.gateway_service(name="com.privlink.local.plain")
    services = {
        each["ServiceName"]: each
        for each in mine.vpc.ListVpcEndpointServicesByEndUser()["Services"]
    }
    assert services[NAME]["SupportPolicy"] is True
    default = services[NAME]["DefaultPolicyDocument"]
    assert json.loads(default)["Version"] == "1"
    plain = services["com.privlink.local.plain"]
    assert (plain["SupportPolicy"], plain["DefaultPolicyDocument"]) == (False, "")
    with refused("MissingParam.PolicyDocument", 400, NAME):
        consumer.gateway_endpoint(network)
    with refused("OperationDenied.PolicyDocument", 400, "com.privlink.local.plain"):
        consumer.gateway_endpoint(network, "com.privlink.local.plain", PolicyDocument=default)
    for wrong in ("{", "[]", '{"Version":"2"}', "x" * 5000):
        with refused("InvalidPolicy.WrongFormat", 400):
            consumer.gateway_endpoint(network, PolicyDocument=wrong)
    endpoint = consumer.gateway_endpoint(network, PolicyDocument=POLICY)
    assert shown(mine, endpoint)["PolicyDocument"] == POLICY
    change = mine.vpc.UpdateVpcGatewayEndpointAttribute
    change(EndpointId=endpoint, PolicyDocument=default, EndpointName="new")
    now = shown(mine, endpoint)
    assert (now["PolicyDocument"], now["EndpointName"]) == (default, "new")
    with refused("InvalidPolicy.WrongFormat", 400):
        change(EndpointId=endpoint, PolicyDocument="{")
    without = consumer.gateway_endpoint(network, "com.privlink.local.plain")
    with refused("OperationDenied.PolicyDocument", 400):
        change(EndpointId=without, PolicyDocument=default)


def test_names_have_their_lengths(place: Place, consumer: World, refused: Refused) -> None:
    change = consumer.account.vpc.UpdateVpcGatewayEndpointAttribute
    change(EndpointId=place.endpoint, EndpointName="n" * 128, EndpointDescription="d" * 255)
    with refused("IllegalParam.GatewayEndpointName", 400, "128"):
        change(EndpointId=place.endpoint, EndpointName="n" * 129)
    with refused("IllegalParam.GatewayEndpointDescription", 400, "255"):
        change(EndpointId=place.endpoint, EndpointDescription="d" * 256)
    network = consumer.network()
    for name in ("http://x", "https://x"):
        with refused("IllegalParam.GatewayEndpointName", 400):
            consumer.gateway_endpoint(network, EndpointName=name)


def test_what_cannot_be_created(world: World, consumer: World, refused: Refused) -> None:
    network = consumer.network()
    with refused("ResourceNotFound.ServiceName", 400, "com.aliyun.cn-hangzhou.oss"):
        consumer.gateway_endpoint(network, "com.aliyun.cn-hangzhou.oss")
    world.gateway_service(BLOCK6)
    with refused("OperationFailed.VpcIpv6Disabled", 400, network.vpc):
        consumer.gateway_endpoint(network)
    with refused("ResourceNotFound.VpcId", 400, "vpc-none"):
        consumer.gateway_endpoint(Network("vpc-none", {}))


def test_dual_stack(world: World, consumer: World, node: Node) -> None:
    world.gateway_service(BLOCK, BLOCK6)
    network = consumer.dual_network()
    table = consumer.table(network).removeprefix("table/")
    endpoint = consumer.gateway_endpoint(network)
    associate(consumer.account, endpoint, table)
    node.catch_up()
    assert leading(node, table).keys() == {BLOCK, BLOCK6}
    opening = node.held[f"forward/{endpoint}"]["opening"]
    assert opening["source6"].startswith("fd70:7269:766c::")


def test_a_source_is_one_endpoints_alone_of_whatever_kind(
    operator: Account, world: World, consumer: World, node: Node
) -> None:
    made = world.gateway_service()
    provider = Network(made["VpcId"], {A: made["VSwitchId"]})
    service = world.service(world.balancer(provider))
    network = world.network()
    for _ in range(3):
        world.endpoint(service, network, A)
        consumer.gateway_endpoint(consumer.network())
    node.catch_up()
    openings = [
        item["opening"]
        for key, item in node.held.items()
        if key.startswith("forward/") and item["opening"]
    ]
    assert len({each["source"] for each in openings}) == len(openings) == 6
    assert len({each["network"] for each in openings}) == 1
    assert len({each["number"] for each in openings}) == 6


def test_a_vpc_with_one_stays(place: Place, consumer: World, refused: Refused) -> None:
    consumer.account.vpc.DeleteVSwitch(VSwitchId=place.network.vswitch)
    with refused("DependencyViolation.GatewayEndpoint", 400, place.endpoint):
        consumer.account.vpc.DeleteVpc(VpcId=place.network.vpc)


def test_a_table_with_a_route_to_one_stays(
    place: Place, consumer: World, node: Node, refused: Refused
) -> None:
    table = consumer.route_table(place.network)
    associate(consumer.account, place.endpoint, table)
    with refused("DependencyViolation.RouteEntry", 400, place.endpoint):
        consumer.account.vpc.DeleteRouteTable(RouteTableId=table)
    dissociate(consumer.account, place.endpoint, table)
    consumer.account.vpc.DeleteRouteTable(RouteTableId=table)
    assert status(consumer.account, place.endpoint) == ("Created", [])
    node.catch_up()
    assert status(consumer.account, place.endpoint) == ("Created", [])


def test_lists_by_everything_they_can_be_narrowed_by(
    place: Place, world: World, consumer: World, refused: Refused
) -> None:
    mine = consumer.account
    second = consumer.gateway_endpoint(
        consumer.network(), EndpointName="second", Tag=[{"Key": "team", "Value": "red"}]
    )

    def found(**asked: Any) -> list[str]:
        listed = mine.vpc.ListVpcGatewayEndpoints(**asked)
        assert int(listed["TotalCount"]) >= len(listed["Endpoints"])
        return [each["EndpointId"] for each in listed["Endpoints"]]

    assert found() == [place.endpoint, second]
    assert found(EndpointId=second) == found(EndpointName="second") == [second]
    assert found(VpcId=place.network.vpc) == [place.endpoint]
    assert found(ServiceName=NAME) == [place.endpoint, second]
    assert found(ServiceName="com.none") == found(VpcId="vpc-none") == []
    assert found(Tags=[{"Key": "team", "Value": "red"}]) == [second]
    blue = consumer.resource_group()
    mine.vpc.MoveResourceGroup(
        ResourceType="GatewayEndpoint", ResourceId=second, NewResourceGroupId=blue
    )
    assert found(ResourceGroupId=blue) == [second]
    first = mine.vpc.ListVpcGatewayEndpoints(MaxResults=1)
    assert (first["MaxResults"], first["TotalCount"]) == (1, 2)
    assert found(MaxResults=1, NextToken=first["NextToken"]) == [second]
    for size in (0, 101):
        with refused("IllegalParam.MaxResults", 400):
            found(MaxResults=size)
        with refused("IllegalParam.MaxResults", 400):
            mine.vpc.ListVpcEndpointServicesByEndUser(MaxResults=size)
    with refused("IllegalParam.NextToken", 400):
        found(NextToken="none of ours")


def test_tags(place: Place, consumer: World) -> None:
    mine, named = consumer.account, {"ResourceType": "GatewayEndpoint"}
    tag = {"Key": "team", "Value": "red"}
    mine.vpc.TagResources(**named, ResourceId=[place.endpoint], Tag=[tag])
    assert shown(mine, place.endpoint)["Tags"] == [tag]
    listed = mine.vpc.ListTagResources(**named, ResourceId=[place.endpoint])
    assert len(listed["TagResources"]["TagResource"]) == 1
    mine.vpc.UnTagResources(**named, ResourceId=[place.endpoint], TagKey=["team"])
    assert shown(mine, place.endpoint)["Tags"] == []


def test_it_costs_nothing_and_is_counted(
    stage: Stage, place: Place, operator: Account, consumer: World, node: Node
) -> None:
    number = node.held[f"forward/{place.endpoint}"]["number"]
    node.count(number, Amount(10, 1000), Amount(20, 30_000))
    node.push_traffic()
    _, text = get(stage, "/metrics")
    labels = f'endpoint="{place.endpoint}",zone="",service="vpces-'
    assert any(
        line.startswith(f"privlink_endpoint_bytes_total{{{labels}") and line.endswith(" 30000")
        for line in text.splitlines()
    )
    for account in (operator, consumer.account):
        assert account.own.call("DescribeUsage")["Usage"] == []
    consumer.account.vpc.DeleteVpcGatewayEndpoint(EndpointId=place.endpoint)
    assert place.endpoint not in get(stage, "/metrics")[1]


def test_both_sides_are_told_of_its_flows(
    place: Place, operator: Account, consumer: World, node: Node
) -> None:
    key = f"forward/{place.endpoint}"
    push(node, a_flow(key))
    for account in (operator, consumer.account):
        (seen,) = told(account)
        assert (seen["EndpointId"], seen["ZoneId"]) == (place.endpoint, "")
        assert seen["ConsumerAccountId"] == consumer.account.id
        assert seen["ProviderAccountId"] == operator.id


def test_a_service_is_published_by_the_operator_alone(
    stage: Stage, operator: Account, world: World, consumer: World, refused: Refused
) -> None:
    network = consumer.network()  # a tenant may be the provider
    asked = {"Name": NAME, "VSwitchId": network.vswitch, "CidrBlock": ["10.0.7.0/24"]}
    with refused("NoPermission", 403, "operator only"):
        consumer.account.own.call("CreateGatewayService", **asked)
    made = operator.own.call("CreateGatewayService", **asked)
    (listed,) = operator.own.call("ListGatewayServices")["GatewayServices"]
    assert (listed["OwnerId"], listed["CidrBlock"]) == (consumer.account.id, ["10.0.7.0/24"])
    assert listed["EndpointCount"] == 0
    with refused("GatewayServiceExists", 400, made["ServiceId"]):
        operator.own.call("CreateGatewayService", **asked)
    with refused("DependencyViolation.GatewayService", 400, NAME):
        consumer.account.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    with refused("GatewayServiceNotFound", 404, "vpces-none"):
        operator.own.call("DeleteGatewayService", ServiceId="vpces-none")
    operator.own.call("DeleteGatewayService", ServiceId=made["ServiceId"])
    assert operator.own.call("ListGatewayServices")["GatewayServices"] == []
    consumer.account.vpc.DeleteVSwitch(VSwitchId=network.vswitch)


def test_a_service_with_endpoints_stays(
    place: Place, operator: Account, consumer: World, node: Node, refused: Refused
) -> None:
    (listed,) = operator.own.call("ListGatewayServices")["GatewayServices"]
    assert listed["EndpointCount"] == 1
    with refused("DependencyViolation.GatewayEndpoint", 400, place.endpoint):
        operator.own.call("DeleteGatewayService", ServiceId=listed["ServiceId"])
    consumer.account.vpc.DeleteVpcGatewayEndpoint(EndpointId=place.endpoint)
    node.catch_up()
    operator.own.call("DeleteGatewayService", ServiceId=listed["ServiceId"])


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"CidrBlock": ["203.0.113.0/24"]}, "does not lie in"),
        ({"CidrBlock": ["198.51.0.0/16"]}, "does not lie in"),
        ({"CidrBlock": ["198.51.100.0/24", "198.51.100.128/25"]}, "overlaps"),
        ({"CidrBlock": ["198.51.100.1/24"]}, "198.51.100.1/24"),
        ({"CidrBlock": ["nonsense"]}, "nonsense"),
        ({"CidrBlock": []}, "CidrBlock"),
        ({"Name": "objects"}, "com."),
        ({"Name": "com.aliyuncs.privatelink.local.epsrv-1"}, "endpoint services"),
        ({"DefaultPolicyDocument": POLICY}, "PolicySupported"),
        ({"PolicySupported": True, "DefaultPolicyDocument": "{"}, "DefaultPolicyDocument"),
    ],
)
def test_what_no_service_is_published_with(
    stage: Stage, operator: Account, world: World, given: dict[str, Any], word: str
) -> None:
    made = world.gateway_service()
    named = {"Name": "com.other", "VSwitchId": made["VSwitchId"], "CidrBlock": [BLOCK]}
    before = stage.dump()
    reply = ask(stage, operator, ACTION["CreateGatewayService"], named | given)
    assert reply.status == 400
    assert word in reply.message
    assert stage.dump() == before


def test_its_prefix_list_is_everyones_to_read_and_nobodys_to_change(
    place: Place, operator: Account, consumer: World, refused: Refused
) -> None:
    mine = consumer.account
    (listed,) = mine.vpc.ListPrefixLists()["PrefixLists"]
    assert (listed["PrefixListType"], listed["OwnerId"]) == ("System", "system")
    assert (listed["PrefixListName"], listed["CidrBlocks"]) == (NAME, [BLOCK])
    list_id = listed["PrefixListId"]
    (entry,) = mine.vpc.GetVpcPrefixListEntries(PrefixListId=list_id)["PrefixListEntry"]
    assert entry["Cidr"] == BLOCK
    for account in (mine, operator):
        for action in (
            account.vpc.DeleteVpcPrefixList,
            account.vpc.ModifyVpcPrefixList,
            account.vpc.GetVpcPrefixListAssociations,
        ):
            with refused("OperationDenied.SystemPrefixList", 400, list_id, NAME):
                action(PrefixListId=list_id)
    workload = mine.own.call("CreateAttachment", VSwitchId=place.network.vswitch)
    with refused("OperationDenied.SystemPrefixList", 400, list_id):
        mine.vpc.CreateRouteEntry(
            RouteTableId=place.table,
            DestinationCidrBlock=list_id,
            NextHopType="Instance",
            NextHopId=workload["AttachmentId"],
        )


def test_a_strangers_endpoint_is_not_there(
    place: Place, operator: Account, world: World, refused: Refused
) -> None:
    table = world.table(world.network()).removeprefix("table/")
    for call in (
        lambda: shown(operator, place.endpoint),
        lambda: associate(operator, place.endpoint, table),
        lambda: operator.vpc.DeleteVpcGatewayEndpoint(EndpointId=place.endpoint),
    ):
        with refused("ResourceNotFound.GatewayEndpoint", 400, place.endpoint):
            call()
    assert operator.vpc.ListVpcGatewayEndpoints()["Endpoints"] == []
