"""boto3 as a client of a moto server: `python -m bench.boto < JOB`, in the bench's own environment.

JOB is JSON: url, parameters of CreateVpcEndpoint, count. On standard output come the seconds.
"""

from __future__ import annotations

import json
import sys
import time

import boto3


def main() -> None:
    """Create endpoints, one after the other."""
    job = json.load(sys.stdin)
    client = boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=job["url"],
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106
    )
    client.create_vpc_endpoint(**job["parameters"])  # loads what it needs
    began = time.perf_counter()
    for _ in range(job["count"]):
        client.create_vpc_endpoint(**job["parameters"])
    json.dump({"seconds": time.perf_counter() - began}, sys.stdout)


if __name__ == "__main__":
    main()
