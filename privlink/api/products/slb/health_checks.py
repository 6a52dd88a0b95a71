"""Health checks of a CLB's listeners: how servers are asked whether they are well."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from privlink.api import health_checks
from privlink.api.action import SLB
from privlink.api.wire import Answer
from privlink.model.balancer import HealthCheck
from privlink.model.items import Check, CheckKind

_OWN_ADDRESS = "$_ip"
_SERVERS_PORT = -520  # Terraform's way to say: the port that a server serves

Switch = Annotated[Literal["on", "off"], msgspec.Meta(description="it is on or off.")]
Type = Annotated[Literal["tcp", "http"], msgspec.Meta(description="it is tcp or http.")]
Port = Annotated[
    int,
    msgspec.Meta(
        ge=_SERVERS_PORT,
        le=65535,
        description="it is 1 to 65535, or -520 for the port that a server serves.",
    ),
]
Interval = Annotated[
    int,
    msgspec.Meta(ge=1, le=health_checks.LONGEST_INTERVAL, description="it is 1 to 50 seconds."),
]
Domain = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\$_ip|\$SERVER_IP|[A-Za-z0-9.\-]{0,80})\Z",
        description="it is $_ip, or a name of up to 80 letters, digits, dots and hyphens.",
    ),
]
Codes = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^http_[2-5]xx(,http_[2-5]xx){0,3}\Z",
        description="it is http_2xx, http_3xx, http_4xx or http_5xx, or several with commas "
        "between them.",
    ),
]
Words = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9]{0,64}\Z", description="it has up to 64 letters and digits."
    ),
]

# Where nobody says otherwise. CLBs ask with HEAD. Source: the CLB user guide, "Configure health
# checks".
_DEFAULTS = {
    "TCP": Check(CheckKind.TCP, interval=2, timeout=5, rise=3, fall=3, method="HEAD"),
    "UDP": Check(CheckKind.UDP, interval=5, timeout=10, rise=3, fall=3),
}


class HealthCheckAnswer(Answer):
    """What both kinds of listeners show."""

    health_check: str
    health_check_connect_port: int | msgspec.UnsetType
    health_check_connect_timeout: int
    health_check_interval: int
    healthy_threshold: int
    unhealthy_threshold: int


def default(protocol: str) -> HealthCheck:
    """The health check of a new listener."""
    return HealthCheck(True, _DEFAULTS[protocol])


def changed(present: HealthCheck, switch: str | None, **given: Any) -> HealthCheck:
    """A health check after a change: `given` are fields of a Check as the parameters have them,
    None where they stay. Raises the product's error for what does not go together.
    """
    port = given.get("port")
    if port is not None and port < 1 and port != _SERVERS_PORT:
        why = f"'{port}' was given; it is 1 to 65535, or -520 for the port that a server serves."
        raise SLB.invalid(parameter="HealthCheckConnectPort", why=why)
    values = {name: value for name, value in given.items() if value is not None}
    if port is not None:
        values["port"] = max(port, 0)
    if "kind" in values:
        values["kind"] = CheckKind(values["kind"].upper())
    if values.get("host") in (_OWN_ADDRESS, "$SERVER_IP"):
        values["host"] = ""
    if "path" in values:
        values["path"] = values["path"] or "/"
    if "codes" in values:
        values["codes"] = tuple(dict.fromkeys(values["codes"].split(",")))
    check = msgspec.structs.replace(present.check, **values)
    if problem := health_checks.why_not(
        check, interval_field="HealthCheckInterval", expected_field="healthCheckExp"
    ):
        field, why = problem
        raise SLB.invalid(parameter=field, why=why)
    return HealthCheck(present.enabled if switch is None else switch == "on", check)


def about(health: HealthCheck, server_port: int | None) -> HealthCheckAnswer:
    """A health check as both kinds of listeners show it."""
    check = health.check
    return HealthCheckAnswer(
        health_check="on" if health.enabled else "off",
        health_check_connect_port=check.port or server_port or msgspec.UNSET,
        health_check_connect_timeout=check.timeout,
        health_check_interval=check.interval,
        healthy_threshold=check.rise,
        unhealthy_threshold=check.fall,
    )


def domain(check: Check) -> str:
    """Whom an HTTP check asks for."""
    return check.host or _OWN_ADDRESS
