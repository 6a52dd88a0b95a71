"""What holds for the traffic of a service."""

from __future__ import annotations

import msgspec
import pytest

from privlink.model.ids import AccountId, ServiceId
from privlink.model.privatelink import EndpointService, ResourceType
from privlink.rules import service_traffic
from privlink.rules.service_traffic import DEFAULT, Traffic

SERVICE = EndpointService(
    id=ServiceId("epsrv-1"),
    account_id=AccountId("1"),
    resource_type=ResourceType.NLB,
    auto_accept=True,
    payer="Endpoint",
    description="",
    connect_bandwidth=None,
    zone_affinity=False,
    created_at="",
)


def test_a_service_that_sets_nothing_has_the_defaults() -> None:
    assert service_traffic.own(SERVICE) == {}
    assert service_traffic.effective(SERVICE) == DEFAULT == Traffic(900, 60, 65536, 0)


@pytest.mark.parametrize("name", Traffic.__struct_fields__)
def test_what_a_service_sets_holds_and_the_rest_is_the_default(name: str) -> None:
    setting = {name: 0}
    service = msgspec.structs.replace(SERVICE, **setting)
    assert service_traffic.own(service) == setting
    assert service_traffic.effective(service) == msgspec.structs.replace(DEFAULT, **setting)
