// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   any bytes, as a capture file.
 * Out:  records within those bytes, then an end; a crash is the failure.
 * Owns: a copy: blocks are decoded in place.
 * Runs on: one thread.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int sum;	/* so that reading the bytes is not optimized away */

static void look_at_text(const char *s)
{
	sum += strlen(s);
}

/* Strings are the reader's own and end; arguments end in a NUL. */
static void look_at_process(const struct xcap_record *r)
{
	const struct xcap_process *p = r->process;
	const struct xcap_cgroup *g = r->cgroup;

	if (p) {
		look_at_text(p->exe);
		for (uint32_t i = 0; i < p->args_len; i++)
			sum += p->args[i];
		if (p->pid != r->pid || !r->pid || (p->args_len && p->args[p->args_len - 1]))
			abort();
	}
	if (g) {
		look_at_text(g->path);
		look_at_text(g->runtime);
		look_at_text(g->container);
		look_at_text(g->container_name);
		look_at_text(g->pod);
		look_at_text(g->unit);
	}
	if (r->owner > XCAP_OWNER_CLOSED)
		abort();
}

/* What arguments refer to, and the line with all of it. */
static void look_at_items(const struct xcap_record *r, const uint8_t *p, size_t size)
{
	static char line[1 << 16];
	int len;

	if (r->type != XCAP_SYS_ENTER && r->type != XCAP_SYS_EXIT)
		return;
	if (r->caplen && (r->data < p || r->data + r->caplen > p + size))
		abort();
	len = xcap_record_text(r, line, sizeof(line));
	if (len <= 0 || strlen(line) != ((size_t)len < sizeof(line) ? (size_t)len : strlen(line)))
		abort();
}

/* Names of a probe's fields come from tables, what stands in them from the file. */
static void look_at_fields(const struct xcap_record *r)
{
	struct xcap_field f = { .sz = sizeof(f) };
	char line[XCAP_TEXT_MAX];

	for (int i = 0; xcap_probe_field(r, i, &f) == 1; i++)
		for (uint32_t k = 0; f.text && k < f.text_len; k++)
			sum += f.text[k];
	if (r->type == XCAP_PROBE)
		sum += xcap_record_text(r, line, sizeof(line));
}

/* What a reader of records does: look at every byte it was lent. */
static void look(const struct xcap_record *r, const uint8_t *p, size_t size)
{
	const uint8_t *bytes = r->data;
	size_t len = r->caplen;

	if (r->type == XCAP_SYS_ENTER) {
		bytes = (const uint8_t *)r->enter.args;
		len = 6 * sizeof(r->enter.args[0]);
		sum += r->enter.args[0] & 1;	/* UBSan sees a wrong alignment */
	}
	if (len && (bytes < p || bytes + len > p + size))
		abort();
	for (size_t i = 0; i < len; i++)
		sum += bytes[i];
	look_at_items(r, p, size);
	look_at_fields(r);
	if (strnlen(r->comm, sizeof(r->comm)) == sizeof(r->comm) || r->type > XCAP_PROBE)
		abort();
	look_at_process(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size + !size);
	struct pcapng_reader d = { 0 };
	struct xcap_record r;
	size_t at = 0, used;
	int ret;

	memcpy(p, data, size);
	do {
		ret = pcapng_decode(&d, p + at, size - at, &used, &r);
		if (used > size - at || (ret >= 0 && !used) || (ret < 0 && used))
			abort();
		if (ret == 1)
			look(&r, p + at, used);
		at += used;
	} while (ret >= 0);
	if (ret == -EAGAIN ? d.want <= size - at || d.want > PCAPNG_MAX_BLOCK + 24 : !d.why[0])
		abort();
	pcapng_reader_free(&d);
	free(p);
	return 0;
}
