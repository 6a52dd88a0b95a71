"""Resource Management: a resource group comes, gets another name and goes."""

from tests.api.transcript import call, refused

STEPS = [
    call(
        "CreateResourceGroup",
        Name="shop",
        DisplayName="The shop",
        Tag=[{"Key": "team", "Value": "red"}],
    ),
    refused(
        "EntityAlreadyExists.ResourceGroup", "CreateResourceGroup", Name="shop", DisplayName="x"
    ),
    call("GetResourceGroup", ResourceGroupId="rg-1", IncludeTags=True),
    refused("EntityNotExist.ResourceGroup", "GetResourceGroup", ResourceGroupId="rg-none"),
    call("ListResourceGroups", IncludeTags=True, Name="shop"),
    refused("InvalidPageSize", "ListResourceGroups", PageSize=101),
    call("UpdateResourceGroup", ResourceGroupId="rg-1", NewDisplayName="Our shop"),
    refused(
        "EntityNotExist.ResourceGroup",
        "UpdateResourceGroup",
        ResourceGroupId="rg-none",
        NewDisplayName="Our shop",
    ),
    call("vpc.CreateVpc"),
    call("privatelink.CreateVpcEndpointService", ResourceGroupId="rg-1"),
    refused("DeleteConflict.ResourceGroup.Resource", "DeleteResourceGroup", ResourceGroupId="rg-1"),
    call("privatelink.DeleteVpcEndpointService", ServiceId="epsrv-1"),
    call("DeleteResourceGroup", ResourceGroupId="rg-1"),
]
