// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   instructions one after another, jumps to labels that stand further down.
 * Out:  an array that the kernel takes: offsets instead of labels, nothing unreachable.
 * Owns: the steps and labels; what ebpf_finish() made is the caller's.
 * Runs on: any thread.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "ebpf.h"

/* A jump that has waited for so many instructions is taken up by an island of jumps. */
#define AGED 16000
#define LOOK_EVERY 8000

/* Where everything comes to lie. Jumps that wait for a step are a list through next[]. */
struct layout {
	struct bpf_insn *out;
	int nr, room, looked;
	bool falls;		/* what was put down last is followed by what comes next */
	int *head;		/* by step: position of the latest jump to it; -1 none */
	int *oldest;		/* by step: position of the first of them */
	int *next;		/* by position: the jump before it in its list; -1 none */
};

static bool grow(struct ebpf *e, void *array, int *size, int nr, size_t each)
{
	int bigger = nr < 512 ? 1024 : 2 * nr;
	void *p;

	if (e->err || nr <= *size)
		return !e->err;
	p = reallocarray(*(void **)array, bigger, each);
	if (!p) {
		e->err = -ENOMEM;
		return false;
	}
	*(void **)array = p;
	*size = bigger;
	return true;
}

int ebpf_labels(struct ebpf *e, int nr)
{
	int first = e->nr_labels;

	if (!grow(e, &e->labels, &e->labels_size, first + nr, sizeof(*e->labels)))
		return 0;
	for (int i = 0; i < nr; i++)
		e->labels[first + i] = -1;
	e->nr_labels += nr;
	return first;
}

void ebpf_here(struct ebpf *e, int label)
{
	if (!e->err)
		e->labels[label] = e->nr;
}

void ebpf_add(struct ebpf *e, struct bpf_insn insn, int label)
{
	if (grow(e, &e->steps, &e->size, e->nr + 1, sizeof(*e->steps)))
		e->steps[e->nr++] = (struct ebpf_step){ insn, label };
}

void ebpf_free(struct ebpf *e)
{
	free(e->steps);
	free(e->labels);
	*e = (struct ebpf){ 0 };
}

static bool ends(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_JA) || in->code == (BPF_JMP | BPF_EXIT);
}

static bool is_wide(const struct bpf_insn *in)
{
	return in->code == (BPF_LD | BPF_DW | BPF_IMM);
}

/* All jumps go forward, so one pass finds what can be reached. Return: 0; -EINVAL: a bug. */
static int reach(const struct ebpf *e, bool *reached)
{
	reached[0] = true;
	for (int i = 0; i < e->nr; i++) {
		const struct ebpf_step *s = &e->steps[i];

		if (!reached[i])
			continue;
		if (s->label >= 0) {
			if (e->labels[s->label] <= i || e->labels[s->label] >= e->nr)
				return -EINVAL;
			reached[e->labels[s->label]] = true;
		}
		if (ends(&s->insn))
			continue;
		if (i + 1 == e->nr)
			return -EINVAL;
		reached[i + 1] = true;
	}
	return 0;
}

static void await(struct layout *l, int step)
{
	l->next[l->nr] = l->head[step];
	if (l->head[step] < 0)
		l->oldest[step] = l->nr;
	l->head[step] = l->nr;
}

/* All jumps that wait for the step go to where the next instruction comes to lie. */
static int arrive(struct layout *l, int step)
{
	for (int at = l->head[step]; at >= 0; at = l->next[at]) {
		if (l->nr - at - 1 > SHRT_MAX)
			return -E2BIG;
		l->out[at].off = l->nr - at - 1;
	}
	l->head[step] = -1;
	return 0;
}

/* Jumps that have waited for long go to a jump here, which waits in their place. */
static int island(struct layout *l, int from, int nr_steps)
{
	int over = l->nr, ret;

	l->looked = l->nr;
	if (l->falls)
		l->out[l->nr++] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	for (int step = from; step < nr_steps; step++) {
		if (l->head[step] < 0 || l->nr - l->oldest[step] < AGED)
			continue;
		if (l->nr + nr_steps > l->room)
			return -E2BIG;
		ret = arrive(l, step);
		if (ret)
			return ret;
		await(l, step);
		l->out[l->nr++] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	}
	if (l->falls && l->nr == over + 1)
		l->nr = over;
	else if (l->falls)
		l->out[over].off = l->nr - over - 1;
	return 0;
}

/* Is there nothing between a jump and where it goes? */
static bool is_idle(const struct ebpf *e, const bool *reached, int i)
{
	int to = e->labels[e->steps[i].label];

	if (e->steps[i].insn.code != (BPF_JMP | BPF_JA))
		return false;
	while (++i < to)
		if (reached[i])
			return false;
	return true;
}

static int lay_out(const struct ebpf *e, const bool *reached, struct layout *l)
{
	bool inside = false;	/* of an instruction of two slots */
	int ret;

	for (int i = 0; i < e->nr; i++) {
		const struct ebpf_step *s = &e->steps[i];

		if (!reached[i])
			continue;
		if (!inside && l->nr - l->looked > LOOK_EVERY) {
			ret = island(l, i, e->nr);
			if (ret)
				return ret;
		}
		ret = arrive(l, i);
		if (ret)
			return ret;
		inside = is_wide(&s->insn);
		l->falls = true;
		if (s->label >= 0 && is_idle(e, reached, i))
			continue;
		if (s->label >= 0)
			await(l, e->labels[s->label]);
		l->out[l->nr++] = s->insn;
		l->falls = !ends(&s->insn);
	}
	return l->nr;
}

int ebpf_finish(struct ebpf *e, struct bpf_insn **out)
{
	int room = 4 * e->nr + 16, ret = e->err;
	bool *reached = calloc(e->nr + 1, sizeof(*reached));
	struct layout l = {
		.room = room,
		.out = calloc(room, sizeof(*l.out)),
		.head = malloc((e->nr + 1) * sizeof(*l.head)),
		.oldest = calloc(e->nr + 1, sizeof(*l.oldest)),
		.next = calloc(room, sizeof(*l.next)),
	};

	if (!ret && (!reached || !l.out || !l.head || !l.oldest || !l.next))
		ret = -ENOMEM;
	if (!ret)
		memset(l.head, -1, (e->nr + 1) * sizeof(*l.head));
	ret = ret ?: reach(e, reached);
	ret = ret ?: lay_out(e, reached, &l);
	free(reached);
	free(l.head);
	free(l.oldest);
	free(l.next);
	if (ret > 0)
		*out = l.out;
	else
		free(l.out);
	return ret;
}
