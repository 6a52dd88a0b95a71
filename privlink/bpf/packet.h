/* A packet's headers: reaching them, checking them, rewriting them. Knows nothing of flows.
 *
 *   0        14              34               54
 *   | Ethernet | IPv4, no options | TCP or ICMP ... |
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

#define IP_START ETH_HLEN
#define TRANSPORT_START (IP_START + sizeof(struct iphdr))
#define HEADERS (TRANSPORT_START + sizeof(struct tcphdr))

/* struct ethhdr with MACs that can be assigned. */
struct ethernet {
	struct mac destination;
	struct mac source;
	__be16 type;
};

#define TCP_FIN 0x01	/* RFC 9293 section 3.1 */
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* A header at a fixed offset, or NULL where the packet ends before it does. Packet pointers die
 * with every helper that may move the packet, so each step reaches for its own. */
#define header(skb, type, offset) ((type *)reach(skb, offset, sizeof(type)))

static __always_inline void *reach(struct __sk_buff *skb, __u32 offset, __u32 size)
{
	void *start = (void *)(long)skb->data;

	return start + offset + size <= (void *)(long)skb->data_end ? start + offset : NULL;
}

/* Headers may lie outside the linear part of a packet; few senders do that. */
static __always_inline void linearize_headers(struct __sk_buff *skb)
{
	if (!reach(skb, 0, HEADERS))
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
}

static __noinline int drop(enum reason reason)
{
	__u32 key = reason;
	__u64 *count = bpf_map_lookup_elem(&drops, &key);

	if (count)
		*count += 1;
	return TC_ACT_SHOT;
}

static __always_inline bool same_mac(struct mac one, struct mac other)
{
	return !((one.parts[0] ^ other.parts[0]) | (one.parts[1] ^ other.parts[1]) |
		 (one.parts[2] ^ other.parts[2]));
}

static __always_inline __u8 tcp_flags(const struct tcphdr *tcp)
{
	return ((const __u8 *)tcp)[13];
}

/* Ones' complement arithmetic, RFC 1071 and RFC 1624. */
static __always_inline __u32 checksum_sum(__u32 one, __u32 other)
{
	__u32 sum = one + other;

	return sum + (sum < other);
}

static __always_inline __u32 checksum_difference(__u32 from, __u32 to)
{
	return checksum_sum(to, ~from);
}

static __always_inline __u16 checksum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return sum + (sum >> 16);
}

/* cb[0] tells the program-test call what a redirect alone does not: where to. */
static __always_inline int send(struct __sk_buff *skb, __u32 ifindex)
{
	skb->cb[0] = ifindex;
	return bpf_redirect(ifindex, 0);
}

/* Into the other end of a veth at once, past the queue of this one. */
static __always_inline int send_to_peer(struct __sk_buff *skb, __u32 ifindex)
{
	/* The type came from comparing the MAC with the port's; kernels before 6.14 keep it. */
	bpf_skb_change_type(skb, PACKET_HOST);
	skb->cb[0] = ifindex;
	return bpf_redirect_peer(ifindex, 0);
}

/* Make the packet what `flow` says and send it on. The time to live stays: to both sides the
 * fabric is one wire. */
static __always_inline int rewrite(struct __sk_buff *skb, const struct flow *flow)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct iphdr *ip = header(skb, struct iphdr, IP_START);
	struct tcphdr *tcp = header(skb, struct tcphdr, TRANSPORT_START);
	const __u32 check = TRANSPORT_START + offsetof(struct tcphdr, check);

	if (!ethernet || !ip || !tcp)
		return drop(REASON_TRUNCATED);
	ethernet->destination = flow->destination_mac;
	ethernet->source = flow->source_mac;
	ip->saddr = flow->source;
	ip->daddr = flow->destination;
	ip->check = ~checksum_fold(checksum_sum((__u16)~ip->check, flow->address_difference));
	tcp->source = flow->source_port;
	tcp->dest = flow->destination_port;
	/* Only the kernel knows whether the checksum is there yet or left to the hardware. */
	bpf_l4_csum_replace(skb, check, 0, flow->address_difference, BPF_F_PSEUDO_HDR);
	bpf_l4_csum_replace(skb, check, 0, flow->port_difference, 0);
	if (flow->peer)
		return send_to_peer(skb, flow->ifindex);
	return send(skb, flow->ifindex);
}
