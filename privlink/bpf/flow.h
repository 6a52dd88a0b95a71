/* Flows: finding, opening, carrying and closing a conversation through a forward. */
#pragma once

#include "filter.h"
#include "packet.h"
#include "reply.h"

#define EEXIST 17	/* asm-generic/errno-base.h */
#define EALREADY 114	/* asm-generic/errno.h */

#define SOURCE_PORT_TRIES 32	/* at nine ports in ten taken, 3 in 100 fail */
#define FIRST_SOURCE_PORT 1024	/* RFC 6335: the ports below belong to system services */
#define SEEN_EVERY 1000000000ull	/* ns; less often written is less often fetched by another CPU */

#define GATEWAY_MAC ((struct mac) { { bpf_htons(0xeeff), 0xffff, 0xffff } })

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

/* The other direction's entry, under `partner_key`; NULL where another flow has it by now: once a
 * side was told that its forward is closed, its entry is free to be claimed. */
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

/* Take a new flow through a forward into account: 0, or why there must be none. */
static __noinline int count_flow(__u32 forward)
{
	__s32 *count = bpf_map_lookup_elem(&flow_counts, &forward), none = 0;

	if (!count) {
		bpf_map_update_elem(&flow_counts, &forward, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&flow_counts, &forward);
		if (!count)
			return REASON_FLOW_TABLE_FULL;
	}
	if (*count >= MAX_FLOWS)
		return REASON_FLOW_LIMIT;
	__sync_fetch_and_add(count, 1);
	return 0;
}

static __always_inline void uncount_flow(__u32 forward)
{
	__s32 *count = bpf_map_lookup_elem(&flow_counts, &forward);

	if (count)
		__sync_fetch_and_add(count, -1);
}

/* Delete one direction's entry; the client's is the one that counts. */
static __always_inline void delete_entry(const struct flow_key *key, const struct flow *flow)
{
	__u32 forward = flow->forward;
	bool counts = !flow->reverse;

	if (!bpf_map_delete_elem(&flows, key) && counts)
		uncount_flow(forward);
}

/* Delete a flow by either of its entries, unless another CPU is about to: then its entries may be
 * another flow's by the time we delete them. */
static __always_inline bool forget(const struct flow_key *key, struct flow *flow)
{
	struct flow_key partner_key = partner_of(key, flow);
	struct flow *partner = find_partner(key, flow, &partner_key);
	struct flow *client = flow->reverse && partner ? partner : flow;

	if (__sync_val_compare_and_swap(&client->taken, 0, 1))
		return false;
	if (partner)
		delete_entry(&partner_key, partner);
	delete_entry(key, flow);
	return true;
}

/* End a flow that may not go on: this side is told now, the other by its own entry when it next
 * speaks. That must not come back to life meanwhile, as others may claim what this one leaves. */
static __always_inline void revoke(const struct flow_key *key, struct flow *flow)
{
	struct flow_key partner_key = partner_of(key, flow);
	struct flow *partner = find_partner(key, flow, &partner_key);

	if (!flow->reverse && __sync_val_compare_and_swap(&flow->taken, 0, 1))
		return;
	if (partner)
		partner->revoked = 1;
	delete_entry(key, flow);
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
		flow->reset = 1;
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

/* Who takes a new flow, or why nobody does. */
struct choice {
	const struct server *server;
	const struct neighbour *neighbour;
	int reason;
};

static __always_inline struct choice chosen_nobody(int reason)
{
	return (struct choice) { .reason = reason };
}

/* One server of the listener, chosen by chance: slots are units of weight. */
static __always_inline struct choice choose(const struct forward *forward,
					    const struct flow_key *key, __u8 family)
{
	struct listener_key listener_key = {
		.prefix = LISTENER_PREFIX,
		.balancer = forward->balancer,
		.family = family,
		.protocol = key->protocol,
		.port = key->destination_port,
	};
	const struct listener *listener = bpf_map_lookup_elem(&listeners, &listener_key);
	struct choice choice = { .reason = PASSED };

	if (!listener)
		return chosen_nobody(REASON_NO_LISTENER);

	struct server_key server_key = {
		.balancer = forward->balancer,
		.family = family,
		.protocol = key->protocol,
		.first = listener->first,
		.slot = (__u64)bpf_get_prandom_u32() * listener->slots >> 32,
	};

	choice.server = bpf_map_lookup_elem(&servers, &server_key);
	if (!choice.server)
		return chosen_nobody(REASON_NO_SERVER);

	struct address_key where = {
		.network = forward->network,
		.address = choice.server->address,
	};

	choice.neighbour = bpf_map_lookup_elem(&neighbours, &where);
	return choice.neighbour ? choice : chosen_nobody(REASON_NO_SERVER);
}

/* The two halves of a flow from the client behind `key` to a server. */
static __always_inline void compose(struct __sk_buff *skb, const struct port *port,
				    const struct packet *packet, const struct forward *forward,
				    const struct choice *choice, struct halves *halves)
{
	struct flow *there = &halves->there, *back = &halves->back;
	const struct flow_key *key = &packet->key;
	const struct server *server = choice->server;

	there->last_seen = back->last_seen = bpf_ktime_get_coarse_ns();
	there->partner_network = forward->network;
	there->ifindex = choice->neighbour->ifindex;
	there->peer = choice->neighbour->peer;
	there->source = packet->family == FAMILY_IPV4 ? forward->source : forward->source6;
	there->destination = server->address;
	there->destination_port = server->port ? server->port : key->destination_port;
	there->destination_mac = choice->neighbour->mac;
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

/* Open a flow through a forward, as the rules of the epoch in `halves` permit: PASSED with both
 * entries there, or why there is none. */
static __noinline int open_flow(struct __sk_buff *skb, const struct port *port,
				const struct packet *packet, __u32 number, struct halves *halves)
{
	const struct ethernet *ethernet = header(skb, struct ethernet, 0);
	const struct forward *forward = bpf_map_lookup_elem(&forwards, &number);
	__u32 epoch = halves->there.epoch;
	struct choice choice;
	int reason;

	if (!forward || !ethernet)
		return REASON_NOT_ACCEPTED;
	/* It leads by IPv4 alone: nobody may see a caller without an address. */
	if (packet->family == FAMILY_IPV6 && unspecified(&forward->source6))
		return REASON_NO_LISTENER;
	choice = choose(forward, &packet->key, packet->family);
	if (!choice.server || !choice.neighbour)
		return choice.reason;
	__builtin_memset(halves, 0, sizeof(*halves));
	halves->there.epoch = halves->back.epoch = epoch;
	halves->there.forward = halves->back.forward = number;
	compose(skb, port, packet, forward, &choice, halves);
	/* Answers come from the MAC that the request went to: the endpoint's, or the gateway's. */
	halves->back.destination_mac = ethernet->source;
	halves->back.source_mac = ethernet->destination;
	reason = count_flow(number);
	if (reason)
		return reason;
	reason = claim(&packet->key, halves);
	if (reason) {
		uncount_flow(number);
		if (reason == -EALREADY)
			return REASON_CHANGING;
		return reason == -EEXIST ? REASON_NO_SOURCE_PORT : REASON_FLOW_TABLE_FULL;
	}
	return PASSED;
}

/* Whether a flow still leads from one workload's link to the other's: one that was taken out and
 * comes back with its address has a new link. Not inline: the stack of whoever judges is full. */
static __noinline bool in_place(__u32 ifindex, const struct flow *flow,
			     const struct flow_key *partner_key)
{
	struct address_key where = {
		.network = flow->partner_network,
		.address = flow->destination,
	};
	const struct neighbour *receiver = bpf_map_lookup_elem(&neighbours, &where);
	const struct flow *partner = bpf_map_lookup_elem(&flows, partner_key);

	return receiver && receiver->ifindex == flow->ifindex &&
	       (!partner || partner->ifindex == ifindex);
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

	if (!partner_key)
		return REASON_CLOSED;
	*partner_key = partner_of(key, flow);
	if (flow->reverse)
		asked = partner_key;
	if (!in_place(ifindex, flow, partner_key))
		return REASON_CLOSED;
	address = find_address(asked->network, &asked->destination);
	/* Gone for a moment, while its chain is changed: nobody can say yet. */
	if (!address || !client)
		return REASON_CHANGING;
	if (judge(client, address, asked, family) != PASSED)
		return REASON_NO_LONGER_PERMITTED;
	flow->epoch = epoch;
	return PASSED;
}

/* Whether packets of a known flow still pass: PASSED, or why not. */
static __always_inline int standing(struct __sk_buff *skb, const struct flow_key *key,
				    struct flow *flow, __u8 family)
{
	const struct forward *forward;
	__u32 epoch = epoch_now();

	forward = bpf_map_lookup_elem(&forwards, &flow->forward);
	/* An endpoint may give up its IPv6 and keep the rest. */
	if (!forward || (family == FAMILY_IPV6 && unspecified(&forward->source6)))
		return REASON_CLOSED;
	if (flow->revoked)
		return REASON_NO_LONGER_PERMITTED;
	if (flow->epoch == epoch)
		return PASSED;
	return judge_again(skb->ifindex, key, flow, family, epoch);
}
