"""Terraform's provider gets from create to destroy with gateway endpoints and their attachments."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.terraform import Provider
from tests.api.terraform_gateway import Attachment, GatewayEndpoint
from tests.api.terraform_neighbours import Network
from tests.api.world import World

NAME = "com.privlink.local.objects"
# With blanks inside, as it stands in people's files.
POLICY = """{
  "Version": "1",
  "Statement": [
    { "Effect": "Allow", "Resource": ["*"], "Action": ["*"], "Principal": ["*"] }
  ]
}"""


def test_an_endpoint_from_create_to_destroy(provider: Provider, world: World) -> None:
    world.gateway_service(PolicySupported=True)
    network, endpoint, blue = Network(provider), GatewayEndpoint(provider), world.resource_group()
    vpc = network.vpc(CidrBlock="10.0.0.0/16")
    made = endpoint.create(
        VpcId=vpc,
        ServiceName=NAME,
        EndpointName="tf",
        EndpointDescription="made by Terraform",
        PolicyDocument=POLICY,
        Tag=[{"Key": "Created", "Value": "TF"}],
    )
    state = endpoint.read(made)
    assert state is not None
    assert (state["EndpointName"], state["EndpointDescription"]) == ("tf", "made by Terraform")
    assert json.loads(state["PolicyDocument"]) == json.loads(POLICY)
    assert (state["ServiceName"], state["VpcId"], state["RouteTables"]) == (NAME, vpc, [])
    assert state["Tags"] == [{"Key": "Created", "Value": "TF"}]
    changed = POLICY.replace("Allow", "Deny")
    endpoint.change(made, EndpointName="tf2", EndpointDescription="", PolicyDocument=changed)
    endpoint.move(made, blue)
    endpoint.tag(made, ["Created"], {"For": "test"})
    state = endpoint.read(made)
    assert state is not None
    assert (state["EndpointName"], state["EndpointDescription"]) == ("tf2", "")
    assert json.loads(state["PolicyDocument"]) == json.loads(changed)
    assert (state["ResourceGroupId"], state["Tags"]) == (blue, [{"Key": "For", "Value": "test"}])
    endpoint.delete(made)
    endpoint.delete(made)
    network.delete_vpc(vpc)


def test_an_endpoint_with_route_tables_is_destroyed_with_them(
    provider: Provider, world: World
) -> None:
    world.gateway_service()
    network, endpoint = Network(provider), GatewayEndpoint(provider)
    vpc = network.vpc(CidrBlock="10.0.0.0/16")
    tables = [network.route_table(VpcId=vpc) for _ in range(3)]
    made = endpoint.create(VpcId=vpc, ServiceName=NAME, route_tables=(tables[0], tables[1]))
    assert (endpoint.read(made) or {})["RouteTables"] == sorted(tables[:2])
    endpoint.change_tables(made, (tables[0],), (tables[2],))
    assert (endpoint.read(made) or {})["RouteTables"] == sorted(tables[1:])
    # The provider does not dissociate them first.
    endpoint.delete(made)
    for table in tables:
        network.delete_table(table)
    network.delete_vpc(vpc)


def test_attachments_side_by_side(
    stage: Stage, provider: Provider, operator: Account, world: World, node: Node
) -> None:
    world.gateway_service()
    network, endpoint = Network(provider), GatewayEndpoint(provider)
    vpc = network.vpc(CidrBlock="10.0.0.0/16")
    tables = [network.route_table(VpcId=vpc) for _ in range(5)]
    made = endpoint.create(VpcId=vpc, ServiceName=NAME)
    several = [Provider(stage, operator, node) for _ in tables]
    attachments = [Attachment(each) for each in several]
    with ThreadPoolExecutor(len(tables)) as pool:
        ids = list(pool.map(lambda each, table: each.begin(made, table), attachments, tables))
    for each, attachment_id in zip(attachments, ids, strict=True):
        each.wait(attachment_id)
    assert (endpoint.read(made) or {})["RouteTables"] == sorted(tables)
    for each, attachment_id in zip(attachments, ids, strict=True):
        each.delete(attachment_id)
    for another in several:
        another.close()
    assert (endpoint.read(made) or {})["RouteTables"] == []
    endpoint.delete(made)
    for table in tables:
        network.delete_table(table)
    network.delete_vpc(vpc)
