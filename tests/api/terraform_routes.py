"""What Terraform's provider calls for routes, tables of vSwitches, and prefix lists for routes.

Source: aliyun/terraform-provider-alicloud, alicloud_route_entry, alicloud_route_table_attachment
and alicloud_vpc_prefix_list.
"""

from __future__ import annotations

from typing import Any

from tests.api.terraform import VPC, Answer, Provider, SdkError

_BUSY = ("TaskConflict", "OperationConflict", "IncorrectRouteEntryStatus", "LastTokenProcessing")
_LIST_BUSY = ("OperationConflict", "SystemBusy", "IncorrectStatus", "LastTokenProcessing")


class Routes:
    """alicloud_route_entry and alicloud_route_table_attachment."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, table: str, destination: str, kind: str, hop: str, **more: Any) -> str:
        """Only while every entry of the table is Available; then it waits for the new one."""
        router = self._table(table)["VRouterId"]
        self.settle(table)
        body = self._provider.region(
            RouteTableId=table,
            DestinationCidrBlock=destination,
            NextHopType=kind,
            NextHopId=hop,
            **more,
        )
        self._provider.write(VPC, "CreateRouteEntry", body, retry=_BUSY)
        name = ":".join((table, router, destination.replace(":", "_"), kind, hop))
        self._provider.wait(lambda: (self.read(name) or {}).get("Status"), "Available")
        return name

    def read(self, name: str) -> Answer | None:
        """The entry of its table with this destination, kind and hop."""
        table, _, destination, kind, hop = name.split(":")
        wanted = (destination.replace("_", ":"), kind, hop)
        for each in self._table(table)["RouteEntrys"]["RouteEntry"]:
            if (each["DestinationCidrBlock"], each["NextHopType"], each["InstanceId"]) == wanted:
                return dict(each)
        return None

    def settle(self, table: str) -> None:
        """WaitForAllRouteEntriesAvailable."""

        def states() -> bool:
            found = self._table(table)["RouteEntrys"]["RouteEntry"]
            return all(each["Status"] == "Available" for each in found)

        self._provider.wait(states, True)

    def delete(self, name: str) -> None:
        table, _, destination, _, hop = name.split(":")
        self.settle(table)
        body = self._provider.region(
            RouteTableId=table, DestinationCidrBlock=destination.replace("_", ":"), NextHopId=hop
        )
        gone = ["InvalidRouteEntry.NotFound"]
        self._provider.write(VPC, "DeleteRouteEntry", body, retry=_BUSY, gone=gone)
        self._provider.wait(lambda: self.read(name), None)

    def attach(self, table: str, vswitch: str) -> None:
        body = self._provider.region(RouteTableId=table, VSwitchId=vswitch)
        self._provider.write(VPC, "AssociateRouteTable", body, retry=_BUSY)
        self._provider.wait(lambda: vswitch in self.attached(table), True)

    def detach(self, table: str, vswitch: str) -> None:
        body = self._provider.region(RouteTableId=table, VSwitchId=vswitch)
        self._provider.write(VPC, "UnassociateRouteTable", body, retry=_BUSY)
        self._provider.wait(lambda: vswitch in self.attached(table), False)

    def attached(self, table: str) -> list[str]:
        body = self._provider.region(RouteTableId=table)
        listed = self._provider.post(VPC, "DescribeRouteTableList", body)
        (found,) = listed["RouterTableList"]["RouterTableListType"]
        return list(found["VSwitchIds"]["VSwitchId"])

    def _table(self, table: str) -> Answer:
        body = self._provider.region(RouteTableId=table)
        listed = self._provider.post(VPC, "DescribeRouteTables", body)
        (found,) = listed["RouteTables"]["RouteTable"]
        assert found["RouteTableId"] == table
        return dict(found)


class VpcPrefixList:
    """alicloud_vpc_prefix_list."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, entries: list[dict[str, str]], **arguments: Any) -> str:
        body = self._provider.region(PrefixListEntries=entries, **arguments)
        made = self._provider.write(VPC, "CreateVpcPrefixList", body, retry=_LIST_BUSY)
        list_id = str(made["PrefixListId"])
        self._provider.wait(lambda: (self.read(list_id) or {}).get("Status"), "Created")
        return list_id

    def read(self, list_id: str) -> Answer | None:
        """First the list, then what is on it, then who names it."""
        body = self._provider.region(**{"PrefixListIds.1": list_id})
        found = self._provider.post(VPC, "ListPrefixLists", body)["PrefixLists"]
        if not found:
            return None
        body = self._provider.region(PrefixListId=list_id)
        entries = self._provider.post(VPC, "GetVpcPrefixListEntries", body)
        named = self._provider.post(VPC, "GetVpcPrefixListAssociations", body)
        return dict(found[0]) | {
            "entrys": {each["Cidr"]: each["Description"] for each in entries["PrefixListEntry"]},
            "prefix_list_association": named["PrefixListAssociation"],
        }

    def change(self, list_id: str, **changed: Any) -> None:
        body = self._provider.region(PrefixListId=list_id, **changed)
        self._provider.write(VPC, "ModifyVpcPrefixList", body, retry=_LIST_BUSY)

    def tag(self, list_id: str, **tags: str) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        ours = {"ResourceType": "PrefixList", "ResourceId.1": list_id}
        self._provider.write(VPC, "TagResources", self._provider.region(**ours, Tag=listed))

    def move(self, list_id: str, group_id: str) -> None:
        body = self._provider.region(
            ResourceId=list_id, NewResourceGroupId=group_id, ResourceType="PrefixList"
        )
        self._provider.write(VPC, "MoveResourceGroup", body)

    def delete(self, list_id: str) -> None:
        body = self._provider.region(PrefixListId=list_id)
        self._provider.write(VPC, "DeleteVpcPrefixList", body, retry=_LIST_BUSY)
        self._provider.wait(lambda: self.read(list_id), None)

    def refusal(self, list_id: str) -> str:
        """The code that its deletion is refused with."""
        try:
            self._provider.post(
                VPC, "DeleteVpcPrefixList", self._provider.region(PrefixListId=list_id)
            )
        except SdkError as error:
            return error.code
        return ""
