/* ICMP errors about packets of a flow: translated, so that path MTU discovery works through an
 * endpoint and a closed UDP port is heard of. RFC 792, RFC 4443, RFC 5508 section 4.
 *
 *   | outer IP | ICMP, 8 bytes | IP header of the packet complained of | 8 bytes of its transport |
 *
 * The quote is of a packet as the complainer received it, that is after our rewriting; what leaves
 * quotes it as its sender sent it. An error counts only from whom the quoted packet was for, or who
 * was to pass it on, and to whom it was from: with neighbours too, as stacks believe an error whoever
 * sends it. Who passes on for a client says it in the client's name: more a server does not see of it.
 */
#pragma once

#include "flow.h"
#include "packet.h"
#include "reply.h"

#define ICMP_REDIRECT 5
#define ICMP_ROUTER_ADVERTISEMENT 9
#define ICMP_ROUTER_SOLICITATION 10
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMPV6_LAST_ERROR 127	/* RFC 4443 section 2.1: errors have types below 128 */

#define QUOTE_START sizeof(struct icmp)
#define QUOTE_IPV4 (QUOTE_START + sizeof(struct iphdr))
#define QUOTE_IPV6 (QUOTE_START + sizeof(struct ipv6hdr))
#define LONGEST_ERROR (IPV6_TRANSPORT + sizeof(struct fragment_header) + QUOTE_IPV6 + 8)

static __always_inline bool is_error(__u8 family, __u8 type)
{
	if (family == FAMILY_IPV6)
		return type && type <= ICMPV6_LAST_ERROR;
	return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETER_PROBLEM;
}

/* Redirects and router discovery in IPv4 (RFC 792, RFC 1256); in IPv6 they are discovery. */
static __always_inline bool is_routers(__u8 family, __u8 type)
{
	return family == FAMILY_IPV4 && (type == ICMP_REDIRECT || type == ICMP_ROUTER_ADVERTISEMENT ||
					 type == ICMP_ROUTER_SOLICITATION);
}

/* The addresses and the protocol of the quoted packet, turned around. */
static __always_inline bool read_quoted_ipv4(struct __sk_buff *skb, const struct packet *packet,
					     struct flow_key *key)
{
	const struct iphdr *ip = header(skb, struct iphdr, packet->transport + QUOTE_START);

	/* A later piece shows no ports, and is nothing to complain about. */
	if (!ip || ip->version != 4 || ip->ihl != 5 || ip->frag_off & bpf_htons(0x1fff))
		return false;
	key->source = mapped(ip->daddr);
	key->destination = mapped(ip->saddr);
	key->protocol = ip->protocol;
	return true;
}

static __always_inline bool read_quoted_ipv6(struct __sk_buff *skb, const struct packet *packet,
					     struct flow_key *key)
{
	const struct ipv6hdr *ip = header(skb, struct ipv6hdr, packet->transport + QUOTE_START);

	if (!ip || ip->version != 6)
		return false;
	__builtin_memcpy(&key->source, &ip->daddr, sizeof(key->source));
	__builtin_memcpy(&key->destination, &ip->saddr, sizeof(key->destination));
	key->protocol = ip->nexthdr;
	return true;
}

/* Where the quoted packet's ports stand. */
static __always_inline __u32 quoted_ports(const struct packet *packet)
{
	return packet->family == FAMILY_IPV4 ? QUOTE_IPV4 : QUOTE_IPV6;
}

/* Whether the quoted packet was from whom the error is for. */
static __always_inline bool read_quote(struct __sk_buff *skb, const struct packet *packet,
				       struct flow_key *key)
{
	if (packet->length < quoted_ports(packet))
		return false;
	if (!(packet->family == FAMILY_IPV4 ? read_quoted_ipv4(skb, packet, key)
					    : read_quoted_ipv6(skb, packet, key)))
		return false;
	key->network = packet->key.network;
	return same_address(&key->destination, &packet->key.destination);
}

/* The rest of the key under which the complainer's own packets of the conversation go. */
static __always_inline bool read_quoted_ports(struct __sk_buff *skb, const struct packet *packet,
					      struct flow_key *key)
{
	const __be16 *ports = reach(skb, packet->transport + quoted_ports(packet), 8);

	if (!ports || packet->length < quoted_ports(packet) + 8)
		return false;
	key->source_port = ports[1];
	key->destination_port = ports[0];
	return key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP;
}

/* Quote the packet as its sender knows it. Turned around, its addresses and ports change by what
 * the flow's own do, so that its differences serve; the transport checksum is left, being of a
 * packet that is not here. */
static __always_inline bool requote(struct __sk_buff *skb, const struct packet *packet,
				    const struct flow *flow)
{
	__be16 *ports = reach(skb, packet->transport + quoted_ports(packet), 4);
	struct ipv6hdr *ipv6 = header(skb, struct ipv6hdr, packet->transport + QUOTE_START);
	struct iphdr *ipv4 = header(skb, struct iphdr, packet->transport + QUOTE_START);

	if (!ports || !ipv4)
		return false;
	ports[0] = flow->destination_port;
	ports[1] = flow->source_port;
	if (packet->family == FAMILY_IPV4) {
		ipv4->saddr = flow->destination.s6_addr32[3];
		ipv4->daddr = flow->source.s6_addr32[3];
		ipv4->check = ~checksum_fold(checksum_sum((__u16)~ipv4->check,
							  flow->address_difference));
		return true;
	}
	if (!ipv6)
		return false;
	__builtin_memcpy(&ipv6->saddr, &flow->destination, sizeof(ipv6->saddr));
	__builtin_memcpy(&ipv6->daddr, &flow->source, sizeof(ipv6->daddr));
	return true;
}

/* Whether who complains of an answer passes on for the client that this was for: the client's packets
 * come in at the same link, and its routes still lead there. Not inline: the stack of whoever handles
 * errors is full. */
static __noinline bool speaks_for_client(struct __sk_buff *skb, const struct port *port,
					 const struct packet *packet, struct flow_key *key)
{
	struct flow_key partner_key;
	const struct flow *flow, *partner;

	if (!read_quoted_ports(skb, packet, key))
		return false;
	flow = bpf_map_lookup_elem(&flows, key);
	if (!flow || flow->reverse)
		return false;
	partner_key = partner_of(key, flow);
	partner = find_partner(key, flow, &partner_key);
	return partner && partner->ifindex == skb->ifindex && passes_on(port, &key->source);
}

/* Have an error come from the client it is about, who else says it: what a flow adds to checksums is
 * by the client's address. */
static __noinline bool speak_for(struct __sk_buff *skb, const struct packet *packet,
				 const struct in6_addr *client)
{
	const __u32 difference = address_difference(&packet->key.source, client);
	struct ipv6hdr *ipv6 = header(skb, struct ipv6hdr, IP_START);
	struct iphdr *ipv4 = header(skb, struct iphdr, IP_START);

	if (same_address(&packet->key.source, client))
		return true;
	if (packet->family == FAMILY_IPV4) {
		if (!ipv4)
			return false;
		ipv4->saddr = client->s6_addr32[3];
		ipv4->check = ~checksum_fold(checksum_sum((__u16)~ipv4->check, difference));
		return true;
	}
	if (!ipv6)
		return false;
	__builtin_memcpy(&ipv6->saddr, client, sizeof(ipv6->saddr));
	bpf_csum_update(skb, difference);
	bpf_l4_csum_replace(skb, packet->transport + offsetof(struct icmp, checksum), 0, difference,
			    BPF_F_PSEUDO_HDR);
	return true;
}

/* An ICMP error about a packet of a flow. In IPv4 its checksum feels only the quoted ports, the
 * quoted header having one of its own; in IPv6 the addresses twice, quoted and in the pseudo
 * header. */
static __always_inline int carry_error(struct __sk_buff *skb, struct packet *packet,
				       const struct flow *flow)
{
	const bool ipv4 = packet->family == FAMILY_IPV4;
	const __u32 check = packet->transport + offsetof(struct icmp, checksum);
	bool done = requote(skb, packet, flow);

	if (done && flow->port_difference)
		bpf_l4_csum_replace(skb, check, 0, flow->port_difference, 0);
	if (done && !ipv4) {
		bpf_l4_csum_replace(skb, check, 0, flow->address_difference, 0);
		bpf_l4_csum_replace(skb, check, 0, flow->address_difference, BPF_F_PSEUDO_HDR);
	}
	done = done && (ipv4 ? rewrite_ipv4(skb, packet, flow, 0)
			     : rewrite_ipv6(skb, packet, flow, 0));
	return done ? deliver(skb, packet, flow) : -REASON_TRUNCATED;
}
