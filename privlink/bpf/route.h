/* Routes: what is called where no address is the fabric's own, and who is next on the way. */
#pragma once

#include "packet.h"

/* Whether a neighbour on the port's bridge may have this address. */
static __always_inline bool in_vswitch(const struct port *port, const struct in6_addr *address)
{
	if (is_mapped(address))
		return (address->s6_addr32[3] & port->netmask) == port->subnet;
	return address->s6_addr32[0] == port->subnet6[0] &&
	       address->s6_addr32[1] == port->subnet6[1] && !unspecified(&port->address6);
}

/* Whether a router may pass on what comes from an address or is for one (RFC 1812 sections 4.2.2.11,
 * 5.3.7 and 5.3.8, RFC 3927 section 7, RFC 4291 sections 2.5.2, 2.5.3, 2.5.6 and 2.7): whatever the
 * routes say, not for groups, for everybody or for one link alone. */
static __always_inline bool routable(const struct in6_addr *address)
{
	const __u32 first = bpf_ntohl(address->s6_addr32[0]), last = bpf_ntohl(address->s6_addr32[3]);

	if (is_mapped(address))
		return last >> 24 && last >> 24 != 127 && last >> 24 < 224 && last >> 16 != 0xa9fe;
	return first >> 24 != 0xff && first >> 22 != 0xfe80 >> 6 &&
	       (first | address->s6_addr32[1] | address->s6_addr32[2] | last >> 1);
}

/* The route for an address, or NULL. */
static __noinline const struct route *find_route(const struct port *port,
						 const struct in6_addr *address)
{
	struct route_key key = {
		.prefix = ROUTE_PREFIX,
		.table = port->table,
		.address = *address,
	};

	return port->table && routable(address) ? bpf_map_lookup_elem(&routes, &key) : NULL;
}

/* What a client at a port calls: an address of the fabric, a door of a NAT gateway, or a gateway
 * endpoint; NULL where that is nothing the fabric answers for. */
static __noinline const struct address *find_called(const struct port *port,
						    const struct flow_key *key)
{
	const struct address *address = find_address(key->network, &key->destination), *door;
	struct door_key door_key = {
		.network = key->network,
		.address = key->destination,
		.port = key->destination_port,
		.protocol = key->protocol,
	};
	const struct route *route;

	if (address) {
		door = address->kind == ADDRESS_NAT ? bpf_map_lookup_elem(&doors, &door_key) : NULL;
		return door ? door : address;
	}
	if (in_vswitch(port, &key->destination))
		return NULL;
	route = find_route(port, &key->destination);
	return route && route->kind == ROUTE_ENDPOINT ? &route->called : NULL;
}

/* Whether the routes of a workload's vswitch lead to an address through another workload. They say
 * nothing of its neighbours, who speak for themselves. */
static __always_inline bool leads_through(const struct port *port, const struct in6_addr *address,
					  const struct port *hop)
{
	const struct route *route = find_route(port, address);
	struct in6_addr own = mapped(hop->address);

	return route && route->kind == ROUTE_HOP && !in_vswitch(port, address) &&
	       (same_address(&route->hop, &own) || same_address(&route->hop, &hop->address6));
}

/* Whether a workload may send what is not its own: its vswitch's routes lead there through it. What
 * the fabric answers for nobody speaks for, however far a route leads: names are answered there. */
static __always_inline bool passes_on(const struct port *port, const struct in6_addr *source)
{
	return leads_through(port, source, port) && !find_address(port->network, source);
}

/* Whether what a workload had sent, turned around in `quoted`, went through another one to be passed
 * on: by the routes of who sent it, whatever the other's own say. */
static __noinline bool went_through(const struct port *hop, const struct flow_key *quoted)
{
	struct address_key where = {
		.network = hop->network,
		.address = quoted->destination,
	};
	const struct neighbour *sender = bpf_map_lookup_elem(&neighbours, &where);
	const struct port *port;
	__u32 link;

	if (!sender || find_address(hop->network, &quoted->source))
		return false;
	link = sender->ifindex;
	port = bpf_map_lookup_elem(&ports, &link);
	return port && leads_through(port, &quoted->source, hop);
}

/* One hop less to live: false with the last. */
static __always_inline bool age_ipv4(struct __sk_buff *skb)
{
	struct iphdr *ip = header(skb, struct iphdr, IP_START);
	__u32 sum;

	if (!ip || ip->ttl <= 1)
		return false;
	ip->ttl--;
	sum = ip->check + bpf_htons(0x0100);	/* RFC 1141 */
	ip->check = sum + (sum > 0xffff);
	return true;
}

static __always_inline bool age_ipv6(struct __sk_buff *skb)
{
	struct ipv6hdr *ip = header(skb, struct ipv6hdr, IP_START);
	__u16 *word = (void *)ip + offsetof(struct ipv6hdr, nexthdr);	/* and the hop limit */
	__u16 before;

	if (!ip || ip->hop_limit <= 1)
		return false;
	before = *word;
	ip->hop_limit--;
	/* No checksum of its own, but the hardware may have made one of the whole packet. */
	bpf_csum_update(skb, checksum_difference(before, *word));
	return true;
}

/* As a router does: to the next one's MAC, from the gateway's, and a hop older. */
static __always_inline int pass_on(struct __sk_buff *skb, const struct packet *packet,
				   const struct neighbour *neighbour)
{
	struct ethernet *ethernet;

	if (!(packet->family == FAMILY_IPV4 ? age_ipv4(skb) : age_ipv6(skb)))
		return -REASON_HOP_LIMIT;
	ethernet = header(skb, struct ethernet, 0);
	if (!ethernet)
		return -REASON_TRUNCATED;
	ethernet->destination = neighbour->mac;
	ethernet->source = GATEWAY_MAC;
	return neighbour->peer ? send_to_peer(skb, neighbour->ifindex) : send(skb, neighbour->ifindex);
}
