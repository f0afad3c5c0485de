// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  which of several readers gets each.
 * Owns: nothing.
 * Runs on: any thread; once for each record.
 *
 * What belongs together has the same hash: ends are put in order before they are hashed, so both
 * directions are one. Everything stays in registers.
 */
#include <string.h>
#include "balance.h"
#include "balance_packet.h"
#include "hash.h"

#define SLL_LEN 16
#define SLL2_LEN 20
#define NULL_LEN 4

/* Kinds of pairs, beside IP's protocols. */
enum { BY_MACS = 256, BY_IP };

static const char *const names[] = {
	[BALANCE_DEFAULT] = "default",
	[BALANCE_FLOW] = "flow",
	[BALANCE_IP] = "ip",
	[BALANCE_PID] = "pid",
	[BALANCE_TID] = "tid",
	[BALANCE_CGROUP] = "cgroup",
	[BALANCE_CPU] = "cpu",
	[BALANCE_RR] = "round-robin",
	[BALANCE_FANOUT] = "fanout",
	[BALANCE_VLAN] = "vlan",
	[BALANCE_INNER] = "inner",
	[BALANCE_FIFO] = "fifo",
};
#define NR_MODES ((int)(sizeof(names) / sizeof(*names)))

int balance_mode_of(const char *name)
{
	for (int mode = BALANCE_FLOW; mode < NR_MODES; mode++)
		if (!strcmp(names[mode], name))
			return mode;
	return -1;
}

const char *balance_mode_name(int mode)
{
	return mode >= 0 && mode < NR_MODES ? names[mode] : "unknown";
}

const char *balance_mode_list(void)
{
	return "flow, ip, pid, tid, cgroup, cpu, round-robin, fanout, vlan, inner, fifo";
}

/* ---- hashes ---- */

static inline uint64_t one(uint64_t value)
{
	return hash_mix(hash_mix(1, value), 1);
}

/* The same in either order. */
static inline uint64_t pair(int kind, uint64_t a, uint64_t b)
{
	uint64_t low = a < b ? a : b, high = a < b ? b : a;

	return hash_mix(hash_mix(hash_mix(kind, low), high), kind);
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load_mac(const uint8_t *p)
{
	return (uint64_t)load32(p) << 16 | layers_16(p + 4);
}

static inline uint64_t end_of(const struct balance_ip *ip, const uint8_t *address, uint16_t port)
{
	return ip->is6 ? hash_bytes(port, address, 16) :
			 (uint64_t)port << 32 | load32(address);
}

static inline uint64_t by_ends(const struct balance_ip *ip, int kind, uint16_t src_port,
			       uint16_t dst_port)
{
	return pair(kind, end_of(ip, ip->src, src_port), end_of(ip, ip->dst, dst_port));
}

/* ---- packets ---- */

static inline bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

/* Where a message quotes a packet. Return: false: it does not, or too little of it. */
static bool quoted(const struct balance_ip *ip, struct balance_ip *quote)
{
	struct bytes b = ip->upper;
	struct balance_net net;
	bool error = false;

	if (ip->protocol == IPPROTO_ICMP && b.len)	/* those with 8 bytes before the quote */
		error = b.p[0] == 3 || b.p[0] == 4 || b.p[0] == 5 || b.p[0] == 11 || b.p[0] == 12;
	else if (ip->protocol == IPPROTO_ICMPV6 && b.len)
		error = b.p[0] < 128;
	if (!error || !layers_skip(&b, 8))
		return false;
	balance_raw(b, &net);
	return balance_ip(&net, quote);
}

/* Its identifier; 0: it is no echo. */
static uint16_t echo_id(const struct balance_ip *ip)
{
	struct bytes b = ip->upper;
	bool echo = b.len >= 6 &&
		    ((ip->protocol == IPPROTO_ICMP && (b.p[0] == 8 || b.p[0] == 0)) ||
		     (ip->protocol == IPPROTO_ICMPV6 && (b.p[0] == 128 || b.p[0] == 129)));

	return echo ? layers_16(b.p + 4) : 0;
}

static inline uint64_t by_ports(const struct balance_ip *ip)
{
	const uint8_t *p = ip->upper.p;

	return by_ends(ip, ip->protocol, layers_16(p), layers_16(p + 2));
}

static uint64_t by_other(const struct balance_ip *ip)
{
	struct balance_ip quote;
	uint16_t id;

	if (quoted(ip, &quote))
		ip = &quote;
	if (has_ports(ip->protocol) && ip->upper.len >= 4)
		return by_ports(ip);
	id = echo_id(ip);
	return by_ends(ip, ip->protocol, id, id);
}

static uint64_t by_link(const struct balance_net *net, const struct xcap_record *rec)
{
	if (net->macs)
		return pair(BY_MACS, load_mac(net->macs), load_mac(net->macs + 6));
	return one(rec->ifindex);
}

static inline uint64_t by_net(enum balance_mode mode, const struct balance_net *net,
			      const struct xcap_record *rec)
{
	struct balance_ip ip;

	if (!balance_ip(net, &ip))
		return by_link(net, rec);
	if (mode == BALANCE_IP)
		return by_ends(&ip, BY_IP, 0, 0);
	if (has_ports(ip.protocol) && ip.upper.len >= 4)
		return by_ports(&ip);
	return by_other(&ip);
}

/* The first tag's 12 bits; 0: no VLAN. b: behind the type, which is that of a tag or not. */
static uint16_t vlan_of(struct bytes b, uint16_t type)
{
	return layers_is_tag(type) && b.len >= 2 ? layers_16(b.p) & 0xfff : 0;
}

/* Behind a header whose EtherType stands at that place. */
static void cooked(struct bytes b, uint32_t header_len, uint32_t type_at, struct balance_net *net,
		   uint16_t *vlan)
{
	uint16_t type;

	*net = (struct balance_net){ .b = b };
	if (!layers_skip(&net->b, header_len))
		return;
	type = layers_16(b.p + type_at);
	*vlan = vlan_of(net->b, type);
	net->type = layers_tags(&net->b, type);
}

/* Links other than Ethernet. Return: false: it is not known what they carry. */
static bool other_link(const struct xcap_record *rec, struct balance_net *net, uint16_t *vlan)
{
	struct bytes b = { rec->data, rec->caplen };

	switch (rec->packet.linktype) {
	case LAYERS_LINK_NULL:		/* the family differs between systems; IP itself does not */
	case LAYERS_LINK_LOOP:
		if (!layers_skip(&b, NULL_LEN))
			b.len = 0;
		/* fall through */
	case LAYERS_LINK_RAW:
	case LAYERS_LINK_IPV4:
	case LAYERS_LINK_IPV6:
		balance_raw(b, net);
		return true;
	case LAYERS_LINK_SLL:
		cooked(b, SLL_LEN, 14, net, vlan);
		return true;
	case LAYERS_LINK_SLL2:
		cooked(b, SLL2_LEN, 0, net, vlan);
		return true;
	}
	return false;
}

static uint64_t by_vlan(const struct xcap_record *rec)
{
	struct bytes b = { rec->data, rec->caplen };
	struct balance_net net;
	uint16_t vlan = 0;

	if (rec->packet.linktype == XCAP_LINK_ETHERNET) {
		if (layers_skip(&b, LAYERS_ETHERNET_LEN))
			vlan = vlan_of(b, layers_16(b.p - 2));
	} else if (!other_link(rec, &net, &vlan)) {
		return one(rec->ifindex);
	}
	return one(vlan);
}

/*
 * A short way for the most frequent packets: TCP over IPv4 in Ethernet, in one piece, without tags
 * and options. The long way has the same answer.
 */
static inline bool by_plain_tcp(enum balance_mode mode, const struct xcap_record *rec,
				uint64_t *hash)
{
	const uint8_t *ip, *tcp;

	if (rec->packet.linktype != XCAP_LINK_ETHERNET || mode == BALANCE_IP ||
	    rec->caplen < LAYERS_ETHERNET_LEN + LAYERS_IPV4_LEN + 4)
		return false;
	ip = rec->data + LAYERS_ETHERNET_LEN;
	tcp = ip + LAYERS_IPV4_LEN;
	if (layers_16(ip - 2) != LAYERS_TYPE_IPV4 || ip[0] != 0x45 || ip[9] != IPPROTO_TCP ||
	    layers_fragment4(ip) != LAYERS_WHOLE)
		return false;
	*hash = pair(IPPROTO_TCP, (uint64_t)layers_16(tcp) << 32 | load32(ip + 12),
		     (uint64_t)layers_16(tcp + 2) << 32 | load32(ip + 16));
	return true;
}

static uint64_t by_packet(enum balance_mode mode, const struct xcap_record *rec)
{
	struct bytes b = { rec->data, rec->caplen };
	struct balance_net net;
	uint64_t hash;
	uint16_t vlan;

	if (by_plain_tcp(mode, rec, &hash))
		return hash;
	if (rec->packet.linktype == XCAP_LINK_ETHERNET)
		balance_ethernet(b, &net);
	else if (!other_link(rec, &net, &vlan))
		return one(rec->ifindex);
	if (mode == BALANCE_INNER)
		balance_innermost(&net);
	return by_net(mode, &net, rec);
}

/* ---- records ---- */

/* Return: false: a packet that does not go by its owner, or that has none. */
static inline bool by_task(enum balance_mode mode, const struct xcap_record *rec, uint64_t *hash)
{
	bool packet = rec->type == XCAP_PACKET;
	uint64_t id = rec->pid;

	if (mode == BALANCE_TID)
		id = rec->tid;
	else if (mode == BALANCE_CGROUP)
		id = rec->cgroup_id;
	else if (packet && mode != BALANCE_PID)
		return false;
	*hash = one(id);
	return id || !packet;
}

static inline uint32_t in_turn(struct balance_rr *rr, uint32_t nr)
{
	uint64_t i = rr->next < nr ? rr->next : 0;

	rr->next = i + 1;
	return i;
}

uint32_t balance_pick(enum balance_mode mode, const struct xcap_record *rec, uint32_t nr,
		      struct balance_rr *rr)
{
	uint64_t hash;

	if (rec->type == XCAP_LOSS || mode == BALANCE_FANOUT)
		return BALANCE_ALL;
	if (mode == BALANCE_FIFO)
		return 0;
	if (mode == BALANCE_RR)
		return in_turn(rr, nr);
	if (mode == BALANCE_CPU && rec->cpu != XCAP_CPU_UNKNOWN)
		return rec->cpu % nr;
	if (!by_task(mode, rec, &hash))
		hash = mode == BALANCE_VLAN ? by_vlan(rec) : by_packet(mode, rec);
	return (hash >> 32) * nr >> 32;
}
