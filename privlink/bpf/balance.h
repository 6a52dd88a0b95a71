/* Balancing: who takes a new flow. */
#pragma once

#include "packet.h"

#define COMPARED 64	/* servers compared for their flows; of more, so many from a random one on */

static __always_inline struct target_key target_of(const struct server_key *key,
						   const struct in6_addr *address, __be16 port)
{
	return (struct target_key) {
		.balancer = key->balancer,
		.family = key->family,
		.protocol = key->protocol,
		.first = key->first,
		.address = *address,
		.port = port,
	};
}

/* Whose turn it is: an even share for every slot. */
static __noinline __u32 next_turn(const struct server_key *server_key)
{
	struct turn_key key = {
		.balancer = server_key->balancer,
		.family = server_key->family,
		.protocol = server_key->protocol,
		.first = server_key->first,
	};
	__u32 *turn = bpf_map_lookup_elem(&turns, &key), first = 1;

	if (turn)
		return __sync_fetch_and_add(turn, 1);
	bpf_map_update_elem(&turns, &key, &first, BPF_NOEXIST);
	return 0;
}

/* Flows of a server. */
static __always_inline __s32 load_of(const struct server_key *key, const struct server *server)
{
	struct target_key target = target_of(key, &server->address, server->port);
	const __s32 *load = bpf_map_lookup_elem(&loads, &target);

	return load && *load > 0 ? *load : 0;
}

/* The slot of the server with the fewest flows for its weight. Not static: looked at once. */
__noinline __u32 least_loaded(struct server_key *key, __u32 slots)
{
	__u64 least = 0, weight_of_least = 0;
	__u32 chosen = 0, start;

	if (!key || !slots)
		return 0;
	start = bpf_get_prandom_u32() % slots;
	for (__u32 i = 0; i < COMPARED && i < slots; i++) {
		const struct server *server;
		__u64 load;

		key->slot = start + i < slots ? start + i : start + i - slots;
		server = bpf_map_lookup_elem(&servers, key);
		if (!server)
			continue;
		load = load_of(key, server) + 1;
		if (weight_of_least && load * weight_of_least >= least * server->weight)
			continue;
		least = load;
		weight_of_least = server->weight;
		chosen = key->slot;
	}
	return chosen;
}

static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash ^= word;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* A client, or one conversation of it, as a number that is always the same. */
__noinline __u32 hash_of(const struct flow_key *key, bool conversation)
{
	__u32 hash = 0;

	if (!key)
		return 0;
	hash = mix(key->network, key->source.s6_addr32[0]);
	hash = mix(hash, key->source.s6_addr32[1]);
	hash = mix(hash, key->source.s6_addr32[2]);
	hash = mix(hash, key->source.s6_addr32[3]);
	if (!conversation)
		return hash;
	hash = mix(hash, key->destination.s6_addr32[0]);
	hash = mix(hash, key->destination.s6_addr32[1]);
	hash = mix(hash, key->destination.s6_addr32[2]);
	hash = mix(hash, key->destination.s6_addr32[3]);
	return mix(hash, key->source_port | (__u32)key->destination_port << 16);
}

static __always_inline __u32 choose_slot(const struct listener *listener, struct server_key *key,
					 const struct flow_key *flow_key)
{
	switch (listener->scheduler) {
	case SCHEDULER_LEAST:
		return least_loaded(key, listener->slots);
	case SCHEDULER_SOURCE:
		return hash_of(flow_key, false) % listener->slots;
	case SCHEDULER_TUPLE:
		return hash_of(flow_key, true) % listener->slots;
	}
	return next_turn(key) % listener->slots;
}

/* Find who of a balancer takes a new flow, and put that down in what its client sends: PASSED, or
 * why nobody does. */
static __noinline int choose(__u32 balancer, const struct flow_key *key, __u8 family,
			     struct flow *there)
{
	struct listener_key listener_key = {
		.prefix = LISTENER_PREFIX,
		.balancer = balancer,
		.family = family,
		.protocol = key->protocol,
		.port = key->destination_port,
	};
	const struct listener *listener = bpf_map_lookup_elem(&listeners, &listener_key);
	const struct server *server;

	if (!listener)
		return REASON_NO_LISTENER;
	if (!listener->slots)
		return REASON_NO_SERVER;

	struct server_key server_key = {
		.balancer = balancer,
		.family = family,
		.protocol = key->protocol,
		.first = listener->first,
	};

	server_key.slot = choose_slot(listener, &server_key, key);
	server = bpf_map_lookup_elem(&servers, &server_key);
	if (!server)
		return REASON_NO_SERVER;
	there->balancer = balancer;
	there->listener = listener->first;
	there->idle = listener->idle;
	there->loaded = listener->scheduler == SCHEDULER_LEAST;
	there->any_port = !server->port;
	there->destination = server->address;
	there->destination_port = server->port ? server->port : key->destination_port;
	return PASSED;
}

/* The same for a flow to an address that its client called as it is known where the flow leads:
 * a workload's, or a load balancer's own. */
static __noinline int keep(const struct forward *forward, const struct flow_key *key, __u8 family,
			   struct flow *there)
{
	const struct address *address = find_address(forward->network, &key->destination);

	if (address && address->kind == ADDRESS_BALANCER)
		return choose(address->balancer, key, family, there);
	there->listener = key->destination_port;
	there->destination = key->destination;
	there->destination_port = key->destination_port;
	return PASSED;
}
