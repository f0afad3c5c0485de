// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   any bytes, taken as a classic program or as a filter expression, and as frames.
 * Out:  the kernel says of each frame what libpcap says; where the kernel may not be asked, the
 *       translation at least is made. Another verdict, or a program refused, is the failure.
 * Owns: a prog array and a program that puts tags beside frames, for good.
 * Runs on: one thread; as root for what the kernel says.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "cbpf_kernel.h"
#include "cbpf_random.h"
#include "filter.h"

#define FRAMES 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int progs = -1, tagger = -1;

/* Return: the kernel answers. */
static bool can_ask(void)
{
	static int asked;

	if (!asked) {
		progs = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "progs", 4, 4, 1, NULL);
		tagger = progs < 0 ? progs : load_tagger(progs);
		asked = tagger < 0 ? -1 : 1;
		if (asked < 0)
			fprintf(stderr, "the kernel may not be asked: translations only\n");
	}
	return asked > 0;
}

static void failed(const char *text, enum way way, const char *why)
{
	fprintf(stderr, "way %d%s%s: %s\n", way, text[0] ? ", " : "", text, why);
	abort();
}

static void only_translate(const struct cbpf_insn *insns, int nr, const struct cbpf_target *t,
			   enum way way)
{
	struct error err = { "" };
	struct bpf_insn *code;

	int ret = cbpf_translate(insns, nr, t, &code, &err);

	if (ret > 0)
		free(code);
	else if (ret != -EOPNOTSUPP)
		failed("", way, err.text);
}

static void ask(const char *text, const struct cbpf_insn *insns, enum way way, int fd,
		struct dice *d)
{
	uint8_t frame[XDP_LINEAR + 2000];
	uint32_t slot = 0;

	if (is_tagged(way) && bpf_map_update_elem(progs, &slot, &fd, BPF_ANY))
		abort();
	for (int i = 0; i < FRAMES; i++) {
		unsigned int len = random_frame(d, frame, sizeof(frame));
		int got;

		if (!fits(way, len))
			continue;
		got = run_frame(is_tagged(way) ? tagger : fd, way, frame, len);
		if (got != -EINVAL && got != reference(insns, way, frame, len))
			failed(text, way, "kernel and libpcap differ");
	}
}

static int make_program(struct dice *d, struct cbpf_insn **insns, char *text, size_t size)
{
	struct error err;

	text[0] = '\0';
	if (throw_dice(d, 3)) {
		*insns = calloc(RANDOM_PROGRAM_MAX, sizeof(**insns));
		return *insns ? random_program(d, *insns) : -ENOMEM;
	}
	random_expression(d, text, size);
	return filter_insns(text, 1, insns, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice d = { data, data + size };
	struct cbpf_insn *insns = NULL;
	struct error err = { "" };
	struct cbpf_target t;
	char text[2048];
	enum way way;
	int nr, fd;

	way = throw_dice(&d, NR_WAYS);
	t = target_of(way);
	nr = make_program(&d, &insns, text, sizeof(text));
	for (int i = 0; i < nr; i++)	/* "inbound": bpf_filter() cannot tell */
		if (insns[i].k == (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE)
			insns[i] = (struct cbpf_insn){ .code = BPF_LD | BPF_IMM };
	if (nr > 0 && !can_ask()) {
		only_translate(insns, nr, &t, way);
	} else if (nr > 0) {
		fd = cbpf_load(insns, nr, &t, &err);
		/* "inbound" behind "vlan": libpcap moves what it asks by four bytes */
		if (fd < 0 && !(fd == -EOPNOTSUPP && strstr(err.text, "extension")))
			failed(text, way, err.text);
		if (fd >= 0)
			ask(text, insns, way, fd, &d);
		if (fd >= 0)
			close(fd);
	}
	free(insns);
	return 0;
}
