/* Every map of the data plane, keyed so that cost does not grow with the number of endpoints.
 *
 * Byte order: addresses and ports as they stand in packets (big endian), everything else native.
 * privlink/node/maps.py is the Python twin of this file; tests/unit/node/test_maps.py holds the two
 * together. The maps are pinned and outlive the program: another layout of one is another name.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "reasons.h"

#define MAX_FILTERS 10	/* security groups on one endpoint */
#define MAX_RULES 250	/* rules in one security group; a filter then fits one page */
#define MAX_FLOWS 65536	/* flows through one forward: nobody takes the table from everybody else */

#define HASH_MAP(name, key_type, value_type, entries)		\
	struct {						\
		__uint(type, BPF_MAP_TYPE_HASH);		\
		__uint(map_flags, BPF_F_NO_PREALLOC);		\
		__uint(max_entries, entries);			\
		__type(key, key_type);				\
		__type(value, value_type);			\
	} name SEC(".maps")

/* As it stands in a frame; three loads where bytes would be six. */
struct mac {
	__be16 parts[3];
};

/* ports: the fabric end of each workload's link, by ifindex. */
struct port {
	__u32 network;	/* VPC number */
	__be32 address;	/* the one address the workload may use */
	__be32 subnet;	/* its vswitch: neighbours are reached over the bridge */
	__be32 netmask;
	struct mac mac;	/* the one MAC the workload may use */
	__u8 peer;	/* 1: a veth, deliver straight into its other end */
	__u8 pad;
};

HASH_MAP(ports, __u32, struct port, 65536);

/* An address within a VPC. The same address in two VPCs is two keys: overlap is no special case. */
struct address_key {
	__u32 network;
	__be32 address;
};

enum address_kind { ADDRESS_GATEWAY = 1, ADDRESS_ENDPOINT = 2 };

/* addresses: what the fabric itself answers for (ARP, ping); they are on no interface. */
struct address {
	struct mac mac;
	__u8 kind;
	__u8 filter_count;
	__u32 forward;	/* 0: not accepted, nothing passes */
	__u32 filters[MAX_FILTERS];
};

HASH_MAP(addresses, struct address_key, struct address, 262144);

/* forwards: open endpoint zones by number. Gone from here = every flow through it stops. */
struct forward {
	__u32 network;	/* the provider's VPC */
	__be32 source;	/* what the provider's servers see */
	__u32 balancer;
};

HASH_MAP(forwards, __u32, struct forward, 262144);

/* listeners: ports of a load balancer; servers: its servers, one slot per unit of weight. */
struct listener_key {
	__u32 balancer;
	__be16 port;
	__u8 protocol;	/* IPPROTO_* */
	__u8 pad;
};

struct listener {
	__u32 slots;
};

struct server_key {
	struct listener_key listener;
	__u32 slot;
};

struct server {
	__be32 address;
	__be16 port;
	__u16 pad;
};

HASH_MAP(listeners, struct listener_key, struct listener, 262144);
HASH_MAP(servers, struct server_key, struct server, 1048576);

/* neighbours: where a workload's address is on this node. */
struct neighbour {
	__u32 ifindex;
	struct mac mac;
	__u8 peer;	/* as in a port */
	__u8 pad;
};

HASH_MAP(neighbours, struct address_key, struct neighbour, 262144);

/* filters: one security group's rules in the order they decide. */
struct rule {
	__be32 subnet;
	__be32 netmask;
	__u16 low;	/* ports, native order, inclusive */
	__u16 high;
	__u8 protocol;	/* IPPROTO_*, 0: all */
	__u8 priority;
	__u8 accept;
	__u8 pad;
};

struct filter {
	__u32 count;
	struct rule rules[MAX_RULES];
};

HASH_MAP(filters, __u32, struct filter, 65536);

/* flows: each conversation is two entries, keyed by what its packets look like where they come in:
 * one for what the client sends, one for what the server answers. */
struct flow_key {
	__u32 network;
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 pad[3];
};

struct flow {
	__u64 last_seen;	/* CLOCK_MONOTONIC, ns; exact to a second */
	__u32 forward;
	__u32 ifindex;		/* out of this port, ... */
	__be32 source;		/* ... looking like this: */
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	struct mac destination_mac;	/* the two in the order of a frame */
	struct mac source_mac;
	__u32 address_difference;	/* what the rewriting adds to a checksum */
	__u32 port_difference;
	__u32 partner_network;	/* where the other entry's packets come in */
	__u8 peer;		/* as in a port */
	__u8 reverse;		/* 1: the server's answers */
	/* Each a byte of its own: both directions may be writing at once. */
	__u8 established;	/* this side has sent something beyond its SYN */
	__u8 client_finished;
	__u8 server_finished;
	__u8 reset;
	__u8 pad[6];
};

HASH_MAP(flows, struct flow_key, struct flow, 1048576);

/* flow_counts: flows through a forward, by its number. The program counts what it makes and what
 * it deletes; collecting sets the truth. Signed: between the two it may be off by a few. */
HASH_MAP(flow_counts, __u32, __s32, 262144);

/* drops: packets by enum reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps");
