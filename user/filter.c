// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a pcap filter expression, link types.
 * Out:  yes or no for a packet.
 * Owns: the compiled programs.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include "filter.h"

#define FILTER_SNAPLEN 262144

/* SKF_AD_OFF + SKF_AD_PKTTYPE of linux/filter.h, which has pcap's names for other things */
#define PACKET_TYPE_AT (-0x1000u + 4)

#define MAX_LINKTYPES 16	/* in one stream; a file may bring several */

struct filter {
	char *expression;
	int nr;
	struct filter_program {
		uint32_t linktype;
		bool compiled;		/* else the expression makes no sense there */
		struct bpf_program code[2];	/* [1] for what goes out */
	} programs[MAX_LINKTYPES];
};

static const struct filter_program *find(const struct filter *f, uint32_t linktype)
{
	for (int i = 0; i < f->nr; i++)
		if (f->programs[i].linktype == linktype)
			return &f->programs[i];
	return NULL;
}

int filter_dlt(uint32_t linktype)
{
	return linktype == 101 ? DLT_RAW : (int)linktype;
}

int filter_split(const struct bpf_program *code, struct bpf_program *split)
{
	size_t size = code->bf_len * sizeof(*code->bf_insns);

	for (int way = 0; way < 2; way++) {
		struct bpf_insn *in = malloc(size);

		if (!in) {
			if (way)
				pcap_freecode(&split[0]);
			return -ENOMEM;
		}
		memcpy(in, code->bf_insns, size);
		split[way] = (struct bpf_program){ .bf_len = code->bf_len, .bf_insns = in };
		for (u_int i = 0; i < code->bf_len; i++, in++)
			if (BPF_CLASS(in->code) == BPF_LD && BPF_MODE(in->code) == BPF_ABS &&
			    in->k == PACKET_TYPE_AT)
				*in = (struct bpf_insn){ .code = BPF_LD | BPF_IMM,
							 .k = way ? PACKET_OUTGOING : PACKET_HOST };
	}
	return 0;
}

/* Return: 0, and code is pcap_freecode()'s; -EINVAL with libpcap's sentence; -ENOMEM. */
static int compile(const char *expression, uint32_t linktype, struct bpf_program *code,
		   struct error *err)
{
	pcap_t *dead = pcap_open_dead(filter_dlt(linktype), FILTER_SNAPLEN);
	int ret = 0;

	if (!dead)
		return -ENOMEM;
	if (pcap_compile(dead, code, expression, 1, PCAP_NETMASK_UNKNOWN))
		ret = error_set(err, -EINVAL,
				"filter '%s' does not compile: %s; see pcap-filter(7)",
				expression, pcap_geterr(dead));
	pcap_close(dead);
	return ret;
}

static int compile_one(struct filter *f, uint32_t linktype, struct error *err)
{
	struct filter_program *p = &f->programs[f->nr];
	struct bpf_program code = { 0 };
	int ret;

	if (f->nr == MAX_LINKTYPES)
		return error_set(err, -EINVAL, "more than %d link types under one filter",
				 MAX_LINKTYPES);
	ret = compile(f->expression, linktype, &code, err);
	if (ret == -ENOMEM)
		return ret;
	ret = ret ?: filter_split(&code, p->code);
	p->linktype = linktype;
	p->compiled = !ret;
	f->nr++;
	pcap_freecode(&code);
	return ret;
}

int filter_insns(const char *expression, uint32_t linktype, struct cbpf_insn **out,
		 struct error *err)
{
	struct bpf_program code = { 0 };
	int ret = compile(expression, linktype, &code, err);

	if (ret)
		return ret;
	*out = calloc(code.bf_len, sizeof(**out));
	ret = *out ? (int)code.bf_len : -ENOMEM;
	for (int i = 0; i < ret; i++) {
		const struct bpf_insn *in = &code.bf_insns[i];

		(*out)[i] = (struct cbpf_insn){ in->code, in->jt, in->jf, in->k };
	}
	pcap_freecode(&code);
	return ret;
}

const char *filter_kernel_text(const struct filter *f)
{
	return f->expression;
}

bool filter_is_kernels(const struct filter *f)
{
	return true;
}

int filter_compile(struct filter **out, const char *expression, const uint32_t *linktypes, int nr,
		   struct error *err)
{
	struct filter *f = calloc(1, sizeof(*f));
	int ret = 0;

	if (!f)
		return -ENOMEM;
	f->expression = strdup(expression);
	if (!f->expression)
		ret = -ENOMEM;
	for (int i = 0; i < nr && !ret; i++)
		if (!find(f, linktypes[i]))
			ret = compile_one(f, linktypes[i], err);
	if (ret) {
		filter_free(f);
		return ret;
	}
	*out = f;
	return 0;
}

int filter_check(const char *expression, struct error *err)
{
	static const uint32_t ethernet = 1, raw = 101;
	struct filter *f;
	int ret;

	/* "tcp" means something everywhere, "ether host" on Ethernet only */
	ret = filter_compile(&f, expression, &ethernet, 1, err);
	if (ret == -EINVAL && !filter_compile(&f, expression, &raw, 1, NULL))
		ret = 0;
	if (!ret)
		filter_free(f);
	return ret;
}

bool filter_match(struct filter *f, uint32_t linktype, bool out, const uint8_t *data,
		  uint32_t caplen, uint32_t len)
{
	struct pcap_pkthdr h = { .caplen = caplen, .len = len };
	const struct filter_program *p = find(f, linktype);

	if (!p) {
		compile_one(f, linktype, NULL);
		p = find(f, linktype);
	}
	return p && p->compiled && pcap_offline_filter(&p->code[out], &h, data);
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->nr; i++) {
		pcap_freecode(&f->programs[i].code[0]);
		pcap_freecode(&f->programs[i].code[1]);
	}
	free(f->expression);
	free(f);
}
