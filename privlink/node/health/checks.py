"""What a check says to a server, and what it makes of what comes back.

Pure: bytes in, bytes and verdicts out. Nothing that a server answers can do more than be wrong, and
of an answer no more is wanted than decides. The codes that a reason begins with are those of
GetListenerHealthStatus (NLB).
"""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec

from privlink.model.items import Check, CheckKind

UDP_REQUEST: Final = b"privlink health check"  # where a check does not say what to send
MOST_DATAGRAM: Final = 2048  # bytes of a datagram that are looked at

# RFC 9112 section 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]. Old servers
# leave out the second space with the phrase.
_STATUS: Final = re.compile(rb"HTTP/\d\.\d ([1-9]\d\d)[ \r\n]")
STATUS_BYTES: Final = len(b"HTTP/1.1 200 ")
_ALLOWED: Final = re.compile(r"[!-~]+")  # in a request line or header: visible ASCII


class Code(enum.StrEnum):
    """Why an answer is bad."""

    CONNECT_TIMEOUT = "CONNECT_TIMEOUT"
    CONNECT_FAILED = "CONNECT_FAILED"
    RECV_RESPONSE_TIMEOUT = "RECV_RESPONSE_TIMEOUT"
    CONNECT_INTERRUPT = "CONNECT_INTERRUPT"
    HTTP_CODE_NOT_MATCH = "HTTP_CODE_NOT_MATCH"
    HTTP_INVALID_HEADER = "HTTP_INVALID_HEADER"


class Verdict(msgspec.Struct, frozen=True):
    """What one check came to."""

    good: bool
    why: str = ""  # of a bad one: a code, a colon and a sentence


GOOD: Final = Verdict(True)


def bad(code: Code, why: str) -> Verdict:
    """A bad answer and its reason."""
    return Verdict(False, f"{code}: {why}")


def request(check: Check, host: str) -> bytes:
    """What is sent to the server at `host`; nothing where it is enough to connect.

    Raises ValueError for a check that cannot be put on a wire.
    """
    match check.kind:
        case CheckKind.UDP:
            return check.request.encode() or UDP_REQUEST
        case CheckKind.HTTP:
            named = check.host or (f"[{host}]" if ":" in host else host)
            words = {"method": check.method, "path": check.path, "host": named}
            words["version"] = check.version
            for name, word in words.items():
                if not _ALLOWED.fullmatch(word):
                    raise ValueError(f"the {name} {word!r} is not of visible ASCII characters")
            return (
                f"{check.method} {check.path} {check.version}\r\nHost: {named}\r\n"
                "User-Agent: privlink\r\nAccept: */*\r\nConnection: close\r\n\r\n"
            ).encode()
    return b""


def judge_datagram(check: Check, answer: bytes) -> bool:
    """Whether a datagram is the answer that is waited for."""
    return not check.expected or answer == check.expected.encode()


def judge_silence(check: Check) -> Verdict:
    """What it means that a datagram was not answered."""
    if check.expected:
        return bad(Code.RECV_RESPONSE_TIMEOUT, f"not the expected answer in {check.timeout} s")
    return GOOD


def judge_response(check: Check, start: bytes, *, ended: bool) -> Verdict | None:
    """What an HTTP response means that starts so; None: that cannot be said yet.

    `ended` says that nothing more will come.
    """
    found = _STATUS.match(start)
    if found is not None:
        status = found[1].decode()
        if f"http_{status[0]}xx" in check.codes:
            return GOOD
        return bad(Code.HTTP_CODE_NOT_MATCH, f"status {status}, not {', '.join(check.codes)}")
    if len(start) >= STATUS_BYTES:
        return bad(Code.HTTP_INVALID_HEADER, "the answer does not start with an HTTP status")
    if ended:
        return bad(Code.CONNECT_INTERRUPT, "the server ended the connection without an answer")
    return None
