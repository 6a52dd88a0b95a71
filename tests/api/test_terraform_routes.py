"""Terraform's routes, tables of vSwitches and prefix lists: apply, change, destroy."""

from __future__ import annotations

from tests.api.account import Account
from tests.api.stand_in import Node
from tests.api.terraform import Provider
from tests.api.terraform_neighbours import Network
from tests.api.terraform_routes import Routes, VpcPrefixList
from tests.api.world import A, World


def test_a_table_its_vswitch_and_its_routes(
    provider: Provider, operator: Account, node: Node
) -> None:
    network, routes = Network(provider), Routes(provider)
    vpc = network.vpc(CidrBlock="10.0.0.0/16", EnableIpv6=True)
    vswitch = network.vswitch(
        VpcId=vpc, ZoneId=A, CidrBlock="10.0.0.0/24", Ipv6CidrBlock=1, Ipv6CidrMask=64
    )
    place = operator.own.call("CreateAttachment", VSwitchId=vswitch)
    eni = place["NetworkInterfaceId"]
    table = network.route_table(VpcId=vpc, RouteTableName="tf", AssociateType="VSwitch")
    routes.attach(table, vswitch)
    made = [
        routes.create(table, block, "NetworkInterface", eni, RouteEntryName="tf")
        for block in ("172.16.0.0/12", "fd00:9::/32", "0.0.0.0/0")
    ]
    state = routes.read(made[1])
    assert state is not None
    assert (state["RouteEntryName"], state["Description"]) == ("tf", "")
    for each in made:
        routes.delete(each)
        routes.delete(each)  # gone already, which is as well
    routes.detach(table, vswitch)
    network.delete_table(table)
    operator.own.call("DeleteAttachment", AttachmentId=place["AttachmentId"])
    node.catch_up()
    network.delete_vswitch(vswitch)
    network.delete_vpc(vpc)


def test_a_prefix_list_and_the_route_to_it(
    provider: Provider, operator: Account, world: World
) -> None:
    network, group = world.network(), world.resource_group()
    lists, routes = VpcPrefixList(provider), Routes(provider)
    made = lists.create(
        [{"Cidr": "192.168.0.0/16", "Description": "description"}],
        PrefixListName="tf",
        IpVersion="IPV4",
        MaxEntries=50,
        PrefixListDescription="by Terraform",
    )
    state = lists.read(made)
    assert state is not None
    assert (state["IpVersion"], state["MaxEntries"]) == ("IPV4", 50)
    assert (state["PrefixListName"], state["ShareType"]) == ("tf", "")
    assert state["entrys"] == {"192.168.0.0/16": "description"}
    lists.change(made, PrefixListName="tf2", MaxEntries=40)
    lists.move(made, group)
    lists.change(made, RemovePrefixListEntry=[{"Cidr": "192.168.0.0/16", "Description": "x"}])
    lists.change(made, AddPrefixListEntry=[{"Cidr": "172.16.0.0/12", "Description": "new"}])
    lists.tag(made, Created="TF")
    place = operator.own.call("CreateAttachment", VSwitchId=network.vswitch)
    (shown,) = operator.vpc.DescribeVpcs(VpcId=network.vpc)["Vpcs"]["Vpc"]
    (table,) = shown["RouterTableIds"]["RouterTableIds"]
    route = routes.create(table, made, "Instance", place["AttachmentId"])
    state = lists.read(made)
    assert state is not None
    assert state["entrys"] == {"172.16.0.0/12": "new"}
    assert state["Tags"] == [{"Key": "Created", "Value": "TF"}]
    assert state["ResourceGroupId"] == group
    (association,) = state["prefix_list_association"]
    assert (association["ResourceId"], association["Status"]) == (table, "Created")
    assert lists.refusal(made) == "DependencyViolation.PrefixListRelation"
    routes.delete(route)
    lists.delete(made)
