"""How much there may be of each thing, so that no account can stall a node that others share.

A node takes in every item of every account, so what an account may ask of it must end somewhere.
The limits are near the cloud's own defaults where it has one.
"""

from __future__ import annotations

import msgspec

from privlink import errors


class Quota(msgspec.Struct, frozen=True):
    """A limit, what counts against it, and how a caller who meets it can go on."""

    name: str
    what: str
    limit: int  # unless the operator has set another
    way_out: str
    refusal: type[errors.QuotaExceeded]

    def check(
        self,
        present: int,
        inside: str = "this account",
        *,
        more: int = 1,
        limit: int | None = None,
        refusal: type[errors.QuotaExceeded] | None = None,
    ) -> None:
        """Refuse `more` of them beside those `present`. Raises the quota's error, or another.

        `limit`: what the operator has set in the place of the quota's own.
        """
        count, allowed = present + more, self.limit if limit is None else limit
        if count > allowed:
            raise (refusal or self.refusal)(
                what=f"{self.what} of {inside}",
                count=count,
                limit=allowed,
                way_out=self.way_out,
            )


_ANOTHER_ACCOUNT = "use another account: privlink account create."

VPCS = Quota(
    "vpc_quota_vpcs",
    "VPCs",
    100,
    f"Delete one with DeleteVpc, or {_ANOTHER_ACCOUNT}",
    errors.QuotaExceededVpc,
)
VSWITCHES_PER_VPC = Quota(
    "vpc_quota_vswitches_per_vpc",
    "vSwitches",
    150,
    "Delete one with DeleteVSwitch, or use larger ones.",
    errors.QuotaExceededVSwitch,
)
ROUTE_TABLES_PER_VPC = Quota(
    "vpc_quota_route_tables_num",
    "Custom route tables",
    9,
    "Delete one with DeleteRouteTable, or share one among vSwitches.",
    errors.QuotaExceededRouteTable,
)
ROUTES_PER_TABLE = Quota(
    "vpc_quota_route_entrys_num",
    "Routes",
    200,
    "Delete one with DeleteRouteEntry, or join blocks. A prefix list counts for its MaxEntries.",
    errors.RouteEntryLimit,
)
VPC_PREFIX_LISTS = Quota(
    "vpc_quota_prefix_lists",
    "Prefix lists",
    100,
    f"Delete one with DeleteVpcPrefixList, or {_ANOTHER_ACCOUNT}",
    errors.VpcPrefixListLimit,
)
NAT_GATEWAYS_PER_VPC = Quota(
    "vpc_quota_nat_gateways_num",
    "NAT gateways",
    5,
    "Delete one with DeleteNatGateway, or use one for several services.",
    errors.QuotaExceededNatGateways,
)
NAT_IPS_PER_GATEWAY = Quota(
    "vpcnatgw_quota_nat_ips",
    "NAT IPs",
    20,
    "Delete one with DeleteNatIp, or use other ports of those there are.",
    errors.QuotaExceededNatIps,
)
FULL_NAT_ENTRIES_PER_GATEWAY = Quota(
    "vpcnatgw_quota_full_nat_entries",
    "Full-NAT entries",
    1000,
    "Delete one with DeleteFullNatEntry, or create another NAT gateway.",
    errors.QuotaExceededFullNatEntries,
)
INTERFACES_PER_GATEWAY = Quota(
    "vpcnatgw_quota_network_interfaces",
    "Reverse endpoints' zones",
    1000,
    "Its owner may offer another service, on another NAT gateway.",
    errors.QuotaMisMatched,
)
SECURITY_GROUPS = Quota(
    "ecs_quota_security_groups",
    "Security groups",
    500,
    f"Delete one with DeleteSecurityGroup, or {_ANOTHER_ACCOUNT}",
    errors.SecurityGroupLimit,
)
RULES_PER_GROUP = Quota(
    "ecs_quota_rules_per_security_group",
    "Rules",
    200,
    "Join rules into wider blocks or port ranges, or spread them over several groups.",
    errors.SecurityGroupRuleLimit,
)
GROUP_RULES_PER_GROUP = Quota(
    "ecs_quota_group_rules_per_security_group",
    "Rules that name a group",
    20,
    "Put members into one group and name that, or give blocks or a prefix list.",
    errors.GroupRuleLimit,
)
GROUPS_PER_INTERFACE = Quota(
    "ecs_quota_security_groups_per_network_interface",
    "Security groups",
    5,
    "Take one off with LeaveSecurityGroup first.",
    errors.GroupsPerInterfaceLimit,
)
PREFIX_LISTS = Quota(
    "ecs_quota_prefix_lists",
    "Prefix lists",
    100,
    f"Delete one with DeletePrefixList, or {_ANOTHER_ACCOUNT}",
    errors.PrefixListLimit,
)
BALANCERS = Quota(
    "nlb_quota_load_balancers",
    "Load balancers",
    60,
    f"Delete one with DeleteLoadBalancer, or {_ANOTHER_ACCOUNT}",
    errors.QuotaExceededBalancers,
)
LISTENERS_PER_BALANCER = Quota(
    "nlb_quota_listeners_per_load_balancer",
    "Listeners",
    50,
    "Delete one with DeleteListener, or create another load balancer.",
    errors.QuotaExceededListeners,
)
CLBS = Quota(
    "slb_quota_instances",
    "CLBs",
    60,
    f"Delete one with DeleteLoadBalancer, or {_ANOTHER_ACCOUNT}",
    errors.QuotaExceededClbs,
)
LISTENERS_PER_CLB = Quota(
    "slb_quota_listeners_per_instance",
    "Listeners",
    50,
    "Delete one with DeleteLoadBalancerListener, or create another CLB.",
    errors.QuotaExceededClbListeners,
)
VSERVER_GROUPS_PER_CLB = Quota(
    "slb_quota_vserver_groups_per_instance",
    "VServer groups",
    50,
    "Delete one with DeleteVServerGroup, or create another CLB.",
    errors.QuotaExceededVServerGroups,
)
BACKEND_SERVERS = Quota(
    "slb_quota_backendservers_per_group",
    "Backend servers",
    200,
    "Put the others into a VServer group of their own, behind another listener.",
    errors.QuotaExceededBackendServers,
)
SERVERS_PER_GROUP = Quota(
    "nlb_quota_servers_per_server_group",
    "Servers",
    200,
    "Put the others into another server group, behind another listener.",
    errors.QuotaExceededServers,
)
SERVICES = Quota(
    "pvl_quota_total_epsrv",
    "Endpoint services",
    200,
    f"Delete one with DeleteVpcEndpointService, or {_ANOTHER_ACCOUNT}",
    errors.QuotaMisMatched,
)
RESOURCES_PER_SERVICE = Quota(
    "pvl_quota_epsrv_resource_per_service",
    "Resources",
    500,
    "Detach one with DetachResourceFromVpcEndpointService, or create another service.",
    errors.QuotaMisMatched,
)
RESOURCES_PER_ZONE = Quota(
    "pvl_quota_epsrv_resource_per_zone_per_srv",
    "Resources in one zone",
    100,
    "Detach one with DetachResourceFromVpcEndpointService, or create another service.",
    errors.QuotaMisMatched,
)
ENDPOINTS_PER_VPC = Quota(
    "pvl_quota_total_ep_per_vpc",
    "Endpoints",
    1000,
    "Delete one with DeleteVpcEndpoint, or use another VPC.",
    errors.QuotaExceededEndpointsPerVpc,
)
ZONES_PER_ENDPOINT = Quota(
    "pvl_quota_zones_per_ep",
    "Zones",
    10,
    "Remove one with RemoveZoneFromVpcEndpoint first.",
    errors.QuotaExceededZonesPerEndpoint,
)
GROUPS_PER_ENDPOINT = Quota(
    "pvl_quota_security_groups_per_ep",
    "Security groups",
    5,
    "Take one off with DetachSecurityGroupFromVpcEndpoint first.",
    errors.QuotaMisMatched,
)
# A privilege rather than a number of things: an account has it, or with a limit of 0 has it not.
RESOURCES_BY_HAND = Quota(
    "privatelink_whitelist/svc_res_mgt_uat",
    "Choosing by hand what serves a zone, privilege",
    1,
    "Ask the operator for it: SetQuota with this name and Limit 1.",
    errors.QuotaMisMatched,
)
ATTACHMENTS = Quota(
    "privlink_quota_attachments",
    "Attachments",
    5000,
    f"Delete one with DeleteAttachment, or {_ANOTHER_ACCOUNT}",
    errors.QuotaExceededAttachments,
)
ALIASES_PER_VPC = Quota(
    "privlink_quota_endpoint_aliases_per_vpc",
    "Aliases of endpoints",
    1000,
    "Delete one with DeleteEndpointAlias, or use another VPC.",
    errors.QuotaExceededAliases,
)
TAGS_PER_RESOURCE = Quota(
    "quota_tags_per_resource",
    "Tags",
    20,
    "Remove one with UntagResources first.",
    errors.TooManyTags,
)
RESOURCE_GROUPS = Quota(
    "rm_quota_resource_groups",
    "Resource groups",
    100,
    f"Delete one with DeleteResourceGroup, or {_ANOTHER_ACCOUNT}",
    errors.ResourceGroupLimit,
)
RAM_USERS = Quota(
    "ram_quota_users",
    "RAM users",
    1000,
    "Delete one with DeleteUser first.",
    errors.LimitExceededUser,
)
ACCESS_KEYS_PER_USER = Quota(
    "ram_quota_access_keys_per_user",
    "Access keys",
    2,
    "Delete one with DeleteAccessKey first.",
    errors.LimitExceededUserAccessKey,
)
RAM_ROLES = Quota(
    "ram_quota_roles",
    "RAM roles",
    1000,
    "Delete one with DeleteRole first.",
    errors.LimitExceededRole,
)
RAM_POLICIES = Quota(
    "ram_quota_policies",
    "Custom policies",
    1500,
    "Delete one with DeletePolicy first.",
    errors.LimitExceededPolicy,
)
VERSIONS_PER_POLICY = Quota(
    "ram_quota_versions_per_policy",
    "Versions",
    5,
    "Delete one with DeletePolicyVersion first, or give RotateStrategy.",
    errors.LimitExceededPolicyVersion,
)
POLICIES_PER_USER = Quota(
    "ram_quota_policies_per_user",
    "Policies",
    20,
    "Take one off with DetachPolicyFromUser first, or join several into one.",
    errors.LimitExceededUserPolicy,
)
POLICIES_PER_ROLE = Quota(
    "ram_quota_policies_per_role",
    "Policies",
    20,
    "Take one off with DetachPolicyFromRole first, or join several into one.",
    errors.LimitExceededRolePolicy,
)
ROLE_SESSIONS = Quota(
    "sts_quota_role_sessions",
    "Sessions of roles",
    10000,
    "Use the keys that AssumeRole has given until they expire.",
    errors.LimitExceededRoleSession,
)

# Every quota, by the name the operator calls it.
QUOTAS = {
    quota.name: quota
    for quota in (
        VPCS,
        VSWITCHES_PER_VPC,
        ROUTE_TABLES_PER_VPC,
        ROUTES_PER_TABLE,
        VPC_PREFIX_LISTS,
        NAT_GATEWAYS_PER_VPC,
        NAT_IPS_PER_GATEWAY,
        FULL_NAT_ENTRIES_PER_GATEWAY,
        INTERFACES_PER_GATEWAY,
        SECURITY_GROUPS,
        RULES_PER_GROUP,
        GROUP_RULES_PER_GROUP,
        GROUPS_PER_INTERFACE,
        PREFIX_LISTS,
        BALANCERS,
        LISTENERS_PER_BALANCER,
        CLBS,
        LISTENERS_PER_CLB,
        VSERVER_GROUPS_PER_CLB,
        BACKEND_SERVERS,
        SERVERS_PER_GROUP,
        SERVICES,
        RESOURCES_PER_SERVICE,
        RESOURCES_PER_ZONE,
        ENDPOINTS_PER_VPC,
        ZONES_PER_ENDPOINT,
        GROUPS_PER_ENDPOINT,
        RESOURCES_BY_HAND,
        ATTACHMENTS,
        ALIASES_PER_VPC,
        TAGS_PER_RESOURCE,
        RESOURCE_GROUPS,
        RAM_USERS,
        ACCESS_KEYS_PER_USER,
        RAM_ROLES,
        RAM_POLICIES,
        VERSIONS_PER_POLICY,
        POLICIES_PER_USER,
        POLICIES_PER_ROLE,
        ROLE_SESSIONS,
    )
}
