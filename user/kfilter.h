/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter in front of a source's programs: compiled, loaded, swapped while they run, so that
 * what does not match costs no copy. bpf/filter.bpf.h is where it is called.
 */
#ifndef XCAP_KFILTER_H
#define XCAP_KFILTER_H

#include <stdbool.h>
#include <stdint.h>
#include "cbpf.h"
#include "source.h"

struct kfilter {
	struct cbpf_target target;	/* all but the slot; progs_fd -1: no filter can be set */
	int in, out;		/* capturing programs; -1 none */
	bool live;		/* attached: what runs now may still use the filter before */
};

/* Put the capturing programs where filters call them. Return: 0; -errno with a sentence. */
int kfilter_open(const struct kfilter *k, struct error *err);

/*
 * From here on the programs pass over what does not match expression; NULL or "": nothing.
 * s->filter_ns says since when. Return: 0; else nothing has changed: -EOPNOTSUPP or -E2BIG, the
 * kernel cannot run such a filter; -EPERM; other -errno; each with a sentence.
 */
int kfilter_set(struct kfilter *k, struct source *s, const char *expression);

/*
 * The same for a source that only copies: where the kernel cannot, the filter stays with who
 * reads, and the note of the source says so. Return: 0; -EINVAL, -ENOMEM.
 */
int kfilter_try(struct kfilter *k, struct source *s, const char *expression);

/* What the source's note says of the filter, instead of what it said before; "" nothing. */
void kfilter_note(struct source *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
