/* Every map of the data plane, keyed so that cost does not grow with the number of endpoints.
 *
 * Byte order: addresses and ports as they stand in packets (big endian), everything else native,
 * unless a comment says otherwise. An address has 16 bytes; IPv4 is mapped into IPv6 as RFC 4291
 * section 2.5.5.2 has it (::ffff:10.0.0.5), so that one table serves both.
 * privlink/node/program/maps.py is the Python twin of this file, and its test_maps.py holds the two
 * together. The maps are pinned and outlive the program, each layout of them in a folder of its own:
 * a change of any entry takes a new number, and node/program/layouts.py a way to it for flows.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/in6.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "reasons.h"

#define LAYOUT 3	/* of all that is pinned */
#define MAX_FILTERS 10	/* security groups on one address */
#define MAX_RULES 250	/* rules of one direction in one security group */
#define PAGE_RULES 16	/* of them in one entry */

#define MAP(name, map_type, key_type, value_type, entries)	\
	struct {						\
		__uint(type, map_type);				\
		__uint(map_flags, BPF_F_NO_PREALLOC);		\
		__uint(max_entries, entries);			\
		__type(key, key_type);				\
		__type(value, value_type);			\
	} name SEC(".maps")

#define HASH_MAP(name, key_type, value_type, entries) \
	MAP(name, BPF_MAP_TYPE_HASH, key_type, value_type, entries)
#define HASH_MAP_PER_CPU(name, key_type, value_type, entries) \
	MAP(name, BPF_MAP_TYPE_PERCPU_HASH, key_type, value_type, entries)
#define PREFIX_MAP(name, key_type, value_type, entries) \
	MAP(name, BPF_MAP_TYPE_LPM_TRIE, key_type, value_type, entries)

/* As it stands in a frame; three loads where bytes would be six. */
struct mac {
	__be16 parts[3];
};

enum family { FAMILY_ANY = 0, FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };

/* ports: the fabric end of each workload's link, by ifindex. */
struct port {
	__u32 network;	/* VPC number */
	__u32 table;	/* of routes, its vswitch's; 0: none */
	__be32 address;	/* the one IPv4 address the workload may use */
	__be32 subnet;	/* its vswitch: neighbours are reached over the bridge */
	__be32 netmask;
	__be32 asker;	/* as whom its vswitch is seen where a forward has no source; 0: nowhere */
	__be32 gateway;	/* of its vswitch, who says that a packet has got too old; or 0 */
	struct in6_addr gateway6;	/* the same, or :: */
	struct in6_addr address6;	/* the one IPv6 address, or :: */
	__be32 subnet6[2];	/* a vswitch has a /64 */
	struct mac mac;	/* the one MAC the workload may use */
	__u8 peer;	/* 1: a veth, deliver straight into its other end */
	__u8 filter_count;
	__u32 filters[MAX_FILTERS];	/* whose egress rules its new flows must pass; none: all may */
};

HASH_MAP(ports, __u32, struct port, 65536);

/* An address within a VPC. The same address in two VPCs is two keys: overlap is no special case. */
struct address_key {
	__u32 network;
	struct in6_addr address;
};

enum address_kind {
	ADDRESS_GATEWAY = 1,
	ADDRESS_ENDPOINT = 2,
	ADDRESS_BALANCER = 3,	/* a load balancer's own: open to all of its network, as are ... */
	ADDRESS_NAT = 4,	/* ... a NAT gateway's, behind whose ports are doors, ... */
	ADDRESS_DOOR = 5,	/* ... one of these, ... */
	ADDRESS_BLOCK = 6,	/* ... and what a gateway endpoint leads to, to all with the route */
};

/* addresses: what the fabric itself answers for (ARP, discovery, ping); they are on no interface. */
struct address {
	struct mac mac;
	__u8 kind;
	__u8 filter_count;
	__u32 forward;	/* 0: not accepted, nothing passes */
	__u32 place;	/* what its traffic is counted under, whatever it leads to */
	__u32 balancer;	/* who stands behind its ports; 0: whoever has the address that is called */
	__u32 filters[MAX_FILTERS];
};

HASH_MAP(addresses, struct address_key, struct address, 262144);

/* doors: ports of NAT gateways' addresses, each with what is reached there. */
struct door_key {
	__u32 network;
	struct in6_addr address;
	__be16 port;
	__u8 protocol;	/* IPPROTO_* */
	__u8 pad;
};

HASH_MAP(doors, struct door_key, struct address, 262144);

/* routes: where to with what is for no neighbour and the fabric does not answer for. */
enum route_kind {
	ROUTE_LOCAL = 1,	/* to whoever of the network has the address */
	ROUTE_HOP = 2,		/* to who passes it on */
	ROUTE_ENDPOINT = 3,	/* as to an address of the fabric */
};

struct route_key {
	__u32 prefix;	/* bits of what follows */
	__u32 table;
	struct in6_addr address;
};

struct route {
	struct address called;	/* of a gateway endpoint */
	struct in6_addr hop;
	__u32 kind;
};

#define ROUTE_PREFIX (8 * (sizeof(struct route_key) - sizeof(__u32)))

PREFIX_MAP(routes, struct route_key, struct route, 1048576);

/* forwards: open endpoint zones by number. Gone from here = every flow through it stops. */
struct forward {
	__u32 network;	/* where it leads: the provider's VPC, of a reverse endpoint the consumer's */
	struct in6_addr source;	/* what the servers there see, in IPv4; ::, by client: its asker ... */
	struct in6_addr source6;	/* ... and in IPv6 */
	__u32 flows;	/* at a time, at most */
	__u32 spacing;	/* ns between two new flows, by their highest rate; 0: as many as come */
	__u16 idle_tcp;	/* seconds of silence after which a flow ends; 0: as its listener says */
	__u16 idle_udp;
	__u16 pace;	/* the class of the shaper that its packets pass; 0: none */
	__u16 routed;	/* 1: routes lead here, and no address */
};

HASH_MAP(forwards, __u32, struct forward, 262144);

/* listeners: ports of a load balancer, a range being as many prefixes as it takes; servers: who is
 * chosen from for a new flow, slot by slot, under the first port of their listener. */
enum scheduler {
	SCHEDULER_TURNS = 1,	/* a slot per unit of weight, in turns */
	SCHEDULER_LEAST = 2,	/* a slot per server, the one with the fewest flows for its weight */
	SCHEDULER_SOURCE = 3,	/* slots given out by hash; the client's address says which */
	SCHEDULER_TUPLE = 4,	/* the same, by its port and the one it calls too */
};

struct listener_key {
	__u32 prefix;	/* bits of what follows; of all keys of one listener only those of `port` differ */
	__u32 balancer;
	__u8 family;	/* of the servers */
	__u8 protocol;	/* IPPROTO_* */
	__be16 port;
};

#define LISTENER_PREFIX (8 * (sizeof(struct listener_key) - sizeof(__u32)))

struct listener {
	__u32 slots;
	__be16 first;
	__u16 idle;	/* seconds of silence after which a flow ends */
	__u8 scheduler;
	__u8 pad[3];
};

struct server_key {
	__u32 balancer;
	__u8 family;
	__u8 protocol;
	__be16 first;
	__u32 slot;
};

struct server {
	struct in6_addr address;
	__be16 port;	/* 0: the one the client asked for */
	__u8 weight;	/* where flows are compared by it; else 0 */
	__u8 pad;
};

PREFIX_MAP(listeners, struct listener_key, struct listener, 1048576);
HASH_MAP(servers, struct server_key, struct server, 1048576);

/* targets: servers that may have flows, if only those they have. Gone from here = all of them end.
 * turns, loads: whose turn it is, and flows by server; the program's own. */
struct target_key {
	__u32 balancer;
	__u8 family;
	__u8 protocol;
	__be16 first;	/* of the listener */
	struct in6_addr address;
	__be16 port;	/* as in a server */
	__u16 pad;
};

HASH_MAP(targets, struct target_key, __u32, 1048576);
HASH_MAP(loads, struct target_key, __s32, 1048576);

struct turn_key {
	__u32 balancer;
	__u8 family;
	__u8 protocol;
	__be16 first;
};

HASH_MAP(turns, struct turn_key, __u32, 262144);

/* neighbours: where a workload's address is on this node. */
struct neighbour {
	__u32 ifindex;
	struct mac mac;
	__u8 peer;	/* as in a port */
	__u8 pad;
};

HASH_MAP(neighbours, struct address_key, struct neighbour, 262144);

/* filters: one security group's rules of one direction. They decide in the order they stand. */
enum direction { INGRESS = 0, EGRESS = 1 };

struct filter_key {
	__u32 number;
	__u32 direction;
};

/* Of the two ends of a flow a rule is about the far one: where it comes from, or where it goes.
 * Made so that to match is arithmetic without a branch, which the verifier would walk 250 times. */
struct rule {
	__u64 high;	/* its block, as two numbers in native order, ... */
	__u64 low;
	__u32 set;	/* or whoever is in a set; 0: none */
	__u16 first;	/* ports, native order, inclusive */
	__u16 last;
	__u8 high_shift;	/* ... of which so many bits do not count, 0 to 64 */
	__u8 low_shift;
	__u8 family;
	__u8 family_mask;	/* 0xff, or 0: any */
	__u8 protocol;	/* IPPROTO_* */
	__u8 protocol_mask;	/* the same */
	__u8 priority;
	__u8 accept;
};

struct filter {
	__u32 count;
	__u32 version;	/* of all its rules: another text of them is another version */
};

HASH_MAP(filters, struct filter_key, struct filter, 131072);

/* rules: a filter's, page by page. A page never changes: rules that do are new pages, which the
 * filter turns to when all of them are there. */
struct page_key {
	__u32 number;
	__u32 direction;
	__u32 version;
	__u32 page;
};

struct page {
	struct rule rules[PAGE_RULES];
};

HASH_MAP(rules, struct page_key, struct page, 1048576);

/* sets: addresses that rules name together. */
struct set_key {
	__u32 prefix;	/* bits of what follows */
	__u32 set;
	struct in6_addr address;
};

#define SET_PREFIX (8 * (sizeof(struct set_key) - sizeof(__u32)))

PREFIX_MAP(sets, struct set_key, __u32, 1048576);

/* flows: each conversation is two entries, keyed by what its packets look like where they come in:
 * one for what the client sends, one for what the server answers. */
struct flow_key {
	__u32 network;
	struct in6_addr source;
	struct in6_addr destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 pad[3];
};

struct flow {
	__u64 last_seen;	/* CLOCK_MONOTONIC, ns; exact to a second */
	__u64 opened;		/* the same clock */
	__u64 packets;		/* of this direction, as on a wire: ... */
	__u64 bytes;		/* ... segments that travel as one count each, with its IP header */
	__u32 forward;
	__u32 ifindex;		/* out of this port, ... */
	struct in6_addr source;	/* ... looking like this: */
	struct in6_addr destination;
	__be16 source_port;
	__be16 destination_port;
	struct mac destination_mac;	/* the two in the order of a frame */
	struct mac source_mac;
	__u32 address_difference;	/* what the rewriting adds to a checksum */
	__u32 port_difference;
	__u32 partner_network;	/* where the other entry's packets come in */
	__u32 epoch;		/* what it rests on, as of when it was last held against it */
	__u32 taken;		/* of the client's entry: 1 for who takes it to end the flow */
	__u32 place;		/* what it is counted under */
	__u32 balancer;		/* whose server it has, 0: it goes where its client called; ... */
	__be16 listener;	/* ... behind the listener with this first port */
	__u16 idle;		/* seconds of silence after which it ends */
	__u16 pace;		/* its class: the one in its forward, or the next for answers; 0: none */
	__u8 any_port;		/* 1: the server has the port that the client asked for */
	__u8 loaded;		/* 1: it counts in `loads` */
	__u8 peer;		/* as in a port */
	__u8 reverse;		/* 1: the server's answers */
	/* Each a byte of its own: both directions may be writing at once. */
	__u8 established;	/* this side has sent something beyond its SYN */
	__u8 client_finished;
	__u8 server_finished;
	__u8 reset;		/* by whom: enum cause */
	__u8 revoked;		/* ended under the flow, why: enum cause. This side is to be told */
	__u8 acknowledged;	/* this side has had the other's FIN */
	__be32 last;		/* the acknowledgement by which it says so; 0 till there is a FIN */
};

HASH_MAP(flows, struct flow_key, struct flow, 2097152);	/* a million flows */

/* counts: flows through a forward, by its number; the program's own. */
struct count {
	__u64 next;	/* when, by its highest rate, the next new flow would be due; CLOCK_MONOTONIC */
	__s32 flows;
	__u32 pad;
};

HASH_MAP(counts, __u32, struct count, 262144);

/* traffic: what went through a place and what became of it, by CPU; refusals: what did not, by
 * reason. Made by the program, deleted by the agent once the server has the last of it; what comes
 * after that counts from 0, and is another birth. */
enum way { FROM_CLIENT, FROM_SERVER, WAYS };

struct amount {
	__u64 packets;	/* counted as those of a flow */
	__u64 bytes;
};

struct traffic {
	struct amount carried[WAYS];	/* delivered */
	struct amount dropped[WAYS];	/* or refused */
	struct amount shaped[WAYS];	/* given to the shaper, ... */
	struct amount released[WAYS];	/* ... and come out of it, to be carried or dropped */
	__u64 opened;			/* flows */
	__u64 ended[CAUSES];		/* flows, by cause */
	__u64 born;			/* on the CPU that made this entry: when, CLOCK_MONOTONIC, ns */
	__u64 second;			/* in which the records of this CPU are counted */
	__u32 said;			/* of them */
	__u32 unsaid;			/* records left out, ever */
};

struct refusal_key {
	__u32 place;
	__u16 reason;
	__u8 way;
	__u8 pad;
};

HASH_MAP_PER_CPU(traffic, __u32, struct traffic, 262144);
HASH_MAP_PER_CPU(refusals, struct refusal_key, struct amount, 1048576);

/* records: flows opened, closed and refused, as they happen; who reads too slowly misses some, of
 * which their number is in `traffic`. */
enum event { EVENT_OPENED = 1, EVENT_CLOSED = 2, EVENT_REFUSED = 3 };

struct record {
	__u64 time;		/* CLOCK_MONOTONIC, ns */
	__u64 opened;		/* of the flow; 0 where it was refused */
	struct amount carried[WAYS];
	__u32 network;		/* the client's */
	__u32 place;
	struct in6_addr client;
	struct in6_addr called;	/* the address it asked for */
	struct in6_addr source;	/* as what the server sees it; :: where refused, as with the next */
	struct in6_addr server;
	__be16 client_port;
	__be16 called_port;
	__be16 source_port;
	__be16 server_port;
	__u32 group;		/* the security group that refused; 0: none did */
	__u16 rule;		/* which of its rules, from 1 in the order they decide; 0: none accepted */
	__u8 direction;		/* of that rule */
	__u8 event;
	__u8 cause;		/* enum cause where closed, enum reason where refused */
	__u8 protocol;
	__u8 way;		/* whose packet was refused */
	__u8 pad[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 21);	/* bytes */
} records SEC(".maps");

/* fragments: datagrams that are passing in pieces. Every workload has a few places of its own, so
 * that none pushes out another's; a new datagram takes the place of an old one. */
#define DATAGRAMS 64	/* per workload; a power of two */

struct fragment_key {
	__u32 ifindex;
	__u32 place;
};

struct datagram {
	__u64 began;		/* CLOCK_MONOTONIC, ns */
	struct flow_key key;	/* with the ports that only the first piece shows */
	__be32 identification;
	__be32 substitute;	/* the identification it leaves with */
	__u16 next;		/* where the next piece must begin, in bytes */
	__u8 echo;		/* to be sent back where it came from */
	__u8 pad;
};

HASH_MAP(fragments, struct fragment_key, struct datagram, 262144);

#define ARRAY_MAP(name, map_type, value_type, entries)	\
	struct {					\
		__uint(type, map_type);			\
		__uint(max_entries, entries);		\
		__type(key, __u32);			\
		__type(value, value_type);		\
	} name SEC(".maps")

/* complaints: of a gateway to a workload, by ifindex, in this second. The oldest goes for a new one. */
struct complaints {
	__u64 second;	/* CLOCK_MONOTONIC */
	__u32 times;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct complaints);
} complaints SEC(".maps");

/* numbers: single ones. A flow is held against what it rests on anew when the epoch of that is not
 * its own. */
enum number {
	NUMBER_EPOCH,
	NUMBER_IDENTIFICATION,
	NUMBER_LIFE,		/* of these maps, by chance: counters of another life begin at 0 */
	NUMBER_SHAPER,		/* the first of the links that lead into the shaper; 0: there is none */
	NUMBER_RECORDS,		/* per place, CPU and second, at most */
	NUMBER_MOVING,		/* 1: flows are on their way into this table; what is of none is not reset */
	NUMBER_COMPLAINTS,	/* per port and second, at most; 0: none */
	NUMBERS,
};

ARRAY_MAP(numbers, BPF_MAP_TYPE_ARRAY, __u32, NUMBERS);

/* scratch: the two entries of a flow in the making, which the stack has no room for. */
struct halves {
	struct flow there;	/* what the client sends */
	struct flow back;	/* what the server answers */
};

ARRAY_MAP(scratch, BPF_MAP_TYPE_PERCPU_ARRAY, struct halves, 1);

/* no_traffic: what counters begin as, which the stack has no room for; only the birth is written. */
ARRAY_MAP(no_traffic, BPF_MAP_TYPE_PERCPU_ARRAY, struct traffic, 1);

/* blames: which rule has just refused a flow. */
struct blame {
	__u32 group;
	__u16 rule;	/* as in a record */
	__u8 direction;
	__u8 pad;
};

ARRAY_MAP(blames, BPF_MAP_TYPE_PERCPU_ARRAY, struct blame, 1);

/* packets: the one that this CPU is at, by its headers; the stack is for other things. */
enum piece { WHOLE, FIRST_PIECE, LATER_PIECE };

/* What the headers say. */
struct packet {
	struct flow_key key;	/* ports only once the transport header was read */
	__be32 identification;	/* of a piece */
	__u16 length;		/* from the transport header to the end, in bytes */
	__u16 offset;		/* of a piece, in bytes */
	__u8 transport;		/* where the transport header begins */
	__u8 family;
	__u8 piece;
	__u8 flags;		/* TCP's ... */
	__be32 acknowledged;	/* ... acknowledgement number, ... */
	__be32 end;		/* ... and the one that acknowledges all of the segment */
	__u8 last;		/* of the pieces */
	__u8 header;		/* length of the transport header, in bytes */
	__u8 way;		/* whose it is, ... */
	__u8 asks;		/* ... whether it asks for a flow or an echo, and has none yet, ... */
	__u32 place;		/* ... and where it is counted; 0: nowhere */
	__u8 shaped;		/* 1: it went into the shaper */
	__u8 pad[3];
};

ARRAY_MAP(packets, BPF_MAP_TYPE_PERCPU_ARRAY, struct packet, 1);

/* keys: of flows, where the stack has no room either. */
enum key { KEY_QUOTED, KEY_PARTNER, KEYS };

ARRAY_MAP(keys, BPF_MAP_TYPE_PERCPU_ARRAY, struct flow_key, KEYS);

/* drops: packets by enum reason. */
ARRAY_MAP(drops, BPF_MAP_TYPE_PERCPU_ARRAY, __u64, MAX_REASONS);
