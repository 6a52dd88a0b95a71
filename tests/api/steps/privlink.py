"""privlink's own: accounts and quotas, workloads in vSwitches, and what nodes say."""

from tests.api.transcript import NODE_CATCHES_UP, call, refused, signed_by

STEPS = [
    call("CreateAccount", Name="shop"),
    refused("AccountExists", "CreateAccount", Name="shop"),
    call("ListAccounts"),
    signed_by("LTAI5tExample1", refused("NoPermission", "ListAccounts")),
    call("SetQuota", QuotaName="vpc_quota_vpcs", Limit=500, AccountId="1000000000000002"),
    refused("QuotaNotFound", "SetQuota", QuotaName="vpcs", Limit=500),
    call("ListQuotas", AccountId="1000000000000002"),
    refused("AccountNotFound", "ListQuotas", AccountId="1"),
    call("ResetQuota", QuotaName="vpc_quota_vpcs", AccountId="1000000000000002"),
    refused("QuotaNotFound", "ResetQuota", QuotaName="vpcs"),
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call("ecs.CreateSecurityGroup", VpcId="vpc-1"),
    call(
        "CreateAttachment",
        VSwitchId="vsw-1",
        PrivateIpAddress="10.0.0.5",
        SecurityGroupId=["sg-1"],
    ),
    refused("EniIpUnavailable", "CreateAttachment", VSwitchId="vsw-1", PrivateIpAddress="10.9.9.9"),
    call("PullFeed", NodeId="node-1", Revision=0),
    refused("NodeNotFound", "PullFeed", NodeId="node-none", Revision=0),
    NODE_CATCHES_UP,
    call(
        "PushReport",
        NodeId="node-1",
        Life=1,
        Revision=2,
        Fabric="privlink-0a1b2c3d",
        Plugged=["attachment/att-1"],
        Drops=[{"Reason": "no match", "Count": 3}],
    ),
    refused(
        "NodeNotFound", "PushReport", NodeId="node-none", Life=1, Revision=2, Fabric="privlink-x"
    ),
    call("DescribeStatus"),
    signed_by("LTAI5tExample1", refused("NoPermission", "DescribeStatus")),
    call("GetAttachment", AttachmentId="att-1"),
    refused("AttachmentNotFound", "GetAttachment", AttachmentId="att-none"),
    call("ListAttachments"),
    call("ram.CreateUser", UserName="alice"),
    call("ram.CreateAccessKey", UserName="alice"),
    signed_by("LTAI5tExample2", refused("NoPermission", "ListAttachments")),
    call("DeleteAttachment", AttachmentId="att-1"),
    refused("AttachmentNotFound", "DeleteAttachment", AttachmentId="att-none"),
]
