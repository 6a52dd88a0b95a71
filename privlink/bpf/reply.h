/* What the fabric itself answers, each sent back where it came from: ARP, neighbour discovery,
 * ping, and the two refusals, TCP's reset and UDP's "port unreachable". */
#pragma once

#include "packet.h"

/* The C library's headers for ARP and ICMP do not compile for eBPF; these are the same. */

#define ARP_ETHERNET 1	/* RFC 826 */
#define ARP_REQUEST 1
#define ARP_REPLY 2

/* RFC 826 for IPv4 over Ethernet. */
struct arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	struct mac sender_mac;
	__be32 sender;
	struct mac target_mac;
	__be32 target;
} __attribute__((packed, aligned(2)));

#define ICMP_ECHO_REPLY 0	/* RFC 792 */
#define ICMP_UNREACHABLE 3
#define ICMP_UNREACHABLE_PORT 3
#define ICMP_ECHO_REQUEST 8
#define ICMPV6_UNREACHABLE 1	/* RFC 4443 */
#define ICMPV6_UNREACHABLE_PORT 4
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY 129
#define ND_SOLICITATION 135	/* RFC 4861 */
#define ND_ADVERTISEMENT 136
#define ND_SOURCE_MAC 1
#define ND_TARGET_MAC 2

struct icmp {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 identifier;
	__be16 sequence;
};

/* RFC 4861 sections 4.3 and 4.4, with the one option that gives a MAC. */
struct discovery {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be32 flags;
	struct in6_addr target;
	__u8 option;
	__u8 option_length;	/* in units of 8 bytes */
	struct mac mac;
};

#define DISCOVERY_BARE offsetof(struct discovery, option)

#define ND_ROUTER 0x80000000u
#define ND_SOLICITED 0x40000000u
#define ND_OVERRIDE 0x20000000u

static __always_inline void turn_around(struct ethernet *ethernet)
{
	struct mac mac = ethernet->destination;

	ethernet->destination = ethernet->source;
	ethernet->source = mac;
}

static __always_inline int reply_arp(struct __sk_buff *skb, struct mac mac)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct arp *arp = header(skb, struct arp, ETH_HLEN);
	__be32 asked;

	if (!ethernet || !arp)
		return -REASON_TRUNCATED;
	asked = arp->target;
	ethernet->destination = arp->sender_mac;
	ethernet->source = mac;
	arp->target_mac = arp->sender_mac;
	arp->sender_mac = mac;
	arp->target = arp->sender;
	arp->sender = asked;
	arp->operation = bpf_htons(ARP_REPLY);
	return send(skb, skb->ifindex);
}

/* The sum of IPv6's pseudo header (RFC 8200 section 8.1) or of IPv4's (RFC 9293 section 3.1); of
 * an address that is mapped only its IPv4 part counts. */
static __always_inline __u32 pseudo_sum(const struct flow_key *key, __u8 family, __u32 length)
{
	struct {
		struct in6_addr source, destination;
		__be32 length, protocol;
	} pseudo = {
		.source = key->source,
		.destination = key->destination,
		.length = bpf_htonl(length),
		.protocol = bpf_htonl(key->protocol),
	};

	if (family == FAMILY_IPV4)
		pseudo.source.s6_addr32[2] = pseudo.destination.s6_addr32[2] = 0;
	return bpf_csum_diff(NULL, 0, (__be32 *)&pseudo, sizeof(pseudo), 0);
}

/* Write an IPv6 header whose way is the key's. */
static __always_inline void write_ipv6(struct ipv6hdr *ip, const struct flow_key *key,
				       __u16 length)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons(length);
	ip->nexthdr = key->protocol;
	ip->hop_limit = 255;	/* what discovery must have, RFC 4861, does for all */
	__builtin_memcpy(&ip->saddr, &key->source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &key->destination, sizeof(ip->daddr));
}

/* Write an IPv4 header, checksum and all, whose way is the key's. */
static __always_inline void write_ipv4(struct iphdr *ip, const struct flow_key *key,
				       __u16 length)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(sizeof(*ip) + length);
	ip->frag_off = bpf_htons(0x4000);	/* don't fragment, RFC 791 */
	ip->ttl = 64;
	ip->protocol = key->protocol;
	ip->saddr = key->source.s6_addr32[3];
	ip->daddr = key->destination.s6_addr32[3];
	ip->check = ~checksum_fold(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
}

/* The way back. */
static __always_inline struct flow_key reversed(const struct flow_key *key)
{
	return (struct flow_key) {
		.network = key->network,
		.source = key->destination,
		.destination = key->source,
		.source_port = key->destination_port,
		.destination_port = key->source_port,
		.protocol = key->protocol,
	};
}

/* RFC 4861 section 7.2.4. */
static __always_inline int reply_solicitation(struct __sk_buff *skb, const struct packet *packet,
					      const struct in6_addr *target, struct mac mac,
					      bool router)
{
	struct flow_key way = reversed(&packet->key);
	struct ethernet *ethernet;
	struct {
		struct ipv6hdr ip;
		struct discovery discovery;
	} reply = {
		.discovery = {
			.type = ND_ADVERTISEMENT,
			.flags = bpf_htonl(ND_SOLICITED | ND_OVERRIDE | (router ? ND_ROUTER : 0)),
			.target = *target,
			.option = ND_TARGET_MAC,
			.option_length = 1,
			.mac = mac,
		},
	};
	__u32 sum;

	way.source = *target;
	write_ipv6(&reply.ip, &way, sizeof(reply.discovery));
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&reply.discovery, sizeof(reply.discovery),
			    pseudo_sum(&way, FAMILY_IPV6, sizeof(reply.discovery)));
	reply.discovery.checksum = ~checksum_fold(sum);
	if (bpf_skb_change_tail(skb, IP_START + sizeof(reply), 0) ||
	    bpf_skb_store_bytes(skb, IP_START, &reply, sizeof(reply), BPF_F_RECOMPUTE_CSUM))
		return TC_ACT_SHOT;
	ethernet = header(skb, struct ethernet, 0);
	if (!ethernet)
		return TC_ACT_SHOT;
	ethernet->destination = ethernet->source;
	ethernet->source = mac;
	return send(skb, skb->ifindex);
}

/* Send an IP packet back as it is, its addresses swapped: that changes no checksum. */
static __always_inline int reply_swapped(struct __sk_buff *skb, const struct packet *packet)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct ipv6hdr *ipv6 = header(skb, struct ipv6hdr, IP_START);
	struct iphdr *ipv4 = header(skb, struct iphdr, IP_START);

	if (!ethernet)
		return -REASON_TRUNCATED;
	turn_around(ethernet);
	if (packet->family == FAMILY_IPV4 && ipv4) {
		ipv4->saddr = packet->key.destination.s6_addr32[3];
		ipv4->daddr = packet->key.source.s6_addr32[3];
	} else if (packet->family == FAMILY_IPV6 && ipv6) {
		__builtin_memcpy(&ipv6->saddr, &packet->key.destination, sizeof(ipv6->saddr));
		__builtin_memcpy(&ipv6->daddr, &packet->key.source, sizeof(ipv6->daddr));
	} else {
		return -REASON_TRUNCATED;
	}
	return send(skb, skb->ifindex);
}

/* RFC 792 and RFC 4443: the type is all that changes in the message. */
static __always_inline int reply_echo(struct __sk_buff *skb, const struct packet *packet)
{
	const bool ipv4 = packet->family == FAMILY_IPV4;
	struct icmp *icmp = header(skb, struct icmp, packet->transport);
	__u8 before = ipv4 ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST;
	__u8 after = ipv4 ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY;

	if (!icmp)
		return -REASON_TRUNCATED;
	icmp->type = after;
	bpf_l4_csum_replace(skb, packet->transport + offsetof(struct icmp, checksum),
			    bpf_htons(before << 8), bpf_htons(after << 8), 2);
	return reply_swapped(skb, packet);
}

/* The reset for a segment in a connection that does not exist: RFC 9293 section 3.10.7.1. */
static __always_inline struct tcphdr reset_of(const struct tcphdr *tcp, __u16 length)
{
	struct tcphdr reset = {
		.source = tcp->dest,
		.dest = tcp->source,
		.doff = 5,
		.rst = 1,
	};
	__u8 flags = tcp_flags(tcp);

	if (flags & TCP_ACK) {
		reset.seq = tcp->ack_seq;
		return reset;
	}
	reset.ack = 1;
	reset.ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + length - tcp->doff * 4 +
				  !!(flags & TCP_SYN) + !!(flags & TCP_FIN));
	return reset;
}

/* Put an IP header before a reply of `length` bytes that is in place, and send it back. */
static __always_inline int reply_with(struct __sk_buff *skb, const struct flow_key *way,
				      __u8 family, __u16 length)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct ipv6hdr ipv6;
	struct iphdr ipv4;
	long error;

	if (!ethernet)
		return TC_ACT_SHOT;
	turn_around(ethernet);
	if (family == FAMILY_IPV4) {
		write_ipv4(&ipv4, way, length);
		error = bpf_skb_store_bytes(skb, IP_START, &ipv4, sizeof(ipv4),
					    BPF_F_RECOMPUTE_CSUM);
	} else {
		write_ipv6(&ipv6, way, length);
		error = bpf_skb_store_bytes(skb, IP_START, &ipv6, sizeof(ipv6),
					    BPF_F_RECOMPUTE_CSUM);
	}
	return error ? TC_ACT_SHOT : send(skb, skb->ifindex);
}

static __always_inline int reply_reset(struct __sk_buff *skb, const struct packet *packet)
{
	const struct tcphdr *tcp = header(skb, struct tcphdr, packet->transport);
	struct flow_key way = reversed(&packet->key);
	const __u32 start = packet->transport;
	struct tcphdr reset;
	__u32 pseudo, sum;

	if (!tcp || packet->flags & TCP_RST)
		return TC_ACT_SHOT;
	reset = reset_of(tcp, packet->length);
	pseudo = pseudo_sum(&way, packet->family, sizeof(reset));
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&reset, sizeof(reset), pseudo);
	/* A checksum left to the hardware wants the sum of the pseudo header here; that is what we
	 * write, and the kernel leaves it alone. Else it takes the field for the complement of a
	 * sum and adds: -pseudo + (sum + pseudo) is what has to come out. */
	reset.check = checksum_fold(pseudo);
	if (bpf_skb_change_tail(skb, start + sizeof(reset), 0) ||
	    bpf_skb_store_bytes(skb, start, &reset, sizeof(reset), BPF_F_RECOMPUTE_CSUM) ||
	    bpf_l4_csum_replace(skb, start + offsetof(struct tcphdr, check), 0,
				checksum_sum(sum, pseudo), 0))
		return TC_ACT_SHOT;
	return reply_with(skb, &way, packet->family, sizeof(reset));
}

struct unreachable {
	struct icmp icmp;
	__u8 quote[sizeof(struct ipv6hdr) + sizeof(struct udphdr)];
};

/* The whole of it with a quote in IPv4. */
#define SHORTER_QUOTE (sizeof(struct unreachable) - sizeof(struct ipv6hdr) + sizeof(struct iphdr))

/* Port unreachable, RFC 792 and RFC 4443, with as much of the datagram as IPv4 asks for: its
 * header and 8 bytes. */
static __always_inline int reply_unreachable(struct __sk_buff *skb, const struct packet *packet)
{
	const bool ipv4 = packet->family == FAMILY_IPV4;
	const __u32 start = packet->transport;
	struct flow_key way = reversed(&packet->key);
	struct unreachable reply = {};
	__u32 size = sizeof(reply), pseudo = 0, sum;

	if (ipv4) {
		size = SHORTER_QUOTE;
		reply.icmp.type = ICMP_UNREACHABLE;
		reply.icmp.code = ICMP_UNREACHABLE_PORT;
		way.protocol = IPPROTO_ICMP;
		if (bpf_skb_load_bytes(skb, IP_START, reply.quote,
				       sizeof(struct iphdr) + sizeof(struct udphdr)))
			return TC_ACT_SHOT;
	} else {
		reply.icmp.type = ICMPV6_UNREACHABLE;
		reply.icmp.code = ICMPV6_UNREACHABLE_PORT;
		way.protocol = IPPROTO_ICMPV6;
		if (bpf_skb_load_bytes(skb, IP_START, reply.quote, sizeof(reply.quote)))
			return TC_ACT_SHOT;
		pseudo = pseudo_sum(&way, FAMILY_IPV6, size);
	}
	/* A quote in IPv4 leaves zeros at the end, which add nothing. */
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&reply, sizeof(reply), pseudo);
	reply.icmp.checksum = ~checksum_fold(sum);
	/* A UDP checksum left to the hardware will be put where UDP has it, which is in our unused
	 * field: with the sum of the pseudo header there, what it puts is a zero. Else the kernel
	 * makes it one now. */
	reply.icmp.sequence = checksum_fold(pseudo);
	if (bpf_skb_change_tail(skb, start + size, 0))
		return TC_ACT_SHOT;
	if (ipv4 ? bpf_skb_store_bytes(skb, start, &reply, SHORTER_QUOTE, BPF_F_RECOMPUTE_CSUM)
		 : bpf_skb_store_bytes(skb, start, &reply, sizeof(reply), BPF_F_RECOMPUTE_CSUM))
		return TC_ACT_SHOT;
	if (pseudo && bpf_l4_csum_replace(skb, start + offsetof(struct icmp, sequence), 0,
					  checksum_fold(pseudo), 0))
		return TC_ACT_SHOT;
	return reply_with(skb, &way, packet->family, size);
}

/* Tell the sender in its own protocol that this packet goes no further. */
static __noinline int refuse(struct __sk_buff *skb, const struct packet *packet)
{
	/* An answer takes the place of the transport header, behind an IP header of its own. */
	if (packet->piece != WHOLE ||
	    packet->transport != (packet->family == FAMILY_IPV4 ? IPV4_TRANSPORT : IPV6_TRANSPORT))
		return TC_ACT_SHOT;
	if (packet->key.protocol == IPPROTO_TCP)
		return reply_reset(skb, packet);
	if (packet->key.protocol == IPPROTO_UDP)
		return reply_unreachable(skb, packet);
	return TC_ACT_SHOT;
}
