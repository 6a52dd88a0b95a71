/* Why a packet went no further. The numbers index a pinned map: append, never reorder. */
#pragma once

enum reason {
	PASSED,			/* none: it goes on */
	REASON_UNKNOWN_PORT,	/* came in where no workload is plugged in */
	REASON_TRUNCATED,	/* shorter than its headers say */
	REASON_MALFORMED,	/* headers that no honest stack sends */
	REASON_VLAN_TAGGED,
	REASON_NOT_IP,		/* neither ARP nor IP, or IPv6 where the vswitch has none */
	REASON_IP_OPTIONS,	/* IPv4 options, or IPv6 extension headers other than a fragment's */
	REASON_SPOOFED_SOURCE,	/* a MAC or an address that is not the workload's own */
	REASON_NEIGHBOUR_OUTSIDE,	/* ARP or a solicitation for what is not in the vswitch */
	REASON_MULTICAST,	/* to a group or to everybody */
	REASON_VIA_GATEWAY,	/* to a neighbour, but by the gateway's MAC */
	REASON_NO_ROUTE,	/* outside the vswitch, no endpoint, and no route to where somebody is */
	REASON_FRAGMENT,	/* out of sequence, overlapping, or too short for its headers */
	REASON_PROTOCOL,	/* to the fabric, and neither TCP, UDP nor ICMP; to a block, neither of the first */
	REASON_ICMP_TYPE,	/* ICMP to the fabric, and neither an echo request nor an error */
	REASON_SECURITY_GROUP,	/* no rule accepts it */
	REASON_UNSOLICITED_SYN,	/* a server opening a connection to its client */
	/* From here on TCP is told with a reset and UDP with "port unreachable", ... */
	REASON_CLOSED,		/* under the flow: the connection to the service, or a workload's link */
	REASON_NOT_ACCEPTED,	/* the endpoint is not connected to its service */
	REASON_NO_FLOW,		/* neither a SYN nor part of a known flow */
	REASON_NO_LISTENER,
	REASON_NO_SERVER,	/* nobody behind the listener, or not on this node */
	REASON_NO_SOURCE_PORT,	/* no free port towards the server */
	REASON_FLOW_TABLE_FULL,
	REASON_FLOW_LIMIT,	/* as many flows through this endpoint as one may have */
	REASON_NO_LONGER_PERMITTED,	/* the rules changed under the flow */
	/* ... and from here on there is silence again. */
	REASON_FOREIGN_ERROR,	/* an ICMP error about what was not sent to the sender */
	REASON_EGRESS_RULE,	/* a security group of the workload's lets it not out */
	REASON_ADVERTISEMENT,	/* router discovery, redirects, or neighbour discovery in pieces */
	REASON_CHANGING,	/* the flow, or what it rests on, changes at this moment; try again */
	REASON_FLOW_RATE,	/* more new flows in a second than this endpoint may have */
	REASON_SERVER_GONE,	/* under the flow: its server is down or was removed. Told like CLOSED */
	REASON_IDLE,		/* the flow was silent for too long. Told, too */
	REASON_BANDWIDTH,	/* its connection's is limited, and there is no shaper to hold it back */
	REASON_HOP_LIMIT,	/* it went through as many routers as it may, says its sender's gateway */
};

/* Why a flow ended. The numbers are in pinned entries and in records: append, never reorder. */
enum cause {
	CAUSE_FINISHED = 1,	/* both sides have said so */
	CAUSE_CLIENT_RESET,
	CAUSE_SERVER_RESET,
	CAUSE_IDLE,		/* nothing for as long as its service allows; both sides were told */
	CAUSE_UNANSWERED,	/* the server never did */
	CAUSE_CLOSED,		/* the connection to the service, or a workload's link */
	CAUSE_SERVER_GONE,	/* down, or removed */
	CAUSE_NO_LONGER_PERMITTED,
};

#define CAUSES 9	/* one more than the last */
#define MAX_REASONS 64	/* room to append to a map that is pinned */
