"""ECS: a security group comes, gets a rule and goes."""

from tests.api.transcript import call, refused

STEPS = [
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16"),
    call("CreateSecurityGroup", VpcId="vpc-1", SecurityGroupName="web"),
    refused("InvalidVpcId.NotFound", "CreateSecurityGroup", VpcId="vpc-none"),
    call(
        "AuthorizeSecurityGroup",
        SecurityGroupId="sg-1",
        Permissions=[
            {
                "IpProtocol": "tcp",
                "PortRange": "443/443",
                "SourceCidrIp": "10.0.0.0/8",
                "Description": "https from our networks",
            }
        ],
    ),
    refused(
        "InvalidPermission.Malformed",
        "AuthorizeSecurityGroup",
        SecurityGroupId="sg-1",
        Permissions=[{"IpProtocol": "tcp", "PortRange": "0/0", "SourceCidrIp": "10.0.0.0/8"}],
    ),
    call("DescribeSecurityGroups", VpcId="vpc-1"),
    refused("InvalidSecurityGroupIds", "DescribeSecurityGroups", SecurityGroupIds="sg-1"),
    call("DescribeSecurityGroupAttribute", SecurityGroupId="sg-1", Direction="ingress"),
    refused(
        "InvalidSecurityGroupId.NotFound",
        "DescribeSecurityGroupAttribute",
        SecurityGroupId="sg-none",
    ),
    refused("InvalidSecurityGroupId.NotFound", "DeleteSecurityGroup", SecurityGroupId="sg-none"),
    call("DeleteSecurityGroup", SecurityGroupId="sg-1"),
]
