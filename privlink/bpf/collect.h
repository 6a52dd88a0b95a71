/* Flows that are over: by silence, or because what they rest on is gone. The agent finds them; the
 * program looks again and acts, with nanoseconds in between. A TCP connection that is under way is
 * cut first, so that both sides hear of it, and collected a moment later. */
#pragma once

#include "flow.h"

/* A flow by one of its entries, and since when that and its partner are said to be silent. */
struct silence {
	struct flow_key key;
	__u32 pad;
	__u64 since;	/* CLOCK_MONOTONIC, ns */
};

#define MOST_SILENCES 48	/* as many as a program-test call's packet has room for */

static __always_inline bool silent(const struct flow *flow, const struct flow *partner,
				   __u64 since)
{
	return flow->last_seen <= since && (!partner || partner->last_seen <= since);
}

/* Whether both sides have to be told if it ends. */
static __always_inline bool is_under_way(const struct flow_key *key, const struct flow *flow,
					 const struct flow *partner)
{
	return key->protocol == IPPROTO_TCP && partner && flow->established &&
	       partner->established && !flow->revoked && !ended(flow);
}

/* Forget a flow that was silent for so long that nobody needs to be told. */
static __noinline int end_if_silent(const struct silence *silence)
{
	struct flow *flow = bpf_map_lookup_elem(&flows, &silence->key), *partner;
	struct flow_key partner_key;

	if (!flow)
		return 0;
	partner_key = partner_of(&silence->key, flow);
	partner = find_partner(&silence->key, flow, &partner_key);
	/* Who has not yet said more than a greeting is not the one to say that it was all. */
	if (!silent(flow, partner, silence->since) ||
	    is_under_way(&silence->key, flow, partner) ||
	    (partner && partner->established && !flow->established && !flow->revoked))
		return 0;
	return forget(&silence->key, flow);
}

/* Have the receiver of a flow's packets speak, that it can be told. Whoever has a connection answers
 * a SYN within it by what it expects next (RFC 5961 section 4.2); that comes to us, and the reset we
 * answer with fits. We do not know the sequence numbers ourselves, nor do we have to. */
static __noinline int nudge(struct __sk_buff *skb, const struct flow *flow)
{
	const bool ipv4 = is_mapped(&flow->destination);
	const __u8 family = ipv4 ? FAMILY_IPV4 : FAMILY_IPV6;
	const __u32 transport = ipv4 ? IPV4_TRANSPORT : IPV6_TRANSPORT;
	struct flow_key way = {
		.source = flow->source,
		.destination = flow->destination,
		.source_port = flow->source_port,
		.destination_port = flow->destination_port,
		.protocol = IPPROTO_TCP,
	};
	struct ethernet ethernet = {
		.destination = flow->destination_mac,
		.source = flow->source_mac,
		.type = ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6),
	};
	struct tcphdr tcp = {
		.source = flow->source_port,
		.dest = flow->destination_port,
		.doff = 5,
		.syn = 1,
	};
	struct ipv6hdr ipv6;
	struct iphdr ipv4_header;
	long error;

	tcp.seq = bpf_get_prandom_u32();
	tcp.check = ~checksum_fold(bpf_csum_diff(NULL, 0, (__be32 *)&tcp, sizeof(tcp),
						 pseudo_sum(&way, family, sizeof(tcp))));
	if (bpf_skb_change_tail(skb, transport + sizeof(tcp), 0))
		return 0;
	if (ipv4) {
		write_ipv4(&ipv4_header, &way, sizeof(tcp));
		error = bpf_skb_store_bytes(skb, IP_START, &ipv4_header, sizeof(ipv4_header), 0);
	} else {
		write_ipv6(&ipv6, &way, sizeof(tcp));
		error = bpf_skb_store_bytes(skb, IP_START, &ipv6, sizeof(ipv6), 0);
	}
	if (error || bpf_skb_store_bytes(skb, 0, &ethernet, sizeof(ethernet), 0) ||
	    bpf_skb_store_bytes(skb, transport, &tcp, sizeof(tcp), 0))
		return 0;
	return !bpf_clone_redirect(skb, flow->ifindex, 0);
}

/* Why a flow has to end now; 0 where it does not. */
static __always_inline __u8 cause_now(const struct silence *silence, struct flow *flow,
				      const struct flow *partner)
{
	int reason;
	const struct port *client;
	__u32 link;

	if (flow->revoked)
		return flow->revoked;
	reason = resting(&silence->key, flow,
			 is_mapped(&flow->destination) ? FAMILY_IPV4 : FAMILY_IPV6);
	if (reason == PASSED && !flow->reverse && partner) {
		link = partner->ifindex;
		client = bpf_map_lookup_elem(&ports, &link);
		reason = leading(client, client ? find_called(client, &silence->key) : NULL, flow);
	}
	if (reason != PASSED && reason != REASON_CHANGING)
		return cause_for(reason);
	return silent(flow, partner, silence->since) ? CAUSE_IDLE : 0;
}

/* End a flow whose forward, server, door or route is gone, or that was silent for too long, and have
 * both sides of a TCP connection hear of it now. */
static __noinline int cut(struct __sk_buff *skb, const struct silence *silence)
{
	struct flow *flow = bpf_map_lookup_elem(&flows, &silence->key), *partner;
	struct flow_key partner_key;
	__u8 cause;

	if (!flow)
		return 0;
	partner_key = partner_of(&silence->key, flow);
	partner = find_partner(&silence->key, flow, &partner_key);
	cause = cause_now(silence, flow, partner);
	if (!cause)
		return 0;
	revoke(&silence->key, flow, cause);
	if (silence->key.protocol != IPPROTO_TCP || ended(flow))
		return forget(&silence->key, flow);
	nudge(skb, flow);
	/* The first took its time: whose entry that is must be asked again. */
	partner = find_partner(&silence->key, flow, &partner_key);
	if (partner)
		nudge(skb, partner);
	return 1;
}
