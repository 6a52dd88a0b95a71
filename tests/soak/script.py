"""What happens to the installation meanwhile: a seeded random sequence of deeds, and kills.

A deed says whom it may hurt (a hazard), does it, sees that those who had to end did, puts things
right again, and sees that all are served. Calls are repeated till they are done, as the server may
be dead at any time.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from privlink.node import system
from tests.kernel import lab
from tests.soak.land import ZONES, Land, Tenant, is_connected, named, processes, rule, zones
from tests.soak.programs import RULED, TALK, Echo, Hazard, Talk, Visit, Watch, dial, live

PATIENCE = 90.0  # seconds for anything to come true while processes die
LOOK = 0.05  # seconds between two looks
DRAIN = 10  # seconds
MODULES = ("privlink.server", "privlink.node")


class Script:
    """The deeds, one after the other."""

    # `long`: whether there is time for what takes a minute by itself.
    def __init__(
        self, land: Land, watch: Watch, talks: list[Talk], seed: str, *, long: bool
    ) -> None:
        self.land, self.watch, self.talks = land, watch, talks
        self.done: Counter[str] = Counter()
        self.hurt = 0  # conversations that were to end, and did
        self.ending = threading.Event()
        self._pause = threading.Event()  # never set
        self._long = long
        self._random = random.Random(seed)
        self._deeds: list[Callable[[], None]] = []

    def thread(self) -> threading.Thread:
        """What plays it."""
        return threading.Thread(target=self.play, name="script", daemon=True)

    def play(self) -> None:
        """Do one deed after the other, each once before any twice, until told to end."""
        while not self.ending.is_set():
            if not self._deeds:
                self._deeds = [
                    self.a_server_stops,
                    self.a_server_is_removed,
                    self.a_server_drains,
                    self.a_zone_closes,
                    self.a_rule_goes,
                    self.bandwidth_changes,
                    self.idle_times_change,
                    *([self.a_silent_flow_ends] if self._long else []),
                ]
                self._random.shuffle(self._deeds)
            deed = self._deeds.pop()
            name = deed.__name__.replace("_", " ")
            try:
                deed()
                self.done[name] += 1
            except Exception as error:  # a deed that fails is a finding, not the end
                self.watch.fail(f"{name}: {error}")
                return

    def a_server_stops(self) -> None:
        """It stops listening; its health check ends its flows; it comes back."""
        zone, echo = self._server()
        hazard = Hazard("stopped", zone=zone, port=echo.port, server=echo.address)
        with self.watch.hazard(hazard):
            hurt = self._with(zone, echo)
            echo.deafen()
            self._await_ends(hurt, hazard)
            echo.listen()
            self._await_new_flows_to(zone, echo)

    def a_server_is_removed(self) -> None:
        """Without draining its flows end at once."""
        zone, echo = self._server()
        hazard = Hazard("removed", zone=zone, port=echo.port, server=echo.address)
        with self.watch.hazard(hazard):
            hurt = self._with(zone, echo)
            self._remove(zone, echo)
            self._await_ends(hurt, hazard)
            self._add(zone, echo)
            self._await_new_flows_to(zone, echo)

    def a_server_drains(self) -> None:
        """Its flows go on for a while, and end then."""
        zone, echo = self._server()
        self._draining(zone, echo.port, on=True)
        hurt = self._with(zone, echo)
        began = time.monotonic()
        hazard = Hazard("drained", zone=zone, port=echo.port, server=echo.address)
        with self.watch.hazard(hazard):
            self._remove(zone, echo)
            self._await_ends(hurt, hazard)
            # The moment of removal is a whole second.
            early = [each for each in hurt if each.ended[1] < began + DRAIN - 1]
            if early:
                self.watch.fail(f"{early[0]} ended before it was drained")
            self._await(lambda: not self._listed(zone, echo), f"{echo.address} gone")
            self._draining(zone, echo.port, on=False)
            self._add(zone, echo)
            self._await_new_flows_to(zone, echo)

    def a_zone_closes(self) -> None:
        """The provider disables it for one endpoint, and enables it again."""
        tenant, zone = self._random.choice(self.land.tenants), self._random.choice(ZONES)
        calls = self.land.provider.privatelink
        names = {"ServiceId": self.land.service, "EndpointId": tenant.tcp, "ZoneId": zone}

        def status() -> object:
            return zones(tenant.account, tenant.tcp)[zone]["ZoneStatus"]

        hazard = Hazard("closed", endpoint=tenant.tcp, zone=zone)
        with self.watch.hazard(hazard):
            hurt = self._hurt(hazard)
            self._insist(
                lambda: calls.DisableVpcEndpointZoneConnection(**names),
                lambda: status() == "Disconnected",
            )
            self._await_ends(hurt, hazard)
            self._insist(
                lambda: calls.EnableVpcEndpointZoneConnection(**names),
                lambda: status() == "Connected",
            )
            self._await_life(hurt)

    def a_rule_goes(self) -> None:
        """One port is forbidden, and permitted again; flows on the other go on."""
        tenant = self._random.choice(self.land.tenants)
        ecs, permission = tenant.account.ecs, [rule("tcp", RULED)]

        def is_permitted() -> bool:
            shown = ecs.DescribeSecurityGroupAttribute(SecurityGroupId=tenant.group)
            rules = shown["Permissions"]["Permission"]
            return any(each["PortRange"] == f"{RULED}/{RULED}" for each in rules)

        hazard = Hazard("forbidden", endpoint=tenant.tcp, port=RULED)
        with self.watch.hazard(hazard):
            hurt = self._hurt(hazard)
            self._insist(
                lambda: ecs.RevokeSecurityGroup(
                    SecurityGroupId=tenant.group, Permissions=permission
                ),
                lambda: not is_permitted(),
            )
            self._await_ends(hurt, hazard)
            self._insist(
                lambda: ecs.AuthorizeSecurityGroup(
                    SecurityGroupId=tenant.group, Permissions=permission
                ),
                is_permitted,
            )
            self._await_life(hurt)

    def bandwidth_changes(self) -> None:
        """A connection gets another limit, or none; nobody here needs as much as the least."""
        tenant = self._random.choice(self.land.tenants)
        endpoint = self._random.choice((tenant.tcp, tenant.udp))
        limit: dict[str, Any] = {"TrafficControlMode": "Scalability"}
        if self._random.random() < 0.7:
            limit = {"TrafficControlMode": "BandwidthLimit"}
            limit["Bandwidth"] = self._random.choice((100, 500, 2000))
        calls = self.land.provider.privatelink
        self._insist(
            lambda: calls.UpdateVpcEndpointConnectionAttribute(
                ServiceId=self.land.service, EndpointId=endpoint, **limit
            ),
        )
        self._await_connected(tenant, endpoint)

    def idle_times_change(self) -> None:
        """Of the service; all that talk do so more often."""
        self._set_idle_times(self._random.randint(60, 900), self._random.randint(20, 40))

    def _set_idle_times(self, tcp: int, udp: int) -> None:
        times: dict[str, Any] = {"TcpIdleTimeout": tcp, "UdpIdleTimeout": udp}
        own = self.land.provider.own
        self._insist(
            lambda: own.call("ModifyServiceTraffic", ServiceId=self.land.service, **times),
        )
        for tenant in self.land.tenants:
            self._await_connected(tenant, tenant.tcp)

    def a_silent_flow_ends(self) -> None:
        """One that says nothing for as long as the service allows is reset at the client."""
        self._set_idle_times(10, 30)
        place = next(each for each in self.land.places if each.endpoint == self.land.tenants[0].tcp)
        visit = Visit(self.watch, place, TALK, "silent")
        made = system.within(lab.path(place.client), lambda: dial(visit))
        self._set_idle_times(900, 60)
        if made is None:
            return  # it has said so
        connection, server = made
        with connection:
            connection.settimeout(PATIENCE)
            try:
                said = connection.recv(1)
            except ConnectionResetError:
                visit.books.add(resets=1)
                self.hurt += 1
            except TimeoutError:
                self.watch.fail(f"a silent flow to {server} lives {PATIENCE:.0f} s")
            else:
                self.watch.fail(f"a silent flow to {server} ended by {said!r}")

    def _server(self) -> tuple[str, Echo]:
        (zone, _, _), echo = self._random.choice(sorted(self.land.echoes.items()))
        return zone, echo

    def _hurt(self, hazard: Hazard) -> list[Talk]:
        """The conversations that a hazard is to end."""
        return [
            each
            for each in self.talks
            if each.server and hazard.covers(each.place, each.port, each.server)
        ]

    def _with(self, zone: str, echo: Echo) -> list[Talk]:
        return self._hurt(Hazard("", zone=zone, port=echo.port, server=echo.address))

    def _await_ends(self, hurt: list[Talk], hazard: Hazard) -> None:
        """See that each of these conversations was ended since the hazard began."""

        def lasting() -> list[Talk]:
            return [each for each in hurt if each.ended[1] < hazard.begun]

        self._await(lambda: not lasting(), lambda: f"{hazard.why}, and yet goes on: {lasting()[0]}")
        self.hurt += len(hurt)

    def _await_life(self, hurt: list[Talk]) -> None:
        """See that each of these has a conversation again."""
        self._await(live(hurt, time.monotonic()), "conversations again")

    def _await_new_flows_to(self, zone: str, echo: Echo) -> None:
        """See that a server is among those who get new flows."""
        endpoint = self.land.tenants[0].tcp
        (place,) = (
            each for each in self.land.places if (each.endpoint, each.zone) == (endpoint, zone)
        )
        visit = Visit(self.watch, place, echo.port, "probe")

        def is_met() -> bool:
            system.within(lab.path(place.client), visit.visit)
            return visit.server == echo.address

        self._await(is_met, f"new flows to {echo.address}")

    def _await_connected(self, tenant: Tenant, endpoint: str) -> None:
        self._await(lambda: is_connected(tenant.account, endpoint), f"{endpoint} Connected")

    def _listed(self, zone: str, echo: Echo) -> dict[str, Any] | None:
        """What is shown of a server in its group."""
        group = self.land.groups[zone, echo.port]
        listed = self.land.provider.nlb.ListServerGroupServers(ServerGroupId=group)["Servers"]
        return next((each for each in listed if each["ServerId"] == echo.address), None)

    def _remove(self, zone: str, echo: Echo) -> None:
        group, server = self.land.groups[zone, echo.port], named(echo.address, echo.port)
        nlb = self.land.provider.nlb

        def is_done() -> bool:
            shown = self._listed(zone, echo)
            return shown is None or shown["Status"] == "Removing"

        self._insist(
            lambda: nlb.RemoveServersFromServerGroup(ServerGroupId=group, Servers=[server]), is_done
        )

    def _add(self, zone: str, echo: Echo) -> None:
        group, server = self.land.groups[zone, echo.port], named(echo.address, echo.port)
        nlb = self.land.provider.nlb
        self._insist(
            lambda: nlb.AddServersToServerGroup(ServerGroupId=group, Servers=[server]),
            lambda: self._listed(zone, echo) is not None,
        )

    def _draining(self, zone: str, port: int, *, on: bool) -> None:
        self._insist(
            lambda: self.land.provider.nlb.UpdateServerGroupAttribute(
                ServerGroupId=self.land.groups[zone, port],
                ConnectionDrainEnabled=on,
                ConnectionDrainTimeout=DRAIN,
            ),
        )

    def _insist(
        self, deed: Callable[[], object], is_done: Callable[[], bool] | None = None
    ) -> None:
        """Do it until it is done: an answer may be lost, and the second call refused for that.

        What may be called twice needs no `is_done`.
        """
        last: list[Exception] = []

        def attempt() -> bool:
            if last and is_done is not None and _is_so(is_done):
                return True  # done, though nobody said so
            try:
                deed()
            except Exception as error:
                last[:] = [error]
                return False
            return True

        self._await(attempt, lambda: f"a call that succeeds: {last[:1]}")
        if is_done is not None:
            self._await(is_done, "what a call has asked for")

    def _await(self, condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
        """Wait until it is so, whoever dies meanwhile. Raises TimeoutError."""
        until = time.monotonic() + PATIENCE
        while not _is_so(condition):
            if time.monotonic() > until:
                said = what if isinstance(what, str) else what()
                raise TimeoutError(f"not within {PATIENCE:.0f} s: {said}")
            self._pause.wait(LOOK)


class Kills(threading.Thread):
    """SIGKILL to server or node, at random times, and that they come back."""

    def __init__(self, land: Land, watch: Watch, every: float, seed: str) -> None:
        super().__init__(name="kills", daemon=True)
        self.done: Counter[str] = Counter()
        self.ending = threading.Event()
        self._land, self._watch, self._every = land, watch, every
        self._random = random.Random(seed)

    def run(self) -> None:
        while not self.ending.wait(self._random.uniform(0.5, 1.5) * self._every):
            for module in self._random.choice((MODULES, MODULES[:1], MODULES[1:])):
                if module in (running := processes(self._land.installation)):
                    os.kill(running[module], signal.SIGKILL)
                    self.done[f"{module} killed"] += 1
            until = time.monotonic() + PATIENCE
            while not self._land.installation.is_ready():
                if time.monotonic() > until:
                    self._watch.fail(f"not ready {PATIENCE:.0f} s after a kill")
                    return
                self.ending.wait(LOOK)


def _is_so(condition: Callable[[], bool]) -> bool:
    """Whether it is, as far as anybody answers."""
    try:
        return condition()
    except AssertionError:
        raise
    except Exception:  # the server is dead: each SDK has an error of its own for that
        return False
