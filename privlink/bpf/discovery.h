/* Who has this address? ARP and neighbour discovery: of the fabric's addresses answered here, of
 * neighbours' left to the bridge, and only ever in the workload's own name.
 */
#pragma once

#include "packet.h"
#include "reply.h"

#define ND_ROUTER_SOLICITATION 133	/* RFC 4861 */
#define ND_REDIRECT 137

__noinline int handle_arp(struct __sk_buff *skb, const struct port *port)
{
	struct arp *arp;
	const struct address *address;
	struct in6_addr target;

	if (!port)
		return -REASON_TRUNCATED;
	linearize(skb, ETH_HLEN + sizeof(*arp));
	arp = header(skb, struct arp, ETH_HLEN);
	if (!arp)
		return -REASON_TRUNCATED;
	if (arp->hardware != bpf_htons(ARP_ETHERNET) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->hardware_length != ETH_ALEN || arp->protocol_length != sizeof(arp->sender) ||
	    (arp->operation != bpf_htons(ARP_REQUEST) &&
	     arp->operation != bpf_htons(ARP_REPLY)))
		return -REASON_MALFORMED;
	if (!same_mac(arp->sender_mac, port->mac) || arp->sender != port->address)
		return -REASON_SPOOFED_SOURCE;
	target = mapped(arp->target);
	if (arp->operation == bpf_htons(ARP_REQUEST)) {
		address = find_address(port->network, &target);
		if (address)
			return reply_arp(skb, address->mac);
	}
	return in_vswitch(port, &target) ? TC_ACT_OK : -REASON_NEIGHBOUR_OUTSIDE;
}

static __always_inline bool is_discovery(__u8 type)
{
	return type >= ND_ROUTER_SOLICITATION && type <= ND_REDIRECT;
}

/* fe80:: and the MAC, RFC 4291 appendix A: the one link-local address a workload may speak from. */
static __always_inline struct in6_addr link_local(const struct mac *own)
{
	const __u8 *mac = (const __u8 *)own;

	return (struct in6_addr) { .s6_addr = {
		0xfe, 0x80, 0, 0, 0, 0, 0, 0,
		mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5],
	} };
}

static __always_inline bool is_own(const struct port *port, const struct in6_addr *address)
{
	struct in6_addr local = link_local(&port->mac);

	return same_address(address, &port->address6) || same_address(address, &local);
}

/* What RFC 4861 sections 7.1.1 and 7.1.2 have every receiver check, and whether all that a message
 * says of its sender is true: PASSED, or why to drop. */
static __always_inline int check_discovery(const struct port *port, const struct packet *packet,
					   const struct discovery *discovery)
{
	const bool asks = discovery->type == ND_SOLICITATION;

	if (discovery->code || discovery->target.s6_addr[0] == 0xff ||
	    is_mapped(&discovery->target))
		return REASON_MALFORMED;
	/* Nobody needs more than the one option, so nothing is let through behind it. */
	if (packet->length != DISCOVERY_BARE) {
		if (packet->length != sizeof(*discovery) || discovery->option_length != 1 ||
		    discovery->option != (asks ? ND_SOURCE_MAC : ND_TARGET_MAC))
			return REASON_MALFORMED;
		if (!same_mac(discovery->mac, port->mac))
			return REASON_SPOOFED_SOURCE;
	}
	if (!asks && discovery->flags & bpf_htonl(ND_ROUTER))
		return REASON_ADVERTISEMENT;
	if (!asks && !is_own(port, &discovery->target))
		return REASON_SPOOFED_SOURCE;
	/* No source: does anybody else have my address (RFC 4862)? Nobody does; nobody is asked. */
	if (asks && unspecified(&packet->key.source))
		return is_own(port, &discovery->target) ? REASON_MULTICAST : REASON_SPOOFED_SOURCE;
	return is_own(port, &packet->key.source) ? PASSED : REASON_SPOOFED_SOURCE;
}

__noinline int handle_discovery(struct __sk_buff *skb, const struct port *port,
				const struct packet *packet)
{
	const struct ipv6hdr *ip = header(skb, struct ipv6hdr, IP_START);
	const struct icmp *icmp = header(skb, struct icmp, IPV6_TRANSPORT);
	const struct address *address;
	struct discovery discovery = {};
	long missing;
	__u8 first;
	int reason;

	if (!port || !packet)
		return -REASON_TRUNCATED;
	if (!ip || !icmp)
		return -REASON_TRUNCATED;
	if (icmp->type != ND_SOLICITATION && icmp->type != ND_ADVERTISEMENT)
		return -REASON_ADVERTISEMENT;
	first = packet->key.destination.s6_addr[0];
	if (ip->hop_limit != 255 || packet->length < DISCOVERY_BARE)
		return -REASON_MALFORMED;
	missing = packet->length < sizeof(discovery)
		? bpf_skb_load_bytes(skb, IPV6_TRANSPORT, &discovery, DISCOVERY_BARE)
		: bpf_skb_load_bytes(skb, IPV6_TRANSPORT, &discovery, sizeof(discovery));
	if (missing)
		return -REASON_TRUNCATED;
	reason = check_discovery(port, packet, &discovery);
	if (reason != PASSED)
		return -reason;
	if (discovery.type == ND_SOLICITATION) {
		address = find_address(port->network, &discovery.target);
		if (address)
			return reply_solicitation(skb, packet, &discovery.target, address->mac,
						  address->kind == ADDRESS_GATEWAY);
		return in_vswitch(port, &discovery.target) ? TC_ACT_OK
							   : -REASON_NEIGHBOUR_OUTSIDE;
	}
	/* To everybody (RFC 4861 section 7.2.6), or to whoever asked. */
	if (first == 0xff || first == 0xfe || in_vswitch(port, &packet->key.destination))
		return TC_ACT_OK;
	return -REASON_NEIGHBOUR_OUTSIDE;
}
