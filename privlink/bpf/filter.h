/* Security groups: may this flow be? Paid once per flow, and again when the rules changed. */
#pragma once

#include <stdbool.h>

#include "packet.h"

/* A verdict: priority, whether it accepts, and which rule of the group that is, from 1, in the bits
 * from 17, of 16, and below. The least wins. */
#define PRIORITY_SHIFT 17
#define ACCEPTS (1 << 16)
#define RULE_MASK 0xffff
#define NO_RULE (256 << PRIORITY_SHIFT)	/* after every verdict: nothing accepts */
#define NOT_HERE 0	/* before every verdict: a group we do not know may be one that drops */

/* What is asked of a group: a flow of this protocol to this port, with this far end. */
struct question {
	struct in6_addr peer;
	__u16 port;	/* native order; 0 where the protocol has none */
	__u8 protocol;
	__u8 family;
};

/* Not 0 where the two differ in more than their last `shift` bits. In two steps, as a shift by 64
 * is none. */
static __always_inline __u64 differ(__u64 one, __u64 other, __u32 shift)
{
	__u32 half = shift / 2;

	return (one ^ other) >> half >> (shift - half);
}

/* Not 0 where `value` lies outside. */
static __always_inline __u32 outside(__s32 value, __s32 first, __s32 last)
{
	return ((value - first) | (last - value)) & 0x80000000;
}

static __always_inline __u64 half(const struct in6_addr *address, __u32 word)
{
	return (__u64)bpf_ntohl(address->s6_addr32[word]) << 32 |
	       bpf_ntohl(address->s6_addr32[word + 1]);
}

/* The verdict of the first rule that matches among `count` of a page, whose first it counts as 1.
 *
 * Not static: the verifier then looks at it once, not once per page and group. */
__noinline int page_verdict(const struct page *page, __u32 count, const struct question *question)
{
	struct set_key member = { .prefix = SET_PREFIX };	/* here: one state for the verifier */
	__u64 high, low;

	if (!page || !question)
		return NOT_HERE;
	high = half(&question->peer, 0);
	low = half(&question->peer, 2);
	member.address = question->peer;
	for (__u32 i = 0; i < PAGE_RULES && i < count; i++) {
		const struct rule *rule = &page->rules[i];

		if (((rule->protocol ^ question->protocol) & rule->protocol_mask) |
		    ((rule->family ^ question->family) & rule->family_mask) |
		    outside(question->port, rule->first, rule->last) |
		    differ(high, rule->high, rule->high_shift) |
		    differ(low, rule->low, rule->low_shift))
			continue;
		member.set = rule->set;
		if (member.set && !bpf_map_lookup_elem(&sets, &member))
			continue;
		return rule->priority << PRIORITY_SHIFT | (rule->accept ? ACCEPTS : 0) | (i + 1);
	}
	return NO_RULE;
}

/* A group's verdict, by its first rule that matches; of equal priorities across groups the drop is
 * the lesser. */
__noinline int filter_verdict(__u32 number, __u32 direction, const struct question *question)
{
	struct filter_key key = { .number = number, .direction = direction };
	const struct filter *filter = bpf_map_lookup_elem(&filters, &key);
	struct page_key where = { .number = number, .direction = direction };
	__u32 count;
	int verdict;

	if (!filter || !question)
		return NOT_HERE;
	count = filter->count;
	where.version = filter->version;
	for (__u32 first = 0; first < MAX_RULES && first < count; first += PAGE_RULES) {
		where.page = first / PAGE_RULES;
		verdict = page_verdict(bpf_map_lookup_elem(&rules, &where), count - first, question);
		if (verdict != NO_RULE)
			return verdict + first;
	}
	return NO_RULE;
}

static __noinline bool permitted_by(const __u32 *groups, __u8 count, __u32 direction,
				    const struct question *question)
{
	int best = NO_RULE;
	__u32 only = 0, group = count ? groups[0] : 0;
	struct blame *blame;

	for (__u32 i = 0; i < MAX_FILTERS && i < count; i++) {
		int verdict = filter_verdict(groups[i], direction, question);

		if (verdict < best) {
			best = verdict;
			group = groups[i];
		}
	}
	if (best & ACCEPTS)
		return true;
	blame = bpf_map_lookup_elem(&blames, &only);
	if (blame) {
		blame->group = group;
		blame->rule = best & RULE_MASK;
		blame->direction = direction;
	}
	return false;
}

/* Hold a flow against the rules, by what its client sends: PASSED, or why it must not be. */
__noinline int judge(const struct port *client, const struct address *address,
		     const struct flow_key *key, __u8 family)
{
	struct question question = { .family = family };

	if (!client || !address || !key)
		return REASON_SECURITY_GROUP;
	question.peer = key->source;
	question.port = bpf_ntohs(key->destination_port);
	question.protocol = key->protocol;
	if (address->kind < ADDRESS_BALANCER &&
	    !permitted_by(address->filters, address->filter_count, INGRESS, &question))
		return REASON_SECURITY_GROUP;
	if (!client->filter_count)
		return PASSED;
	question.peer = key->destination;
	if (!permitted_by(client->filters, client->filter_count, EGRESS, &question))
		return REASON_EGRESS_RULE;
	return PASSED;
}

/* Whether flows are on their way into this table from an older one. */
static __always_inline bool flows_are_moving(void)
{
	__u32 number = NUMBER_MOVING;
	const __u32 *moving = bpf_map_lookup_elem(&numbers, &number);

	return moving && *moving;
}

/* What flows are held against; it rises when that changes. */
static __always_inline __u32 epoch_now(void)
{
	__u32 number = NUMBER_EPOCH;
	const __u32 *epoch = bpf_map_lookup_elem(&numbers, &number);

	return epoch ? *epoch : 0;
}
