"""The metrics' names, and that In is what comes from the consumer's VPC."""

from __future__ import annotations

from privlink.model.traffic import Usage
from privlink.rules.monitoring import METRICS, average

USAGE = Usage(
    bytes_in=60,
    bytes_out=120,
    packets_in=180,
    packets_out=240,
    dropped_bytes_in=300,
    dropped_bytes_out=360,
    dropped_packets_in=420,
    dropped_packets_out=480,
)
OF_AN_ENDPOINT = {
    "VpcEndpointInBps": 8,
    "VpcEndpointOutBps": 16,
    "VpcEndpointInPps": 3,
    "VpcEndpointOutPps": 4,
    "VpcEndpointInDropBps": 40,
    "VpcEndpointOutDropBps": 48,
    "VpcEndpointInDropPps": 7,
    "VpcEndpointOutDropPps": 8,
}


def test_there_are_eight_of_an_endpoint_and_eight_of_a_service() -> None:
    found = {name: average(metric, USAGE, 60) for name, metric in METRICS.items()}
    of_a_service = {
        name.replace("VpcEndpoint", "VpcEndpointService"): value
        for name, value in OF_AN_ENDPOINT.items()
    }
    assert found == OF_AN_ENDPOINT | of_a_service
