// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   any bytes: the first says which link, the rest is a frame.
 * Out:  an instance there is, in every mode; where the owners' parser finds addresses and ports,
 *       a plain packet of these, and its answer, go to the same.
 * Owns: nothing.
 * Runs on: libFuzzer, or the replay of the corpus.
 */
#include "balance_frames.h"
#include "flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* IPv4's addresses are ::ffff:a.b.c.d to the owners, as some of IPv6 are. */
static struct talk talk_of(const struct owner_flow *flow, bool is6)
{
	struct talk t = { .is6 = is6, .protocol = flow->protocol, .src_port = flow->src_port,
			  .dst_port = flow->dst_port };
	int from = is6 ? 0 : 12;

	memcpy(t.src, flow->src + from, 16 - from);
	memcpy(t.dst, flow->dst + from, 16 - from);
	if (flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6)
		t.src_port = t.dst_port = flow->src_port | flow->dst_port;
	return t;
}

/* Fragments go without ports, by the protocol that their own header names. */
static bool is_fragment_of(struct talk t, uint32_t at)
{
	for (int protocol = 0; protocol < 256; protocol++) {
		struct frame f;

		t.protocol = protocol;
		f = fragment(&t, 0, true);
		if (pick(BALANCE_FLOW, &f) == at)
			return true;
	}
	return false;
}

static bool agrees(const struct owner_flow *flow, bool is6, uint32_t at)
{
	struct talk t = talk_of(flow, is6), back = answer_to(t);
	struct frame f = plain(&t), b = plain(&back);

	if (pick(BALANCE_FLOW, &f) != pick(BALANCE_FLOW, &b))
		abort();
	return pick(BALANCE_FLOW, &f) == at || is_fragment_of(t, at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t links[] = { 1, 1, 101, 0, 108, 113, 276, 228, 229, 147 };
	struct xcap_record rec = { .type = XCAP_PACKET, .cpu = XCAP_CPU_UNKNOWN, .ifindex = 3 };
	struct owner_flow flow = { 0 };
	struct balance_rr rr = { 0 };
	uint32_t at;

	if (!size)
		return 0;
	rec.packet.linktype = links[data[0] % (sizeof(links) / sizeof(*links))];
	rec.data = data + 1;
	rec.caplen = size - 1;
	for (int mode = BALANCE_DEFAULT; mode <= BALANCE_FIFO; mode++)
		if (mode != BALANCE_FANOUT && balance_pick(mode, &rec, 1 + data[0], &rr) > data[0])
			abort();
	at = balance_pick(BALANCE_FLOW, &rec, MANY, &rr);
	if (flow_parse(&rec, &flow) && !agrees(&flow, false, at) && !agrees(&flow, true, at))
		abort();
	return 0;
}
