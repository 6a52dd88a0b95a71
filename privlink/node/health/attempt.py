"""One check of one server under way: a socket, and what comes of it step by step.

Waits for nothing itself: whoever has it says when its socket is ready, or that its time is over.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
import time
from typing import Final

from privlink.model.items import CheckKind
from privlink.node.health.checks import (
    GOOD,
    MOST_DATAGRAM,
    STATUS_BYTES,
    Code,
    Verdict,
    bad,
    judge_datagram,
    judge_response,
    judge_silence,
)
from privlink.node.health.probes import Probe

_LINGER: Final = struct.pack("ii", 1, 0)  # close by a reset: nothing stays, on neither side


class Attempt:
    """One check of one server, under way. OSError is a failure of this host."""

    def __init__(self, probe: Probe) -> None:
        self.began = time.monotonic()
        self._check = probe.check
        self._request = probe.request
        self._connected = False
        self._received = b""
        family = socket.AF_INET6 if ":" in probe.address else socket.AF_INET
        udp = self._check.kind is CheckKind.UDP
        self.socket = socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        try:
            self.socket.setblocking(False)
            self.events = self._open((probe.address, probe.port), udp=udp)
        except OSError:
            self.socket.close()
            raise

    def _open(self, address: tuple[str, int], *, udp: bool) -> int:
        if udp:
            self.socket.connect(address)
            self.socket.send(self._request)
            return selectors.EVENT_READ
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        code = self.socket.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        return selectors.EVENT_WRITE

    def go_on(self) -> Verdict | None:
        """What it came to now that the socket is ready; None: `events` say what to wait for."""
        if self._check.kind is CheckKind.UDP:
            return self._hear()
        if not self._connected:
            return self._reach()
        return self._read()

    def expire(self) -> Verdict:
        """What it came to, now that its time is over."""
        if self._check.kind is CheckKind.UDP:
            return judge_silence(self._check)
        if self._connected:
            return bad(Code.RECV_RESPONSE_TIMEOUT, f"no answer in {self._check.timeout} s")
        return bad(Code.CONNECT_TIMEOUT, f"no connection in {self._check.timeout} s")

    def _hear(self) -> Verdict | None:
        try:
            answer = self.socket.recv(MOST_DATAGRAM)
        except BlockingIOError:
            return None
        except OSError as error:  # told by ICMP
            return bad(Code.CONNECT_FAILED, str(error.strerror))
        return GOOD if judge_datagram(self._check, answer) else None

    def _reach(self) -> Verdict | None:
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            return bad(Code.CONNECT_FAILED, os.strerror(code))
        self._connected = True
        if self._check.kind is CheckKind.TCP:
            return GOOD
        self.events = selectors.EVENT_READ
        try:
            self.socket.sendall(self._request)  # shorter than the buffer of a new socket
        except OSError as error:
            return bad(Code.CONNECT_INTERRUPT, str(error.strerror))
        return None

    def _read(self) -> Verdict | None:
        try:
            data = self.socket.recv(STATUS_BYTES - len(self._received))
        except BlockingIOError:
            return None
        except OSError as error:
            return bad(Code.CONNECT_INTERRUPT, str(error.strerror))
        self._received += data
        return judge_response(self._check, self._received, ended=not data)
