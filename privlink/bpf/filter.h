/* Security groups: may this client open a flow to this address? Paid once per flow. */
#pragma once

#include <stdbool.h>

#include "maps.h"

#define NO_RULE 512	/* after every verdict, and even: nothing accepts */
#define NOT_HERE 0	/* before every verdict, and even: a group we do not know may be one that drops */

/* A group's verdict on a new flow, by its first rule that matches, as one number to be compared
 * across groups: priority * 2 + accept. The least wins, and of equal priorities the drop.
 *
 * Not static: the verifier then looks at it once, not once per group. */
__noinline int filter_verdict(__u32 number, __u32 source, __u32 protocol, __u32 port)
{
	const struct filter *filter = bpf_map_lookup_elem(&filters, &number);

	if (!filter)
		return NOT_HERE;
	for (__u32 i = 0; i < MAX_RULES && i < filter->count; i++) {
		const struct rule *rule = &filter->rules[i];

		if (rule->protocol && rule->protocol != protocol)
			continue;
		if ((source & rule->netmask) != rule->subnet)
			continue;
		if (port < rule->low || port > rule->high)
			continue;
		return rule->priority << 1 | !!rule->accept;
	}
	return NO_RULE;
}

/* `port` in native order; 0 where the protocol has none. */
static __noinline bool permits(const struct address *address, __be32 source, __u8 protocol,
			       __u16 port)
{
	int best = NO_RULE;

	for (__u32 i = 0; i < MAX_FILTERS && i < address->filter_count; i++) {
		int verdict = filter_verdict(address->filters[i], source, protocol, port);

		if (verdict < best)
			best = verdict;
	}
	return best & 1;
}
