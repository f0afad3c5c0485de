// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a pcap filter expression, link types.
 * Out:  yes or no for a packet.
 * Owns: the compiled programs.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include "filter.h"

#define FILTER_SNAPLEN 262144

struct filter {
	int nr;
	struct filter_program {
		uint32_t linktype;
		struct bpf_program code;
	} programs[];
};

static bool has_linktype(const struct filter *f, uint32_t linktype)
{
	for (int i = 0; i < f->nr; i++)
		if (f->programs[i].linktype == linktype)
			return true;
	return false;
}

/* LINKTYPE_ and DLT_ values differ for raw IP only, among those that a live interface has. */
static int dlt_of(uint32_t linktype)
{
	return linktype == 101 ? DLT_RAW : (int)linktype;
}

static int compile_one(struct filter *f, const char *expression, uint32_t linktype,
		       struct error *err)
{
	pcap_t *dead = pcap_open_dead(dlt_of(linktype), FILTER_SNAPLEN);
	int ret = 0;

	if (!dead)
		return -ENOMEM;
	if (pcap_compile(dead, &f->programs[f->nr].code, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		ret = error_set(err, -EINVAL,
				"filter '%s' does not compile: %s; see pcap-filter(7)",
				expression, pcap_geterr(dead));
	} else {
		f->programs[f->nr++].linktype = linktype;
	}
	pcap_close(dead);
	return ret;
}

int filter_compile(struct filter **out, const char *expression, const uint32_t *linktypes, int nr,
		   struct error *err)
{
	struct filter *f = calloc(1, sizeof(*f) + nr * sizeof(f->programs[0]));
	int ret = 0;

	if (!f)
		return -ENOMEM;
	for (int i = 0; i < nr && !ret; i++)
		if (!has_linktype(f, linktypes[i]))
			ret = compile_one(f, expression, linktypes[i], err);
	if (ret) {
		filter_free(f);
		return ret;
	}
	*out = f;
	return 0;
}

bool filter_match(const struct filter *f, uint32_t linktype, const uint8_t *data, uint32_t caplen,
		  uint32_t len)
{
	struct pcap_pkthdr h = { .caplen = caplen, .len = len };

	for (int i = 0; i < f->nr; i++)
		if (f->programs[i].linktype == linktype)
			return pcap_offline_filter(&f->programs[i].code, &h, data);
	return false;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->nr; i++)
		pcap_freecode(&f->programs[i].code);
	free(f);
}
