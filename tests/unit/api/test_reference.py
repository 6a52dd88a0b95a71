"""The reference says what declarations and code say, in JSON Schema, OpenAPI, Markdown and HTML."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from privlink import errors
from privlink.api import limits
from privlink.api.action import PRIVATELINK, VPC, Action, Call, action
from privlink.api.reference import html, markdown, openapi, page, refusals, schema
from privlink.api.wire import Answer, Fields, Wire
from privlink.rules import quotas
from privlink.server.app import GATE
from privlink.server.wiring import ACTIONS


class Door(Fields, frozen=True):
    """A way in."""

    width: Annotated[int, msgspec.Meta(ge=1, le=9, description="a width is 1 to 9.")]
    paint: str | None = None


class HouseAnswer(Answer):
    house_id: str
    doors: list[DoorAnswer]
    garden: str | msgspec.UnsetType


class DoorAnswer(Answer):
    width: int


def find(house_id: str, refusal: type[errors.ApiError] = errors.VpcNotFound) -> None:
    """What callers pass an error to."""
    raise refusal(vpc_id=house_id)


class Watch:
    """What refuses with an error of its own."""

    def __init__(self, refusal: type[errors.ApiError]) -> None:
        self._refusal = refusal

    def look(self, call: Call) -> None:
        """Refuse."""
        raise self._refusal


WATCH = Watch(errors.EndpointNotFound)
TABLE = {"nlb": find}
SHORT = {"nlb": lambda house: find(house, errors.EndpointNotFound)}


@action(PRIVATELINK, writes=True, resource="house/{house_id}")
def build_house(
    call: Call,
    *,
    house_id: str,
    kind: Literal["big", "small"] = "big",
    doors: Annotated[tuple[Door, ...], msgspec.Meta(max_length=4)] = (),
    names: tuple[str, ...] = (),
    user_arn: Annotated[str | None, Wire("UserARN")] = None,
) -> HouseAnswer:
    """Build a house.

    With doors.
    """
    raise errors.DryRunOperation


BUILD: Action = build_house


def test_what_an_action_takes_is_a_schema() -> None:
    taken = schema.taken(BUILD)
    assert taken["required"] == ["HouseId"]
    assert taken["properties"]["Kind"] == {
        "type": "string",
        "enum": ["big", "small"],
        "default": "big",
    }
    assert taken["properties"]["Doors"]["maxItems"] == 4
    assert taken["properties"]["UserARN"] == {"type": "string"}
    assert set(taken["properties"]) >= {"DryRun", "ClientToken"}


def test_values_have_the_names_of_the_wire() -> None:
    names = {row.name: row.mandatory for row in schema.rows(schema.taken(BUILD), number=".N")}
    assert names == {
        "HouseId": True,
        "Kind": False,
        "Doors.N": False,
        "Doors.N.Width": True,
        "Doors.N.Paint": False,
        "Names.N": False,
        "UserARN": False,
        "DryRun": False,
        "ClientToken": False,
    }


def test_what_an_answer_may_leave_out_is_not_required() -> None:
    answered = schema.answered(BUILD)
    assert answered["required"] == ["RequestId", "HouseId", "Doors"]
    assert answered["properties"]["Doors"]["items"]["properties"] == {"Width": {"type": "integer"}}


def raises_directly(call: Call) -> None:
    raise errors.VpcNotFound(vpc_id="vpc-1")


def passes_another(call: Call) -> None:
    find("vpc-1", errors.EndpointNotFound)


def falls_back(call: Call) -> None:
    find("vpc-1")


def asks_an_instance(call: Call) -> None:
    WATCH.look(call)


def looks_in_a_table(call: Call, kind: str) -> None:
    TABLE[kind]("vpc-1")


def keeps_it_in_a_variable(call: Call, kind: str) -> None:
    chosen = TABLE[kind] if kind else find
    chosen("vpc-1")


def calls_a_lambda(call: Call, kind: str) -> None:
    chosen = SHORT.get(kind)
    assert chosen is not None
    chosen("vpc-1")


def chooses_among_items(call: Call) -> None:
    fitting = {name: each for name, each in TABLE.items() if name}
    for each in fitting.values():
        each("vpc-1")


def meets_a_quota(call: Call) -> None:
    limits.check(call, quotas.VPCS, 1)


def meets_a_quota_that_says_otherwise(call: Call) -> None:
    limits.check(call, quotas.VPCS, 1, refusal=errors.QuotaMisMatched)


def turns_one_into_another(call: Call) -> None:
    try:
        falls_back(call)
    except errors.ApiError:
        raise errors.EndpointNotFound(endpoint_id="ep-1") from None


def lets_pass(call: Call) -> None:
    try:
        falls_back(call)
    except errors.ApiError:
        raise


def calls_itself(call: Call) -> None:
    calls_itself(call)
    raises_directly(call)


def names_a_type_only(error: errors.VpcNotFound) -> errors.VpcNotFound | None:
    seen: errors.VpcNotFound | None = None
    return seen


def has_one_inside(call: Call) -> None:
    def refuse() -> errors.ApiError:
        return errors.VpcNotFound(vpc_id="vpc-1")

    raise refuse()


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (raises_directly, {errors.VpcNotFound}),
        (passes_another, {errors.EndpointNotFound}),
        (turns_one_into_another, {errors.EndpointNotFound}),
        (meets_a_quota, {errors.QuotaExceededVpc}),
        (meets_a_quota_that_says_otherwise, {errors.QuotaMisMatched}),
        (names_a_type_only, set()),
        (has_one_inside, {errors.VpcNotFound}),
    ],
)
def test_errors_are_read_from_the_code(function: Any, found: set[Any]) -> None:
    assert set(refusals.Reader().of_functions([function])) == found


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (falls_back, {errors.VpcNotFound}),
        (asks_an_instance, {errors.EndpointNotFound}),
        (looks_in_a_table, {errors.VpcNotFound}),
        (keeps_it_in_a_variable, {errors.VpcNotFound}),
        (chooses_among_items, {errors.VpcNotFound}),
        (calls_a_lambda, {errors.EndpointNotFound}),
        (lets_pass, {errors.VpcNotFound}),
        (calls_itself, {errors.VpcNotFound}),
    ],
)
def test_calls_are_followed(function: Any, found: set[Any]) -> None:
    assert set(refusals.Reader().of_functions([function])) == found


@pytest.mark.parametrize("each", ACTIONS, ids=lambda each: f"{each.product.name}.{each.name}")
def test_every_action_has_a_page(each: Action) -> None:
    (found,) = page.pages_of([each])
    assert found.summary.endswith("."), "the summary is a sentence"
    text = markdown.written(page.blocks(found))
    assert text.startswith(f"# {each.name}\n")
    for name in each.names:
        assert f"`{name}" in text
    assert "<h1" in html.written(each.name, page.blocks(found))


def test_the_openapi_document_is_valid() -> None:
    pages = page.pages_of(ACTIONS)
    common = refusals.Reader().of_functions(GATE)
    document = openapi.document(pages, common, version="1")
    whole = msgspec.json.decode(msgspec.json.encode(document))
    OpenAPIV31SpecValidator(whole).validate()
    assert len(whole["paths"]) == len(ACTIONS)
    operation = whole["paths"]["/?Action=CreateVpcEndpoint&Version=2020-04-15"]["post"]
    zone = next(each for each in operation["parameters"] if each["name"] == "Zone")
    assert zone["x-wire"] == [
        "Zone.N.ZoneId",
        "Zone.N.VSwitchId",
        "Zone.N.ip",
        "Zone.N.Ipv6Address",
    ]
    assert zone["schema"]["items"]["required"] == ["ZoneId", "VSwitchId"]
    assert "EndpointServiceNotFound" in operation["responses"]["400"]["x-codes"]


def test_a_document_of_one_product_has_its_actions_only() -> None:
    pages = page.pages_of(each for each in ACTIONS if each.product == VPC)
    document = openapi.document(pages, (), version="1")
    assert document["info"]["title"] == "privlink: vpc"
    assert all("Version=2016-04-28" in path for path in document["paths"])


def test_html_says_words_and_runs_nothing() -> None:
    blocks = [page.Heading(1, "<a>"), page.Text("`<b>` & [c](d.md#e)"), page.Code("", "<i>")]
    text = html.written("<t>", blocks)
    assert "<h1 id=" in text
    assert "&lt;a&gt;" in text
    assert '<code>&lt;b&gt;</code> &amp; <a href="d#e">c</a>' in text
    assert "<pre>&lt;i&gt;</pre>" in text
    assert "<title>&lt;t&gt;</title>" in text
    assert "script" not in html.POLICY
