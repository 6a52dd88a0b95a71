"""CloudMonitor: the metrics of an endpoint and of its service, before anything has passed."""

from tests.api.transcript import call, refused

ENDPOINT = {"Namespace": "acs_privatelink", "MetricName": "VpcEndpointInBps"}
SERVICE = {"Namespace": "acs_privatelink", "MetricName": "VpcEndpointServiceOutPps"}

STEPS = [
    call("DescribeMetricMetaList", MetricName="VpcEndpointInBps"),
    call("DescribeMetricMetaList", Namespace="acs_privatelink", PageNumber=2, PageSize=15),
    refused("InvalidNamespace", "DescribeMetricMetaList", Namespace="acs_ecs_dashboard"),
    call("DescribeMetricList", **ENDPOINT, Dimensions='[{"endpointId":"ep-none"}]'),
    refused("InvalidMetricName", "DescribeMetricList", **ENDPOINT | {"MetricName": "cpu_idle"}),
    call("DescribeMetricLast", **SERVICE, Dimensions='{"serviceId":"epsrv-none"}'),
    refused("InvalidDimensions", "DescribeMetricLast", **SERVICE, Dimensions='{"cpu":"1"}'),
]
