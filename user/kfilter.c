// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a filter expression, at open and while records flow.
 * Out:  a filter program in the prog array of a source's object, in place of the one before.
 * Owns: nothing: the array holds the programs.
 * Runs on: the thread of the handle.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bpf_load.h"
#include "clock.h"
#include "filter.h"
#include "kfilter.h"
#include "xcap_event.h"

#define NOTE "; the filter "

static int put(const struct kfilter *k, __u32 slot, int prog_fd)
{
	return bpf_map_update_elem(k->target.progs_fd, &slot, &prog_fd, BPF_ANY);
}

int kfilter_open(const struct kfilter *k, struct error *err)
{
	int ret = k->in < 0 ? 0 : put(k, XPROG_CAPTURE_IN, k->in);

	if (!ret && k->out >= 0)
		ret = put(k, XPROG_CAPTURE_OUT, k->out);
	return !ret ? 0 : error_set(err, ret, "cannot make room for filters in the kernel: %s",
				    strerror(-ret));
}

/* The program for one way. Return: its descriptor; -errno with a sentence. */
static int load(const struct kfilter *k, const struct source *s, const struct cbpf_insn *insns,
		int nr, bool out)
{
	struct cbpf_target target = k->target;

	target.slot = out ? XPROG_CAPTURE_OUT : XPROG_CAPTURE_IN;
	target.out = out;
	return cbpf_load(insns, nr, &target, s->err);
}

/* Who runs now has seen the old filter or the new one; who begins later sees the new one only. */
static void settle(const struct kfilter *k, struct source *s, bool set)
{
	s->filter_ns = INT64_MAX;
	if (set && !k->live)
		s->filter_ns = INT64_MIN;
	if (!set || !k->live)
		return;
	bpf_load_await_running();
	s->filter_ns = clock_mono_ns();
}

static int swap(const struct kfilter *k, struct source *s, int in, int out)
{
	int ret = put(k, XPROG_FILTER_IN, in);

	if (!ret && out >= 0)
		ret = put(k, XPROG_FILTER_OUT, out);
	if (ret)	/* never so: their like are in there */
		return error_set(s->err, ret, "cannot put a filter before the programs of %s: %s",
				 s->spec, strerror(-ret));
	settle(k, s, true);
	return 0;
}

/* Empty slots are what it fails on. */
static void clear(struct kfilter *k, struct source *s)
{
	static const __u32 slots[] = { XPROG_FILTER_IN, XPROG_FILTER_OUT };

	for (int i = 0; i < 2; i++)
		bpf_map_delete_elem(k->target.progs_fd, &slots[i]);
	settle(k, s, false);
}

int kfilter_set(struct kfilter *k, struct source *s, const char *expression)
{
	struct cbpf_insn *insns = NULL;
	int in = -1, out = -1, ret, nr;

	if (k->target.progs_fd < 0)	/* opened by another process */
		return 0;
	if (!expression || !*expression) {
		clear(k, s);
		return 0;
	}
	ret = nr = filter_insns(expression, s->linktype, &insns, s->err);
	if (ret >= 0)
		ret = in = load(k, s, insns, nr, false);
	if (ret >= 0 && k->out >= 0)
		ret = out = load(k, s, insns, nr, true);
	free(insns);
	if (ret >= 0)
		ret = swap(k, s, in, out);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return ret;
}

int kfilter_try(struct kfilter *k, struct source *s, const char *expression)
{
	int ret = kfilter_set(k, s, expression);

	kfilter_note(s, "%s", "");
	if (ret != -EOPNOTSUPP && ret != -E2BIG && ret != -EPERM)
		return ret;
	clear(k, s);
	kfilter_note(s, "runs on the copies: %.200s", s->err->text);
	s->err->text[0] = '\0';
	return 0;
}

void kfilter_note(struct source *s, const char *fmt, ...)
{
	char *end = strstr(s->note, NOTE);
	size_t len = end ? (size_t)(end - s->note) : strlen(s->note);
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(s->note + len, sizeof(s->note) - len, "%s%s", text[0] ? NOTE : "", text);
}
