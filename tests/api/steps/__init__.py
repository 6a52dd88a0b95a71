"""The calls whose transcripts are kept: one table for each product, all of them listed here."""

from tests.api.steps import (
    billing,
    cms,
    ecs,
    location,
    nlb,
    privatelink,
    privlink,
    ram,
    resource_groups,
    slb,
    sts,
    vpc,
)

STEPS = {
    "vpc": vpc.STEPS,
    "ecs": ecs.STEPS,
    "nlb": nlb.STEPS,
    "slb": slb.STEPS,
    "privatelink": privatelink.STEPS,
    "resourcemanager": resource_groups.STEPS,
    "ram": ram.STEPS,
    "sts": sts.STEPS,
    "location": location.STEPS,
    "bssopenapi": billing.STEPS,
    "cms": cms.STEPS,
    "privlink": privlink.STEPS,
}
