"""What Terraform's provider calls for gateway endpoints, and what it reads and waits for.

Source: aliyun/terraform-provider-alicloud, alicloud_vpc_gateway_endpoint and
alicloud_vpc_gateway_endpoint_route_table_attachment.
"""

from __future__ import annotations

from typing import Any

from tests.api.terraform import VPC, Answer, Provider, SdkError

_GONE = "ResourceNotFound.GatewayEndpoint"
_RETRY = (
    "OperationFailed.ConcurrentOperation",
    "IdempotentParameterMismatch",
    "IncorrectStatus.Vpc",
    "OperationConflict",
    "IncorrectStatus",
    "ServiceUnavailable",
    "LastTokenProcessing",
    "SystemBusy",
)


def _read(provider: Provider, endpoint_id: str) -> Answer | None:
    """Its attributes; None where it is gone."""
    body = provider.region(EndpointId=endpoint_id)
    try:
        shown = provider.post(VPC, "GetVpcGatewayEndpointAttribute", body)
    except SdkError as error:
        if error.code == _GONE:
            return None
        raise
    # Read without looking whether they are there.
    assert isinstance(shown["RouteTables"], list)
    assert isinstance(shown["Tags"], list)
    return shown


def _status(provider: Provider, endpoint_id: str) -> str | None:
    shown = _read(provider, endpoint_id)
    return None if shown is None else str(shown["EndpointStatus"])


class GatewayEndpoint:
    """alicloud_vpc_gateway_endpoint."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, *, route_tables: tuple[str, ...] = (), **arguments: Any) -> str:
        body = self._provider.region(**arguments)
        made = self._provider.write(VPC, "CreateVpcGatewayEndpoint", body, retry=_RETRY)
        endpoint_id = str(made["EndpointId"])
        self._created(endpoint_id)
        if route_tables:
            self.change_tables(endpoint_id, (), route_tables)
        return endpoint_id

    def read(self, endpoint_id: str) -> Answer | None:
        return _read(self._provider, endpoint_id)

    def change(self, endpoint_id: str, **changed: Any) -> None:
        body = self._provider.region(EndpointId=endpoint_id, **changed)
        self._provider.write(VPC, "UpdateVpcGatewayEndpointAttribute", body, retry=_RETRY)
        self._created(endpoint_id)

    def move(self, endpoint_id: str, group_id: str) -> None:
        named = {"ResourceId": endpoint_id, "ResourceType": "GatewayEndpoint"}
        body = self._provider.region(**named, NewResourceGroupId=group_id)
        self._provider.write(VPC, "MoveResourceGroup", body)

    def tag(self, endpoint_id: str, going: list[str], coming: dict[str, str]) -> None:
        ours = {"ResourceType": "GatewayEndpoint", "ResourceId.1": endpoint_id}
        if going:
            keys = {f"TagKey.{number}": key for number, key in enumerate(going, start=1)}
            self._provider.write(VPC, "UnTagResources", self._provider.region(**ours, **keys))
        tags = [{"Key": key, "Value": value} for key, value in coming.items()]
        self._provider.write(VPC, "TagResources", self._provider.region(**ours, Tag=tags))

    def change_tables(
        self, endpoint_id: str, going: tuple[str, ...], coming: tuple[str, ...]
    ) -> None:
        """Those that go all at once, then those that come: no refusal is tried again."""
        for action, tables in (
            ("DissociateRouteTablesFromVpcGatewayEndpoint", going),
            ("AssociateRouteTablesWithVpcGatewayEndpoint", coming),
        ):
            if tables:
                body = self._provider.region(EndpointId=endpoint_id, RouteTableIds=list(tables))
                self._provider.write(VPC, action, body)
                self._created(endpoint_id)

    def delete(self, endpoint_id: str) -> None:
        body = self._provider.region(EndpointId=endpoint_id)
        self._provider.write(VPC, "DeleteVpcGatewayEndpoint", body, retry=_RETRY, gone=[_GONE])
        self._provider.wait(lambda: self.read(endpoint_id), None)

    def _created(self, endpoint_id: str) -> None:
        self._provider.wait(lambda: _status(self._provider, endpoint_id), "Created")


class Attachment:
    """alicloud_vpc_gateway_endpoint_route_table_attachment; its id is both ids with a colon."""

    _RETRY = ("OperationConflict", "IncorrectStatus.GatewayEndpoint")

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def begin(self, endpoint_id: str, table_id: str) -> str:
        """The first half of its creation: several are in it at a time."""
        self._write("AssociateRouteTablesWithVpcGatewayEndpoint", endpoint_id, table_id)
        return f"{endpoint_id}:{table_id}"

    def wait(self, attachment_id: str) -> None:
        """The second half: the endpoint is Created, and the table listed."""
        endpoint_id, _, table_id = attachment_id.partition(":")

        def look() -> tuple[str | None, bool]:
            shown = _read(self._provider, endpoint_id) or {"RouteTables": ()}
            return shown.get("EndpointStatus"), table_id in shown["RouteTables"]

        self._provider.wait(look, ("Created", True))

    def delete(self, attachment_id: str) -> None:
        endpoint_id, _, table_id = attachment_id.partition(":")
        self._write("DissociateRouteTablesFromVpcGatewayEndpoint", endpoint_id, table_id)
        self._provider.wait(
            lambda: (
                table_id
                in (_read(self._provider, endpoint_id) or {"RouteTables": ()})["RouteTables"]
            ),
            False,
        )

    def _write(self, action: str, endpoint_id: str, table_id: str) -> None:
        body = self._provider.region(EndpointId=endpoint_id, **{"RouteTableIds.1": table_id})
        self._provider.write(VPC, action, body, retry=self._RETRY)
