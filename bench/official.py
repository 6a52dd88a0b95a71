"""Alibaba Cloud's own SDK as a client of privlink: `python -m bench.official < JOB`.

JOB is JSON: host, key_id, secret, parameters of CreateVpcEndpoint, count. On standard output come
the seconds.
"""

from __future__ import annotations

import json
import sys
import time

from alibabacloud_privatelink20200415.client import Client
from alibabacloud_privatelink20200415.models import CreateVpcEndpointRequest
from alibabacloud_tea_openapi.models import Config


def main() -> None:
    """Create endpoints, one after the other."""
    job = json.load(sys.stdin)
    client = Client(
        Config(
            access_key_id=job["key_id"],
            access_key_secret=job["secret"],
            endpoint=job["host"],
            protocol="http",
        )
    )
    request = CreateVpcEndpointRequest().from_map(job["parameters"])
    client.create_vpc_endpoint(request)  # loads what it needs
    began = time.perf_counter()
    for _ in range(job["count"]):
        client.create_vpc_endpoint(request)
    json.dump({"seconds": time.perf_counter() - began}, sys.stdout)


if __name__ == "__main__":
    main()
