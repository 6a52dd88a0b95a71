"""What Terraform's provider calls and reads for each of its PrivateLink resources.

A resource has the provider's life: `create` answers the state's id, `read` the attributes it keeps
(None once it is gone), `update` takes what changed, `delete` waits until nothing is left. Source:
aliyun/terraform-provider-alicloud, resource_alicloud_privatelink_*.go and their service files.
"""

from __future__ import annotations

from typing import Any

from tests.api.terraform import PRIVATELINK, Provider, SdkError

State = dict[str, Any]

_CONCURRENT = "ConcurrentCallNotSupported"
_ENDPOINT_BUSY = (
    *("EndpointLocked", _CONCURRENT),
    *("EndpointConnectionOperationDenied", "EndpointOperationDenied"),
)
_SERVICE_BUSY = ("EndpointServiceOperationDenied", _CONCURRENT, "EndpointServiceLocked")


def tag_list(tags: dict[str, str] | None) -> list[dict[str, str]] | None:
    """Tags as calls take them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()] or None


class Labels:
    """Tags and resource group of a resource, which the provider changes by calls of their own."""

    def __init__(self, provider: Provider, kind: str) -> None:
        self._provider, self._kind = provider, kind

    def tags(self, resource_id: str) -> dict[str, str]:
        asked = {"ResourceId.1": resource_id, "ResourceType": self._kind, "ClientToken": "t"}
        listed = self._provider.post(
            PRIVATELINK, "ListTagResources", self._provider.region(**asked)
        )
        return {each["TagKey"]: each["TagValue"] for each in listed["TagResources"]}

    def change(self, resource_id: str, old: dict[str, str], new: dict[str, str]) -> None:
        """First what goes or changes, then what comes."""
        ours = {"ResourceType": self._kind, "ResourceId.1": resource_id}
        if going := [key for key, value in old.items() if new.get(key) != value]:
            numbered = {f"TagKey.{number}": key for number, key in enumerate(going, start=1)}
            body = self._provider.region(**ours, **numbered)
            self._provider.write(PRIVATELINK, "UntagResources", body)
        if coming := {key: value for key, value in new.items() if old.get(key) != value}:
            body = self._provider.region(**ours, Tag=tag_list(coming))
            self._provider.write(PRIVATELINK, "TagResources", body)

    def move(self, resource_id: str, group_id: str) -> None:
        body = {
            "ResourceId": resource_id,
            "ResourceGroupId": group_id,
            "ResourceType": self._kind,
        }
        self._provider.write(PRIVATELINK, "ChangeResourceGroup", body)


class Service:
    """alicloud_privatelink_vpc_endpoint_service."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._labels = Labels(provider, "VpcEndpointService")

    def create(
        self,
        *,
        tags: dict[str, str] | None = None,
        connect_bandwidth: int | None = None,
        **arguments: Any,
    ) -> str:
        body = self._provider.region(**arguments, Tag=tag_list(tags), DryRun=False)
        made = self._provider.write(
            PRIVATELINK, "CreateVpcEndpointService", body, retry=_SERVICE_BUSY
        )
        service_id = str(made["ServiceId"])
        self._provider.wait(lambda: self._get(service_id)["ServiceStatus"], "Active")
        if connect_bandwidth is not None:
            self.update(service_id, ConnectBandwidth=connect_bandwidth)
        if tags:
            self._labels.change(service_id, {}, tags)
        return service_id

    def _get(self, service_id: str) -> dict[str, Any]:
        body = self._provider.region(ServiceId=service_id)
        return self._provider.post(PRIVATELINK, "GetVpcEndpointServiceAttribute", body)

    def read(self, service_id: str) -> State | None:
        try:
            shown = self._get(service_id)
        except SdkError as error:
            assert error.is_one_of(["EndpointServiceNotFound"])
            return None
        resources = []
        token = None
        while True:
            body = self._provider.region(ServiceId=service_id, MaxResults=50, NextToken=token)
            page = self._provider.post(PRIVATELINK, "ListVpcEndpointServiceResources", body)
            resources += page.get("Resources") or []
            token = page.get("NextToken")
            if not token:
                break
        return shown | {
            "tags": self._labels.tags(service_id),
            "resource": {
                (each["ResourceId"], each["ResourceType"], each["ZoneId"]) for each in resources
            },
            "supported_region_list": {
                each["SupportedRegionId"]
                for each in shown["SupportedRegionSet"]
                if each["RegionServiceStatus"] != "Closed"
            },
        }

    def update(self, service_id: str, **changed: Any) -> None:
        body = self._provider.region(ServiceId=service_id, **changed)
        self._provider.write(
            PRIVATELINK, "UpdateVpcEndpointServiceAttribute", body, retry=_SERVICE_BUSY
        )

    def set_regions(self, service_id: str, coming: list[str], going: list[str]) -> None:
        if coming:
            self.update(service_id, AddSupportedRegionSet=coming)
        if going:
            self.update(service_id, DeleteSupportedRegionSet=going)
        self._provider.wait(lambda: self._get(service_id)["ServiceStatus"], "Active")

    def set_tags(self, service_id: str, old: dict[str, str], new: dict[str, str]) -> None:
        self._labels.change(service_id, old, new)

    def move(self, service_id: str, group_id: str) -> None:
        self._labels.move(service_id, group_id)
        self._provider.wait(lambda: self._get(service_id)["ResourceGroupId"], group_id)

    def set_resources(
        self, service_id: str, going: list[dict[str, str]], coming: list[dict[str, str]]
    ) -> None:
        for action, resources in (
            ("DetachResourceFromVpcEndpointService", going),
            ("AttachResourceToVpcEndpointService", coming),
        ):
            for resource in resources:
                body = self._provider.region(ServiceId=service_id, **resource)
                self._provider.write(PRIVATELINK, action, body, retry=_SERVICE_BUSY)
        self._provider.wait(lambda: self._get(service_id)["ServiceStatus"], "Active")

    def delete(self, service_id: str) -> None:
        self._provider.write(
            PRIVATELINK,
            "DeleteVpcEndpointService",
            self._provider.region(ServiceId=service_id, DryRun=False),
            retry=("EndpointServiceConnectionDependence", _CONCURRENT),
            gone=["EndpointServiceNotFound"],
        )
        self._provider.wait(lambda: self.read(service_id), None)


class Endpoint:
    """alicloud_privatelink_vpc_endpoint: it has no zones but those of resources of their own."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._labels = Labels(provider, "VpcEndpoint")

    def create(self, *, tags: dict[str, str] | None = None, **arguments: Any) -> str:
        body = self._provider.region(
            **arguments, Tag=tag_list(tags), DryRun=False, ProtectedEnabled=False
        )
        made = self._provider.write(PRIVATELINK, "CreateVpcEndpoint", body, retry=_ENDPOINT_BUSY)
        endpoint_id = str(made["EndpointId"])
        self._wait_until_active(endpoint_id)
        if tags:
            self._labels.change(endpoint_id, {}, tags)
        return endpoint_id

    def _get(self, endpoint_id: str) -> dict[str, Any]:
        body = self._provider.region(EndpointId=endpoint_id)
        return self._provider.post(PRIVATELINK, "GetVpcEndpointAttribute", body)

    def _wait_until_active(self, endpoint_id: str) -> None:
        self._provider.wait(lambda: self._get(endpoint_id)["EndpointStatus"], "Active")

    def read(self, endpoint_id: str) -> State | None:
        try:
            shown = self._get(endpoint_id)
        except SdkError as error:
            assert error.is_one_of(["EndpointNotFound"])
            return None
        body = self._provider.region(EndpointId=endpoint_id)
        groups = self._provider.post(PRIVATELINK, "ListVpcEndpointSecurityGroups", body)
        return shown | {
            "tags": self._labels.tags(endpoint_id),
            "security_group_ids": {each["SecurityGroupId"] for each in groups["SecurityGroups"]},
        }

    def update(self, endpoint_id: str, **changed: Any) -> None:
        """Only what changed; no wait afterwards, so the very next read must show it."""
        body = self._provider.region(EndpointId=endpoint_id, DryRun=False, **changed)
        self._provider.write(PRIVATELINK, "UpdateVpcEndpointAttribute", body, retry=_ENDPOINT_BUSY)

    def set_tags(self, endpoint_id: str, old: dict[str, str], new: dict[str, str]) -> None:
        self._labels.change(endpoint_id, old, new)

    def move(self, endpoint_id: str, group_id: str) -> None:
        self._labels.move(endpoint_id, group_id)
        self._provider.wait(lambda: self._get(endpoint_id)["ResourceGroupId"], group_id)

    def set_groups(self, endpoint_id: str, coming: list[str], going: list[str]) -> None:
        """One call a group, all that come before all that go; the endpoint's id in the query."""
        for action, groups in (
            ("AttachSecurityGroupToVpcEndpoint", coming),
            ("DetachSecurityGroupFromVpcEndpoint", going),
        ):
            for group in groups:
                body = self._provider.region(SecurityGroupId=group, DryRun=False)
                query = {"EndpointId": endpoint_id}
                self._provider.write(PRIVATELINK, action, body, query=query, retry=[_CONCURRENT])
                self._wait_until_active(endpoint_id)

    def delete(self, endpoint_id: str) -> None:
        self._provider.write(
            PRIVATELINK,
            "DeleteVpcEndpoint",
            self._provider.region(EndpointId=endpoint_id, DryRun=False),
            retry=(_CONCURRENT, "EndpointOperationDenied"),
            gone=["EndpointNotFound"],
        )
        self._provider.wait(lambda: self.read(endpoint_id), None)


class Zone:
    """alicloud_privatelink_vpc_endpoint_zone."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, endpoint_id: str, zone_id: str, vswitch_id: str, ip: str | None = None) -> str:
        body = self._provider.region(
            EndpointId=endpoint_id, ZoneId=zone_id, VSwitchId=vswitch_id, ip=ip, DryRun=False
        )
        self._provider.write(PRIVATELINK, "AddZoneToVpcEndpoint", body, retry=_ENDPOINT_BUSY)
        state_id = f"{endpoint_id}:{zone_id}"
        self._provider.wait(
            lambda: (self.read(state_id) or {}).get("ZoneStatus"), "Wait", "Connected"
        )
        return state_id

    def read(self, state_id: str) -> State | None:
        endpoint_id, zone_id = state_id.split(":")
        query = self._provider.region(EndpointId=endpoint_id)
        try:
            listed = self._provider.post(PRIVATELINK, "ListVpcEndpointZones", query=query)
        except SdkError as error:
            assert error.is_one_of(["EndpointNotFound"])
            return None
        found = [each for each in listed["Zones"] if each["ZoneId"] == zone_id]
        return found[0] if found else None

    def delete(self, state_id: str) -> None:
        endpoint_id, zone_id = state_id.split(":")
        self._provider.write(
            PRIVATELINK,
            "RemoveZoneFromVpcEndpoint",
            self._provider.region(EndpointId=endpoint_id, ZoneId=zone_id, DryRun=False),
            retry=_ENDPOINT_BUSY,
            gone=["EndpointZoneNotFound"],
        )
        self._provider.wait(lambda: self.read(state_id), None)


class Connection:
    """alicloud_privatelink_vpc_endpoint_connection."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, service_id: str, endpoint_id: str, bandwidth: int | None = None) -> str:
        body = self._provider.region(
            ServiceId=service_id, EndpointId=endpoint_id, Bandwidth=bandwidth, DryRun=False
        )
        self._provider.write(
            PRIVATELINK,
            "EnableVpcEndpointConnection",
            body,
            retry=(_CONCURRENT, "EndpointConnectionOperationDenied"),
        )
        state_id = f"{service_id}:{endpoint_id}"
        self._wait(state_id, "Connected")
        return state_id

    def _wait(self, state_id: str, wanted: str) -> None:
        self._provider.wait(lambda: (self.read(state_id) or {}).get("ConnectionStatus"), wanted)

    def read(self, state_id: str) -> State | None:
        service_id, endpoint_id = state_id.split(":")
        body = self._provider.region(ServiceId=service_id, EndpointId=endpoint_id, MaxResults=50)
        found = self._provider.post(PRIVATELINK, "ListVpcEndpointConnections", body)["Connections"]
        return found[0] if found and found[0]["ConnectionStatus"] else None

    def update(self, state_id: str, bandwidth: int) -> None:
        service_id, endpoint_id = state_id.split(":")
        body = self._provider.region(
            ServiceId=service_id, EndpointId=endpoint_id, Bandwidth=bandwidth, DryRun=False
        )
        self._provider.write(
            PRIVATELINK, "UpdateVpcEndpointConnectionAttribute", body, retry=[_CONCURRENT]
        )
        self._wait(state_id, "Connected")

    def delete(self, state_id: str) -> None:
        service_id, endpoint_id = state_id.split(":")
        body = self._provider.region(ServiceId=service_id, EndpointId=endpoint_id, DryRun=False)
        self._provider.write(
            PRIVATELINK,
            "DisableVpcEndpointConnection",
            body,
            retry=(_CONCURRENT, "EndpointConnectionOperationDenied"),
        )
        self._wait(state_id, "Disconnected")


class ServiceResource:
    """alicloud_privatelink_vpc_endpoint_service_resource."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, service_id: str, resource_id: str, kind: str, zone_id: str = "") -> str:
        """ZoneId is always sent, and is empty for an slb."""
        body = self._provider.region(
            ServiceId=service_id,
            ResourceId=resource_id,
            ResourceType=kind,
            ZoneId=zone_id,
            DryRun=False,
        )
        self._provider.write(
            PRIVATELINK,
            "AttachResourceToVpcEndpointService",
            body,
            retry=("EndpointServiceOperationDenied", _CONCURRENT),
        )
        state_id = f"{service_id}:{resource_id}" + (f":{zone_id}" if kind != "slb" else "")
        self._provider.wait(lambda: self.read(state_id) is not None, True)
        return state_id

    def read(self, state_id: str) -> State | None:
        """Only the first page, without asking for a size."""
        service_id, resource_id, *zone = state_id.split(":")
        body = self._provider.region(ServiceId=service_id)
        try:
            listed = self._provider.post(PRIVATELINK, "ListVpcEndpointServiceResources", body)
        except SdkError as error:
            assert error.is_one_of(["EndpointServiceNotFound"])
            return None
        for each in listed["Resources"]:
            if each["ResourceId"] == resource_id and (not zone or zone == [each["ZoneId"]]):
                return dict(each)
        return None

    def delete(self, state_id: str) -> None:
        service_id, resource_id, *zone = state_id.split(":")
        body = self._provider.region(
            ServiceId=service_id,
            ResourceId=resource_id,
            ZoneId=zone[0] if zone else None,
            DryRun=False,
        )
        self._provider.write(
            PRIVATELINK,
            "DetachResourceFromVpcEndpointService",
            body,
            retry=("EndpointServiceConnectionDependence", _CONCURRENT),
        )
        self._provider.wait(lambda: self.read(state_id), None)


class ServiceUser:
    """alicloud_privatelink_vpc_endpoint_service_user."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, service_id: str, user_id: str, user_arn: str | None = None) -> str:
        body = self._provider.region(
            ServiceId=service_id, UserId=user_id, UserARN=user_arn, DryRun=False
        )
        self._provider.write(PRIVATELINK, "AddUserToVpcEndpointService", body, retry=[_CONCURRENT])
        return f"{service_id}:{user_id}"

    def read(self, state_id: str) -> State | None:
        service_id, user_id = state_id.split(":")
        query = self._provider.region(ServiceId=service_id, UserId=user_id)
        try:
            listed = self._provider.post(PRIVATELINK, "ListVpcEndpointServiceUsers", query=query)
        except SdkError as error:
            assert error.is_one_of(["EndpointServiceNotFound"])
            return None
        users = listed.get("Users") or []
        return {"UserId": str(int(users[0]["UserId"]))} if users else None

    def delete(self, state_id: str) -> None:
        service_id, user_id = state_id.split(":")
        body = self._provider.region(ServiceId=service_id, UserId=user_id, DryRun=False)
        self._provider.write(
            PRIVATELINK, "RemoveUserFromVpcEndpointService", body, retry=[_CONCURRENT]
        )
