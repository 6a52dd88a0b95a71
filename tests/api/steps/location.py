"""Location: where a client finds each product; all of them are here."""

from tests.api.transcript import call, refused

STEPS = [
    call("DescribeEndpoints", Id="local", ServiceCode="privatelink"),
    call("DescribeEndpoints", Id="local", ServiceCode="nlb", Type="openAPI"),
    call("DescribeEndpoints", Id="local", ServiceCode="oss"),
    refused("RegionNotFound", "DescribeEndpoints", Id="cn-hangzhou", ServiceCode="privatelink"),
]
