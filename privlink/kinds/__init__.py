"""One file for each endpoint type; the table below is all the wiring there is."""

from privlink.kinds import interface
from privlink.model.privatelink import EndpointType

KINDS = {EndpointType.INTERFACE: interface}
