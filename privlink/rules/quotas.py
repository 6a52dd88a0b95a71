"""How much there may be of each thing, so that no account can stall a node that others share.

A node takes in every item of every account, so what an account may ask of it must end somewhere.
The limits are near the cloud's own defaults where it has one.
"""

from __future__ import annotations

import msgspec

from privlink import errors


class Quota(msgspec.Struct, frozen=True):
    """A limit, what counts against it, and how a caller who meets it can go on."""

    what: str
    limit: int
    way_out: str
    refusal: type[errors.QuotaExceeded]

    def check(
        self,
        present: int,
        inside: str = "this account",
        *,
        more: int = 1,
        refusal: type[errors.QuotaExceeded] | None = None,
    ) -> None:
        """Refuse `more` of them beside those `present`. Raises the quota's error, or another."""
        count = present + more
        if count > self.limit:
            raise (refusal or self.refusal)(
                what=f"{self.what} of {inside}",
                count=count,
                limit=self.limit,
                way_out=self.way_out,
            )


_ANOTHER_ACCOUNT = "use another account: privlink account create."

VPCS = Quota(
    "VPCs", 100, f"Delete one with DeleteVpc, or {_ANOTHER_ACCOUNT}", errors.QuotaExceededVpc
)
VSWITCHES_PER_VPC = Quota(
    "vSwitches",
    150,
    "Delete one with DeleteVSwitch, or use larger ones.",
    errors.QuotaExceededVSwitch,
)
SECURITY_GROUPS = Quota(
    "Security groups",
    500,
    f"Delete one with DeleteSecurityGroup, or {_ANOTHER_ACCOUNT}",
    errors.SecurityGroupLimit,
)
RULES_PER_GROUP = Quota(
    "Rules",
    200,
    "Join rules into wider blocks or port ranges, or spread them over several groups.",
    errors.SecurityGroupRuleLimit,
)
BALANCERS = Quota(
    "Load balancers",
    60,
    f"Delete one with DeleteLoadBalancer, or {_ANOTHER_ACCOUNT}",
    errors.QuotaExceededBalancers,
)
LISTENERS_PER_BALANCER = Quota(
    "Listeners",
    50,
    "Delete one with DeleteListener, or create another load balancer.",
    errors.QuotaExceededListeners,
)
SERVERS_PER_GROUP = Quota(
    "Servers",
    200,
    "Put the others into another server group, behind another listener.",
    errors.QuotaExceededServers,
)
SERVICES = Quota(
    "Endpoint services",
    200,
    f"Delete one with DeleteVpcEndpointService, or {_ANOTHER_ACCOUNT}",
    errors.QuotaMisMatched,
)
RESOURCES_PER_SERVICE = Quota(
    "Resources",
    500,
    "Detach one with DetachResourceFromVpcEndpointService, or create another service.",
    errors.QuotaMisMatched,
)
ENDPOINTS_PER_VPC = Quota(
    "Endpoints",
    1000,
    "Delete one with DeleteVpcEndpoint, or use another VPC.",
    errors.QuotaMisMatched,
)
ZONES_PER_ENDPOINT = Quota(
    "Zones",
    10,
    "Remove one with RemoveZoneFromVpcEndpoint first.",
    errors.QuotaMisMatched,
)
GROUPS_PER_ENDPOINT = Quota(
    "Security groups",
    5,
    "Take one off with DetachSecurityGroupFromVpcEndpoint first.",
    errors.QuotaMisMatched,
)
ATTACHMENTS = Quota(
    "Attachments",
    5000,
    f"Delete one with DeleteAttachment, or {_ANOTHER_ACCOUNT}",
    errors.QuotaExceededAttachments,
)
TAGS_PER_RESOURCE = Quota(
    "Tags",
    20,
    "Remove one with UntagResources first.",
    errors.TooManyTags,
)
RESOURCE_GROUPS = Quota(
    "Resource groups",
    100,
    f"Delete one with DeleteResourceGroup, or {_ANOTHER_ACCOUNT}",
    errors.ResourceGroupLimit,
)
