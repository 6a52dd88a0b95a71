/* Flows that are over, by silence: the agent finds them, the program ends them. */
#pragma once

#include "flow.h"

/* Silence that the agent found: of this entry, and of its partner if it has one, since then. */
struct silence {
	struct flow_key key;
	__u32 pad;
	__u64 since;	/* CLOCK_MONOTONIC, ns */
};

#define MOST_SILENCES 48	/* as many as a program-test call's packet has room for */

static __noinline int end_if_silent(const struct silence *silence)
{
	struct flow *flow = bpf_map_lookup_elem(&flows, &silence->key), *partner;
	struct flow_key partner_key;

	if (!flow || flow->last_seen > silence->since)
		return 0;
	partner_key = partner_of(&silence->key, flow);
	partner = find_partner(&silence->key, flow, &partner_key);
	/* Who has not yet said more than a greeting is not the one to say that it was all. */
	if (partner && (partner->last_seen > silence->since ||
			(partner->established && !flow->established)))
		return 0;
	return forget(&silence->key, flow);
}
