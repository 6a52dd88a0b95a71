"""The names of things: ids in the cloud's form, and the types that keep them apart."""

from __future__ import annotations

import secrets
import string
import time
from typing import NewType, TypeAlias

AccountId = NewType("AccountId", str)
VpcId = NewType("VpcId", str)
VSwitchId = NewType("VSwitchId", str)
RouteTableId = NewType("RouteTableId", str)
RouteEntryId = NewType("RouteEntryId", str)
EniId = NewType("EniId", str)
AttachmentId = NewType("AttachmentId", str)
SecurityGroupId = NewType("SecurityGroupId", str)
PrefixListId = NewType("PrefixListId", str)
LoadBalancerId = NewType("LoadBalancerId", str)
NatGatewayId = NewType("NatGatewayId", str)
NatIpId = NewType("NatIpId", str)
FullNatEntryId = NewType("FullNatEntryId", str)
ServerGroupId = NewType("ServerGroupId", str)
ListenerId = NewType("ListenerId", str)
ServiceId = NewType("ServiceId", str)
EndpointId = NewType("EndpointId", str)
ResourceGroupId = NewType("ResourceGroupId", str)
UserId = NewType("UserId", str)
RoleId = NewType("RoleId", str)
NodeId = NewType("NodeId", str)
ResolverId = NewType("ResolverId", str)
NameServerId = NewType("NameServerId", str)
ZoneId = NewType("ZoneId", str)

# How the security token of a role's session begins.
SESSION_TOKEN = "CAIS"  # noqa: S105

# Of what stands behind an endpoint service: a LoadBalancerId or a NatGatewayId.
ResourceId: TypeAlias = str

_LETTERS = string.ascii_lowercase + string.digits
_LENGTH, _TIMED = 20, 9
_CHALLENGE_LENGTH = 32
_SORTED = bytes(sorted(_LETTERS.encode()))
# A random byte for each letter: every letter stands for as many bytes, those left over for none.
_LETTER_OF = bytes(ord(_LETTERS[byte % len(_LETTERS)]) for byte in range(256))
_LEFT_OVER = bytes(range(256 - 256 % len(_LETTERS), 256))


def new_id(prefix: str) -> str:
    """A fresh id such as `ep-` and 20 lower-case letters and digits.

    The first nine tell the time, so that what is new is near what else is new, on disk as in lists
    by id; the other eleven are random.
    """
    moment = time.time_ns() // 1_000_000
    letters = bytearray()
    for _ in range(_TIMED):
        moment, letter = divmod(moment, len(_LETTERS))
        letters.append(_SORTED[letter])
    letters.reverse()
    while len(letters) < _LENGTH:
        letters += secrets.token_bytes(_LENGTH).translate(_LETTER_OF, _LEFT_OVER)
    return f"{prefix}-{letters[:_LENGTH].decode()}"


def new_challenge() -> str:
    """What somebody publishes to show that a name is theirs: nobody guesses it."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_CHALLENGE_LENGTH))


def new_account_id() -> AccountId:
    """A fresh account id: 16 decimal digits, as the cloud's."""
    return AccountId(str(secrets.randbelow(9 * 10**15) + 10**15))


def new_user_id() -> UserId:
    """A fresh id of a user: 18 decimal digits, as the cloud's."""
    return UserId(str(secrets.randbelow(10**17) + 2 * 10**17))


def new_role_id() -> RoleId:
    """A fresh id of a role: 18 decimal digits, beginning with 3 as the cloud's."""
    return RoleId(str(secrets.randbelow(10**17) + 3 * 10**17))


def new_session_key() -> tuple[str, str, str]:
    """The keys of a role's session: access key id, secret and security token."""
    letters = string.ascii_letters + string.digits
    key_id = "STS." + "".join(secrets.choice(letters) for _ in range(25))
    secret = "".join(secrets.choice(letters) for _ in range(44))
    return key_id, secret, SESSION_TOKEN + secrets.token_urlsafe(96)


def new_access_key() -> tuple[str, str]:
    """A fresh access key: its id (public) and its secret (30 letters and digits)."""
    letters = string.ascii_letters + string.digits
    key_id = "LTAI5t" + "".join(secrets.choice(letters) for _ in range(18))
    return key_id, "".join(secrets.choice(letters) for _ in range(30))


def new_mac() -> str:
    """A fresh MAC address: random, locally administered, unicast (IEEE 802, U/L bit set)."""
    return "02:" + secrets.token_bytes(5).hex(":")
