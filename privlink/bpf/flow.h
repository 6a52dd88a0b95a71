/* Flows: finding, opening, carrying and closing a conversation through a forward. */
#pragma once

#include "balance.h"
#include "filter.h"
#include "packet.h"
#include "reply.h"
#include "route.h"
#include "tally.h"

#define EEXIST 17	/* asm-generic/errno-base.h */
#define EALREADY 114	/* asm-generic/errno.h */

#define SOURCE_PORT_TRIES 32	/* at nine ports in ten taken, 3 in 100 fail */
#define FIRST_SOURCE_PORT 1024	/* RFC 6335: the ports below belong to system services */
#define SEEN_EVERY SECOND	/* ns; less often written is less often fetched by another CPU */
#define FLOW_BURST (SECOND / 10)	/* new flows that may come before they are due */

/* The key of the other direction: what a packet looks like after the rewriting, turned around. */
static __always_inline struct flow_key partner_of(const struct flow_key *key,
						  const struct flow *flow)
{
	return (struct flow_key) {
		.network = flow->partner_network,
		.source = flow->destination,
		.destination = flow->source,
		.source_port = flow->destination_port,
		.destination_port = flow->source_port,
		.protocol = key->protocol,
	};
}

static __always_inline bool same_key(const struct flow_key *one, const struct flow_key *other)
{
	return one->network == other->network && same_address(&one->source, &other->source) &&
	       same_address(&one->destination, &other->destination) &&
	       one->source_port == other->source_port &&
	       one->destination_port == other->destination_port &&
	       one->protocol == other->protocol;
}

/* The other direction's entry, under `partner_key`; NULL where another flow has it by now: the two
 * are not deleted in one moment, and what is deleted is free to be claimed. */
static __always_inline struct flow *find_partner(const struct flow_key *key,
						 const struct flow *flow,
						 const struct flow_key *partner_key)
{
	struct flow *partner = bpf_map_lookup_elem(&flows, partner_key);
	struct flow_key back;

	if (!partner || partner->forward != flow->forward)
		return NULL;
	back = partner_of(partner_key, partner);
	return same_key(&back, key) ? partner : NULL;
}

/* Take a new flow through a forward into account: PASSED, or why there must be none. */
static __noinline int count_flow(__u32 number, const struct forward *forward)
{
	struct count *count = bpf_map_lookup_elem(&counts, &number), none = {};
	__u64 now = bpf_ktime_get_coarse_ns(), next;

	if (!count) {
		bpf_map_update_elem(&counts, &number, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, &number);
		if (!count)
			return REASON_FLOW_TABLE_FULL;
	}
	if (count->flows >= (__s32)forward->flows)
		return REASON_FLOW_LIMIT;
	next = count->next;
	if (forward->spacing && next > now + FLOW_BURST)
		return REASON_FLOW_RATE;
	/* Two at the same moment may count as one. */
	if (forward->spacing)
		__sync_val_compare_and_swap(&count->next, next,
					    (next > now ? next : now) + forward->spacing);
	__sync_fetch_and_add(&count->flows, 1);
	return PASSED;
}

static __always_inline void uncount_flow(__u32 number)
{
	struct count *count = bpf_map_lookup_elem(&counts, &number);

	if (count)
		__sync_fetch_and_add(&count->flows, -1);
}

/* The target of a flow by the entry of what its client sends. */
static __always_inline struct target_key target_of_flow(const struct flow *client, __u8 protocol)
{
	struct server_key key = {
		.balancer = client->balancer,
		.family = is_mapped(&client->destination) ? FAMILY_IPV4 : FAMILY_IPV6,
		.protocol = protocol,
		.first = client->listener,
	};

	return target_of(&key, &client->destination,
			 client->any_port ? 0 : client->destination_port);
}

/* One flow more, or one less, for a server that is chosen by how many it has. */
__noinline int load(const struct flow *client, __u8 protocol, __s32 one)
{
	struct target_key key;
	__s32 *load;

	if (!client)
		return 0;
	key = target_of_flow(client, protocol);
	load = bpf_map_lookup_elem(&loads, &key);
	if (load)
		__sync_fetch_and_add(load, one);
	else if (one > 0 && bpf_map_update_elem(&loads, &key, &one, BPF_NOEXIST)) {
		load = bpf_map_lookup_elem(&loads, &key);	/* another CPU was faster */
		if (load)
			__sync_fetch_and_add(load, one);
	}
	return 0;
}

/* Why a flow that is over is. */
static __always_inline __u8 cause_of(const struct flow *client, const struct flow *server)
{
	if (client->revoked)
		return client->revoked;
	if (client->reset)
		return client->reset;
	if (client->client_finished && client->server_finished)
		return CAUSE_FINISHED;
	return server && server->established ? CAUSE_IDLE : CAUSE_UNANSWERED;
}

/* Delete a flow by either of its entries, unless another CPU is about to: then its entries may be
 * another flow's by the time we delete them. */
__noinline int forget(const struct flow_key *key, struct flow *flow)
{
	const struct flow_key *client_key;
	struct flow_key partner_key;
	struct flow *partner, *client, *server;

	if (!key || !flow)
		return false;
	partner_key = partner_of(key, flow);
	partner = find_partner(key, flow, &partner_key);
	client_key = flow->reverse ? &partner_key : key;
	client = flow->reverse ? partner : flow;
	server = flow->reverse ? flow : partner;
	if (client) {
		if (__sync_val_compare_and_swap(&client->taken, 0, 1))
			return false;
		/* What was deleted meanwhile may be another tenant's flow by now. */
		if (bpf_map_lookup_elem(&flows, client_key) != client) {
			client->taken = 0;
			return false;
		}
		say_closed(client_key, client, server, cause_of(client, server));
		if (client->loaded)
			load(client, key->protocol, -1);
		uncount_flow(client->forward);
	} else if (bpf_map_lookup_elem(&flows, key) != flow) {
		return false;
	}
	if (partner)
		bpf_map_delete_elem(&flows, &partner_key);
	bpf_map_delete_elem(&flows, key);
	return true;
}

/* End a flow that may not go on: from now each side is refused what it sends, and told so. Its
 * entries stay for that, till the agent collects them. */
static __always_inline void revoke(const struct flow_key *key, struct flow *flow, __u8 cause)
{
	struct flow_key partner_key = partner_of(key, flow);
	struct flow *partner = find_partner(key, flow, &partner_key);

	if (flow->revoked || bpf_map_lookup_elem(&flows, key) != flow)
		return;
	flow->revoked = cause;
	if (partner)
		partner->revoked = cause;
}

/* A copy of a flow that was looked up, or NULL where its key leads to it no more: the memory of a
 * deleted entry may be another tenant's flow within a microsecond. */
static __always_inline const struct flow *hold(const struct flow_key *key,
					       const struct flow *flow)
{
	__u32 only = 0;
	struct halves *halves = bpf_map_lookup_elem(&scratch, &only);

	if (!halves)
		return NULL;
	halves->there = *flow;
	barrier();
	return bpf_map_lookup_elem(&flows, key) == flow ? &halves->there : NULL;
}

static __always_inline bool ended(const struct flow *flow)
{
	return flow->reset || (flow->client_finished && flow->server_finished);
}

static __always_inline void mark_end(struct flow *flow, __u8 flags, bool by_server)
{
	if (flags & TCP_RST)
		flow->reset = by_server ? CAUSE_SERVER_RESET : CAUSE_CLIENT_RESET;
	else if (by_server)
		flow->server_finished = 1;
	else
		flow->client_finished = 1;
}

/* Most packets change nothing: what is not written is not fetched by another CPU. */
static __always_inline void see(struct flow *flow, bool greeting)
{
	__u64 now = bpf_ktime_get_coarse_ns();

	if (now - flow->last_seen > SEEN_EVERY)
		flow->last_seen = now;
	if (!flow->established && !greeting)
		flow->established = 1;
}

/* A FIN, a reset, or the acknowledgement of the other side's FIN: both entries have to know. */
static __noinline bool observe_end(const struct flow_key *key, struct flow *flow,
				   const struct packet *packet, bool acknowledges)
{
	struct flow_key partner_key = partner_of(key, flow);
	struct flow *partner = find_partner(key, flow, &partner_key);

	if (packet->flags & (TCP_FIN | TCP_RST))
		mark_end(flow, packet->flags, flow->reverse);
	if (acknowledges)
		flow->acknowledged = 1;
	if (!partner)
		return false;
	if (packet->flags & (TCP_FIN | TCP_RST))
		mark_end(partner, packet->flags, flow->reverse);
	if (packet->flags & TCP_FIN)
		partner->last = packet->end;
	return flow->acknowledged && partner->acknowledged;
}

/* Follow a TCP conversation; most packets change nothing. True with the last one: both sides have
 * acknowledged that the other has finished. Whatever still comes after that, nobody needs. */
static __always_inline bool observe(const struct flow_key *key, struct flow *flow,
				    const struct packet *packet)
{
	bool acknowledges = flow->last && packet->flags & TCP_ACK &&
			    packet->acknowledged == flow->last && !flow->acknowledged;

	see(flow, packet->flags & TCP_SYN);
	if (!acknowledges && !(packet->flags & (TCP_FIN | TCP_RST)))
		return false;
	return observe_end(key, flow, packet, acknowledges);
}

/* Put both entries of a new flow in place. The reverse one is the claim on a source port: the
 * client's own if nobody has it towards this server, else one by chance. */
static __noinline int claim(const struct flow_key *key, struct halves *halves)
{
	struct flow *there = &halves->there, *back = &halves->back;
	struct flow_key reverse = partner_of(key, there);
	__u16 port = bpf_ntohs(key->source_port);
	__u32 ports_before = key->source_port | (__u32)key->destination_port << 16;
	long error = -EEXIST;

	for (int i = 0; i < SOURCE_PORT_TRIES && error == -EEXIST; i++) {
		__u32 ports;

		there->source_port = bpf_htons(port);
		ports = there->source_port | (__u32)there->destination_port << 16;
		there->port_difference = ports == ports_before
			? 0 : checksum_difference(ports_before, ports);
		back->port_difference = there->port_difference ? ~there->port_difference : 0;
		reverse.destination_port = there->source_port;
		error = bpf_map_update_elem(&flows, &reverse, back, BPF_NOEXIST);
		port = FIRST_SOURCE_PORT + bpf_get_prandom_u32() % (65536 - FIRST_SOURCE_PORT);
	}
	if (error)
		return error;
	error = bpf_map_update_elem(&flows, key, there, BPF_NOEXIST);
	if (error)
		bpf_map_delete_elem(&flows, &reverse);
	return error == -EEXIST ? -EALREADY : error;
}

/* What the server sees of a client: the forward's own address, or where it has none its vswitch's. */
static __always_inline struct in6_addr source_of(const struct port *port,
						 const struct forward *forward, __u8 family)
{
	if (family == FAMILY_IPV6)
		return forward->source6;
	return unspecified(&forward->source) ? mapped(port->asker) : forward->source;
}

/* Nobody may see a caller without an address. A forward may lead by IPv4 alone. */
static __always_inline bool has_source(const struct port *port, const struct forward *forward,
				       __u8 family)
{
	if (family == FAMILY_IPV6)
		return !unspecified(&forward->source6);
	return !unspecified(&forward->source) || port->asker;
}

/* The two halves of a flow from the client behind `key` to the server that was chosen. */
static __always_inline void compose(struct __sk_buff *skb, const struct port *port,
				    const struct packet *packet, const struct forward *forward,
				    const struct neighbour *neighbour, struct halves *halves)
{
	struct flow *there = &halves->there, *back = &halves->back;
	const struct flow_key *key = &packet->key;
	const __u16 idle = key->protocol == IPPROTO_TCP ? forward->idle_tcp : forward->idle_udp;
	struct amount amount;

	amount = amount_of(skb, packet);
	there->packets = amount.packets;
	there->bytes = amount.bytes;
	there->last_seen = back->last_seen = bpf_ktime_get_coarse_ns();
	there->opened = back->opened = there->last_seen;
	there->place = back->place = packet->place;
	if (idle)
		there->idle = idle;
	back->balancer = there->balancer;
	back->listener = there->listener;
	back->idle = there->idle;
	back->any_port = there->any_port;
	back->loaded = there->loaded;
	there->pace = forward->pace;
	back->pace = forward->pace ? forward->pace + 1 : 0;
	there->partner_network = forward->network;
	there->ifindex = neighbour->ifindex;
	there->peer = neighbour->peer;
	there->source = source_of(port, forward, packet->family);
	there->destination_mac = neighbour->mac;
	there->source_mac = GATEWAY_MAC;
	there->address_difference =
		checksum_sum(address_difference(&key->source, &there->source),
			     address_difference(&key->destination, &there->destination));

	back->reverse = 1;
	back->partner_network = key->network;
	back->ifindex = skb->ifindex;
	back->peer = port->peer;
	back->source = key->destination;
	back->destination = key->source;
	back->source_port = key->destination_port;
	back->destination_port = key->source_port;
	back->address_difference = ~there->address_difference;
}

/* Open a flow through the forward and to the balancer in `halves`, as the rules of the epoch there
 * permit: PASSED with both entries in place, or why there is none. */
static __noinline int open_flow(struct __sk_buff *skb, const struct port *port,
				const struct packet *packet, struct halves *halves)
{
	const struct ethernet *ethernet = header(skb, struct ethernet, 0);
	__u32 number = halves->there.forward, balancer = halves->there.balancer;
	const struct forward *forward = bpf_map_lookup_elem(&forwards, &number);
	__u32 epoch = halves->there.epoch;
	const struct neighbour *neighbour;
	struct address_key where;
	int reason;

	if (!forward || !ethernet)
		return REASON_NOT_ACCEPTED;
	if (!has_source(port, forward, packet->family))
		return REASON_NO_LISTENER;
	__builtin_memset(halves, 0, sizeof(*halves));
	reason = balancer ? choose(balancer, &packet->key, packet->family, &halves->there)
			  : keep(forward, &packet->key, packet->family, &halves->there);
	if (reason)
		return reason;
	where.network = forward->network;
	where.address = halves->there.destination;
	neighbour = bpf_map_lookup_elem(&neighbours, &where);
	if (!neighbour)
		return REASON_NO_SERVER;
	halves->there.epoch = halves->back.epoch = epoch;
	halves->there.forward = halves->back.forward = number;
	compose(skb, port, packet, forward, neighbour, halves);
	/* Answers come from the MAC that the request went to: the endpoint's, or the gateway's. */
	halves->back.destination_mac = ethernet->source;
	halves->back.source_mac = ethernet->destination;
	reason = count_flow(number, forward);
	if (reason)
		return reason;
	reason = claim(&packet->key, halves);
	if (reason) {
		uncount_flow(number);
		if (reason == -EALREADY)
			return REASON_CHANGING;
		return reason == -EEXIST ? REASON_NO_SOURCE_PORT : REASON_FLOW_TABLE_FULL;
	}
	if (halves->there.loaded)
		load(&halves->there, packet->key.protocol, 1);
	say_opened(&packet->key, &halves->there);
	return PASSED;
}

/* Whether a flow still leads from one workload's link to the other's: one that was taken out and
 * comes back with its address has a new link. A client may be behind a workload that passes on for
 * it. Not inline: the stack of whoever judges is full. */
static __noinline bool in_place(__u32 ifindex, const struct flow *flow,
				const struct flow_key *partner_key, const struct port *client)
{
	struct address_key where = {
		.network = flow->partner_network,
		.address = flow->destination,
	};
	const struct neighbour *receiver = bpf_map_lookup_elem(&neighbours, &where);
	const struct flow *partner = bpf_map_lookup_elem(&flows, partner_key);

	if (partner && partner->ifindex != ifindex)
		return false;
	if (receiver && receiver->ifindex == flow->ifindex)
		return true;
	return flow->reverse && client && client->network == flow->partner_network &&
	       passes_on(client, &flow->destination);
}

/* What a flow leads through: its forward, and its server. PASSED, or which is gone. */
__noinline int resting(const struct flow_key *key, struct flow *flow, __u8 family)
{
	struct server_key listener = { .family = family };
	const struct forward *forward;
	struct target_key target;
	__u32 number;

	if (!key || !flow)
		return REASON_CLOSED;
	listener.balancer = flow->balancer;
	listener.protocol = key->protocol;
	listener.first = flow->listener;
	number = flow->forward;
	forward = bpf_map_lookup_elem(&forwards, &number);
	/* An endpoint may give up its IPv6 and keep the rest. */
	if (!forward || (family == FAMILY_IPV6 && unspecified(&forward->source6)))
		return REASON_CLOSED;
	target = flow->reverse ? target_of(&listener, &key->source, key->source_port)
			       : target_of(&listener, &flow->destination, flow->destination_port);
	if (flow->any_port)
		target.port = 0;
	if (flow->balancer && !bpf_map_lookup_elem(&targets, &target))
		return REASON_SERVER_GONE;
	flow->pace = forward->pace ? forward->pace + flow->reverse : 0;
	return PASSED;
}

static __always_inline bool is_routed(__u32 number)
{
	const struct forward *forward = bpf_map_lookup_elem(&forwards, &number);

	return forward && forward->routed;
}

/* Whether what its client calls leads into a flow still: PASSED, or why not. An address or a door
 * may be gone for a moment, as a port may, while its chain is changed: nobody can say yet. Routes
 * never are. */
static __always_inline int leading(const struct port *client, const struct address *address,
				   const struct flow *flow)
{
	if (!client)
		return REASON_CHANGING;
	if (!address)
		return is_routed(flow->forward) ? REASON_CLOSED : REASON_CHANGING;
	if (address->kind == ADDRESS_NAT)
		return REASON_CHANGING;
	return address->kind > ADDRESS_NAT && address->place != flow->place ? REASON_CLOSED
									    : PASSED;
}

/* Hold a flow, whose packet came in at `ifindex`, against what changed since it last was: PASSED,
 * or why it must end. */
static __noinline int judge_again(__u32 ifindex, const struct flow_key *key, struct flow *flow,
				  __u8 family, __u32 epoch)
{
	__u32 client_link = flow->reverse ? flow->ifindex : ifindex, number = KEY_PARTNER;
	const struct port *client = bpf_map_lookup_elem(&ports, &client_link);
	struct flow_key *partner_key = bpf_map_lookup_elem(&keys, &number);
	const struct flow_key *asked = key;
	const struct address *address;
	int reason = resting(key, flow, family);

	if (!partner_key)
		return REASON_CLOSED;
	if (reason != PASSED)
		return reason;
	*partner_key = partner_of(key, flow);
	if (flow->reverse)
		asked = partner_key;
	if (!in_place(ifindex, flow, partner_key, client))
		return REASON_CLOSED;
	address = client ? find_called(client, asked) : NULL;
	reason = leading(client, address, flow);
	if (reason != PASSED)
		return reason;
	if (judge(client, address, asked, family) != PASSED)
		return REASON_NO_LONGER_PERMITTED;
	flow->epoch = epoch;
	return PASSED;
}

/* What a side is told whose flow was ended under it. */
static __always_inline int reason_of(__u8 cause)
{
	switch (cause) {
	case CAUSE_IDLE:
		return REASON_IDLE;
	case CAUSE_SERVER_GONE:
		return REASON_SERVER_GONE;
	case CAUSE_NO_LONGER_PERMITTED:
		return REASON_NO_LONGER_PERMITTED;
	}
	return REASON_CLOSED;
}

/* The same the other way round. */
static __always_inline __u8 cause_for(int reason)
{
	switch (reason) {
	case REASON_SERVER_GONE:
		return CAUSE_SERVER_GONE;
	case REASON_NO_LONGER_PERMITTED:
		return CAUSE_NO_LONGER_PERMITTED;
	}
	return CAUSE_CLOSED;
}

/* Whether packets of a known flow still pass: PASSED, or why not. */
static __always_inline int standing(struct __sk_buff *skb, const struct flow_key *key,
				    struct flow *flow, __u8 family)
{
	__u32 epoch = epoch_now();

	if (flow->revoked)
		return reason_of(flow->revoked);
	if (flow->epoch == epoch)
		return PASSED;
	return judge_again(skb->ifindex, key, flow, family, epoch);
}
