/* What the fabric itself answers: ARP, ping and the TCP reset, each sent back where it came from. */
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
#define ICMP_ECHO_REQUEST 8

struct icmp {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 identifier;
	__be16 sequence;
};

static __always_inline int reply_arp(struct __sk_buff *skb, struct mac mac)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct arp *arp = header(skb, struct arp, ETH_HLEN);
	__be32 asked;

	if (!ethernet || !arp)
		return drop(REASON_TRUNCATED);
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

static __always_inline void turn_around(struct ethernet *ethernet)
{
	struct mac mac = ethernet->destination;

	ethernet->destination = ethernet->source;
	ethernet->source = mac;
}

/* RFC 792. Swapping the addresses changes no checksum, the type changes its own. */
static __always_inline int reply_echo(struct __sk_buff *skb)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct iphdr *ip = header(skb, struct iphdr, IP_START);
	struct icmp *icmp = header(skb, struct icmp, TRANSPORT_START);
	__be32 asked;

	if (!ethernet || !ip || !icmp)
		return drop(REASON_TRUNCATED);
	turn_around(ethernet);
	asked = ip->daddr;
	ip->daddr = ip->saddr;
	ip->saddr = asked;
	icmp->type = ICMP_ECHO_REPLY;
	bpf_l4_csum_replace(skb, TRANSPORT_START + offsetof(struct icmp, checksum),
			    bpf_htons(ICMP_ECHO_REQUEST << 8), bpf_htons(ICMP_ECHO_REPLY << 8), 2);
	return send(skb, skb->ifindex);
}

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
};

/* The reset for a segment in a connection that does not exist: RFC 9293 section 3.10.7.1. */
static __always_inline void reset_of(const struct iphdr *ip, const struct tcphdr *tcp,
				     struct segment *reset)
{
	__u8 flags = tcp_flags(tcp);
	__u32 length = bpf_ntohs(ip->tot_len) - sizeof(*ip) - tcp->doff * 4 +
		       !!(flags & TCP_SYN) + !!(flags & TCP_FIN);

	reset->ip.version = 4;
	reset->ip.ihl = 5;
	reset->ip.tot_len = bpf_htons(sizeof(*reset));
	reset->ip.frag_off = bpf_htons(0x4000);	/* don't fragment, RFC 791 */
	reset->ip.ttl = 64;
	reset->ip.protocol = IPPROTO_TCP;
	reset->ip.saddr = ip->daddr;
	reset->ip.daddr = ip->saddr;
	reset->tcp.source = tcp->dest;
	reset->tcp.dest = tcp->source;
	reset->tcp.doff = 5;
	reset->tcp.rst = 1;
	if (flags & TCP_ACK) {
		reset->tcp.seq = tcp->ack_seq;
	} else {
		reset->tcp.ack = 1;
		reset->tcp.ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + length);
	}
}

/* Count the reason, and tell the sender of a segment with a reset in its place. */
static __noinline int refuse(struct __sk_buff *skb, enum reason reason)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct iphdr *ip = header(skb, struct iphdr, IP_START);
	struct tcphdr *tcp = header(skb, struct tcphdr, TRANSPORT_START);
	const __u32 check = TRANSPORT_START + offsetof(struct tcphdr, check);
	struct segment reset = {};
	struct { __be32 source, destination; __be16 protocol, length; } pseudo;
	__u32 pseudo_sum, sum;

	drop(reason);
	if (!ethernet || !ip || !tcp || tcp_flags(tcp) & TCP_RST)
		return TC_ACT_SHOT;
	turn_around(ethernet);
	reset_of(ip, tcp, &reset);
	reset.ip.check = ~checksum_fold(bpf_csum_diff(NULL, 0, (__be32 *)&reset.ip,
						      sizeof(reset.ip), 0));
	pseudo.source = reset.ip.saddr;
	pseudo.destination = reset.ip.daddr;
	pseudo.protocol = bpf_htons(IPPROTO_TCP);
	pseudo.length = bpf_htons(sizeof(reset.tcp));
	pseudo_sum = bpf_csum_diff(NULL, 0, (__be32 *)&pseudo, sizeof(pseudo), 0);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&reset.tcp, sizeof(reset.tcp), pseudo_sum);
	/* A checksum left to the hardware wants the sum of the pseudo header here; that is what we
	 * write, and the kernel leaves it alone. Else it takes the field for the complement of a
	 * sum and adds: -pseudo + (sum + pseudo) is what has to come out. */
	reset.tcp.check = checksum_fold(pseudo_sum);
	if (bpf_skb_change_tail(skb, HEADERS, 0) ||
	    bpf_skb_store_bytes(skb, IP_START, &reset, sizeof(reset), BPF_F_RECOMPUTE_CSUM) ||
	    bpf_l4_csum_replace(skb, check, 0, checksum_sum(sum, pseudo_sum), 0))
		return TC_ACT_SHOT;
	return send(skb, skb->ifindex);
}
