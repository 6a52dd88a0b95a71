/* Pacing: packets of a connection with a bandwidth pass the shaper before they are delivered.
 *
 *   port ─ privlink_ingress ─▶ shaper<n> ═ HTB ═▶ shaped<n> ─ privlink_deliver ─▶ port
 *
 * A packet takes along its class, as the priority that HTB looks at first, and where it goes, as
 * its mark. Both are set here alone: a mark does not survive the way in from a workload's namespace,
 * and nothing but a program leads into the shaper. What has no class there is dropped by it.
 *
 * In its control block it takes along where it is counted. Qdiscs own that (struct qdisc_skb_cb);
 * HTB and its leaves leave those words alone, and so does a veth without GRO, which ours have not.
 * A packet that is cut into its segments on the way has them in each. Only counters may believe it.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

#define SHAPER_HANDLE (1 << 16)	/* HTB's, 1: */
#define SHARD_BITS 9	/* classes by 512 are on links of their own, whose indexes follow one another */
#define MARK_PEER (1u << 31)	/* as in a port; the rest of a mark is an ifindex */

enum control { CONTROL_EGRESS, CONTROL_REASON, CONTROL_PLACE, CONTROL_WAY };	/* words of cb */

/* Into the shaper. Without one nothing with a bandwidth passes. */
static __always_inline int pace(struct __sk_buff *skb, struct packet *packet,
				const struct flow *flow)
{
	__u32 number = NUMBER_SHAPER, link;
	const __u32 *first = bpf_map_lookup_elem(&numbers, &number);

	if (!first || !*first)
		return -REASON_BANDWIDTH;
	link = *first + (flow->pace >> SHARD_BITS);
	skb->priority = SHAPER_HANDLE | flow->pace;
	skb->mark = flow->ifindex | (flow->peer ? MARK_PEER : 0);
	skb->cb[CONTROL_EGRESS] = link;
	skb->cb[CONTROL_PLACE] = packet->place;
	skb->cb[CONTROL_WAY] = packet->way;
	packet->shaped = 1;
	return bpf_redirect(link, 0);
}
