"""Names, texts and domains: what they may look like and how ours are built.

Sources: CreateVpcEndpoint (names and descriptions), "Endpoint overview" (domains).
"""

from __future__ import annotations

import hashlib
import re

from privlink.model.ids import (
    EndpointId,
    NatGatewayId,
    RouteEntryId,
    RouteTableId,
    ServiceId,
    VpcId,
    ZoneId,
)

_LONGEST_NAME = 253
ADDRESSES = "arpa"  # names below it are addresses written backwards (RFC 3172)
_WILD = "*."
_CHALLENGE = "_privlink."
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")

# One pattern for both alphabets: a letter or a Chinese character, then those, digits, - and _.
NAME_PATTERN = "^[A-Za-z\u4e00-\u9fff][A-Za-z0-9_\\-\u4e00-\u9fff]*\\Z"
NAME_RULE = (
    "a name has 2 to 128 characters: first a letter or Chinese character, then letters, digits, "
    "- and _."
)
DESCRIPTION_PATTERN = "^(?!https?://)"
# The same, or nothing: an update takes a name or a description away by giving an empty one.
NAME_OR_NONE_PATTERN = "^([A-Za-z\u4e00-\u9fff][A-Za-z0-9_\\-\u4e00-\u9fff]+)?\\Z"
DESCRIPTION_OR_NONE_PATTERN = "(?s)^(?!https?://)(..+)?\\Z"
DESCRIPTION_RULE = "a description has 2 to 256 characters and does not begin with http(s)://."


def router_id(vpc_id: VpcId) -> str:
    """The id of a VPC's router. Each has one, so the VPC's id says it all."""
    return f"vrt-{vpc_id.removeprefix('vpc-')}"


def local_route_id(table_id: RouteTableId, block: str) -> RouteEntryId:
    """The id of the route that a table has for a vSwitch's block. No row holds it."""
    digest = hashlib.sha256(f"{table_id} {block}".encode()).hexdigest()
    return RouteEntryId(f"rte-{digest[:20]}")


def full_nat_table_id(gateway_id: NatGatewayId) -> str:
    """The id of a NAT gateway's full-NAT table. Each has one, so the gateway's id says it all."""
    return f"fulltb-{gateway_id.removeprefix('ngw-')}"


def gateway_of_table(table_id: str) -> str:
    """The id of the NAT gateway whose full-NAT table it is, or of none."""
    is_table = table_id.startswith("fulltb-")
    return f"ngw-{table_id.removeprefix('fulltb-')}" if is_table else ""


def service_name(region: str, service_id: ServiceId) -> str:
    """The name consumers type: `com.aliyuncs.privatelink.<region>.<service>`."""
    return f"com.aliyuncs.privatelink.{region}.{service_id}"


def service_in(region: str, name: str) -> str:
    """The id in a service's name; empty if no service here is called so."""
    prefix = service_name(region, ServiceId(""))
    return name.removeprefix(prefix) if name.startswith(prefix) else ""


def service_domain(domain: str, region: str, service_id: ServiceId) -> str:
    """The domain of a service."""
    return f"{service_id}.{region}.{domain}"


def service_in_domain(domain: str, region: str, name: str) -> str:
    """The id in a service's domain; empty if it is the domain of none here."""
    after = service_domain(domain, region, ServiceId(""))
    found = name.removesuffix(after) if name.endswith(after) else ""
    return "" if "." in found else found


def endpoint_domain(domain: str, region: str, service: ServiceId, endpoint: EndpointId) -> str:
    """The domain that answers with every address of an endpoint."""
    return f"{endpoint}.{service}.{region}.{domain}"


def zone_domain(
    domain: str, region: str, service: ServiceId, endpoint: EndpointId, zone: ZoneId
) -> str:
    """The domain that answers with the endpoint's address in one zone."""
    return f"{endpoint}-{zone}.{service}.{region}.{domain}"


def spelt(given: str) -> str:
    """Any name in its one spelling: lower case, without the dot at its end.

    Raises ValueError with a sentence. Source: RFC 1035 section 2.3.4; an underscore is in use.
    """
    name = given.lower().removesuffix(".")
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError(
            "a name has at most 253 characters, and labels of 1 to 63 letters, digits, hyphens "
            "and underscores, none with a hyphen at its end, with dots between them."
        )
    return name


def host_name(given: str) -> str:
    """A host's name in its one spelling: lower case, without the dot at its end.

    Raises ValueError with a sentence. Source: RFC 1123 section 2.1 for what no name is.
    """
    name = spelt(given)
    if name.rpartition(".")[2].isdigit():
        raise ValueError("it looks like an address; give that as AccessIp.")
    return name


def chosen_name(given: str, domain: str, *, wild: bool) -> str:
    """A name that people choose, in its one spelling: no name of ours, and none of an address.

    `domain` is our own zone. `wild`: it is a service's, so it has two labels at least, and `*.` may
    stand before them. Raises ValueError with a sentence.
    """
    is_wild = wild and given.startswith(_WILD)
    name = spelt(given.removeprefix(_WILD) if is_wild else given)
    last = name.rpartition(".")[2]
    if last.isdigit():
        raise ValueError("it looks like an address; a name is chosen here.")
    if last == ADDRESSES:
        raise ValueError(f"names below {ADDRESSES} are addresses; they answer by themselves.")
    if is_within(name, domain):
        raise ValueError(f"names in {domain} are made by privlink itself; choose one elsewhere.")
    if wild and "." not in name:
        raise ValueError(
            "one label is whole domains of others; give a name in a domain of yours, such as "
            "db.vendor.example or *.vendor.example."
        )
    if wild and len(challenge_name(name)) > _LONGEST_NAME:
        room = _LONGEST_NAME - len(_CHALLENGE)
        raise ValueError(f"it has at most {room} characters, as {challenge_name('')} goes before.")
    return _WILD + name if is_wild else name


def challenge_name(name: str) -> str:
    """Where whoever has a name publishes that it is theirs, in a TXT record."""
    return _CHALLENGE + name.removeprefix(_WILD)


def challenge(secret: str) -> str:
    """What the TXT record says."""
    return f"privlink-verify={secret}"


def is_within(name: str, domain: str) -> bool:
    """Whether a name is a domain or below it."""
    return name == domain or name.endswith(f".{domain}")


def spellings(name: str) -> tuple[str, ...]:
    """A name and the wildcards that cover it, the nearest first (RFC 4592 section 2.1.1)."""
    labels = name.split(".")
    above = (".".join(labels[count:]) for count in range(1, len(labels)))
    return (name, *(_WILD + each for each in above))
