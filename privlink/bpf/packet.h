/* A packet's headers: reaching them, reading them, rewriting them. Knows nothing of flows' lives.
 *
 *   0        14              34               54       0        14            54 (62)
 *   | Ethernet | IPv4, no options | TCP, UDP, ICMP |   | Ethernet | IPv6 (fragment) | ... |
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "pace.h"

#define GATEWAY_MAC ((struct mac) { { bpf_htons(0xeeff), 0xffff, 0xffff } })

#define IP_START ETH_HLEN
#define IPV4_TRANSPORT (IP_START + sizeof(struct iphdr))
#define IPV6_TRANSPORT (IP_START + sizeof(struct ipv6hdr))
#define MOST_HEADERS (IPV6_TRANSPORT + sizeof(struct fragment_header) + sizeof(struct tcphdr))

#define TCP_FIN 0x01	/* RFC 9293 section 3.1 */
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* struct ethhdr with MACs that can be assigned. */
struct ethernet {
	struct mac destination;
	struct mac source;
	__be16 type;
};

/* RFC 8200 section 4.5; the C library's is not for eBPF. */
struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset;	/* in bytes; the lowest bit says that more follow */
	__be32 identification;
};

/* A header at an offset, or NULL where the packet ends before it does. Packet pointers die with
 * every helper that may move the packet, so each step reaches for its own. */
#define header(skb, type, offset) ((type *)reach(skb, offset, sizeof(type)))

static __always_inline void *reach(struct __sk_buff *skb, __u32 offset, __u32 size)
{
	void *start = (void *)(long)skb->data + offset;

	return start + size <= (void *)(long)skb->data_end ? start : NULL;
}

/* Headers may lie outside the linear part of a packet; few senders do that. */
static __always_inline void linearize(struct __sk_buff *skb, __u32 size)
{
	if (!reach(skb, 0, size))
		bpf_skb_pull_data(skb, skb->len < size ? skb->len : size);
}

static __always_inline bool same_mac(struct mac one, struct mac other)
{
	return !((one.parts[0] ^ other.parts[0]) | (one.parts[1] ^ other.parts[1]) |
		 (one.parts[2] ^ other.parts[2]));
}

static __always_inline bool to_many(const struct ethernet *ethernet)
{
	return ethernet->destination.parts[0] & bpf_htons(0x0100);
}

static __always_inline bool same_address(const struct in6_addr *one, const struct in6_addr *other)
{
	return !((one->s6_addr32[0] ^ other->s6_addr32[0]) |
		 (one->s6_addr32[1] ^ other->s6_addr32[1]) |
		 (one->s6_addr32[2] ^ other->s6_addr32[2]) |
		 (one->s6_addr32[3] ^ other->s6_addr32[3]));
}

static __always_inline bool unspecified(const struct in6_addr *address)
{
	return !(address->s6_addr32[0] | address->s6_addr32[1] | address->s6_addr32[2] |
		 address->s6_addr32[3]);
}

/* RFC 4291 section 2.5.5.2. */
static __always_inline struct in6_addr mapped(__be32 address)
{
	return (struct in6_addr) { .s6_addr32 = { 0, 0, bpf_htonl(0xffff), address } };
}

static __always_inline bool is_mapped(const struct in6_addr *address)
{
	return !(address->s6_addr32[0] | address->s6_addr32[1] |
		 (address->s6_addr32[2] ^ bpf_htonl(0xffff)));
}

/* What the fabric answers for at an address, or NULL. */
static __always_inline const struct address *find_address(__u32 network,
							  const struct in6_addr *address)
{
	struct address_key key = { .network = network, .address = *address };

	return bpf_map_lookup_elem(&addresses, &key);
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

static __always_inline __u32 address_difference(const struct in6_addr *from,
						const struct in6_addr *to)
{
	__u32 sum = 0;

	for (int i = 0; i < 4; i++)
		sum = checksum_sum(sum,
				   checksum_difference(from->s6_addr32[i], to->s6_addr32[i]));
	return sum;
}

static __always_inline __u16 checksum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return sum + (sum >> 16);
}

/* The control block tells the program-test call what a redirect alone does not: where to. */
static __always_inline int send(struct __sk_buff *skb, __u32 ifindex)
{
	skb->cb[CONTROL_EGRESS] = ifindex;
	return bpf_redirect(ifindex, 0);
}

/* Into the other end of a veth at once, past the queue of this one. */
static __always_inline int send_to_peer(struct __sk_buff *skb, __u32 ifindex)
{
	/* The type came from comparing the MAC with the port's; kernels before 6.14 keep it. */
	bpf_skb_change_type(skb, PACKET_HOST);
	skb->cb[CONTROL_EGRESS] = ifindex;
	return bpf_redirect_peer(ifindex, 0);
}

static __always_inline enum piece piece_of(__u16 offset, bool more)
{
	if (offset)
		return LATER_PIECE;
	return more ? FIRST_PIECE : WHOLE;
}

/* RFC 791: all but the last piece are of 8 bytes each; and none ends behind what the length of the
 * whole can say, which in IPv4 counts the header. */
static __always_inline bool piece_fits(const struct packet *packet, bool more)
{
	__u32 header = packet->family == FAMILY_IPV4 ? sizeof(struct iphdr) : 0;

	return !(more && packet->length & 7) &&
	       header + packet->offset + packet->length <= 0xffff;
}

/* Read the IPv4 header: PASSED, or why to drop. */
static __always_inline int read_ipv4(struct __sk_buff *skb, struct packet *packet)
{
	const struct iphdr *ip = header(skb, struct iphdr, IP_START);
	__u16 total, fragment;

	if (!ip)
		return REASON_TRUNCATED;
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || ip->ihl < 5 || total < sizeof(*ip))
		return REASON_MALFORMED;
	if (ip->ihl > 5)
		return REASON_IP_OPTIONS;
	if (IP_START + total > skb->len)
		return REASON_TRUNCATED;
	packet->family = FAMILY_IPV4;
	packet->transport = IPV4_TRANSPORT;
	packet->length = total - sizeof(*ip);
	packet->key.source = mapped(ip->saddr);
	packet->key.destination = mapped(ip->daddr);
	packet->key.protocol = ip->protocol;
	fragment = bpf_ntohs(ip->frag_off);
	packet->offset = fragment << 3;	/* RFC 791: 13 bits, in units of 8 bytes */
	packet->identification = ip->id;
	packet->piece = piece_of(packet->offset, fragment & 0x2000);
	packet->last = !(fragment & 0x2000);
	if (packet->piece != WHOLE && !piece_fits(packet, fragment & 0x2000))
		return REASON_FRAGMENT;
	return PASSED;
}

/* Read the IPv6 header, and that of a fragment: PASSED, or why to drop. */
static __always_inline int read_ipv6(struct __sk_buff *skb, struct packet *packet)
{
	const struct ipv6hdr *ip = header(skb, struct ipv6hdr, IP_START);
	const struct fragment_header *fragment;
	__u16 offset;

	if (!ip)
		return REASON_TRUNCATED;
	/* In our tables a mapped address is IPv4's; no packet may bear one. */
	if (ip->version != 6 || is_mapped(&ip->daddr))
		return REASON_MALFORMED;
	packet->length = bpf_ntohs(ip->payload_len);
	if (IPV6_TRANSPORT + packet->length > skb->len)
		return REASON_TRUNCATED;
	packet->family = FAMILY_IPV6;
	packet->transport = IPV6_TRANSPORT;
	__builtin_memcpy(&packet->key.source, &ip->saddr, sizeof(packet->key.source));
	__builtin_memcpy(&packet->key.destination, &ip->daddr, sizeof(packet->key.destination));
	packet->key.protocol = ip->nexthdr;
	packet->piece = WHOLE;
	if (packet->key.protocol != IPPROTO_FRAGMENT)
		return PASSED;
	fragment = header(skb, struct fragment_header, IPV6_TRANSPORT);
	if (!fragment)
		return REASON_TRUNCATED;
	if (packet->length < sizeof(*fragment))
		return REASON_MALFORMED;
	packet->transport += sizeof(*fragment);
	packet->length -= sizeof(*fragment);
	packet->key.protocol = fragment->next;
	offset = bpf_ntohs(fragment->offset);
	packet->offset = offset & ~7;
	packet->identification = fragment->identification;
	packet->piece = piece_of(packet->offset, offset & 1);
	packet->last = !(offset & 1);
	if (packet->piece != WHOLE && !piece_fits(packet, offset & 1))
		return REASON_FRAGMENT;
	return PASSED;
}

/* IPv6 protocol numbers that are no transport but a header more: RFC 7045 section 4. */
static __always_inline bool is_extension(__u8 protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
	       protocol == 60 || protocol == 135 || protocol == 139 || protocol == 140;
}

static __always_inline bool rewrite_ipv4(struct __sk_buff *skb, const struct packet *packet,
					 const struct flow *flow, __be32 substitute)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct iphdr *ip = header(skb, struct iphdr, IP_START);
	__u32 difference = flow->address_difference;

	if (!ethernet || !ip)
		return false;
	ethernet->destination = flow->destination_mac;
	ethernet->source = flow->source_mac;
	ip->saddr = flow->source.s6_addr32[3];
	ip->daddr = flow->destination.s6_addr32[3];
	if (packet->piece != WHOLE) {
		difference = checksum_sum(difference, checksum_difference(ip->id, (__u16)substitute));
		ip->id = substitute;
	}
	ip->check = ~checksum_fold(checksum_sum((__u16)~ip->check, difference));
	return true;
}

static __always_inline bool rewrite_ipv6(struct __sk_buff *skb, const struct packet *packet,
					 const struct flow *flow, __be32 substitute)
{
	struct ethernet *ethernet = header(skb, struct ethernet, 0);
	struct ipv6hdr *ip = header(skb, struct ipv6hdr, IP_START);
	struct fragment_header *fragment;
	__u32 difference = flow->address_difference;

	if (!ethernet || !ip)
		return false;
	ethernet->destination = flow->destination_mac;
	ethernet->source = flow->source_mac;
	__builtin_memcpy(&ip->saddr, &flow->source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &flow->destination, sizeof(ip->daddr));
	if (packet->piece != WHOLE) {
		fragment = header(skb, struct fragment_header, IPV6_TRANSPORT);
		if (!fragment)
			return false;
		difference = checksum_sum(difference, checksum_difference(fragment->identification,
									  substitute));
		fragment->identification = substitute;
	}
	/* No checksum of its own, but the hardware may have made one of the whole packet. */
	bpf_csum_update(skb, difference);
	return true;
}

/* Ports stand at the same place in TCP and UDP; the checksum does not. Only the kernel knows
 * whether that is there yet or left to the hardware. */
static __always_inline bool rewrite_ports(struct __sk_buff *skb, const struct packet *packet,
					  const struct flow *flow)
{
	const bool tcp = packet->key.protocol == IPPROTO_TCP;
	__u32 check = packet->transport + (tcp ? offsetof(struct tcphdr, check)
					       : offsetof(struct udphdr, check));
	/* A UDP checksum of 0 is none, RFC 768, and must neither be changed nor come about. */
	__u64 none = tcp ? 0 : BPF_F_MARK_MANGLED_0;
	__be16 *ports = reach(skb, packet->transport, sizeof(struct udphdr));

	if (!ports)
		return false;
	ports[0] = flow->source_port;
	ports[1] = flow->destination_port;
	bpf_l4_csum_replace(skb, check, 0, flow->address_difference, BPF_F_PSEUDO_HDR | none);
	if (flow->port_difference)
		bpf_l4_csum_replace(skb, check, 0, flow->port_difference, none);
	return true;
}

static __always_inline int deliver(struct __sk_buff *skb, struct packet *packet,
				   const struct flow *flow)
{
	if (flow->pace)
		return pace(skb, packet, flow);
	return flow->peer ? send_to_peer(skb, flow->ifindex) : send(skb, flow->ifindex);
}

/* Make the packet what `flow` says and send it on; `substitute` identifies a piece's datagram. The
 * time to live stays: to both sides the fabric is one wire. */
static __always_inline int rewrite(struct __sk_buff *skb, struct packet *packet,
				   const struct flow *flow, __be32 substitute)
{
	bool done = packet->family == FAMILY_IPV4 ? rewrite_ipv4(skb, packet, flow, substitute)
						  : rewrite_ipv6(skb, packet, flow, substitute);

	if (done && packet->piece != LATER_PIECE)
		done = rewrite_ports(skb, packet, flow);
	return done ? deliver(skb, packet, flow) : -REASON_TRUNCATED;
}
