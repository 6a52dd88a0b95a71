"""Whom to ask for other names: those that were named, or the host's own name servers.

resolv.conf(5) is read again when it has changed. Wherever we answer ourselves is left out: such a
question would come back to us.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from pathlib import Path
from typing import Final

from privlink.dns.sockets.exchange import Server
from privlink.model.naming import RESOLVER_ADDRESS, RESOLVER_PORT

RESOLV_CONF: Final = Path("/etc/resolv.conf")

log = logging.getLogger(__name__)


class HostServers:
    """The host's name servers, as a file says."""

    def __init__(self, listen: Server | None, file: Path = RESOLV_CONF) -> None:
        self._listen = listen
        self._file = file
        self._seen: object = ()

    def changed(self) -> tuple[Server, ...] | None:
        """Them, if the file is not the one that was read last."""
        try:
            found = self._file.stat()
            seen: object = (found.st_ino, found.st_mtime_ns, found.st_size)
            text = "" if seen == self._seen else self._file.read_text(errors="replace")
        except OSError as error:
            seen, text = str(error), ""
        if seen == self._seen:
            return None
        self._seen = seen
        every = servers_in(text)
        servers = tuple(each for each in every if not is_ours(each, self._listen))
        if len(servers) < len(every):
            log.warning("%s names us as a name server: we do not ask ourselves", self._file)
        if not servers:
            log.warning("%s names nobody who could be asked for other names", self._file)
        return servers


def servers_in(text: str) -> tuple[Server, ...]:
    """The name servers of a resolv.conf(5); one with an address that needs an interface is none."""
    servers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver" or "%" in words[1]:
            continue
        try:
            servers.append((str(ipaddress.ip_address(words[1])), RESOLVER_PORT))
        except ValueError:
            continue
    return tuple(dict.fromkeys(servers))


def is_ours(server: Server, listen: Server | None) -> bool:
    """Whether we answer at an address ourselves, maybe because we do at all of the host's."""
    address, port = server
    if address == RESOLVER_ADDRESS or server == listen:
        return True
    if listen is None or port != listen[1] or not ipaddress.ip_address(listen[0]).is_unspecified:
        return False
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))  # only what is the host's can be bound
        except OSError:
            return False
    return True
