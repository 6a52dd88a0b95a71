"""The server that privlink is measured against: moto's, which answers EC2's API from memory.

Its requests are built as boto3 builds them. moto reads their signature's head, and checks none.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

import msgspec

from bench.servers import free_port

ENVIRONMENT = Path(".venv-bench/bin")
_SERVICE = "com.amazonaws.us-east-1.sqs"


class Place(msgspec.Struct, frozen=True):
    """Where endpoints are put."""

    vpc: str
    subnet: str
    group: str

    def parameters(self) -> dict[str, Any]:
        """What boto3's create_vpc_endpoint takes."""
        return {
            "VpcId": self.vpc,
            "ServiceName": _SERVICE,
            "VpcEndpointType": "Interface",
            "SubnetIds": [self.subnet],
            "SecurityGroupIds": [self.group],
        }


class Moto:
    """A moto server's process."""

    def __init__(self, log: IO[bytes]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(ENVIRONMENT / "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(OSError):
                self._call("DescribeRegions")
                return
            time.sleep(0.1)
        raise TimeoutError("the moto server does not answer; see its log")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def reset(self) -> None:
        """Have it forget everything."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", "/moto-api/reset")
        connection.getresponse().read()
        connection.close()

    def place(self) -> Place:
        """A new network."""
        vpc = self._made("CreateVpc", "vpcId", CidrBlock="10.0.0.0/16")
        subnet = self._made("CreateSubnet", "subnetId", VpcId=vpc, CidrBlock="10.0.0.0/16")
        more = {"GroupName": "bench", "GroupDescription": "bench"}
        return Place(vpc, subnet, self._made("CreateSecurityGroup", "groupId", VpcId=vpc, **more))

    def create(self, place: Place) -> bytes:
        """A request that creates an endpoint."""
        where = {"SubnetId.1": place.subnet, "SecurityGroupId.1": place.group}
        given = {"VpcId": place.vpc, "ServiceName": _SERVICE, "VpcEndpointType": "Interface"}
        return self._request("CreateVpcEndpoint", **given, **where)

    def describe(self, place: Place) -> bytes:
        """A request that lists the endpoints of a network."""
        return self._request(
            "DescribeVpcEndpoints", **{"Filter.1.Name": "vpc-id", "Filter.1.Value.1": place.vpc}
        )

    def _headers(self) -> dict[str, str]:
        scope = "bench/20260101/us-east-1/ec2/aws4_request"
        signed = "SignedHeaders=content-type;host;x-amz-date"
        return {
            "Host": f"127.0.0.1:{self.port}",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "Boto3/1.44.8 md/Botocore#1.44.8 ua/2.1 os/linux lang/python",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, {signed}, Signature={64 * '0'}",
            "amz-sdk-invocation-id": "fb58806a-a27c-4397-a19a-80b410518e9d",
            "amz-sdk-request": "attempt=1; max=3",
        }

    def _request(self, action: str, **parameters: str) -> bytes:
        body = urlencode({"Action": action, "Version": "2016-11-15", **parameters})
        headers = self._headers() | {"Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST / HTTP/1.1\r\n{lines}\r\n{body}".encode()

    def _made(self, action: str, field: str, **parameters: str) -> str:
        found = re.search(f"<{field}>([^<]+)", self._call(action, **parameters))
        assert found is not None, action
        return found[1]

    def _call(self, action: str, **parameters: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            body = urlencode({"Action": action, "Version": "2016-11-15", **parameters})
            connection.request("POST", "/", body, self._headers())
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status == 200, text
            return text
        finally:
            connection.close()
