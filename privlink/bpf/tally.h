/* Counting what passes and what does not, and records of what became of flows. Decides nothing.
 *
 * What is not static the verifier looks at once, not once per caller; that has to answer something.
 */
#pragma once

#include "packet.h"

#define SECOND 1000000000ull	/* ns */

/* A packet as it was or will be on a wire: the segments that travel as one count each, with headers
 * of its own. Bytes are those of IP. */
static __always_inline struct amount amount_of(const struct __sk_buff *skb,
					       const struct packet *packet)
{
	__u32 ip = packet->transport - IP_START;
	__u32 payload = packet->length > packet->header ? packet->length - packet->header : 0;
	struct amount amount = { .packets = 1, .bytes = ip + packet->length };

	if (skb->gso_size && payload > skb->gso_size) {
		amount.packets = (payload + skb->gso_size - 1) / skb->gso_size;
		amount.bytes += (amount.packets - 1) * (ip + packet->header);
	}
	return amount;
}

/* The counters of a place on this CPU; made when they are first needed. */
static __always_inline struct traffic *traffic_of(__u32 place)
{
	struct traffic *found = bpf_map_lookup_elem(&traffic, &place);
	__u32 only = 0;
	struct traffic *none;

	if (found || !place)
		return found;
	none = bpf_map_lookup_elem(&no_traffic, &only);
	if (none) {
		none->born = bpf_ktime_get_ns();
		bpf_map_update_elem(&traffic, &place, none, BPF_NOEXIST);
	}
	return bpf_map_lookup_elem(&traffic, &place);
}

static __always_inline void add(struct amount *sum, const struct amount *amount)
{
	sum->packets += amount->packets;
	sum->bytes += amount->bytes;
}

/* A packet of a flow went on. Its own entry tells the record, the place everybody else; there what
 * has yet to pass the shaper counts as carried when it has. */
__noinline int count_carried(struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	struct amount amount;
	struct traffic *place;

	if (!packet)
		return 0;
	amount = amount_of(skb, packet);
	place = traffic_of(packet->place);

	if (flow) {
		__sync_fetch_and_add(&flow->packets, amount.packets);
		__sync_fetch_and_add(&flow->bytes, amount.bytes);
	}
	if (place)
		add(packet->shaped ? &place->shaped[packet->way & 1]
				   : &place->carried[packet->way & 1], &amount);
	return 0;
}

/* A packet came out of the shaper, and is carried to where it was going or dropped. Where it says it
 * is counted there are counters already, or it is wrong: it never makes any. */
__noinline int count_released(struct __sk_buff *skb, struct packet *packet, bool carried)
{
	struct amount amount;
	struct traffic *place;

	if (!packet)
		return 0;
	place = bpf_map_lookup_elem(&traffic, &packet->place);
	if (!place) {
		packet->place = 0;
		return 0;
	}
	amount = amount_of(skb, packet);
	add(&place->released[packet->way & 1], &amount);
	if (carried)
		add(&place->carried[packet->way & 1], &amount);
	return 0;
}

__noinline int count_refused(struct __sk_buff *skb, const struct packet *packet, __u16 reason)
{
	struct refusal_key key = { .reason = reason };
	struct amount amount, *sum;
	struct traffic *place;

	if (!packet)
		return 0;
	amount = amount_of(skb, packet);
	key.place = packet->place;
	key.way = packet->way;
	place = traffic_of(packet->place);
	sum = bpf_map_lookup_elem(&refusals, &key);

	if (place)
		add(&place->dropped[packet->way & 1], &amount);
	if (sum)
		add(sum, &amount);
	else
		bpf_map_update_elem(&refusals, &key, &amount, BPF_NOEXIST);
	return 0;
}

/* Room for a record about a place, or NULL: there were enough of it in this second, or nobody
 * reads them. What is left out is counted. */
static __always_inline struct record *begin_record(__u32 place, __u8 event)
{
	__u32 number = NUMBER_RECORDS;
	const __u32 *most = bpf_map_lookup_elem(&numbers, &number);
	struct traffic *counters = traffic_of(place);
	__u64 now = bpf_ktime_get_coarse_ns();
	struct record *record;

	if (!most || !counters)
		return NULL;
	if (counters->second != now / SECOND) {
		counters->second = now / SECOND;
		counters->said = 0;
	}
	record = counters->said < *most ? bpf_ringbuf_reserve(&records, sizeof(*record), 0) : NULL;
	if (!record) {
		counters->unsaid++;
		return NULL;
	}
	counters->said++;
	__builtin_memset(record, 0, sizeof(*record));
	record->time = now;
	record->place = place;
	record->event = event;
	return record;
}

static __always_inline void describe(struct record *record, const struct flow_key *key)
{
	record->network = key->network;
	record->client = key->source;
	record->called = key->destination;
	record->client_port = key->source_port;
	record->called_port = key->destination_port;
	record->protocol = key->protocol;
}

static __always_inline void describe_flow(struct record *record, const struct flow_key *key,
					  const struct flow *client)
{
	describe(record, key);
	record->opened = client->opened;
	record->source = client->source;
	record->server = client->destination;
	record->source_port = client->source_port;
	record->server_port = client->destination_port;
	record->carried[FROM_CLIENT].packets = client->packets;
	record->carried[FROM_CLIENT].bytes = client->bytes;
}

/* A flow was opened; `key` and `client` are those of what its client sends. Whoever reads, looks
 * every now and then: to be woken would cost more than the record. */
__noinline int say_opened(const struct flow_key *key, const struct flow *client)
{
	struct traffic *counters;
	struct record *record;

	if (!key || !client)
		return 0;
	counters = traffic_of(client->place);
	if (counters)
		counters->opened++;
	record = begin_record(client->place, EVENT_OPENED);
	if (!record)
		return 0;
	describe_flow(record, key, client);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/* A flow is over; `server` is the entry of the answers, NULL if that is gone. */
__noinline int say_closed(const struct flow_key *key, const struct flow *client,
			  const struct flow *server, __u8 cause)
{
	struct traffic *counters;
	struct record *record;

	if (!key || !client)
		return 0;
	counters = traffic_of(client->place);
	if (counters && cause < CAUSES)
		counters->ended[cause]++;
	record = begin_record(client->place, EVENT_CLOSED);
	if (!record)
		return 0;
	describe_flow(record, key, client);
	record->cause = cause;
	if (server) {
		record->carried[FROM_SERVER].packets = server->packets;
		record->carried[FROM_SERVER].bytes = server->bytes;
	}
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/* A flow was not opened, for this reason. */
__noinline int say_refused(const struct packet *packet, __u8 reason)
{
	__u32 only = 0;
	const struct blame *blame;
	struct record *record;

	if (!packet)
		return 0;
	record = begin_record(packet->place, EVENT_REFUSED);
	if (!record)
		return 0;
	describe(record, &packet->key);
	record->cause = reason;
	record->way = packet->way;
	blame = bpf_map_lookup_elem(&blames, &only);
	if (blame && (reason == REASON_SECURITY_GROUP || reason == REASON_EGRESS_RULE)) {
		record->group = blame->group;
		record->rule = blame->rule;
		record->direction = blame->direction;
	}
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}
