/* The data plane: what happens to a packet a workload sends.
 *
 * Runs at tc ingress of the fabric end of every workload's link, a port of its vswitch's bridge.
 * A packet is the workload's own or dropped; then it belongs to a known flow and is rewritten and
 * redirected to the other network, or is for an address the fabric answers for, or for a neighbour
 * on the bridge. Everything else is dropped, and every drop is counted with its reason.
 */
#include "filter.h"
#include "flow.h"
#include "packet.h"
#include "reply.h"

static __always_inline const struct address *find_address(__u32 network, __be32 address)
{
	struct address_key key = { .network = network, .address = address };

	return bpf_map_lookup_elem(&addresses, &key);
}

static __always_inline bool in_subnet(const struct port *port, __be32 address)
{
	return (address & port->netmask) == port->subnet;
}

static __noinline int handle_arp(struct __sk_buff *skb, const struct port *port)
{
	struct arp *arp = header(skb, struct arp, ETH_HLEN);
	const struct address *address;

	if (!arp)
		return drop(REASON_TRUNCATED);
	if (arp->hardware != bpf_htons(ARP_ETHERNET) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->hardware_length != ETH_ALEN || arp->protocol_length != sizeof(arp->sender) ||
	    (arp->operation != bpf_htons(ARP_REQUEST) &&
	     arp->operation != bpf_htons(ARP_REPLY)))
		return drop(REASON_MALFORMED);
	if (!same_mac(arp->sender_mac, port->mac) || arp->sender != port->address)
		return drop(REASON_SPOOFED_SOURCE);
	if (arp->operation == bpf_htons(ARP_REQUEST)) {
		address = find_address(port->network, arp->target);
		if (address)
			return reply_arp(skb, address->mac);
	}
	return in_subnet(port, arp->target) ? TC_ACT_OK : drop(REASON_ARP_OUTSIDE);
}

/* Ping, to an address of the fabric. */
static __noinline int handle_icmp(struct __sk_buff *skb, const struct address *address)
{
	struct iphdr *ip = header(skb, struct iphdr, IP_START);
	struct icmp *icmp = header(skb, struct icmp, TRANSPORT_START);

	if (!ip || !icmp)
		return drop(REASON_TRUNCATED);
	if (bpf_ntohs(ip->tot_len) < sizeof(*ip) + sizeof(*icmp))
		return drop(REASON_MALFORMED);
	if (icmp->type != ICMP_ECHO_REQUEST || icmp->code)
		return drop(REASON_NOT_ECHO);
	if (address->kind == ADDRESS_ENDPOINT && !permits(address, ip->saddr, IPPROTO_ICMP, 0))
		return drop(REASON_SECURITY_GROUP);
	return reply_echo(skb);
}

/* The first packet of a TCP conversation with an address of the fabric, or a stray one. */
static __noinline int handle_tcp_request(struct __sk_buff *skb, const struct port *port,
					 const struct flow_key *key,
					 const struct address *address)
{
	struct tcphdr *tcp = header(skb, struct tcphdr, TRANSPORT_START);
	__u32 number = address->forward;

	if (!tcp)
		return drop(REASON_TRUNCATED);
	if (address->kind == ADDRESS_GATEWAY)
		return refuse(skb, REASON_NO_LISTENER);
	if (!bpf_map_lookup_elem(&forwards, &number))
		return refuse(skb, REASON_NOT_ACCEPTED);
	if ((tcp_flags(tcp) & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return refuse(skb, REASON_NO_FLOW);
	if (!permits(address, key->source, IPPROTO_TCP, bpf_ntohs(key->destination_port)))
		return drop(REASON_SECURITY_GROUP);
	return open_flow(skb, port, key, number);
}

/* Not for the fabric: a neighbour on the bridge, or nowhere. */
static __always_inline int handle_neighbour(struct __sk_buff *skb, const struct port *port,
					    const struct iphdr *ip, bool fragment)
{
	const struct ethernet *ethernet = header(skb, struct ethernet, 0);

	if (!in_subnet(port, ip->daddr))
		return drop(fragment ? REASON_FRAGMENT : REASON_NO_ROUTE);
	if ((ip->daddr | port->netmask) == ~0u)
		return drop(REASON_MULTICAST);
	if (!ethernet || same_mac(ethernet->destination, GATEWAY_MAC))
		return drop(REASON_VIA_GATEWAY);
	return TC_ACT_OK;
}

static __always_inline int handle_tcp(struct __sk_buff *skb, const struct port *port,
				      const struct iphdr *ip)
{
	const struct tcphdr *tcp = header(skb, struct tcphdr, TRANSPORT_START);
	const struct address *address;
	struct flow *flow;
	__u8 flags;

	if (!tcp)
		return drop(REASON_TRUNCATED);
	flags = tcp_flags(tcp);
	if (tcp->doff < 5 || bpf_ntohs(ip->tot_len) < sizeof(*ip) + tcp->doff * 4 ||
	    (flags & TCP_SYN && flags & (TCP_FIN | TCP_RST)))
		return drop(REASON_MALFORMED);

	struct flow_key key = {
		.network = port->network,
		.source = ip->saddr,
		.destination = ip->daddr,
		.source_port = tcp->source,
		.destination_port = tcp->dest,
		.protocol = IPPROTO_TCP,
	};
	flow = bpf_map_lookup_elem(&flows, &key);
	if (flow) {
		bool opens = (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
		bool open = bpf_map_lookup_elem(&forwards, &flow->forward);

		if (opens && flow->reverse)
			return drop(REASON_UNSOLICITED_SYN);
		if (!opens && !open) {
			/* The other side is told too, by its own entry, when it next speaks. */
			delete_entry(&key, flow);
			return refuse(skb, REASON_CLOSED);
		}
		if (!opens || (open && !ended(flow))) {
			observe(&key, flow, flags);
			return rewrite(skb, flow);
		}
		forget(&key, flow);
	}
	address = find_address(port->network, key.destination);
	if (address)
		return handle_tcp_request(skb, port, &key, address);
	ip = header(skb, struct iphdr, IP_START);
	return ip ? handle_neighbour(skb, port, ip, false) : drop(REASON_TRUNCATED);
}

static __always_inline int handle_ipv4(struct __sk_buff *skb, const struct port *port)
{
	const struct ethernet *ethernet = header(skb, struct ethernet, 0);
	const struct iphdr *ip = header(skb, struct iphdr, IP_START);
	const struct address *address;
	bool fragment;

	if (!ethernet || !ip)
		return drop(REASON_TRUNCATED);
	if (ip->version != 4 || ip->ihl < 5 || bpf_ntohs(ip->tot_len) < sizeof(*ip))
		return drop(REASON_MALFORMED);
	if (ip->ihl > 5)
		return drop(REASON_IP_OPTIONS);
	if (IP_START + bpf_ntohs(ip->tot_len) > skb->len)
		return drop(REASON_TRUNCATED);
	if (ip->saddr != port->address)
		return drop(REASON_SPOOFED_SOURCE);
	if (ethernet->destination.parts[0] & bpf_htons(0x0100))
		return drop(REASON_MULTICAST);
	/* More fragments, or an offset: RFC 791. */
	fragment = ip->frag_off & bpf_htons(0x3fff);
	if (ip->protocol == IPPROTO_TCP && !fragment)
		return handle_tcp(skb, port, ip);
	address = find_address(port->network, ip->daddr);
	if (!address)
		return handle_neighbour(skb, port, ip, fragment);
	if (fragment)
		return drop(REASON_FRAGMENT);
	if (ip->protocol == IPPROTO_ICMP)
		return handle_icmp(skb, address);
	return drop(REASON_NOT_TCP);
}

SEC("tc")
int privlink_ingress(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	const struct port *port = bpf_map_lookup_elem(&ports, &ifindex);
	const struct ethernet *ethernet;

	if (!port)
		return drop(REASON_UNKNOWN_PORT);
	/* The tag itself is in the packet's metadata by now: the frame would look like plain IPv4. */
	if (skb->vlan_present)
		return drop(REASON_VLAN_TAGGED);
	linearize_headers(skb);
	ethernet = header(skb, struct ethernet, 0);
	if (!ethernet)
		return drop(REASON_TRUNCATED);
	if (!same_mac(ethernet->source, port->mac))
		return drop(REASON_SPOOFED_SOURCE);
	if (ethernet->type == bpf_htons(ETH_P_ARP))
		return handle_arp(skb, port);
	if (ethernet->type == bpf_htons(ETH_P_IP))
		return handle_ipv4(skb, port);
	return drop(REASON_NOT_IPV4);
}

/* No helper here is reserved to GPL programs. */
char _license[] SEC("license") = "Apache-2.0";
