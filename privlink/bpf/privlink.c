/* The data plane: what happens to a packet a workload sends.
 *
 * Runs at tc ingress of the fabric end of every workload's link, a port of its vswitch's bridge.
 * A packet is the workload's own or dropped; then it belongs to a known flow and is rewritten and
 * redirected to the other network, or is for an address the fabric answers for, or for a neighbour
 * on the bridge. Everything else is dropped, and every drop is counted with its reason.
 */
#include "collect.h"
#include "discovery.h"
#include "error.h"
#include "exceeded.h"
#include "filter.h"
#include "flow.h"
#include "fragment.h"
#include "packet.h"
#include "reply.h"
#include "route.h"

/* For no neighbour, and no endpoint: on to where the routes say. Nothing is kept of it. */
__noinline int route_on(struct __sk_buff *skb, const struct port *port, struct packet *packet)
{
	const struct neighbour *neighbour;
	const struct route *route;
	struct address_key where;

	if (!port || !packet)
		return -REASON_TRUNCATED;
	route = find_route(port, &packet->key.destination);
	if (!route)
		return packet->piece == WHOLE ? -REASON_NO_ROUTE : -REASON_FRAGMENT;
	if (route->kind == ROUTE_ENDPOINT)
		return packet->piece == WHOLE ? -REASON_PROTOCOL : -REASON_FRAGMENT;
	where.network = port->network;
	where.address = route->kind == ROUTE_HOP ? route->hop : packet->key.destination;
	neighbour = bpf_map_lookup_elem(&neighbours, &where);
	/* Back to who has just sent it, it would go round in a circle. */
	if (!neighbour || neighbour->ifindex == skb->ifindex)
		return -REASON_NO_ROUTE;
	return pass_on(skb, packet, neighbour);
}

/* Not for the fabric: a neighbour on the bridge, or elsewhere. */
static __always_inline int handle_neighbour(struct __sk_buff *skb, const struct port *port,
					    struct packet *packet)
{
	const struct ethernet *ethernet = header(skb, struct ethernet, 0);

	if (!in_vswitch(port, &packet->key.destination))
		return route_on(skb, port, packet);
	if (packet->family == FAMILY_IPV4 &&
	    (packet->key.destination.s6_addr32[3] | port->netmask) == ~0u)
		return -REASON_MULTICAST;
	if (!ethernet || same_mac(ethernet->destination, GATEWAY_MAC))
		return -REASON_VIA_GATEWAY;
	return TC_ACT_OK;
}

/* Where a packet is counted. */
static __always_inline void belongs(struct packet *packet, const struct flow *flow)
{
	packet->place = flow->place;
	packet->way = flow->reverse ? FROM_SERVER : FROM_CLIENT;
}

/* A packet of a flow that stands, if it is still there. */
static __always_inline int carry(struct __sk_buff *skb, struct packet *packet,
				 const struct flow *flow)
{
	__be32 substitute = 0;

	if (!flow)
		return -REASON_CHANGING;
	if (packet->piece == FIRST_PIECE) {
		substitute = begin_datagram(skb, packet, false);
		if (!substitute)
			return -REASON_FLOW_TABLE_FULL;
	}
	return rewrite(skb, packet, flow, substitute);
}

/* The first packet of a conversation with an address of the fabric, or a stray one. */
__noinline int handle_request(struct __sk_buff *skb, const struct port *port,
			      struct packet *packet, const struct address *address)
{
	__u32 only = 0, number;
	struct halves *halves = bpf_map_lookup_elem(&scratch, &only);
	int reason, outcome;

	if (!port || !packet || !address || !halves)
		return -REASON_TRUNCATED;
	number = address->forward;
	if (address->kind == ADDRESS_GATEWAY || address->kind == ADDRESS_NAT)
		return -REASON_NO_LISTENER;
	packet->place = address->place;
	packet->way = FROM_CLIENT;
	packet->asks = packet->key.protocol != IPPROTO_TCP ||
			  (packet->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	if (!bpf_map_lookup_elem(&forwards, &number))
		return -REASON_NOT_ACCEPTED;
	if (!packet->asks)
		return flows_are_moving() ? -REASON_CHANGING : -REASON_NO_FLOW;
	halves->there.epoch = epoch_now();
	reason = judge(port, address, &packet->key, packet->family);
	/* What was judged must have been one endpoint's: as with flows, see `hold`. */
	halves->there.forward = number;
	halves->there.balancer = address->balancer;
	if (reason == PASSED && find_called(port, &packet->key) != address)
		reason = REASON_CHANGING;
	if (reason == PASSED)
		reason = open_flow(skb, port, packet, halves);
	if (reason != PASSED)
		return -reason;
	packet->asks = 0;
	outcome = carry(skb, packet, &halves->there);
	if (outcome >= 0)
		count_carried(skb, packet, NULL);
	return outcome;
}

/* What belongs to no flow and has ports. */
static __always_inline int handle_other(struct __sk_buff *skb, const struct port *port,
					struct packet *packet)
{
	const struct address *address = find_called(port, &packet->key);

	return address ? handle_request(skb, port, packet, address)
		       : handle_neighbour(skb, port, packet);
}

static __always_inline int handle_tcp(struct __sk_buff *skb, const struct port *port,
				      struct packet *packet)
{
	const struct tcphdr *tcp = header(skb, struct tcphdr, packet->transport);
	struct flow *flow;
	bool opens, last;
	int reason, outcome;

	if (packet->length < sizeof(*tcp))
		return packet->piece == WHOLE ? -REASON_MALFORMED : -REASON_FRAGMENT;
	if (!tcp)
		return -REASON_TRUNCATED;
	packet->flags = tcp_flags(tcp);
	if (tcp->doff < 5 || packet->length < tcp->doff * 4 ||
	    (packet->flags & TCP_SYN && packet->flags & (TCP_FIN | TCP_RST)))
		return -REASON_MALFORMED;
	packet->header = tcp->doff * 4;
	packet->key.source_port = tcp->source;
	packet->key.destination_port = tcp->dest;
	packet->acknowledged = tcp->ack_seq;
	packet->end = bpf_htonl(bpf_ntohl(tcp->seq) + packet->length - tcp->doff * 4 +
				!!(packet->flags & TCP_FIN));
	flow = bpf_map_lookup_elem(&flows, &packet->key);
	if (!flow)
		return handle_other(skb, port, packet);
	belongs(packet, flow);
	opens = (packet->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	if (opens && flow->reverse)
		return -REASON_UNSOLICITED_SYN;
	reason = standing(skb, &packet->key, flow, packet->family);
	if (reason == REASON_CHANGING)
		return -reason;
	if (reason == PASSED && !(opens && ended(flow))) {
		last = observe(&packet->key, flow, packet);
		outcome = carry(skb, packet, hold(&packet->key, flow));
		if (outcome >= 0)
			count_carried(skb, packet, flow);
		if (last)
			forget(&packet->key, flow);
		return outcome;
	}
	if (!opens) {
		revoke(&packet->key, flow, cause_for(reason));
		return -reason;
	}
	return forget(&packet->key, flow) ? handle_other(skb, port, packet) : -REASON_CHANGING;
}

static __always_inline int handle_udp(struct __sk_buff *skb, const struct port *port,
				      struct packet *packet)
{
	const struct udphdr *udp = header(skb, struct udphdr, packet->transport);
	struct flow *flow;
	int reason, outcome;

	if (packet->length < sizeof(*udp))
		return packet->piece == WHOLE ? -REASON_MALFORMED : -REASON_FRAGMENT;
	if (!udp)
		return -REASON_TRUNCATED;
	if (bpf_ntohs(udp->len) < sizeof(*udp) ||
	    (packet->piece == WHOLE && bpf_ntohs(udp->len) > packet->length))
		return -REASON_MALFORMED;
	packet->header = sizeof(*udp);
	packet->key.source_port = udp->source;
	packet->key.destination_port = udp->dest;
	flow = bpf_map_lookup_elem(&flows, &packet->key);
	if (!flow)
		return handle_other(skb, port, packet);
	belongs(packet, flow);
	reason = standing(skb, &packet->key, flow, packet->family);
	if (reason == REASON_CHANGING)
		return -reason;
	if (reason == PASSED) {
		see(flow, false);
		outcome = carry(skb, packet, hold(&packet->key, flow));
		if (outcome >= 0)
			count_carried(skb, packet, flow);
		return outcome;
	}
	if (flow->reverse) {
		revoke(&packet->key, flow, cause_for(reason));
		return -reason;
	}
	/* A datagram can open anew what was closed under it. */
	return forget(&packet->key, flow) ? handle_other(skb, port, packet) : -REASON_CHANGING;
}

/* Ping to an address of the fabric; the pieces of a large one go back as they came. */
__noinline int handle_echo(struct __sk_buff *skb, const struct port *port,
			   struct packet *packet, const struct address *address)
{
	int reason = PASSED;

	if (!port || !packet || !address)
		return -REASON_TRUNCATED;
	if (address->kind != ADDRESS_GATEWAY)
		reason = judge(port, address, &packet->key, packet->family);
	if (reason != PASSED) {
		packet->place = address->place;
		packet->asks = 1;
		return -reason;
	}
	if (packet->piece == FIRST_PIECE && !begin_datagram(skb, packet, true))
		return -REASON_FLOW_TABLE_FULL;
	return reply_echo(skb, packet);
}

__noinline int handle_error(struct __sk_buff *skb, const struct port *port,
			    struct packet *packet)
{
	__u32 number = KEY_QUOTED;
	struct flow_key *key = bpf_map_lookup_elem(&keys, &number);
	const struct flow *held;
	struct flow *flow = NULL;
	int reason, outcome;

	if (!port || !packet || !key)
		return -REASON_TRUNCATED;
	linearize(skb, LONGEST_ERROR);
	if (!read_quote(skb, packet, key))
		return -REASON_FOREIGN_ERROR;
	/* A router speaks of what was for others: of what it passes on, which is in no table of ours,
	 * or of the answers to who is behind it. */
	if (!same_address(&key->source, &packet->key.source)) {
		if (went_through(port, key))
			return handle_neighbour(skb, port, packet);
		if (!speaks_for_client(skb, port, packet, key))
			return -REASON_FOREIGN_ERROR;
	}
	if (read_quoted_ports(skb, packet, key))
		flow = bpf_map_lookup_elem(&flows, key);
	if (flow) {
		belongs(packet, flow);
		reason = standing(skb, key, flow, packet->family);
		if (reason != PASSED)
			return -reason;
		held = hold(key, flow);
		if (held && !speak_for(skb, packet, &key->source))
			return -REASON_TRUNCATED;
		outcome = held ? carry_error(skb, packet, held) : -REASON_CHANGING;
		if (outcome >= 0)
			count_carried(skb, packet, flow);
		return outcome;
	}
	if (find_address(port->network, &packet->key.destination))
		return -REASON_FOREIGN_ERROR;
	return in_vswitch(port, &packet->key.destination) ||
	       find_route(port, &packet->key.destination)
		? handle_neighbour(skb, port, packet) : -REASON_FOREIGN_ERROR;
}

static __always_inline int handle_icmp(struct __sk_buff *skb, const struct port *port,
				       struct packet *packet)
{
	const struct icmp *icmp = header(skb, struct icmp, packet->transport);
	const struct address *address;
	__u8 request = packet->family == FAMILY_IPV4 ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST;

	if (packet->length < sizeof(*icmp))
		return packet->piece == WHOLE ? -REASON_MALFORMED : -REASON_FRAGMENT;
	if (!icmp)
		return -REASON_TRUNCATED;
	if (packet->family == FAMILY_IPV6 && is_discovery(icmp->type))
		return -REASON_ADVERTISEMENT;	/* in pieces: RFC 6980 */
	/* None is so long that it would have to be (RFC 1812 section 4.3.2.3, RFC 4443). */
	if (is_error(packet->family, icmp->type))
		return packet->piece == WHOLE ? handle_error(skb, port, packet) : -REASON_FRAGMENT;
	address = find_address(port->network, &packet->key.destination);
	if (!address)
		return is_routers(packet->family, icmp->type)
			? -REASON_ADVERTISEMENT : handle_neighbour(skb, port, packet);
	if (icmp->type != request || icmp->code)
		return -REASON_ICMP_TYPE;
	return handle_echo(skb, port, packet, address);
}

/* A later piece of a datagram. */
__noinline int handle_piece(struct __sk_buff *skb, const struct port *port,
			    struct packet *packet)
{
	const struct datagram *datagram;
	const struct flow *held;
	struct flow *flow;
	int reason, outcome;

	if (!port || !packet)
		return -REASON_TRUNCATED;
	datagram = go_on(skb, packet);
	if (!datagram)
		return find_address(port->network, &packet->key.destination)
			? -REASON_FRAGMENT : handle_neighbour(skb, port, packet);
	if (datagram->echo)
		return reply_swapped(skb, packet);
	flow = bpf_map_lookup_elem(&flows, &packet->key);
	if (!flow)
		return -REASON_NO_FLOW;
	belongs(packet, flow);
	reason = standing(skb, &packet->key, flow, packet->family);
	if (reason != PASSED)
		return -reason;
	held = hold(&packet->key, flow);
	outcome = held ? rewrite(skb, packet, held, datagram->substitute) : -REASON_CHANGING;
	if (outcome >= 0)
		count_carried(skb, packet, flow);
	return outcome;
}

/* By protocol, once the packet is known to be the workload's own. */
static __always_inline int handle_packet(struct __sk_buff *skb, const struct port *port,
					 struct packet *packet)
{
	__u8 icmp = packet->family == FAMILY_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (packet->piece == LATER_PIECE)
		return handle_piece(skb, port, packet);
	if (packet->key.protocol == IPPROTO_TCP)
		return handle_tcp(skb, port, packet);
	if (packet->key.protocol == IPPROTO_UDP)
		return handle_udp(skb, port, packet);
	if (packet->key.protocol == icmp)
		return handle_icmp(skb, port, packet);
	if (find_address(port->network, &packet->key.destination))
		return -REASON_PROTOCOL;
	return handle_neighbour(skb, port, packet);
}

static __noinline int handle_ipv4(struct __sk_buff *skb, const struct port *port,
				       struct packet *packet)
{
	const struct ethernet *ethernet;
	int reason;

	linearize(skb, IPV4_TRANSPORT + sizeof(struct tcphdr));
	reason = read_ipv4(skb, packet);
	if (reason != PASSED)
		return -reason;
	if (packet->key.source.s6_addr32[3] != port->address &&
	    !passes_on(port, &packet->key.source))
		return -REASON_SPOOFED_SOURCE;
	ethernet = header(skb, struct ethernet, 0);
	if (!ethernet || to_many(ethernet))
		return -REASON_MULTICAST;
	return handle_packet(skb, port, packet);
}

static __noinline int handle_ipv6(struct __sk_buff *skb, const struct port *port,
				       struct packet *packet)
{
	const struct ethernet *ethernet;
	const struct icmp *icmp;
	int reason;

	if (unspecified(&port->address6))
		return -REASON_NOT_IP;
	linearize(skb, MOST_HEADERS);
	reason = read_ipv6(skb, packet);
	if (reason != PASSED)
		return -reason;
	icmp = header(skb, struct icmp, IPV6_TRANSPORT);
	if (packet->key.protocol == IPPROTO_ICMPV6 && packet->transport == IPV6_TRANSPORT &&
	    packet->length >= sizeof(*icmp) && icmp && is_discovery(icmp->type))
		return handle_discovery(skb, port, packet);
	ethernet = header(skb, struct ethernet, 0);
	if (!ethernet)
		return -REASON_TRUNCATED;
	/* Honest stacks report their groups (RFC 3590) from where they may not send anything else. */
	if (!same_address(&packet->key.source, &port->address6) &&
	    !passes_on(port, &packet->key.source))
		return to_many(ethernet) && (unspecified(&packet->key.source) ||
					     is_own(port, &packet->key.source))
			? -REASON_MULTICAST : -REASON_SPOOFED_SOURCE;
	if (to_many(ethernet))
		return -REASON_MULTICAST;
	if (is_extension(packet->key.protocol))
		return -REASON_IP_OPTIONS;
	return handle_packet(skb, port, packet);
}

/* A verdict of TC_ACT_*, or why the frame goes no further, negative; so are all the results above. */
static __always_inline int handle_frame(struct __sk_buff *skb, struct packet *packet)
{
	__u32 ifindex = skb->ifindex;
	const struct port *port = bpf_map_lookup_elem(&ports, &ifindex);
	const struct ethernet *ethernet;

	if (!port)
		return -REASON_UNKNOWN_PORT;
	/* The tag itself is in the packet's metadata by now: the frame would look like plain IPv4. */
	if (skb->vlan_present)
		return -REASON_VLAN_TAGGED;
	ethernet = header(skb, struct ethernet, 0);
	if (!ethernet)
		return -REASON_TRUNCATED;
	if (!same_mac(ethernet->source, port->mac))
		return -REASON_SPOOFED_SOURCE;
	packet->key.network = port->network;
	if (ethernet->type == bpf_htons(ETH_P_IP))
		return handle_ipv4(skb, port, packet);
	if (ethernet->type == bpf_htons(ETH_P_IPV6))
		return handle_ipv6(skb, port, packet);
	if (ethernet->type == bpf_htons(ETH_P_ARP))
		return handle_arp(skb, port);
	return -REASON_NOT_IP;
}

/* Whether the sender is told, in its own protocol; their list says why. */
static __always_inline bool is_told(enum reason reason)
{
	return (reason >= REASON_CLOSED && reason <= REASON_NO_LONGER_PERMITTED) ||
	       reason == REASON_SERVER_GONE || reason == REASON_IDLE;
}

/* Count a packet that goes no further; the control block tells the program-test call the reason. */
static __always_inline int drop(struct __sk_buff *skb, const struct packet *packet,
				enum reason reason)
{
	__u32 key = reason;
	__u64 *count = bpf_map_lookup_elem(&drops, &key);

	if (count)
		*count += 1;
	if (packet->place)
		count_refused(skb, packet, reason);
	if (packet->asks)
		say_refused(packet, reason);
	skb->cb[CONTROL_REASON] = reason;
	if (reason == REASON_HOP_LIMIT)
		return reply_exceeded(skb, packet);
	return is_told(reason) ? refuse(skb, packet) : TC_ACT_SHOT;
}

SEC("tc")
int privlink_ingress(struct __sk_buff *skb)
{
	__u32 only = 0;
	struct packet *packet = bpf_map_lookup_elem(&packets, &only);
	int outcome;

	if (!packet)
		return TC_ACT_SHOT;
	__builtin_memset(packet, 0, sizeof(*packet));
	outcome = handle_frame(skb, packet);
	return outcome >= 0 ? outcome : drop(skb, packet, -outcome);
}

/* What a packet from the shaper counts as: the lengths in its headers, as when it went in, and where
 * it says that it is counted; that is nowhere if it is none of ours. */
static __noinline int read_shaped(struct __sk_buff *skb, struct packet *packet)
{
	const struct ethernet *ethernet;
	const struct tcphdr *tcp;
	int reason = REASON_NOT_IP;

	linearize(skb, MOST_HEADERS);
	ethernet = header(skb, struct ethernet, 0);
	if (ethernet && ethernet->type == bpf_htons(ETH_P_IP))
		reason = read_ipv4(skb, packet);
	else if (ethernet && ethernet->type == bpf_htons(ETH_P_IPV6))
		reason = read_ipv6(skb, packet);
	if (reason != PASSED)
		return reason;
	tcp = header(skb, struct tcphdr, packet->transport);
	if (packet->piece != LATER_PIECE && packet->key.protocol == IPPROTO_TCP && tcp)
		packet->header = tcp->doff * 4;
	if (packet->piece != LATER_PIECE && packet->key.protocol == IPPROTO_UDP)
		packet->header = sizeof(struct udphdr);
	packet->place = skb->cb[CONTROL_PLACE];
	packet->way = skb->cb[CONTROL_WAY] & 1;
	return PASSED;
}

/* At tc ingress of the shaper's far ends: to where the packet was going, if that is still there. */
SEC("tc")
int privlink_deliver(struct __sk_buff *skb)
{
	__u32 mark = skb->mark, ifindex = mark & ~MARK_PEER, only = 0;
	struct packet *packet = bpf_map_lookup_elem(&packets, &only);
	bool known;

	if (!packet)
		return TC_ACT_SHOT;
	__builtin_memset(packet, 0, sizeof(*packet));
	read_shaped(skb, packet);
	skb->mark = 0;
	known = bpf_map_lookup_elem(&ports, &ifindex);
	count_released(skb, packet, known);
	if (!known)
		return drop(skb, packet, REASON_CHANGING);
	return mark & MARK_PEER ? send_to_peer(skb, ifindex) : send(skb, ifindex);
}

/* Forget flows that are over: on no link, but called by the agent with a packet that is a list of
 * silences, and answering how many flows it forgot. */
SEC("tc")
int privlink_collect(struct __sk_buff *skb)
{
	struct silence silence;
	int flows_ended = 0;

	for (__u32 i = 0; i < MOST_SILENCES; i++) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN + i * sizeof(silence), &silence,
				       sizeof(silence)))
			break;
		flows_ended += end_if_silent(&silence);
	}
	return flows_ended;
}

/* End a flow under its two sides: called the same way, with a packet that is one silence, in the
 * fabric's namespace. Answers whether it did; a TCP connection is then still to be collected. */
SEC("tc")
int privlink_cut(struct __sk_buff *skb)
{
	struct silence silence;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &silence, sizeof(silence)))
		return 0;
	return cut(skb, &silence);
}

/* No helper here is reserved to GPL programs. */
char _license[] SEC("license") = "Apache-2.0";
