"""One file for each endpoint type; the table below is all the wiring there is."""

from privlink.kinds import interface, reverse
from privlink.model.privatelink import EndpointType, ResourceType

KINDS = {EndpointType.INTERFACE: interface, EndpointType.REVERSE: reverse}


def fitting(resource_type: ResourceType) -> EndpointType:
    """The type of the endpoints that a service takes."""
    return next(each for each, kind in KINDS.items() if resource_type in kind.RESOURCE_TYPES)
