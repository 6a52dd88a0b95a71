"""The settings of one privlink instance: one frozen value, made once at start and handed down."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from pathlib import Path

import msgspec

from privlink.model.naming import RESOLVER_ADDRESS

DEFAULT_STATE = Path("/var/lib/privlink")
DEFAULT_LISTEN = "127.0.0.1:8680"
DEFAULT_REGION = "local"
DEFAULT_ZONES = ("local-a", "local-b", "local-c")
DEFAULT_DOMAIN = "privatelink.internal"
DEFAULT_DNS_LISTEN = "127.0.0.1:8653"
DEFAULT_FLOW_LOG_SIZE = 64  # MiB
DEFAULT_FLOW_LOG_FILES = 8
DEFAULT_FLOW_RECORDS = 100
NONE = "none"  # a setting that switches something off
DNS_PORT = 53  # RFC 1035 section 4.2

# How long a name may be (RFC 1035 section 2.3.4), less what names of endpoints have before it.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_LABEL = 63
_LONGEST_ZONE = _LONGEST_LABEL - len("ep-") - 20 - len("-")
_LONGEST_DOMAIN = 253 - (_LONGEST_LABEL + 1) - (len("epsrv-") + 20 + 1) - (_LONGEST_LABEL + 1)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What an instance is and where it keeps its state."""

    state: str = str(DEFAULT_STATE)
    listen: str = DEFAULT_LISTEN
    region: str = DEFAULT_REGION
    zones: tuple[str, ...] = DEFAULT_ZONES
    domain: str = DEFAULT_DOMAIN
    dns_listen: str = DEFAULT_DNS_LISTEN  # where names are answered on this host; or none
    dns_upstream: str = ""  # who is asked for other names: see `upstreams`
    flow_log_size: int = DEFAULT_FLOW_LOG_SIZE  # MiB, of all its files together
    flow_log_files: int = DEFAULT_FLOW_LOG_FILES
    flow_records: int = DEFAULT_FLOW_RECORDS  # per endpoint zone, CPU and second, at most

    @property
    def folder(self) -> Path:
        """The state folder."""
        return Path(self.state)

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def url(self) -> str:
        """Where clients on this host find the server."""
        return f"http://{self.listen}"

    @property
    def server_folder(self) -> Path:
        """The one folder the server process owns."""
        return self.folder / "server"

    @property
    def credentials_file(self) -> Path:
        return self.folder / "credentials.json"

    @property
    def node_file(self) -> Path:
        """The node's own access key."""
        return self.folder / "node.json"

    @property
    def dns_file(self) -> Path:
        """The access key of the process that answers names."""
        return self.folder / "dns.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one `privlink up` of this state folder; holds its process id."""
        return self.folder / "up.lock"

    @property
    def running_file(self) -> Path:
        """Held by every process of the installation."""
        return self.folder / "running.lock"

    @property
    def log_file(self) -> Path:
        return self.folder / "privlink.log"

    @property
    def config_file(self) -> Path:
        """The settings of the last `privlink up`, so that later commands need not repeat them."""
        return self.folder / "config.json"

    @property
    def instance(self) -> str:
        return instance_of(self.folder)


def check(settings: Config) -> None:
    """Refuse settings that cannot work. Raises ValueError that names the setting and its rule."""
    host, colon, port = settings.listen.rpartition(":")
    if not colon or not host or not _is_port(port):
        why = "must look like 127.0.0.1:8680, with a port from 1 to 65535"
        raise ValueError(f"--listen {settings.listen!r} {why}")
    for option, values, most in (
        ("--region", (settings.region,), _LONGEST_LABEL),
        ("--zones", settings.zones, _LONGEST_ZONE),
    ):
        for value in values:
            if not re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", value) or len(value) > most:
                raise ValueError(
                    f"{option} {value!r} must be at most {most} lower-case letters, digits and -, a"
                    " letter first, no - last"
                )
    if not settings.zones or len(set(settings.zones)) < len(settings.zones):
        raise ValueError("--zones must name at least one zone, and none twice")
    labels = settings.domain.split(".")
    if len(settings.domain) > _LONGEST_DOMAIN or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(
            f"--domain {settings.domain!r} must be a domain name in lower case of at most"
            f" {_LONGEST_DOMAIN} characters"
        )
    _check_names(settings)
    for option, number, least, most in (
        ("--flow-log-size", settings.flow_log_size, 1, 1024 * 1024),
        ("--flow-log-files", settings.flow_log_files, 2, 1000),
        ("--flow-records", settings.flow_records, 0, 1_000_000),
    ):
        if not least <= number <= most:
            raise ValueError(f"{option} {number} must be from {least} to {most}")


def _check_names(settings: Config) -> None:
    here = dns_address(settings.dns_listen)
    for there in upstreams(settings.dns_upstream) or ():
        if there == here or there[0] == RESOLVER_ADDRESS:
            raise ValueError(
                f"--dns-upstream {there[0]}:{there[1]} is where names are answered already, so they"
                " would go round in a circle: name a DNS server of somebody else"
            )


def dns_address(text: str) -> tuple[str, int] | None:
    """Address and port of `--dns-listen`; None: names are not answered on the host.

    Raises ValueError that names the setting and its rule.
    """
    if text == NONE:
        return None
    address, port = _address_and_port(text)
    if address is None or not _is_port(port):
        why = "must be none or look like 127.0.0.1:8653: an address, with a port from 1 to 65535"
        raise ValueError(f"--dns-listen {text!r} {why}")
    return address, int(port)


def upstreams(text: str) -> tuple[tuple[str, int], ...] | None:
    """Addresses and ports of `--dns-upstream`; none of them: other names are refused.

    None: the host's own name servers are asked. Raises ValueError that names the setting and its
    rule.
    """
    if not text:
        return None
    if text == NONE:
        return ()
    found = []
    for part in text.split(","):
        address, port = _address(part), str(DNS_PORT)
        if address is None:
            address, port = _address_and_port(part)
        if address is None or not _is_port(port):
            why = "must be none or addresses, commas between, each maybe with a port: 192.0.2.1:53"
            raise ValueError(f"--dns-upstream {text!r} {why}")
        found.append((address, int(port)))
    return tuple(found)


def _address_and_port(text: str) -> tuple[str | None, str]:
    host, _, port = text.rpartition(":")
    if ":" not in host:
        return _address(host), port
    return (_address(host[1:-1]) if host[0] + host[-1] == "[]" else None), port


def _address(text: str) -> str | None:
    """An IP address in its usual spelling."""
    try:
        return str(ipaddress.ip_address(text)) if "%" not in text else None
    except ValueError:
        return None


def _is_port(text: str) -> bool:
    return bool(re.fullmatch("[0-9]{1,5}", text)) and 1 <= int(text) <= 65535


def instance_of(state: Path) -> str:
    """The name an instance's kernel objects carry: eight hex digits of its state folder's path."""
    return hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:8]


def load(state: Path) -> Config:
    """The settings `privlink up` last ran with in `state`, or the defaults.

    Raises ValueError if the file is there but is not ours.
    """
    fallback = Config(state=str(state))
    try:
        text = fallback.config_file.read_bytes()
    except FileNotFoundError:
        return fallback
    try:
        return msgspec.structs.replace(msgspec.json.decode(text, type=Config), state=str(state))
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{fallback.config_file} is not a privlink configuration: {error}"
        ) from None
