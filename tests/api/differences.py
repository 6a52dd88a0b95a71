"""Where PrivateLink is served otherwise than the facts say, each with its reason.

The conformance test wants a line here for whatever differs, and none for what does not. "*" stands
for every action.
"""

NO_ACTION: dict[str, str] = {}

_OTHER_REGION = "there is one region here, so endpoint and service are always in the same."

# Parameters that are understood, and refused with this reason when they ask for something.
REFUSED = {
    ("CreateVpcEndpoint", "CrossRegionBandwidth"): _OTHER_REGION,
    ("UpdateVpcEndpointAttribute", "CrossRegionBandwidth"): _OTHER_REGION,
}

_KINDS = "any text is taken; what is not served is refused by name."
_NOTHING = "an empty text takes it away, as Terraform has it."
_TAG = "the rule is the same; a breach of it has a code of its own."
_TAG_KEY = "up to 128 characters, as the page on endpoints says; a breach has a code of its own."
_PLACE = "a zone or a resource without it says nothing; it is refused as missing."

# Parameters whose rule is another than the cloud's.
RULES = {
    ("*", "Tag.N"): "a resource has 20 tags at most, so no more are taken at once.",
    ("*", "Tag.N.Key"): _TAG_KEY,
    ("*", "Tag.N.Value"): _TAG,
    ("AttachResourceToVpcEndpointService", "ResourceType"): _KINDS,
    ("ChangeResourceGroup", "ResourceType"): "capitals do not matter, as Terraform has it.",
    ("CreateVpcEndpoint", "Zone.N.VSwitchId"): _PLACE,
    ("CreateVpcEndpoint", "Zone.N.ZoneId"): _PLACE,
    ("CreateVpcEndpointService", "Resource.N.ResourceId"): _PLACE,
    ("CreateVpcEndpointService", "Resource.N.ResourceType"): _KINDS,
    ("CreateVpcEndpointService", "ServiceResourceType"): _KINDS,
    ("DescribeRegions", "ServiceResourceType"): "capitals do not matter.",
    ("DescribeZones", "ServiceResourceType"): "capitals do not matter.",
    ("DetachResourceFromVpcEndpointService", "ResourceType"): _KINDS,
    ("ListTagResources", "ResourceType"): "capitals do not matter, as Terraform has it.",
    ("ListVpcEndpoints", "EndpointName"): "a filter; a name that cannot be matches nothing.",
    ("ListVpcEndpoints", "EndpointType"): "a filter; a type that cannot be matches nothing.",
    ("ListVpcEndpointServices", "ServiceResourceType"): "a filter; others match nothing.",
    ("TagResources", "ResourceType"): "capitals do not matter, as Terraform has it.",
    ("UntagResources", "ResourceType"): "capitals do not matter, as Terraform has it.",
    ("UpdateVpcEndpointAttribute", "EndpointDescription"): _NOTHING,
    ("UpdateVpcEndpointAttribute", "EndpointName"): _NOTHING,
    ("UpdateVpcEndpointZoneConnectionResourceAttribute", "ResourceType"): _KINDS,
}

# Fields that are never answered, or were not in a transcript.
FIELDS = {
    ("*", "NextToken"): "it comes where there is a next page: tests/api/test_paging.py.",
    ("CreateVpcEndpoint", "CrossRegionBandwidth"): _OTHER_REGION,
    ("GetVpcEndpointAttribute", "CrossRegionBandwidth"): _OTHER_REGION,
    ("ListVpcEndpoints", "Endpoints[].CrossRegionBandwidth"): _OTHER_REGION,
}

# Parameters of ours that the facts do not know, beside ClientToken and DryRun.
MORE = {
    ("ChangeResourceGroup", "RegionId"): "older clients send it.",
    ("ChangeResourceGroup", "ResourceRegionId"): "Terraform may still send it.",
}
