"""The status of a gateway endpoint, derived from facts as `lifecycle` has it for the others.

    fact                             status, the first that holds
    -------------------------------  ------------------------------------------------------------
    deleting                         Deleting, until every node is without it and its routes
    never confirmed by the nodes     Creating
    a table leaving, not confirmed   Dissociating
    a table new, not confirmed       Associating
    not confirmed                    Modifying: the nodes hold it otherwise than it is
    none of these                    Created

Several tables may come and go at a time, whoever asks for it: the status ends when the last has.
A name, a description and a policy are nothing to the nodes, so they change at once.

Statuses and their meanings: VPC API 2016-04-28, GetVpcGatewayEndpointAttribute.
"""

from __future__ import annotations

import msgspec

from privlink.model.gateway import GatewayAssociation, GatewayEndpoint, GatewayStatus
from privlink.model.ids import RouteTableId


class AssociationFacts(msgspec.Struct, frozen=True):
    """An association and whether the nodes hold its route table as it is."""

    association: GatewayAssociation
    confirmed: bool


class GatewayFacts(msgspec.Struct, frozen=True):
    """All that the status of a gateway endpoint follows from."""

    endpoint: GatewayEndpoint
    confirmed: bool
    associations: tuple[AssociationFacts, ...] = ()

    @property
    def tables(self) -> list[RouteTableId]:
        """The route tables that are associated, or that nodes may still have a route in."""
        return [
            each.association.table_id
            for each in self.associations
            if not (each.association.leaving and each.confirmed)
        ]


def status(facts: GatewayFacts) -> GatewayStatus:
    """The status of a gateway endpoint."""
    if facts.endpoint.deleting:
        return GatewayStatus.DELETING
    if not facts.endpoint.placed and not facts.confirmed:
        return GatewayStatus.CREATING
    open_ = [each.association for each in facts.associations if not each.confirmed]
    if any(each.leaving for each in open_):
        return GatewayStatus.DISSOCIATING
    if any(not each.held for each in open_):
        return GatewayStatus.ASSOCIATING
    return GatewayStatus.CREATED if facts.confirmed else GatewayStatus.MODIFYING
