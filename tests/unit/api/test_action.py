"""An action is a function: its signature is what the wire takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from privlink import errors
from privlink.api.action import PRIVATELINK, VPC, Action, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer, Fields, Wire
from privlink.model.privatelink import EndpointStatus
from privlink.server.wiring import ACTIONS


class Place(Fields, frozen=True):
    """Where."""

    zone_id: str
    ip: str | None = msgspec.field(name="ip", default=None)
    port: Annotated[int, msgspec.Meta(ge=1, description="a port is 1 or more.")] = 1


@action(VPC, writes=True, resource="house/{vpc_id}")
def move_house(
    call: Call,
    *,
    vpc_id: str,
    vswitch_id: str | None = None,
    dry: bool = False,
    size: Annotated[int, msgspec.Meta(ge=1, le=9, description="a size is 1 to 9.")] = 5,
    kind: Literal["big", "small"] = "big",
    status: EndpointStatus | None = None,
    place: Annotated[tuple[Place, ...], msgspec.Meta(max_length=2, description="two.")] = (),
    user_arn: Annotated[str | None, Wire("UserARN")] = None,
) -> Answer:
    """Move a house.

    All of it.
    """
    return Answer()


def parse(**given: Any) -> dict[str, Any]:
    """The arguments for parameters of the wire."""
    return move_house.parse({"VpcId": "vpc-1"} | given)


def test_names_come_from_the_signature() -> None:
    assert (move_house.name, move_house.summary) == ("MoveHouse", "Move a house.")
    assert (move_house.writes, move_house.who, move_house.product) == (True, Who.ACCOUNT, VPC)
    assert move_house.names == {
        *("VpcId", "VSwitchId", "Dry", "Size", "Kind", "Status", "Place", "UserARN")
    }


def test_what_is_not_given_has_its_default() -> None:
    assert parse() == {
        "vpc_id": "vpc-1",
        "vswitch_id": None,
        "dry": False,
        "size": 5,
        "kind": "big",
        "status": None,
        "place": (),
        "user_arn": None,
    }


def test_text_becomes_what_the_signature_says() -> None:
    parsed = parse(
        Dry="True",
        Size="7",
        Status="Active",
        UserARN="*",
        Place=[{"ZoneId": "a", "ip": "10.0.0.5"}],
    )
    assert (parsed["dry"], parsed["size"], parsed["user_arn"]) == (True, 7, "*")
    assert parsed["status"] is EndpointStatus.ACTIVE
    assert parsed["place"] == (Place(zone_id="a", ip="10.0.0.5"),)


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"Size": "x"}, "InvalidSize", "Size is not valid: 'x' was given; a size is 1 to 9."),
        ({"Size": "10"}, "InvalidSize", "'10' was given; a size is 1 to 9."),
        ({"Kind": "red"}, "InvalidKind", "'red' was given; it is big or small."),
        ({"Status": "Gone"}, "InvalidStatus", "'Gone' was given; it is Creating"),
        ({"Dry": "maybe"}, "InvalidDry", "'maybe' was given; "),
        ({"Place": [{"ZoneId": "a", "Port": "0"}]}, "InvalidPlace", "Place.1.Port"),
        ({"Place": [{"ZoneId": "a"}, {}]}, "MissingPlace", "Place.2.ZoneId is mandatory"),
        ({"Place": "a"}, "InvalidPlace", "'a' was given; two."),
        ({"Place": [{"ZoneId": "a"}] * 3}, "InvalidPlace", "two."),
        ({"Colour": "red"}, "UnsupportedParameter.Colour", "Colour of MoveHouse"),
        ({"Place": [{"Colour": "red"}]}, "UnsupportedParameter.Place", "Place.1.Colour"),
        ({"VpcId": ["a"]}, "InvalidVpcId", "['a'] was given"),
    ],
)
def test_a_refusal_names_field_value_and_rule(
    given: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(errors.ApiError) as refused:
        parse(**given)
    assert refused.value.answered_code == code
    assert message in refused.value.message


def test_what_is_mandatory_is_named() -> None:
    with pytest.raises(errors.MissingParameter, match="VpcId is mandatory for this action"):
        move_house.parse({})


def test_a_product_has_errors_of_its_own() -> None:
    theirs = action(PRIVATELINK, writes=True, resource=None)(move_house._function)
    with pytest.raises(errors.IllegalParamFormat) as refused:
        theirs.parse({"VpcId": "vpc-1", "Size": "x"})
    assert refused.value.answered_code == "IllegalParamFormat.Size"


def test_what_every_client_may_send_is_let_pass() -> None:
    assert parse(OwnerId="1", Format="JSON") == parse()


def test_the_catalogue_is_told_apart_by_version_and_name() -> None:
    keys = [(each.product.version, each.name) for each in ACTIONS]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("each", ACTIONS, ids=lambda each: each.name)
def test_every_action_says_in_one_sentence_what_it_does(each: Action) -> None:
    assert each.summary
    assert each.summary[0].isupper()
