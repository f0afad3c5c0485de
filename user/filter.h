/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter text to programs, by libpcap's own compiler, run over packets in user space; process
 * terms (expr.h) in it. One program for each link type in use.
 */
#ifndef XCAP_FILTER_H
#define XCAP_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "cbpf.h"
#include "error.h"

#define FILTER_TREES 32	/* processes that an expression can name */

struct filter;
struct xcap_wanted;
struct bpf_program;	/* pcap's, whose header has no room beside the kernel's */

/*
 * Return: 0; -EINVAL with libpcap's sentence; -ENOMEM. linktypes: LINKTYPE_ values,
 * repeats allowed.
 */
int filter_compile(struct filter **out, const char *expression, const uint32_t *linktypes, int nr,
		   struct error *err);

/* Is it a filter at all? Asked before a source is open. Return: 0; -EINVAL with a sentence. */
int filter_check(const char *expression, struct error *err);

/*
 * Does a record match? A link type that was not named before, as files bring them, is compiled
 * for now; where the expression makes no sense for it, no packet matches.
 */
bool filter_match(struct filter *f, const struct xcap_record *rec);

/* Does it say anything of records that are no packets? Else they all match. */
bool filter_asks_calls(const struct filter *f);

/*
 * Those of whom, and of whose descendants, every record that is no packet must be: the kernel need
 * not tell of others. pids: room for FILTER_TREES. Return: how many; 0: they may be of anybody.
 */
int filter_trees_needed(const char *expression, uint32_t *pids);

/* The processes that proc.tree names, by the bits of xcap_record.trees. Return: how many. */
int filter_trees(const struct filter *f, const uint32_t **pids);

/*
 * "inbound" and "outbound" become a question that a packet socket answers, and nobody else.
 * Make two programs of one, with the answer in them: split[0], and split[1] for what goes out.
 * The caller frees both with pcap_freecode(). Return: 0; -ENOMEM.
 */
int filter_split(const struct bpf_program *code, struct bpf_program *split);

void filter_free(struct filter *f);

/* ---- filters in the kernel, kfilter.c ---- */

/* Classic BPF for the kernel. Return: instructions in *out, the caller's to free; -errno. */
int filter_insns(const char *expression, uint32_t linktype, struct cbpf_insn **out,
		 struct error *err);

/*
 * The expression for filter_insns(): no packet that matches the filter is refused by it. NULL: it
 * would accept all of them.
 */
const char *filter_kernel_text(const struct filter *f);

/*
 * The same for an expression, before anything is open: *text is the caller's to free. processes:
 * out: it asks for whom packets belong to. Return: 0; -EINVAL with a sentence; -ENOMEM.
 */
int filter_superset(const char *expression, char **text, bool *processes, struct error *err);

/*
 * What a source of system calls is told, so that the kernel refuses them; nothing that matches is.
 * Return: false: it would refuse none.
 */
bool filter_wanted(const struct filter *f, struct xcap_wanted *w);

/* The same for an expression: *out is the caller's to free, NULL for none. Return: 0; -ENOMEM. */
int filter_wanted_text(const char *expression, struct xcap_wanted **out);

/* Does a packet that passed it match for sure? Else filter_match() has to be asked, too. */
bool filter_is_kernels(const struct filter *f);

/* LINKTYPE_ and DLT_ values differ for raw IP only, among those that a live interface has. */
int filter_dlt(uint32_t linktype);

#endif
