"""The calls whose transcripts are kept: one table for each product, all of them listed here."""

from tests.api.steps import ecs, nlb, privatelink, privlink, resource_groups, vpc

STEPS = {
    "vpc": vpc.STEPS,
    "ecs": ecs.STEPS,
    "nlb": nlb.STEPS,
    "privatelink": privatelink.STEPS,
    "resourcemanager": resource_groups.STEPS,
    "privlink": privlink.STEPS,
}
