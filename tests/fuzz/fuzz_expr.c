// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   any bytes, taken as a filter or as what one is made of, and as records.
 * Out:  no crash; of a record that the filter keeps, the kernel's part refuses none, and where
 *       nothing is left to user space, it lets no other through. A sentence for what is no filter.
 * Owns: nothing.
 * Runs on: libFuzzer, or the replay of the corpus.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expr.h"
#include "expr_random.h"
#include "filter.h"
#include "wanted.h"

#define RECORDS 48
#define FRAMES 4
#define ETHERNET 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void failed(const char *text, const char *why)
{
	fprintf(stderr, "%s: %s\n", text, why);
	abort();
}

static void try_calls(struct dice *d, const struct expr *e, const char *text)
{
	struct expr_split split;
	struct xcap_wanted w;
	bool any = expr_wanted(e, &w, &split);

	for (int i = 0; i < RECORDS; i++) {
		struct xcap_record r = random_call(d);
		bool kept = expr_match(e, &r), wanted = kernel_wants(&w, &r);

		if (kept && !wanted)
			failed(text, "the kernel refuses what is kept");
		if (!kept && wanted && split.whole)
			failed(text, "the kernel lets through what is not kept");
		if (!wanted && !any)
			failed(text, "it is said to refuse nothing");
	}
}

/* A packet of a process: what the kernel's text refuses, the whole does. */
static void try_packets(struct dice *d, const char *text)
{
	static const uint32_t ethernet = ETHERNET;
	struct filter *whole = NULL, *kernels = NULL;
	uint8_t frame[256];

	if (filter_compile(&whole, text, &ethernet, 1, NULL))
		return;
	if (filter_kernel_text(whole) &&
	    filter_compile(&kernels, filter_kernel_text(whole), &ethernet, 1, NULL))
		failed(text, "the kernel's part does not compile");
	for (int i = 0; i < FRAMES; i++) {
		struct xcap_record r = { .type = XCAP_PACKET, .data = frame,
					 .packet.linktype = ETHERNET };

		/*
		 * Whole frames: of one that ends before what the filter looks at libpcap's verdict
		 * hangs on where its code looks first, which the optimizer decides for each text.
		 */
		memset(frame, 0, sizeof(frame));
		random_frame(d, frame, sizeof(frame));
		r.caplen = r.len = sizeof(frame);
		r.direction = XCAP_DIR_IN + throw_dice(d, 2);
		r.pid = r.tid = throw_dice(d, 2) ? random_id(d) : 0;
		if (r.pid)
			random_name(d, r.comm);
		if (filter_match(whole, &r) && kernels && !filter_match(kernels, &r))
			failed(text, "the kernel refuses a packet that is kept");
	}
	filter_free(whole);
	filter_free(kernels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice d = { data, data + size };
	struct error err = { "" };
	struct expr *e = NULL;
	char text[4096];
	bool raw = !throw_dice(&d, 4);
	size_t len = d.end - d.at;

	if (raw) {	/* the records are made of nothing then: all alike */
		len = len < sizeof(text) - 1 ? len : sizeof(text) - 1;
		memcpy(text, d.at, len);
		text[len] = '\0';
		d.at = d.end;
	} else {
		random_filter(&d, text, sizeof(text));
	}
	if (expr_parse(&e, text, &err)) {
		if (!err.text[0])
			failed(text, "refused without a sentence");
		if (!raw && strlen(text) < sizeof(text) - 1 && !strstr(err.text, "more than") &&
		    !strstr(err.text, "too many") && !strstr(err.text, "there is no system call") &&
		    !strstr(err.text, "a task's name has"))
			failed(text, err.text);
		return 0;
	}
	if (e)
		try_calls(&d, e, text);
	if (!throw_dice(&d, 4))
		try_packets(&d, text);
	expr_free(e);
	return 0;
}
