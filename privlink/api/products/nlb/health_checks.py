"""Health checks of a server group: how its servers are asked whether they are well."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from privlink.api import health_checks
from privlink.api.action import NLB
from privlink.api.health_checks import Code, Path, Threshold, Timeout
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import HealthCheck, ServerGroup
from privlink.model.items import Check, CheckKind

_OWN_ADDRESS = "$SERVER_IP"
_INTERVAL = 5  # seconds, where the caller does not say

Port = Annotated[
    int,
    msgspec.Meta(
        ge=0, le=65535, description="it is 1 to 65535, or 0 for the port that a server serves."
    ),
]
Interval = Annotated[
    int,
    msgspec.Meta(ge=1, le=300, description="it is 1 to 50 seconds, of a UDP check 1 to 300."),
]
Domain = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\$SERVER_IP|[A-Za-z0-9.\-]{0,80})\Z",
        description="it is $SERVER_IP, or a name of up to 80 letters, digits, dots and hyphens.",
    ),
]
Words = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9]{0,512}\Z", description="it has up to 512 letters and digits."
    ),
]


class HealthCheckConfig(Fields, frozen=True):
    """How servers are asked whether they are well. What is not given stays as it is, and of a new
    server group is the default. What is about HTTP has an effect on an HTTP check alone.
    """

    health_check_enabled: bool | None = None
    health_check_type: Literal["TCP", "HTTP", "UDP"] | None = None
    health_check_connect_port: Port | None = None
    health_check_connect_timeout: Timeout | None = None
    health_check_interval: Interval | None = None
    healthy_threshold: Threshold | None = None
    unhealthy_threshold: Threshold | None = None
    http_check_method: Literal["GET", "HEAD"] | None = None
    health_check_url: Path | None = None
    health_check_domain: Domain | None = None
    health_check_http_version: Literal["HTTP1.0", "HTTP1.1"] | None = None
    health_check_http_code: Annotated[tuple[Code, ...], msgspec.Meta(max_length=4)] = ()
    health_check_req: Words | None = None
    health_check_exp: Words | None = None


class HealthCheckAnswer(Answer):
    health_check_enabled: bool
    health_check_type: str
    health_check_connect_port: int
    health_check_connect_timeout: int
    health_check_interval: int
    healthy_threshold: int
    unhealthy_threshold: int
    http_check_method: str
    health_check_url: str
    health_check_domain: str
    health_check_http_version: str
    health_check_http_code: list[str]
    health_check_req: str | msgspec.UnsetType
    health_check_exp: str | msgspec.UnsetType


def default(protocol: str, *, any_port: bool) -> HealthCheck:
    """The health check of a new server group.

    One whose servers take any port has none: there is no port to ask on till somebody names one.
    """
    kind = CheckKind.UDP if protocol == "UDP" else CheckKind.TCP
    return HealthCheck(not any_port, Check(kind, interval=_INTERVAL))


def changed(present: HealthCheck, given: HealthCheckConfig, group: ServerGroup) -> HealthCheck:
    """A health check with what is given of it. Raises InvalidHealthCheckConfig."""
    check = msgspec.structs.replace(present.check, **_values(given))
    if check.kind is not CheckKind.UDP:
        for name, value in (
            ("HealthCheckReq", given.health_check_req),
            ("HealthCheckExp", given.health_check_exp),
        ):
            if value:
                why = f"{value!r} goes with HealthCheckType=UDP, and this is a {check.kind} check."
                raise _refused(name, why)
        check = msgspec.structs.replace(check, request="", expected="")
    elif group.protocol == "TCP":
        why = "a UDP check says nothing of servers on TCP. Give TCP or HTTP."
        raise _refused("HealthCheckType", f"'UDP' was given; {why}")
    if problem := health_checks.why_not(
        check, interval_field="HealthCheckInterval", expected_field="HealthCheckExp"
    ):
        raise _refused(*problem)
    enabled = present.enabled if given.health_check_enabled is None else given.health_check_enabled
    if enabled and group.any_port and not check.port:
        why = "with AnyPortEnabled, a server has no port of its own to be asked on. Give one."
        raise _refused("HealthCheckConnectPort", why)
    return HealthCheck(enabled, check)


def answer(health: HealthCheck) -> HealthCheckAnswer:
    """A health check as ListServerGroups shows it."""
    check = health.check
    return HealthCheckAnswer(
        health_check_enabled=health.enabled,
        health_check_type=check.kind,
        health_check_connect_port=check.port,
        health_check_connect_timeout=check.timeout,
        health_check_interval=check.interval,
        healthy_threshold=check.rise,
        unhealthy_threshold=check.fall,
        http_check_method=check.method,
        health_check_url=check.path,
        health_check_domain=check.host or _OWN_ADDRESS,
        health_check_http_version=check.version.replace("/", ""),
        health_check_http_code=list(check.codes),
        health_check_req=check.request or msgspec.UNSET,
        health_check_exp=check.expected or msgspec.UNSET,
    )


def _values(given: HealthCheckConfig) -> dict[str, Any]:
    """What is given, as a check has it."""
    kind, version = given.health_check_type, given.health_check_http_version
    url, domain = given.health_check_url, given.health_check_domain
    values = {
        "kind": None if kind is None else CheckKind(kind),
        "port": given.health_check_connect_port,
        "timeout": given.health_check_connect_timeout,
        "interval": given.health_check_interval,
        "rise": given.healthy_threshold,
        "fall": given.unhealthy_threshold,
        "method": given.http_check_method,
        "path": None if url is None else url or "/",
        "host": None if domain is None else domain.replace(_OWN_ADDRESS, ""),
        "version": None if version is None else version.replace("HTTP", "HTTP/"),
        "codes": given.health_check_http_code or None,
        "request": given.health_check_req,
        "expected": given.health_check_exp,
    }
    return {name: value for name, value in values.items() if value is not None}


def _refused(field: str, why: str) -> Exception:
    return NLB.invalid(parameter=f"HealthCheckConfig.{field}", why=why)
