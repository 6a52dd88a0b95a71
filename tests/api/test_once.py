"""A request that must count once, and one that must not count at all: ClientToken and DryRun."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
from darabonba.exceptions import DaraException

from privlink.store import schema
from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.stage import OPERATOR, Stage
from tests.api.world import A, World


def test_the_same_token_brings_the_same_answer(operator: Account, stage: Stage) -> None:
    first = operator.vpc.CreateVpc(ClientToken="once", VpcName="web")
    after = stage.dump()
    second = operator.vpc.CreateVpc(ClientToken="once", VpcName="web")
    assert second["VpcId"] == first["VpcId"]
    assert second["RequestId"] != first["RequestId"]
    assert stage.dump() == after


def test_a_token_outlives_the_server(operator: Account, stage: Stage) -> None:
    first = operator.vpc.CreateVpc(ClientToken="once")
    stage.restart()
    assert operator.vpc.CreateVpc(ClientToken="once")["VpcId"] == first["VpcId"]


def test_a_token_is_not_for_other_parameters(operator: Account, refused: Refused) -> None:
    operator.vpc.CreateVpc(ClientToken="once", VpcName="web")
    with refused("IdempotentParameterMismatch", 400, "'once'", "CreateVpc", "new token"):
        operator.vpc.CreateVpc(ClientToken="once", VpcName="data")
    operator.privatelink.CreateVpcEndpointService(ClientToken="once")
    with refused("IdempotenceSignatureMismatch", 400, "'once'", "CreateVpcEndpointService"):
        operator.privatelink.CreateVpcEndpointService(ClientToken="once", AutoAcceptEnabled=True)


def test_a_token_belongs_to_one_action_and_one_account(operator: Account, other: Account) -> None:
    vpc = operator.vpc.CreateVpc(ClientToken="once")["VpcId"]
    assert other.vpc.CreateVpc(ClientToken="once")["VpcId"] != vpc
    assert operator.ecs.CreateSecurityGroup(VpcId=vpc, ClientToken="once")["SecurityGroupId"]
    world = World(operator)
    vswitch = world.vswitch(vpc, "172.16.0.0/24")
    place = [{"ZoneId": A, "VSwitchId": vswitch}]
    nlb = operator.nlb.CreateLoadBalancer(
        ClientToken="twice", VpcId=vpc, AddressType="Intranet", ZoneMappings=place
    )
    clb = operator.slb.CreateLoadBalancer(
        ClientToken="twice", AddressType="intranet", VSwitchId=vswitch
    )
    assert nlb["LoadbalancerId"] != clb["LoadBalancerId"]


def test_a_refusal_uses_no_token_up(operator: Account, refused: Refused) -> None:
    with refused("InvalidCidrBlock.Malformed", 400):
        operator.vpc.CreateVpc(ClientToken="once", CidrBlock="ten")
    assert operator.vpc.CreateVpc(ClientToken="once", CidrBlock="10.0.0.0/16")["VpcId"]


@pytest.mark.parametrize("token", ["x" * 65, "端", "a\nb", "a\n"])
def test_a_token_has_a_form(operator: Account, refused: Refused, token: str) -> None:
    with refused("InvalidClientToken", 400, "ClientToken", "64 printable ASCII"):
        operator.vpc.CreateVpc(ClientToken=token)


def test_many_calls_at_once_with_one_token_make_one_resource(
    operator: Account, stage: Stage
) -> None:
    answers: list[Answer] = []
    told: list[str] = []

    def create() -> None:
        ours = Account(
            stage.host, OPERATOR.account_id, OPERATOR.access_key_id, OPERATOR.access_key_secret
        )
        try:
            answers.append(ours.vpc.CreateVpc(ClientToken="once", CidrBlock="10.0.0.0/16"))
        except DaraException as error:
            told.append(error.code)

    together([create] * 8)
    create()
    assert len(answers) + len(told) == 9
    assert set(told) <= {"LastTokenProcessing"}
    assert len({answer["VpcId"] for answer in answers}) == 1
    assert operator.vpc.DescribeVpcs()["TotalCount"] == 1


def test_beside_its_like_a_request_is_told_to_ask_again(
    operator: Account, other: Account, stage: Stage
) -> None:
    with ThreadPoolExecutor() as pool:
        with stage.database.write():  # so that whoever writes has to wait
            alike = [pool.submit(operator.vpc.CreateVpc, ClientToken="once") for _ in range(2)]
            elsewhere = pool.submit(other.vpc.CreateVpc, ClientToken="once")
            (told,), (at_work,) = wait(alike, timeout=20, return_when=FIRST_COMPLETED)
            with pytest.raises(DaraException, match="'once' is being carried out") as refusal:
                told.result()
            assert (refusal.value.code, refusal.value.status_code) == ("LastTokenProcessing", 400)
        vpc = at_work.result()["VpcId"]
        assert elsewhere.result()["VpcId"] != vpc
    assert operator.vpc.CreateVpc(ClientToken="once")["VpcId"] == vpc


def test_many_calls_at_once_take_different_addresses(
    operator: Account, stage: Stage, world: World
) -> None:
    service, network = world.published(), world.network()
    group = world.group(network)
    endpoints: list[str] = []

    def create() -> None:
        ours = World(
            Account(
                stage.host, OPERATOR.account_id, OPERATOR.access_key_id, OPERATOR.access_key_secret
            )
        )
        endpoints.append(ours.endpoint(service, network, A, group=group))

    together([create] * 16)
    assert len({world.zones(endpoint)[A]["EniIp"] for endpoint in endpoints}) == 16
    held = stage.dump()["endpoint_zone"]
    columns = [column.name for column in schema.endpoint_zone.columns]
    for unique in ("source", "opening"):
        assert len({row[columns.index(unique)] for row in held}) == 16


def test_a_dry_run_makes_nothing(operator: Account, world: World, refused: Refused) -> None:
    service, network = world.published(), world.network()
    group, unused = world.group(network), world.vswitch(network.vpc, "10.0.9.0/24")
    with refused("DryRunOperation", 400, "would have succeeded", "nothing was done"):
        world.endpoint(service, network, A, group=group, DryRun=True)
    with refused("DryRunOperation", 400):
        operator.vpc.CreateVpc(DryRun=True)
    with refused("DryRunOperation", 400):
        operator.vpc.DeleteVSwitch(VSwitchId=unused, DryRun=True)


def test_a_dry_run_says_what_a_real_one_would(world: World, refused: Refused) -> None:
    service, network = world.published(), world.network()
    with refused("SecurityGroupNotFound", 400, "'sg-none'"):
        world.endpoint(service, network, A, group="sg-none", DryRun=True)


def test_a_dry_run_uses_no_token_up_and_answers_for_none(
    operator: Account, refused: Refused
) -> None:
    with refused("DryRunOperation", 400):
        operator.vpc.CreateVpc(DryRun=True, ClientToken="once")
    assert operator.vpc.CreateVpc(ClientToken="once")["VpcId"]
    with refused("DryRunOperation", 400):
        operator.vpc.CreateVpc(DryRun=True, ClientToken="once")


def test_dry_run_false_is_none(operator: Account) -> None:
    assert operator.vpc.CreateVpc(DryRun=False)["VpcId"]


def together(calls: list[Callable[[], None]]) -> None:
    """Make calls at the same time and wait for all of them."""
    gate = threading.Barrier(len(calls))

    def at_once(call: Callable[[], None]) -> None:
        gate.wait()
        call()

    threads = [threading.Thread(target=at_once, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_secret_is_told_once_and_not_kept(
    operator: Account, stage: Stage, refused: Refused
) -> None:
    made = operator.own.call("CreateAccount", Name="shop", ClientToken="t-1")
    assert stage.dump()["client_token"] == []
    with refused("AccountExists", 400, "'shop'", made["AccountId"]):
        operator.own.call("CreateAccount", Name="shop", ClientToken="t-1")
