"""Where clients find the products, and what Terraform asks first."""

from __future__ import annotations

import pytest

from privlink.cli.show import PRODUCTS
from privlink.server.wiring import ACTIONS
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stage import Stage
from tests.api.wire import rpc1, send


@pytest.mark.parametrize("product", [*map(str.lower, PRODUCTS), "Privatelink"])
def test_every_product_is_served_here(stage: Stage, operator: Account, product: str) -> None:
    asked = {"Id": "local", "ServiceCode": product, "Type": "openAPI"}
    (found,) = operator.location.DescribeEndpoints(**asked)["Endpoints"]["Endpoint"]
    assert found["Id"] == "local"
    assert found["Endpoint"].count(":") == 1
    assert found["Protocols"] == {"Protocols": ["HTTP"]}
    assert (found["Type"], found["SerivceCode"]) == ("openAPI", product)


def test_what_is_not_served_has_no_endpoint(operator: Account, refused: Refused) -> None:
    ask = operator.location.DescribeEndpoints
    assert ask(Id="local", ServiceCode="oss")["Endpoints"]["Endpoint"] == []
    assert ask(Id="local", ServiceCode="vpc", Type="innerAPI")["Endpoints"]["Endpoint"] == []
    with refused("RegionNotFound", 400, "'moon'", "Served: local"):
        ask(Id="moon", ServiceCode="vpc")


def test_the_environment_names_every_product_of_the_cloud() -> None:
    served = {action.product.name.upper() for action in ACTIONS} - {"PRIVLINK"}
    assert served <= set(PRODUCTS)


def test_nothing_is_paid_for(stage: Stage, operator: Account) -> None:
    asked = [("PageSize", "50"), ("PageNum", "1"), ("SubscriptionType", "Subscription")]
    request = rpc1(operator, "QueryAvailableInstances", version="2017-12-14", form=asked)
    reply = send(stage.host, request)
    assert reply.status == 200
    assert reply.answer["Data"] == {
        "InstanceList": [],
        "PageNum": 1,
        "PageSize": 50,
        "TotalCount": 0,
    }
    assert not {"Code", "Success"} & set(reply.answer)  # Terraform takes these for an error
