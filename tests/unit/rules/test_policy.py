"""What policies say to a request, against a reading of them that is as plain as can be."""

from __future__ import annotations

import fnmatch
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.rules import conditions, policy
from privlink.rules.policy import Ask, Shape, Verdict

EP = "acs:privatelink:local:111:vpcendpoint/ep-1"
GOOD: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TRUST: dict[str, Any] = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"RAM": ["acs:ram::111:root"]},
}


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)} | more)


def verdict(
    *statements: dict[str, Any],
    action: str = "privatelink:GetVpcEndpointAttribute",
    resource: str = EP,
    **context: tuple[str, ...],
) -> Verdict:
    read = policy.parse(document(*(GOOD | each for each in statements)))
    return policy.decide([read], Ask(action, resource, context))


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({}, True),
        ({"Action": "privatelink:*"}, True),
        ({"Action": "privatelink:Get*"}, True),
        ({"Action": "PRIVATELINK:getvpcendpointattribute"}, True),
        ({"Action": "privatelink:Get?pcEndpointAttribute"}, True),
        ({"Action": ["ecs:*", "privatelink:GetVpcEndpointAttribute"]}, True),
        ({"Action": "privatelink:List*"}, False),
        ({"Action": "privatelink:GetVpcEndpoint"}, False),
        ({"Action": "vpc:*"}, False),
        ({"Resource": "acs:privatelink:*:*:*"}, True),
        ({"Resource": "acs:privatelink:local:111:vpcendpoint/ep-?"}, True),
        ({"Resource": ["acs:vpc:*:*:*", EP]}, True),
        ({"Resource": "acs:privatelink:*:222:vpcendpoint/*"}, False),
        ({"Resource": "acs:privatelink:*:*:vpcendpoint/ep-11"}, False),
        ({"Resource": "acs:privatelink:*:*:vpcendpointservice/*"}, False),
        ({"Resource": "acs:privatelink:*:*:VPCENDPOINT/*"}, False),
        ({"Resource": "acs:privatelink:*:*:*/ep-*"}, True),
        ({"Effect": "Deny"}, False),
    ],
)
def test_what_a_statement_covers(statement: dict[str, Any], allowed: bool) -> None:
    assert (verdict(statement) is Verdict.ALLOW) is allowed


def test_one_deny_wins_whatever_its_place() -> None:
    deny = {"Effect": "Deny", "Action": "privatelink:Get*"}
    assert verdict({}, deny) is Verdict.EXPLICIT_DENY
    assert verdict(deny, {}) is Verdict.EXPLICIT_DENY
    assert verdict(deny) is Verdict.EXPLICIT_DENY
    assert verdict({}, deny, action="privatelink:ListVpcEndpoints") is Verdict.ALLOW
    assert policy.decide([], Ask("a:B", EP, {})) is Verdict.IMPLICIT_DENY


def test_not_covers_everything_but() -> None:
    but = policy.parse(
        document({"Effect": "Allow", "NotAction": ["ram:*"], "NotResource": ["acs:ram:*:*:*", EP]})
    )
    other = EP.replace("ep-1", "ep-2")
    assert policy.decide([but], Ask("ecs:RunInstances", other, {})) is Verdict.ALLOW
    assert policy.decide([but], Ask("ram:CreateUser", other, {})) is Verdict.IMPLICIT_DENY
    assert policy.decide([but], Ask("ecs:RunInstances", EP, {})) is Verdict.IMPLICIT_DENY


def test_what_is_the_same_for_every_resource_is_looked_at_once() -> None:
    read = policy.parse(
        document(
            GOOD | {"Condition": {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}},
            GOOD | {"Effect": "Deny", "Action": "vpc:*"},
            GOOD | {"Effect": "Deny", "Condition": {"Bool": {"acs:MFAPresent": "true"}}},
            GOOD | {"Effect": "Deny", "Condition": {"StringLike": {"acs:ResourceTag/a": "b*"}}},
        )
    )
    context = {"acs:sourceip": ("10.0.0.1",), "acs:mfapresent": ("false",)}
    left = policy.concerning([read], "ecs:RunInstances", context)
    assert [each.conditions for each in left.statements] == [
        {},
        {"StringLike": {"acs:resourcetag/a": ("b*",)}},
    ]
    assert policy.concerning([read], "vpc:CreateVpc", {}).statements[0].actions == ("vpc:*",)
    tags: list[dict[str, tuple[str, ...]]] = [{}, {"acs:resourcetag/a": ("bc",)}]
    for action in ("ecs:RunInstances", "vpc:CreateVpc"):
        for request in (context, context | {"acs:sourceip": ("11.0.0.1",)}):
            left = policy.concerning([read], action, request)
            for tagged in tags:
                asked = Ask(action, EP, request | tagged)
                assert policy.decide([left], asked) is policy.decide([read], asked)


def test_no_star_reaches_into_another_field() -> None:
    mine = {"Resource": "acs:privatelink:*:111:vpcendpoint/*"}
    for theirs in (
        "acs:privatelink:local:222:x:111:vpcendpoint/ep-1",
        "acs:privatelink:local:222:vpcendpoint/:111:vpcendpoint/ep-1",
    ):
        assert verdict(mine, resource=theirs) is Verdict.IMPLICIT_DENY
    assert verdict(mine, resource="acs:privatelink:local:111:vpcendpoint/a:b/c") is Verdict.ALLOW


def test_a_star_that_somebody_asks_for_is_no_wildcard() -> None:
    mine = {"Resource": EP}
    for asked in ("*", EP.replace("ep-1", "*"), EP.replace("ep-1", "ep-?")):
        assert verdict(mine, resource=asked) is Verdict.IMPLICIT_DENY


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("allow", "no JSON"),
        ("[" * 6000, "Expected object"),
        ('{"Version":"1","Statement":' + "[" * 6000, "Expected object"),
        ("x" * 6145, "6145 characters; 6144"),
        (document(), "Statement"),
        (document(GOOD, Version="2"), "Version"),
        (document(GOOD | {"Effect": "allow"}), "Effect"),
        (document(GOOD | {"Effects": "Allow"}), "Effects"),
        (document(GOOD | {"Principal": "*"}), "Principal, which goes without saying"),
        (document(GOOD | {"NotAction": "a:b"}), "Action or NotAction"),
        (document({"Effect": "Allow", "Action": "*"}), "Resource or NotResource"),
        (document(GOOD | {"Action": []}), "Action"),
        (document(GOOD | {"Action": ""}), "Action"),
        (document(GOOD | {"Action": "DeleteVpc"}), "'DeleteVpc' is no action"),
        (document(GOOD | {"Resource": "vpcendpoint/ep-1"}), "is no resource"),
        (document(GOOD | {"Resource": "acs:privatelink:*"}), "is no resource"),
        (document(GOOD, GOOD | {"Condition": {"StringIs": {"a": "b"}}}), "statement 2: there is"),
        (document(GOOD | {"Condition": {"IpAddress": {"a": "10.0.0.0/33"}}}), "IpAddress cannot"),
        (document(GOOD | {"Condition": {"NumericLessThan": {"a": "x"}}}), "NumericLessThan cannot"),
        (document(GOOD | {"Condition": {"NumericEquals": {"a": "nan"}}}), "NumericEquals cannot"),
        (document(GOOD | {"Condition": {"DateLessThan": {"a": "soon"}}}), "DateLessThan cannot"),
        (document(GOOD | {"Condition": {"Bool": {"a": "yes"}}}), "Bool cannot"),
        (document(GOOD | {"Condition": {"Bool": {"a": []}}}), "Condition"),
        (
            document(GOOD | {"Condition": {"Bool": {"acs:x": "true", "ACS:X": "true"}}}),
            "Bool are given twice",
        ),
        (document(GOOD)[:-2] + ',{"Effect":"Allow","Effect":"Deny"}]}', "Effect' is given twice"),
    ],
)
def test_a_policy_that_may_not_be(text: str, why: str) -> None:
    said = policy.problem(text) or ""
    assert why in said
    assert len(said) < 1000


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (TRUST, ""),
        (TRUST | {"Principal": {"Service": ["ecs.aliyuncs.com"]}}, ""),
        (TRUST | {"Principal": {"RAM": "acs:ram::111:user/alice"}}, ""),
        (TRUST | {"Principal": {}}, "Principal"),
        (TRUST | {"Principal": "*"}, "Principal must look like"),
        (TRUST | {"Principal": {"RAM": ["*"]}}, "no identity"),
        (TRUST | {"Principal": {"RAM": ["acs:ram::*:root"]}}, "no identity"),
        (TRUST | {"Principal": {"RAM": []}}, "Principal"),
        (TRUST | {"Action": "*"}, "must be sts:AssumeRole"),
        (TRUST | {"Resource": "*"}, "Resource, which goes without saying"),
    ],
)
def test_who_may_assume_a_role(statement: dict[str, Any], why: str) -> None:
    said = policy.problem(document(statement), Shape.TRUST)
    assert said is None if not why else why in str(said)


def test_a_role_trusts_whom_it_names_and_nobody_else() -> None:
    trusting = document(TRUST)
    for who, expected in {
        "acs:ram::111:root": Verdict.ALLOW,
        "acs:ram::1111:root": Verdict.IMPLICIT_DENY,
        "": Verdict.IMPLICIT_DENY,
    }.items():
        ask = Ask(policy.ASSUME, "acs:ram::111:role/r", {}, frozenset({who}))
        assert policy.trust_verdict(trusting, ask) is expected


@given(some.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for shape in Shape:
        policy.problem(text, shape)


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(
            some.sampled_from(["Version", "Statement", "Effect", "Action", "Condition", "RAM"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_value_breaks_it(value: Any) -> None:
    for text in (json.dumps(value), document(value)):
        for shape in Shape:
            if policy.problem(text, shape) is None:
                policy.parse(text)


# The plain reading: small alphabets, so that much of what is asked meets something.
ACTIONS = ["vpc:GetA", "vpc:GetB", "vpc:PutA", "ecs:GetA", "ECS:geta"]
ACTION_PATTERNS = ["*", "vpc:*", "vpc:Get*", "*:GetA", "ecs:?etA", "VPC:PUTA", "vpc:G*A", "a:*"]
RESOURCES = ["acs:vpc:r:1:x/a", "acs:vpc:r:1:x/b", "acs:vpc:r:2:x/a", "acs:vpc::1:x/a/b", "*"]
RESOURCE_PATTERNS = [
    *("*", "acs:vpc:*:*:*", "acs:vpc:*:1:x/*", "acs:vpc:r:1:x/?", "acs:vpc:*:*:*/a", "acs:*:r:2:*"),
    "acs:vpc::1:x/a*",
]
NUMBERS = ["7", "07", "30", "-1.5"]
KEYS = ["acs:SourceIp", "acs:RequestTag/Team", "acs:RequestTag/team", "vpc:Size"]
VALUES = ["10.0.0.1", "10.1.0.1", "red", "Red", "red*", "7", "07", "30", ""]
OPERATORS = {
    "StringEquals": lambda given, wanted: given == wanted,
    "StringEqualsIgnoreCase": lambda given, wanted: given.lower() == wanted.lower(),
    "StringLike": fnmatch.fnmatchcase,
    "NumericLessThan": lambda given, wanted: float(given) < float(wanted),
    "NumericEquals": lambda given, wanted: float(given) == float(wanted),
}
NOT = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
}


class Dice:
    """Policies and requests at random, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def one(self, pool: Sequence[str]) -> str:
        return self._random.choice(pool)

    def words(self, pool: Sequence[str]) -> str | list[str]:
        """One of a pool, or a list of some."""
        if self._random.random() < 0.5:
            return self.one(pool)
        return self._random.choices(pool, k=self._random.randint(1, 3))

    def statement(self) -> dict[str, Any]:
        return {
            "Effect": self.one(["Allow", "Allow", "Deny"]),
            self.one(["Action", "Action", "NotAction"]): self.words(ACTION_PATTERNS),
            self.one(["Resource", "Resource", "NotResource"]): self.words(RESOURCE_PATTERNS),
            "Condition": {
                operator: {
                    key: self.words(NUMBERS if "Numeric" in operator else VALUES)
                    for key in self._random.sample(KEYS, self._random.randint(1, 2))
                }
                for operator in self._random.sample([*OPERATORS, *NOT], self._random.randint(0, 2))
            },
        }

    def statements(self) -> list[dict[str, Any]]:
        return [self.statement() for _ in range(self._random.randint(1, 4))]

    def context(self) -> dict[str, list[str]]:
        keys = self._random.sample(KEYS, self._random.randint(0, 3))
        return {key: self._random.choices(VALUES, k=self._random.randint(1, 2)) for key in keys}


@given(some.integers(min_value=0, max_value=2**32))
def test_ten_thousand_policies_mean_what_they_plainly_say(seed: int) -> None:
    dice = Dice(seed)
    for _ in range(100):  # times the hundred examples
        statements, context = dice.statements(), dice.context()
        action, resource = dice.one(ACTIONS), dice.one(RESOURCES)
        text = document(*statements)
        assert policy.problem(text) is None
        canonical = {conditions.canonical(key): tuple(values) for key, values in context.items()}
        said = policy.decide([policy.parse(text)], Ask(action, resource, canonical))
        asked = (statements, action, resource, context)
        assert said.value == plainly(*asked), asked


def plainly(
    given_statements: list[dict[str, Any]],
    action: str,
    resource: str,
    context: dict[str, list[str]],
) -> str:
    effects = {
        each["Effect"] for each in given_statements if covers(each, action, resource, context)
    }
    if "Deny" in effects:
        return "ExplicitDeny"
    return "Allow" if "Allow" in effects else "ImplicitDeny"


def covers(
    statement: dict[str, Any], action: str, resource: str, context: dict[str, list[str]]
) -> bool:
    def listed(name: str) -> list[str]:
        found = statement.get(name, [])
        return [found] if isinstance(found, str) else found

    def names_action(pattern: str) -> bool:
        return fnmatch.fnmatchcase(action.lower(), pattern.lower())

    def names_resource(pattern: str) -> bool:
        if pattern == "*":
            return True
        fields = resource.split(":", 4), pattern.split(":", 4)
        return len(fields[0]) == len(fields[1]) and all(map(fnmatch.fnmatchcase, *fields))

    by_action = any(map(names_action, listed("Action") or listed("NotAction")))
    by_resource = any(map(names_resource, listed("Resource") or listed("NotResource")))
    return (
        by_action == ("Action" in statement)
        and by_resource == ("Resource" in statement)
        and all(
            meets(operator, context.get(key, []), [wanted] if isinstance(wanted, str) else wanted)
            for operator, keys in statement["Condition"].items()
            for key, wanted in keys.items()
        )
    )


def meets(operator: str, present: list[str], wanted: list[str]) -> bool:
    def one(given: str, value: str) -> bool:
        try:
            return bool(OPERATORS[NOT.get(operator, operator)](given, value))
        except ValueError:
            return False

    return (operator in NOT) != any(one(given, value) for given in present for value in wanted)
