/* Time exceeded: what a gateway says of a packet that went through as many routers as it may, so that
 * a path can be traced. RFC 792, RFC 1812 sections 4.3.2 and 5.3.1, RFC 4443 sections 2.4 and 3.3.
 *
 *   | Ethernet |                      IP | transport ... |
 *   | Ethernet | IP | ICMP, 8 bytes | IP | transport: 8 bytes, of TCP 20 |
 *
 * The packet stays where it is, cut, and what is said goes before it. So a checksum that is left to
 * the hardware, which the kernel knows by its place, is still that of the packet, now quoted.
 */
#pragma once

#include "error.h"
#include "packet.h"
#include "reply.h"

#define ICMPV6_TIME_EXCEEDED 3

/* Whether a gateway may say one thing more at a port in this second. */
static __always_inline bool may_complain(__u32 ifindex)
{
	__u32 number = NUMBER_COMPLAINTS;
	const __u32 *most = bpf_map_lookup_elem(&numbers, &number);
	__u64 second = bpf_ktime_get_coarse_ns() / SECOND;
	struct complaints *said = bpf_map_lookup_elem(&complaints, &ifindex);
	struct complaints first = { .second = second, .times = 1 };

	if (!most || !*most)
		return false;
	if (!said || said->second != second)
		return !bpf_map_update_elem(&complaints, &ifindex, &first, BPF_ANY);
	if (said->times >= *most)
		return false;
	said->times++;	/* two at the same moment may count as one */
	return true;
}

/* How much of a packet's transport is quoted; 0: nothing is said of it. No error may follow on one,
 * nor on a later piece. */
static __always_inline __u32 quoted_transport(struct __sk_buff *skb, const struct packet *packet)
{
	const struct icmp *icmp = header(skb, struct icmp, packet->transport);
	const bool ipv4 = packet->family == FAMILY_IPV4;

	if (packet->piece == LATER_PIECE || !icmp)
		return 0;
	if (packet->key.protocol == IPPROTO_TCP)
		return sizeof(struct tcphdr);
	if (packet->key.protocol == IPPROTO_UDP)
		return sizeof(struct udphdr);
	if (packet->key.protocol != (ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) ||
	    is_error(packet->family, icmp->type))
		return 0;
	return sizeof(*icmp);
}

/* The sum of the packet's headers up to its transport; they are in the linear part by now. */
static __always_inline bool sum_of_headers(struct __sk_buff *skb, const struct packet *packet,
					   __u32 *sum)
{
	struct {
		struct ipv6hdr ip;
		struct fragment_header fragment;
	} quote = {};
	long error;

	if (packet->transport == IPV4_TRANSPORT)
		error = bpf_skb_load_bytes(skb, IP_START, &quote, sizeof(struct iphdr));
	else if (packet->transport == IPV6_TRANSPORT)
		error = bpf_skb_load_bytes(skb, IP_START, &quote, sizeof(quote.ip));
	else
		error = bpf_skb_load_bytes(skb, IP_START, &quote, sizeof(quote));
	*sum = bpf_csum_diff(NULL, 0, (__be32 *)&quote, sizeof(quote), *sum);
	return !error;
}

/* The sum of the transport's part, and what stands in the place of its checksum. */
static __always_inline bool sum_of_transport(struct __sk_buff *skb, const struct packet *packet,
					     __u32 *sum, __u16 *check)
{
	struct tcphdr tcp = {};
	struct udphdr *udp = (struct udphdr *)&tcp;
	long error;

	if (packet->key.protocol == IPPROTO_TCP)
		error = bpf_skb_load_bytes(skb, packet->transport, &tcp, sizeof(tcp));
	else
		error = bpf_skb_load_bytes(skb, packet->transport, &tcp, sizeof(*udp));
	*sum = bpf_csum_diff(NULL, 0, (__be32 *)&tcp, sizeof(tcp), 0);
	if (packet->key.protocol == IPPROTO_TCP)
		*check = tcp.check;
	else
		*check = packet->key.protocol == IPPROTO_UDP ? udp->check : 0;
	return !error;
}

/* Tell the sender of a packet, from its gateway, that it has got too old. */
__noinline int reply_exceeded(struct __sk_buff *skb, const struct packet *packet)
{
	__u32 ifindex = skb->ifindex, start, quoted, sum, transport;
	const struct port *port = bpf_map_lookup_elem(&ports, &ifindex);
	struct icmp icmp = {};
	struct flow_key way;
	__u16 length, check;
	bool ipv4;

	if (!port || !packet)
		return TC_ACT_SHOT;
	ipv4 = packet->family == FAMILY_IPV4;
	if (ipv4 ? !port->gateway : unspecified(&port->gateway6))
		return TC_ACT_SHOT;
	way = reversed(&packet->key);
	way.source = ipv4 ? mapped(port->gateway) : port->gateway6;
	way.protocol = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	quoted = quoted_transport(skb, packet);
	if (!quoted || !may_complain(ifindex))
		return TC_ACT_SHOT;
	length = sizeof(icmp) + packet->transport - IP_START + quoted;
	icmp.type = ipv4 ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEEDED;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&icmp, sizeof(icmp),
			    ipv4 ? 0 : pseudo_sum(&way, FAMILY_IPV6, length));
	if (!sum_of_headers(skb, packet, &sum) || !sum_of_transport(skb, packet, &transport, &check))
		return TC_ACT_SHOT;
	/* A checksum left to the hardware makes the sum of all it is about the complement of what
	 * stood in its place. Else the kernel makes it the sum of what is there now. */
	icmp.checksum = ~checksum_fold(checksum_sum(sum, (__u16)~check));
	if (bpf_skb_change_tail(skb, packet->transport + quoted, 0) ||
	    bpf_skb_adjust_room(skb, sizeof(icmp) + (ipv4 ? sizeof(struct iphdr)
							  : sizeof(struct ipv6hdr)),
				BPF_ADJ_ROOM_MAC, 0))
		return TC_ACT_SHOT;
	start = ipv4 ? IPV4_TRANSPORT : IPV6_TRANSPORT;
	if (bpf_skb_store_bytes(skb, start, &icmp, sizeof(icmp), BPF_F_RECOMPUTE_CSUM) ||
	    bpf_l4_csum_replace(skb, start + offsetof(struct icmp, checksum), 0,
				checksum_sum(transport, check), 0))
		return TC_ACT_SHOT;
	return reply_with(skb, &way, packet->family, length);
}
