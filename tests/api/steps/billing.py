"""BssOpenApi: what Terraform asks at its start. Nothing is paid for here."""

from tests.api.transcript import call, refused

STEPS = [
    call("QueryAvailableInstances"),
    call(
        "QueryAvailableInstances",
        RegionId="local",
        ProductCode="slb",
        ProductType="slb",
        SubscriptionType="Subscription",
        PageNum=1,
        PageSize=50,
    ),
    refused("InvalidPageSize", "QueryAvailableInstances", PageSize=301),
]
