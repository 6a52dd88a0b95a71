"""The names of things: ids in the cloud's form, and the types that keep them apart."""

from __future__ import annotations

import secrets
import string
from typing import NewType

AccountId = NewType("AccountId", str)
VpcId = NewType("VpcId", str)
VSwitchId = NewType("VSwitchId", str)
RouteTableId = NewType("RouteTableId", str)
EniId = NewType("EniId", str)
AttachmentId = NewType("AttachmentId", str)
SecurityGroupId = NewType("SecurityGroupId", str)
LoadBalancerId = NewType("LoadBalancerId", str)
ServerGroupId = NewType("ServerGroupId", str)
ListenerId = NewType("ListenerId", str)
ServiceId = NewType("ServiceId", str)
EndpointId = NewType("EndpointId", str)
ResourceGroupId = NewType("ResourceGroupId", str)
NodeId = NewType("NodeId", str)
ZoneId = NewType("ZoneId", str)

_LETTERS = string.ascii_lowercase + string.digits


def new_id(prefix: str) -> str:
    """A fresh id such as `ep-` and 20 random lower-case letters and digits."""
    return f"{prefix}-" + "".join(secrets.choice(_LETTERS) for _ in range(20))


def new_account_id() -> AccountId:
    """A fresh account id: 16 decimal digits, as the cloud's."""
    return AccountId(str(secrets.randbelow(9 * 10**15) + 10**15))


def new_access_key() -> tuple[str, str]:
    """A fresh access key: its id (public) and its secret (30 letters and digits)."""
    letters = string.ascii_letters + string.digits
    key_id = "LTAI5t" + "".join(secrets.choice(letters) for _ in range(18))
    return key_id, "".join(secrets.choice(letters) for _ in range(30))


def new_mac() -> str:
    """A fresh MAC address: random, locally administered, unicast (IEEE 802, U/L bit set)."""
    return "02:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(5))
