"""The policies that are there without anybody writing them, and PrivateLink's own role.

Source: RAM, "System policies"; PrivateLink, "Service-linked role".
"""

from __future__ import annotations

import json

import msgspec

SINCE = "2020-05-26T00:00:00Z"
LINKED_ROLE = "AliyunServiceRoleForPrivatelink"
LINKED_ROLE_POLICY = "AliyunServiceRolePolicyForPrivatelink"
PRIVATELINK_SERVICE = "privatelink.aliyuncs.com"
LINKED_ROLE_LONGEST = 3600
LINKED_ROLE_DESCRIPTION = "PrivateLink: addresses of endpoints in your vSwitches."
_READS = ("Get*", "List*", "Describe*", "Check*", "Query*")


class SystemPolicy(msgspec.Struct, frozen=True):
    """A policy that every account has."""

    name: str
    description: str
    document: str


def _document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


def _allow(*actions: str) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def _full(name: str, code: str, what: str) -> SystemPolicy:
    everything = _document(_allow(f"{code}:*"))
    return SystemPolicy(f"Aliyun{name}FullAccess", f"Everything in {what}.", everything)


def _read_only(name: str, code: str, what: str) -> SystemPolicy:
    reads = _document(_allow(*(f"{code}:{each}" for each in _READS)))
    return SystemPolicy(f"Aliyun{name}ReadOnlyAccess", f"Reading everything in {what}.", reads)


_PRODUCTS = (
    ("PrivateLink", "privatelink", "PrivateLink"),
    ("VPC", "vpc", "VPC"),
    ("ECS", "ecs", "ECS"),
    ("NLB", "nlb", "NLB"),
    ("SLB", "slb", "SLB"),
    ("RAM", "ram", "RAM"),
    ("ResourceManager", "resourcemanager", "Resource Management"),
)
_LINKED = _document(
    _allow("vpc:DescribeVSwitchAttributes"),
    _allow(
        "ecs:CreateNetworkInterface",
        "ecs:DeleteNetworkInterface",
        "ecs:DescribeNetworkInterfaces",
        "ecs:CreateNetworkInterfacePermission",
        "ecs:DescribeNetworkInterfacePermissions",
        "ecs:DeleteNetworkInterfacePermission",
        "ecs:DescribeSecurityGroups",
    ),
    _allow("nlb:GetLoadBalancerAttribute", "nlb:UpdateLoadBalancerProtection"),
    _allow("slb:SetLoadBalancerDeleteProtection"),
    {
        **_allow("ram:DeleteServiceLinkedRole"),
        "Condition": {"StringEquals": {"ram:ServiceName": PRIVATELINK_SERVICE}},
    },
)
LINKED_ROLE_TRUST = _document(
    {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": [PRIVATELINK_SERVICE]},
    }
)

SYSTEM_POLICIES = {
    each.name: each
    for each in (
        SystemPolicy("AdministratorAccess", "Everything.", _document(_allow("*"))),
        SystemPolicy(
            "ReadOnlyAccess",
            "Reading everything.",
            _document(_allow(*(f"*:{each}" for each in _READS))),
        ),
        SystemPolicy(
            "AliyunSTSAssumeRoleAccess", "Assuming roles.", _document(_allow("sts:AssumeRole"))
        ),
        SystemPolicy(LINKED_ROLE_POLICY, "For PrivateLink's own role.", _LINKED),
        *(_full(*product) for product in _PRODUCTS),
        *(_read_only(*product) for product in _PRODUCTS),
    )
}
