"""What Terraform's provider calls of the neighbouring products, for what PrivateLink stands on.

Source: aliyun/terraform-provider-alicloud, the resources that its PrivateLink acceptance tests use.
"""

from __future__ import annotations

from typing import Any

from tests.api.terraform import (
    ECS,
    NLB,
    RAM,
    RESOURCEMANAGER,
    SLB,
    VPC,
    Answer,
    Provider,
    SdkError,
)


def _unless_gone(look: Any) -> Answer | None:
    """What a read answers; None for status 404 or a message with NotFound."""
    try:
        return dict(look())
    except SdkError as error:
        if error.not_found:
            return None
        raise


class Network:
    """alicloud_vpc with its alicloud_vswitch and alicloud_route_table."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def vpc(self, **arguments: Any) -> str:
        made = self._provider.write(VPC, "CreateVpc", self._provider.region(**arguments))
        vpc_id = str(made["VpcId"])
        self._provider.wait(lambda: (self.read_vpc(vpc_id) or {}).get("Status"), "Available")
        return vpc_id

    def read_vpc(self, vpc_id: str) -> Answer | None:
        """Its attributes, and its system route table by a list of its own."""
        body = self._provider.region(VpcId=vpc_id)
        shown = _unless_gone(lambda: self._provider.post(VPC, "DescribeVpcAttribute", body))
        if not shown or not shown["VpcId"]:
            return None
        tables = self.route_tables(VpcId=vpc_id)
        system = [each for each in tables if each["RouteTableType"] == "System"]
        return shown | {"route_table_id": system[0]["RouteTableId"]}

    def route_tables(self, **asked: Any) -> list[Answer]:
        body = self._provider.region(PageNumber=1, PageSize=50, **asked)
        listed = self._provider.post(VPC, "DescribeRouteTableList", body)
        return list(listed["RouterTableList"]["RouterTableListType"])

    def change_vpc(self, vpc_id: str, **changed: Any) -> None:
        body = self._provider.region(VpcId=vpc_id, **changed)
        self._provider.write(VPC, "ModifyVpcAttribute", body)
        self._provider.wait(lambda: (self.read_vpc(vpc_id) or {}).get("Status"), "Available")

    def tag_vpc(self, vpc_id: str, going: list[str], coming: dict[str, str]) -> None:
        ours = {"ResourceType": "VPC", "ResourceId.1": vpc_id}
        if going:
            keys = {f"TagKey.{number}": key for number, key in enumerate(going, start=1)}
            self._provider.write(VPC, "UnTagResources", self._provider.region(**ours, **keys))
        tags = [{"Key": key, "Value": value} for key, value in coming.items()]
        self._provider.write(VPC, "TagResources", self._provider.region(**ours, Tag=tags))

    def move_vpc(self, vpc_id: str, group_id: str) -> None:
        body = self._provider.region(
            ResourceId=vpc_id, NewResourceGroupId=group_id, ResourceType="vpc"
        )
        self._provider.write(VPC, "MoveResourceGroup", body)

    def delete_vpc(self, vpc_id: str) -> None:
        retry = ("DependencyViolation.VSwitch", "DependencyViolation.SecurityGroup")
        body = self._provider.region(VpcId=vpc_id)
        self._provider.write(VPC, "DeleteVpc", body, retry=retry, gone=["InvalidVpcID.NotFound"])
        self._provider.wait(lambda: self.read_vpc(vpc_id), None)

    def vswitch(self, **arguments: Any) -> str:
        made = self._provider.write(VPC, "CreateVSwitch", self._provider.region(**arguments))
        vswitch_id = str(made["VSwitchId"])
        self._provider.wait(
            lambda: (self.read_vswitch(vswitch_id) or {}).get("Status"), "Available"
        )
        return vswitch_id

    def read_vswitch(self, vswitch_id: str) -> Answer | None:
        body = self._provider.region(VSwitchId=vswitch_id)
        shown = _unless_gone(lambda: self._provider.post(VPC, "DescribeVSwitchAttributes", body))
        return shown if shown and shown["VSwitchId"] else None

    def change_vswitch(self, vswitch_id: str, **changed: Any) -> None:
        body = self._provider.region(VSwitchId=vswitch_id, **changed)
        self._provider.write(VPC, "ModifyVSwitchAttribute", body)

    def delete_vswitch(self, vswitch_id: str) -> None:
        body = self._provider.region(VSwitchId=vswitch_id)
        self._provider.write(VPC, "DeleteVSwitch", body, retry=["DependencyViolation"], gone=["-"])
        self._provider.wait(lambda: self.read_vswitch(vswitch_id), None)

    def route_table(self, **arguments: Any) -> str:
        made = self._provider.write(VPC, "CreateRouteTable", self._provider.region(**arguments))
        table_id = str(made["RouteTableId"])
        self._provider.wait(lambda: (self.read_table(table_id) or {}).get("Status"), "Available")
        return table_id

    def read_table(self, table_id: str) -> Answer | None:
        found = self.route_tables(RouteTableId=table_id)
        return found[0] if found else None

    def change_table(self, table_id: str, **changed: Any) -> None:
        body = self._provider.region(RouteTableId=table_id, **changed)
        self._provider.write(VPC, "ModifyRouteTableAttributes", body)

    def delete_table(self, table_id: str) -> None:
        body = self._provider.region(RouteTableId=table_id)
        self._provider.write(VPC, "DeleteRouteTable", body)
        self._provider.wait(lambda: self.read_table(table_id), None)


class SecurityGroup:
    """alicloud_security_group, alicloud_security_group_rule and alicloud_ecs_prefix_list."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, **arguments: Any) -> str:
        body = self._provider.region(**arguments)
        made = self._provider.write(ECS, "CreateSecurityGroup", body)
        return str(made["SecurityGroupId"])

    def read(self, group_id: str) -> Answer | None:
        """First the list, then the attributes with the inner policy."""
        body = self._provider.region(SecurityGroupId=group_id)
        listed = self._provider.post(ECS, "DescribeSecurityGroups", body)
        found = listed["SecurityGroups"]["SecurityGroup"]
        if not found:
            return None
        shown = self._provider.post(ECS, "DescribeSecurityGroupAttribute", body)
        return dict(found[0]) | {"InnerAccessPolicy": shown["InnerAccessPolicy"]}

    def change(self, group_id: str, **changed: Any) -> None:
        body = self._provider.region(SecurityGroupId=group_id, **changed)
        self._provider.write(ECS, "ModifySecurityGroupAttribute", body)

    def set_policy(self, group_id: str, policy: str) -> None:
        body = self._provider.region(SecurityGroupId=group_id, InnerAccessPolicy=policy)
        self._provider.write(ECS, "ModifySecurityGroupPolicy", body)

    def move(self, group_id: str, resource_group_id: str) -> None:
        body = self._provider.region(
            ResourceId=group_id,
            ResourceType="securitygroup",
            ResourceGroupId=resource_group_id,
        )
        self._provider.write(ECS, "JoinResourceGroup", body)

    def allow(self, group_id: str, direction: str, **rule: Any) -> None:
        action = "AuthorizeSecurityGroup" + ("Egress" if direction == "egress" else "")
        body = self._provider.region(SecurityGroupId=group_id, **rule)
        self._provider.write(ECS, action, body)

    def rules(self, group_id: str, direction: str) -> list[Answer]:
        body = self._provider.region(
            SecurityGroupId=group_id, Direction=direction, NicType="intranet"
        )
        shown = self._provider.post(ECS, "DescribeSecurityGroupAttribute", body)
        return list(shown["Permissions"]["Permission"])

    def revoke(self, group_id: str, direction: str, **rule: Any) -> None:
        action = "RevokeSecurityGroup" + ("Egress" if direction == "egress" else "")
        body = self._provider.region(SecurityGroupId=group_id, **rule)
        self._provider.write(ECS, action, body)

    def delete(self, group_id: str) -> None:
        self._provider.write(
            ECS,
            "DeleteSecurityGroup",
            self._provider.region(SecurityGroupId=group_id),
            retry=["DependencyViolation"],
            gone=["InvalidSecurityGroupId.NotFound"],
        )
        self._provider.wait(lambda: self.read(group_id), None)

    def prefix_list(self, **arguments: Any) -> str:
        body = self._provider.region(**arguments)
        return str(self._provider.write(ECS, "CreatePrefixList", body)["PrefixListId"])

    def read_prefix_list(self, list_id: str) -> Answer | None:
        body = self._provider.region(PrefixListId=list_id)
        try:
            return self._provider.post(ECS, "DescribePrefixListAttributes", body)
        except SdkError as error:
            assert error.is_one_of(["InvalidPrefixListId.NotFound"])
            return None

    def change_prefix_list(self, list_id: str, **changed: Any) -> None:
        body = self._provider.region(PrefixListId=list_id, **changed)
        self._provider.write(ECS, "ModifyPrefixList", body)

    def delete_prefix_list(self, list_id: str) -> None:
        body = self._provider.region(PrefixListId=list_id)
        self._provider.write(ECS, "DeletePrefixList", body)


class NetworkBalancer:
    """alicloud_nlb_load_balancer."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, **arguments: Any) -> str:
        made = self._provider.write(NLB, "CreateLoadBalancer", self._provider.region(**arguments))
        balancer_id = str(made["LoadbalancerId"])
        self._provider.wait(
            lambda: (self.read(balancer_id) or {}).get("LoadBalancerStatus"), "Active"
        )
        return balancer_id

    def read(self, balancer_id: str) -> Answer | None:
        body = self._provider.region(LoadBalancerId=balancer_id)
        try:
            return self._provider.post(NLB, "GetLoadBalancerAttribute", body)
        except SdkError as error:
            assert error.is_one_of(["ResourceNotFound.loadBalancer"])
            return None

    def protect(self, balancer_id: str, *, enabled: bool) -> None:
        body = self._provider.region(LoadBalancerId=balancer_id, DeletionProtectionEnabled=enabled)
        self._provider.write(NLB, "UpdateLoadBalancerProtection", body)

    def delete(self, balancer_id: str) -> None:
        body = self._provider.region(LoadBalancerId=balancer_id)
        made = self._provider.write(NLB, "DeleteLoadBalancer", body)
        asked = self._provider.region(JobId=made["JobId"])
        self._provider.wait(
            lambda: self._provider.post(NLB, "GetJobStatus", asked)["Status"], "Succeeded"
        )
        self._provider.wait(lambda: self.read(balancer_id), None)


class ClassicBalancer:
    """alicloud_slb_load_balancer and the data source alicloud_slb_zones."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def zones(self) -> list[str]:
        body = self._provider.region(AddressType="vpc")
        answer = self._provider.post(SLB, "DescribeAvailableResource", query=body)
        found = answer["AvailableResources"]["AvailableResource"]
        return [each["MasterZoneId"] for each in found]

    def create(self, **arguments: Any) -> str:
        made = self._provider.write(SLB, "CreateLoadBalancer", self._provider.region(**arguments))
        balancer_id = str(made["LoadBalancerId"])
        self._provider.wait(
            lambda: (self.read(balancer_id) or {}).get("LoadBalancerStatus"), "active"
        )
        return balancer_id

    def read(self, balancer_id: str) -> Answer | None:
        body = self._provider.region(LoadBalancerId=balancer_id)
        try:
            return self._provider.post(SLB, "DescribeLoadBalancerAttribute", body)
        except SdkError as error:
            assert error.is_one_of(["InvalidLoadBalancerId.NotFound"])
            return None

    def tags(self, balancer_id: str) -> dict[str, str]:
        asked = {"ResourceId.1": balancer_id, "ResourceType": "instance"}
        listed = self._provider.post(SLB, "ListTagResources", self._provider.region(**asked))
        found = listed["TagResources"]["TagResource"]
        return {each["TagKey"]: each["TagValue"] for each in found}

    def rename(self, balancer_id: str, name: str) -> None:
        body = self._provider.region(LoadBalancerId=balancer_id, LoadBalancerName=name)
        self._provider.write(SLB, "SetLoadBalancerName", body)

    def delete(self, balancer_id: str) -> None:
        body = self._provider.region(LoadBalancerId=balancer_id)
        self._provider.write(
            SLB, "DeleteLoadBalancer", body, gone=["InvalidLoadBalancerId.NotFound"]
        )
        self._provider.wait(lambda: self.read(balancer_id), None)


def resource_groups(provider: Provider) -> list[Answer]:
    """data alicloud_resource_manager_resource_groups with its details."""
    body = {"PageNumber": 1, "PageSize": 50}
    listed = provider.post(RESOURCEMANAGER, "ListResourceGroups", body)
    return [
        dict(
            provider.post(RESOURCEMANAGER, "GetResourceGroup", {"ResourceGroupId": each["Id"]})[
                "ResourceGroup"
            ]
        )
        for each in listed["ResourceGroups"]["ResourceGroup"]
    ]


class RamUser:
    """alicloud_ram_user, which goes through the older SDK: everything in the query, no region."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, name: str) -> str:
        made = self._ask("CreateUser", UserName=name, DisplayName=name)
        return str(made["User"]["UserId"])

    def read(self, user_id: str) -> Answer | None:
        """It is looked for by its id in the list, then asked for by its name."""
        listed = self._ask("ListUsers", MaxItems=100)["Users"]["User"]
        found = [each for each in listed if each["UserId"] == user_id]
        return dict(self._ask("GetUser", UserName=found[0]["UserName"])["User"]) if found else None

    def rename(self, name: str, new: str) -> None:
        self._ask("UpdateUser", UserName=name, NewUserName=new, NewComments="renamed")

    def delete(self, name: str) -> None:
        """With force: first whatever the user may have."""
        for key in self._ask("ListAccessKeys", UserName=name)["AccessKeys"]["AccessKey"]:
            self._ask("DeleteAccessKey", UserName=name, UserAccessKeyId=key["AccessKeyId"])
        for each in self._ask("ListPoliciesForUser", UserName=name)["Policies"]["Policy"]:
            named = {"PolicyName": each["PolicyName"], "PolicyType": each["PolicyType"]}
            self._ask("DetachPolicyFromUser", UserName=name, **named)
        assert self._ask("ListGroupsForUser", UserName=name)["Groups"]["Group"] == []
        for action in ("DeleteLoginProfile", "UnbindMFADevice"):
            assert _unless_gone(lambda action=action: self._ask(action, UserName=name)) is None
        self._ask("DeleteUser", UserName=name)

    def _ask(self, action: str, **query: Any) -> Answer:
        return self._provider.post(RAM, action, query=query)
