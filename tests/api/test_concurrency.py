"""Many at once: nobody is told to come back later, and the state is as if each had waited."""

from __future__ import annotations

import itertools
import json
import os
import re
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

import msgspec

from privlink.client import Client, RemoteError
from tests.api import naive
from tests.api.crowd import (
    ECS,
    ID,
    OWN,
    PRIVATELINK,
    RESOURCEMANAGER,
    VPC,
    Crowd,
    Member,
    Step,
    perform,
    settle_in,
)
from tests.api.stage import OPERATOR, REGION, Port, Stage
from tests.api.stand_in import Node

_OF_GROUPS = ("DescribeSecurityGroupAttribute",)
_OF_ENDPOINTS = ("ListVpcEndpointZones", "ListVpcEndpointSecurityGroups")
_OF_SERVICES = ("ListVpcEndpointServiceResources", "ListVpcEndpointServiceUsers")
SECONDS = float(os.environ.get("PRIVLINK_CROWD_SECONDS", "120"))
CLIENTS, ACCOUNTS = 32, 4
# What a moment or chance decides, so that doing the same again gives another value.
CHANCE = frozenset(
    {
        *("RequestId", "CreateTime", "CreationTime", "CreateDate", "ModifiedTime"),
        *("EniId", "EniIp", "Ip", "PrivateIpAddress", "MacAddress", "NetworkInterfaceId"),
        *("SecurityGroupRuleId", "Number", "ReplacedEniId", "Ipv6Address", "ZoneIpv6Address"),
    }
)


def members_of(stage: Stage) -> list[Member]:
    """The accounts of a crowd: the operator's and others."""
    keys = OPERATOR.access_key_id, OPERATOR.access_key_secret
    first = Member(0, stage.url, (OPERATOR.account_id, *keys))
    client, members = first.client(), [first]
    for number in range(1, ACCOUNTS):
        made = client.call("CreateAccount", Name=f"member-{number}")
        key = (made["AccountId"], made["AccessKeyId"], made["AccessKeySecret"])
        members.append(Member(number, stage.url, key))
    client.close()
    return members


@contextmanager
def living(node: Node) -> Iterator[None]:
    """A node that goes on confirming; afterwards it has confirmed everything."""
    over, wrong = threading.Event(), []

    def work() -> None:
        try:
            while not over.is_set():
                node.pull(wait=1)
                node.report()
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not wrong
    for _ in range(3):
        node.catch_up()


def committed(file: Path) -> list[tuple[str, str]]:
    """Token and answer of every write that was carried out, in the order of the commits."""
    with closing(sqlite3.connect(file)) as database:
        found = database.execute("SELECT token, answer FROM client_token ORDER BY rowid")
        return [(token, answer) for token, answer in found]


def replay(
    members: list[Member], node: Node, done: list[tuple[str, str]], log: dict[str, Step]
) -> dict[str, str]:
    """Do the same again, one call at a time; returns old id -> new id.

    An endpoint that was on its way out is gone at once when nobody else is about: what was still
    said of it then is left out.
    """
    clients = [member.client() for member in members]
    new_id: dict[str, str] = {}
    leaving: set[str] = set()
    for token, answer in done:
        step = log[token]
        text = json.dumps(step.parameters)
        translated = ID.sub(lambda found: new_id.get(found[0], found[0]), text)
        again = msgspec.structs.replace(step, parameters=json.loads(translated))
        try:
            got = perform(clients[step.account], again)
        except RemoteError:
            if leaving & set(ID.findall(translated)):
                continue
            node.catch_up()  # some calls want what was asked before to be in place
            got = perform(clients[step.account], again)
        if step.action == "DeleteVpcEndpoint":
            leaving.add(again.parameters["EndpointId"])
        pairs = zip(ID.findall(answer), ID.findall(json.dumps(got)), strict=True)
        new_id.update(pairs)
    for _ in range(3):
        node.catch_up()
    for client in clients:
        client.close()
    return new_id


# Version, action, what it may be asked for, and by what id which actions tell more of each.
LISTS: list[tuple[str, str, dict[str, Any], str, tuple[str, ...]]] = [
    (VPC, "DescribeVpcs", {"PageSize": 50}, "", ()),
    (VPC, "DescribeVSwitches", {"PageSize": 50}, "", ()),
    (ECS, "DescribeSecurityGroups", {"PageSize": 50}, "SecurityGroupId", _OF_GROUPS),
    (PRIVATELINK, "ListVpcEndpoints", {"MaxResults": 1000}, "EndpointId", _OF_ENDPOINTS),
    (PRIVATELINK, "ListVpcEndpointServices", {"MaxResults": 1000}, "ServiceId", _OF_SERVICES),
    (PRIVATELINK, "ListVpcEndpointConnections", {"MaxResults": 1000}, "", ()),
    (RESOURCEMANAGER, "ListResourceGroups", {"PageSize": 100}, "", ()),
    (OWN, "ListAttachments", {}, "", ()),
]


def picture(member: Member) -> list[str]:
    """Everything that an account is shown, without what chance decides, in lines."""
    client, lines = member.client(), []
    for version, action, asked, name, more in LISTS:
        for each in listed(client, version, action, asked):
            lines.append(f"{action} {_text(each)}")
            for detail in more:
                answer = client.call(detail, version=version, RegionId=REGION, **{name: each[name]})
                lines.append(f"{each[name]} {detail} {_text(answer)}")
    client.close()
    return lines


def listed(
    client: Client, version: str, action: str, asked: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """What a list holds, page by page."""
    page: dict[str, Any] = {}
    for number in itertools.count(1):
        if "PageSize" in asked:
            page = {"PageNumber": number}
        answer = client.call(action, version=version, RegionId=REGION, **asked, **page)
        found = next(value for value in answer.values() if isinstance(value, list | dict))
        rows = next(iter(found.values())) if isinstance(found, dict) else found
        yield from rows
        page = {"NextToken": answer.get("NextToken")}
        if not page["NextToken"] and len(rows) < asked.get("PageSize", sys.maxsize):
            return


def _text(value: Any) -> str:
    return json.dumps(_without_chance(value), sort_keys=True)


def _without_chance(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_chance(inner) for name, inner in value.items() if name not in CHANCE}
    return [_without_chance(inner) for inner in value] if isinstance(value, list) else value


def _in_order(line: str) -> str:
    """A line whose lists are in one order: many of them are ordered by ids."""
    head, brace, body = line.partition("{")
    return head + json.dumps(_sorted(json.loads(brace + body)), sort_keys=True)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


DANGLING = {
    "an address of nothing": """
        SELECT id, owner_id FROM eni WHERE id NOT IN (
            SELECT eni_id FROM endpoint_zone UNION SELECT eni_id FROM load_balancer_zone
            UNION SELECT eni_id FROM attachment)""",
    "a tag of nothing": """
        SELECT resource_id, key FROM resource_tag WHERE resource_id NOT IN (
            SELECT id FROM endpoint UNION SELECT id FROM endpoint_service UNION SELECT id FROM vpc
            UNION SELECT id FROM vswitch UNION SELECT id FROM security_group
            UNION SELECT id FROM load_balancer UNION SELECT id FROM resource_group)""",
    "a member that is nothing": """
        SELECT resource_id FROM group_member WHERE resource_id NOT IN (
            SELECT id FROM endpoint UNION SELECT id FROM endpoint_service UNION SELECT id FROM vpc
            UNION SELECT id FROM vswitch UNION SELECT id FROM security_group
            UNION SELECT id FROM load_balancer)""",
    "a zone or connection of nothing": """
        SELECT endpoint_id FROM endpoint_zone WHERE endpoint_id NOT IN (SELECT id FROM endpoint)
        UNION SELECT endpoint_id FROM connection WHERE endpoint_id NOT IN (SELECT id FROM endpoint)
        UNION SELECT endpoint_id FROM endpoint_security_group
            WHERE endpoint_id NOT IN (SELECT id FROM endpoint)""",
    "something that is on its way out for ever": """
        SELECT endpoint_id FROM endpoint_zone WHERE deleting = 1 OR placed = 0
        UNION SELECT id FROM endpoint WHERE deleting = 1
        UNION SELECT id FROM attachment WHERE deleting = 1""",
    "an address outside its vSwitch": """
        SELECT zone.endpoint_id FROM endpoint_zone AS zone JOIN eni ON eni.id = zone.eni_id
        WHERE eni.vswitch_id <> zone.vswitch_id OR eni.owner_id <> zone.endpoint_id""",
    "a zone with IPv6 of an endpoint without, or the other way round": """
        SELECT zone.endpoint_id FROM endpoint_zone AS zone JOIN eni ON eni.id = zone.eni_id
        JOIN endpoint ON endpoint.id = zone.endpoint_id WHERE zone.deleting = 0
        AND (endpoint.ip_version = 'DualStack') <> (eni.address6 IS NOT NULL)""",
    "an endpoint with IPv6 of a service without": """
        SELECT endpoint.id FROM endpoint JOIN endpoint_service AS service
        ON service.id = endpoint.service_id
        WHERE endpoint.ip_version = 'DualStack' AND service.ip_version <> 'DualStack'""",
    "an open zone whose service is gone, or that nothing serves": """
        SELECT zone.endpoint_id FROM endpoint_zone AS zone
        JOIN connection AS bond ON bond.endpoint_id = zone.endpoint_id
        WHERE zone.opening IS NOT NULL AND (bond.decision <> 'accepted' OR NOT EXISTS (
            SELECT 1 FROM service_resource AS resource
            WHERE resource.service_id = bond.service_id AND resource.zone_id = zone.zone_id
            AND resource.resource_id = zone.resource_id))""",
}
HELD = """
    SELECT 'forward/' || endpoint_id || '/' || zone_id FROM endpoint_zone
    UNION ALL SELECT 'resolver/' || id FROM vpc
    UNION ALL SELECT 'segment/' || id FROM vswitch
    UNION ALL SELECT 'table/' || id FROM route_table
        WHERE vpc_id IN (SELECT vpc_id FROM vswitch)
    UNION ALL SELECT 'balancer/' || balancer_id || '/' || zone_id FROM load_balancer_zone
    UNION ALL SELECT 'filter/' || id FROM security_group
    UNION ALL SELECT 'attachment/' || id FROM attachment"""


def test_a_crowd_leaves_what_one_after_the_other_would_have_left(
    port: Port, fresh_database: Path, tmp_path: Path
) -> None:
    files = [tmp_path / name / "privlink.db" for name in ("crowd", "replay")]
    for file in files:
        file.parent.mkdir()
        copyfile(fresh_database, file)

    stage = Stage(port, files[0])
    members, node = members_of(stage), Node(stage.url)
    for member in members:
        client = member.client()
        settle_in(member, client)
        client.close()
    with living(node):
        wrong = Crowd(members).live(SECONDS, CLIENTS)
    if wrong:
        raise wrong[0]
    seen = [picture(member) for member in members]
    log = {token: step for member in members for token, step in member.steps.items()}
    with closing(sqlite3.connect(files[0])) as database:
        for what, query in DANGLING.items():
            assert database.execute(query).fetchall() == [], what
        expected = {key for (key,) in database.execute(HELD)}
        kept = {key for (key,) in database.execute("SELECT key FROM change WHERE gone = 0")}
    named = naive.documents(files[0])
    assert set(node.held) == expected == kept - set(named)
    assert node.resolver.held == named
    assert set(named) <= kept
    node.close()
    stage.close()

    done = committed(files[0])
    assert len(done) > CLIENTS
    stage = Stage(port, files[1])
    again, node = members_of(stage), Node(stage.url)
    new_id = replay(again, node, done, log)
    new_id |= {old.id: new.id for old, new in zip(members, again, strict=True)}
    whole = re.compile("|".join(map(re.escape, sorted(new_id, key=len, reverse=True))))
    for old, member in zip(seen, again, strict=True):
        translated = (whole.sub(lambda found: new_id[found[0]], line) for line in old)
        assert sorted(map(_in_order, translated)) == sorted(map(_in_order, picture(member)))
    node.close()
    stage.close()
