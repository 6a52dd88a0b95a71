/* Datagrams in pieces. Only the first shows ports; the others are known by their identification.
 *
 * A piece must begin exactly where the one before it ended: whatever overlaps, comes twice, after a
 * gap or behind the end is dropped, so that no two readers can put it together differently (RFC
 * 1858, RFC 5722). On one host pieces do not overtake each other. They leave with an identification
 * of our own, since behind one source address there are many clients (RFC 6864).
 */
#pragma once

#include "packet.h"

#define DATAGRAM_SECONDS 30	/* Linux waits as long for the rest of a datagram */

static __always_inline struct fragment_key place_of(const struct __sk_buff *skb,
						    const struct packet *packet)
{
	return (struct fragment_key) {
		.ifindex = skb->ifindex,
		.place = (packet->family == FAMILY_IPV4 ? bpf_ntohs(packet->identification)
							: bpf_ntohl(packet->identification)) %
			 DATAGRAMS,
	};
}

/* Remember a datagram by its first piece. Returns what to identify it by, 0 where the table is
 * full. */
static __noinline __be32 begin_datagram(struct __sk_buff *skb, const struct packet *packet,
					bool echo)
{
	struct fragment_key place = place_of(skb, packet);
	struct datagram datagram = {
		.began = bpf_ktime_get_coarse_ns(),
		.key = packet->key,
		.identification = packet->identification,
		.next = packet->length,
		.echo = echo,
	};
	__u32 number = NUMBER_IDENTIFICATION;
	__u32 *last = bpf_map_lookup_elem(&numbers, &number);

	if (!last)
		return 0;
	/* IPv4 has room for half of it. */
	datagram.substitute = bpf_htons(__sync_fetch_and_add(last, 1) + 1);
	if (packet->family == FAMILY_IPV6)
		datagram.substitute |= bpf_get_prandom_u32() << 16;
	if (!datagram.substitute)
		datagram.substitute = bpf_htons(1);
	return bpf_map_update_elem(&fragments, &place, &datagram, BPF_ANY) ? 0
									   : datagram.substitute;
}

/* The datagram that a later piece goes on, its end moved; NULL where it goes on none. The piece
 * gets its datagram's ports. */
static __always_inline struct datagram *go_on(struct __sk_buff *skb, struct packet *packet)
{
	struct fragment_key place = place_of(skb, packet);
	struct datagram *datagram = bpf_map_lookup_elem(&fragments, &place);

	if (!datagram || datagram->identification != packet->identification ||
	    datagram->key.protocol != packet->key.protocol ||
	    !same_address(&datagram->key.source, &packet->key.source) ||
	    !same_address(&datagram->key.destination, &packet->key.destination) ||
	    datagram->next != packet->offset ||
	    bpf_ktime_get_coarse_ns() - datagram->began > DATAGRAM_SECONDS * 1000000000ull)
		return NULL;
	/* Pieces begin at multiples of 8, so at an odd number none goes on. */
	datagram->next += packet->length;
	datagram->next |= packet->last;
	packet->key.source_port = datagram->key.source_port;
	packet->key.destination_port = datagram->key.destination_port;
	return datagram;
}
