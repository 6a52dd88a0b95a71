"""Where gateway endpoints are served otherwise than the facts say, each with its reason.

The same tables as in `differences.py`.
"""

NO_ACTION: dict[str, str] = {}
REFUSED: dict[tuple[str, str], str] = {}

_CODE = "the rule is the same; a breach of it has a code of its own."
_EMPTY = "an empty text takes it away, as Terraform has it; a breach has a code of its own."

RULES = {
    ("*", "MaxResults"): _CODE,
    ("CreateVpcGatewayEndpoint", "EndpointDescription"): _CODE,
    ("CreateVpcGatewayEndpoint", "EndpointName"): _CODE,
    ("ListVpcGatewayEndpoints", "EndpointName"): "a filter; a name that cannot be matches nothing.",
    ("UpdateVpcGatewayEndpointAttribute", "EndpointDescription"): _EMPTY,
    ("UpdateVpcGatewayEndpointAttribute", "EndpointName"): _EMPTY,
}

FIELDS: dict[tuple[str, str], str] = {}

MORE: dict[tuple[str, str], str] = {}

# What is done otherwise, where no parameter and no field shows it.
DONE = {
    "DeleteVpcGatewayEndpoint": "it takes its routes along, and is not refused while a table is "
    "associated: Terraform's destroy does not dissociate first.",
}
