"""The calls whose transcripts are kept: one table for each product, all of them listed here."""

from tests.api.steps import ecs, nlb, privatelink, privlink, resourcemanager, vpc

STEPS = {
    "vpc": vpc.STEPS,
    "ecs": ecs.STEPS,
    "nlb": nlb.STEPS,
    "privatelink": privatelink.STEPS,
    "resourcemanager": resourcemanager.STEPS,
    "privlink": privlink.STEPS,
}
