/* Why a packet went no further. The numbers index a pinned map: append, never reorder. */
#pragma once

enum reason {
	REASON_UNKNOWN_PORT,	/* came in where no workload is plugged in */
	REASON_TRUNCATED,	/* shorter than its headers say */
	REASON_MALFORMED,	/* headers that no honest stack sends */
	REASON_VLAN_TAGGED,
	REASON_NOT_IPV4,
	REASON_IP_OPTIONS,
	REASON_SPOOFED_SOURCE,	/* a MAC or an address that is not the workload's own */
	REASON_ARP_OUTSIDE,	/* ARP for an address that is not in the vswitch */
	REASON_MULTICAST,	/* IPv4 multicast or broadcast */
	REASON_VIA_GATEWAY,	/* to a neighbour, but by the gateway's MAC */
	REASON_NO_ROUTE,	/* outside the vswitch, and no endpoint */
	REASON_FRAGMENT,	/* a fragment to an address of the fabric */
	REASON_NOT_TCP,
	REASON_NOT_ECHO,	/* ICMP other than an echo request */
	REASON_SECURITY_GROUP,	/* no rule accepts it */
	REASON_UNSOLICITED_SYN,	/* a server opening a connection to its client */
	/* Up to here silence; from here on TCP is told with a reset. */
	REASON_CLOSED,		/* the connection to the service was closed under the flow */
	REASON_NOT_ACCEPTED,	/* the endpoint is not connected to its service */
	REASON_NO_FLOW,		/* neither a SYN nor part of a known flow */
	REASON_NO_LISTENER,
	REASON_NO_SERVER,	/* nobody behind the listener, or not on this node */
	REASON_NO_SOURCE_PORT,	/* no free port towards the server */
	REASON_FLOW_TABLE_FULL,
	REASON_FLOW_LIMIT,	/* as many flows through this endpoint as one may have */
};

#define MAX_REASONS 64	/* room to append to a map that is pinned */
