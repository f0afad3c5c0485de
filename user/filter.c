// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a filter expression, link types.
 * Out:  yes or no for a record.
 * Owns: the compiled programs.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include "expr.h"
#include "filter.h"
#include "processes.h"

#define FILTER_SNAPLEN 262144

/* SKF_AD_OFF + SKF_AD_PKTTYPE of linux/filter.h, which has pcap's names for other things */
#define PACKET_TYPE_AT (-0x1000u + 4)

#define MAX_LINKTYPES 16	/* in one stream; a file may bring several */

/*
 * "greater MARK + i" stands for process term i where libpcap compiles: no packet is as long, and
 * nobody asks for such lengths. In the program it is a comparison with the length, whose number
 * is changed to what is always so, or never, before it is run.
 */
#define MARK 0x7a000000u

struct filter {
	char *expression;		/* as libpcap gets it */
	char *kernel;			/* for the kernel: accepts at least as much */
	struct expr *expr;		/* NULL: no process terms */
	int nr;
	struct filter_program {
		uint32_t linktype;
		bool compiled;		/* else the expression makes no sense there */
		struct bpf_program code[2];	/* [1] for what goes out */
		uint8_t *marks[2];	/* by instruction: 1 + the term it stands for; or NULL */
		uint64_t values[2];	/* of the terms, as they stand in the code */
	} programs[MAX_LINKTYPES];
};

/* ---- process terms in programs ---- */

static bool is_mark(const struct bpf_insn *in, int nr_terms)
{
	return in->code == (BPF_JMP | BPF_JGE | BPF_K) && in->k >= MARK &&
	       in->k < MARK + nr_terms;
}

static int find_marks(const struct filter *f, struct filter_program *p)
{
	for (int way = 0; f->expr && way < 2; way++) {
		struct bpf_program *code = &p->code[way];

		p->marks[way] = calloc(code->bf_len, 1);
		if (!p->marks[way])
			return -ENOMEM;
		for (u_int i = 0; i < code->bf_len; i++) {
			struct bpf_insn *in = &code->bf_insns[i];

			if (!is_mark(in, f->expr->nr_terms))
				continue;
			p->marks[way][i] = 1 + in->k - MARK;
			in->k = UINT32_MAX;	/* never: the value of all terms is 0 */
		}
	}
	return 0;
}

static void put_values(struct filter_program *p, bool out, uint64_t values)
{
	struct bpf_program *code = &p->code[out];

	if (values == p->values[out])
		return;
	p->values[out] = values;
	for (u_int i = 0; i < code->bf_len; i++)
		if (p->marks[out][i])
			code->bf_insns[i].k =
				values >> (p->marks[out][i] - 1) & 1 ? 0 : UINT32_MAX;
}

/* ---- compiling ---- */

static struct filter_program *find(struct filter *f, uint32_t linktype)
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
	ret = ret ?: find_marks(f, p);
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
	return f->kernel;
}

bool filter_is_kernels(const struct filter *f)
{
	return !f->expr;
}

bool filter_asks_calls(const struct filter *f)
{
	return f->expr;
}

_Static_assert(FILTER_TREES == EXPR_MAX_TREES && FILTER_TREES == PROCESSES_TREES, "one word");

int filter_trees_needed(const char *expression, uint32_t *pids)
{
	struct expr *e = NULL;
	uint32_t bits = 0;
	int nr = 0;

	if (expr_parse(&e, expression, NULL) || !e)
		return 0;
	bits = expr_trees_needed(e);
	for (int i = 0; i < e->nr_trees; i++)
		if (bits >> i & 1)
			pids[nr++] = e->trees[i];
	expr_free(e);
	return nr;
}

int filter_trees(const struct filter *f, const uint32_t **pids)
{
	*pids = f->expr ? f->expr->trees : NULL;
	return f->expr ? f->expr->nr_trees : 0;
}

int filter_superset(const char *expression, char **text, bool *processes, struct error *err)
{
	struct expr *e = NULL;
	int ret = expr_parse(&e, expression, err);

	if (ret)
		return ret;
	*processes = e;
	*text = !e ? strdup(expression) : e->every_packet ? NULL : expr_superset(e);
	ret = *text || (e && e->every_packet) ? 0 : -ENOMEM;
	expr_free(e);
	return ret;
}

bool filter_wanted(const struct filter *f, struct xcap_wanted *w)
{
	return f && f->expr && expr_wanted(f->expr, w, NULL);
}

int filter_wanted_text(const char *expression, struct xcap_wanted **out)
{
	struct xcap_wanted *w = malloc(sizeof(*w));
	struct expr *e = NULL;
	int ret = w ? expr_parse(&e, expression, NULL) : -ENOMEM;

	*out = !ret && e && expr_wanted(e, w, NULL) ? w : NULL;
	if (!*out)
		free(w);
	expr_free(e);
	return ret;
}

/* The two texts. A mistake in a process term is told better by us than by libpcap. */
static int read_expression(struct filter *f, const char *expression, struct error *err)
{
	int ret = expr_parse(&f->expr, expression, err);

	if (ret)
		return ret;
	f->expression = f->expr ? expr_marked(f->expr, MARK) : strdup(expression);
	if (!f->expr)
		f->kernel = strdup(expression);
	else if (!f->expr->every_packet)
		f->kernel = expr_superset(f->expr);
	return f->expression && (f->kernel || (f->expr && f->expr->every_packet)) ? 0 : -ENOMEM;
}

int filter_compile(struct filter **out, const char *expression, const uint32_t *linktypes, int nr,
		   struct error *err)
{
	struct filter *f = calloc(1, sizeof(*f));
	int ret = 0;

	if (!f)
		return -ENOMEM;
	ret = read_expression(f, expression, err);
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

static bool match_packet(struct filter *f, const struct xcap_record *rec)
{
	struct pcap_pkthdr h = { .caplen = rec->caplen, .len = rec->len };
	bool out = rec->direction == XCAP_DIR_OUT;
	struct filter_program *p = find(f, rec->packet.linktype);

	if (!p) {
		compile_one(f, rec->packet.linktype, NULL);
		p = find(f, rec->packet.linktype);
	}
	if (!p || !p->compiled)
		return false;
	if (f->expr)
		put_values(p, out, expr_terms(f->expr, rec));
	return pcap_offline_filter(&p->code[out], &h, rec->data);
}

bool filter_match(struct filter *f, const struct xcap_record *rec)
{
	if (rec->type == XCAP_PACKET)
		return match_packet(f, rec);
	return !f->expr || expr_match(f->expr, rec);
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->nr; i++) {
		pcap_freecode(&f->programs[i].code[0]);
		pcap_freecode(&f->programs[i].code[1]);
		free(f->programs[i].marks[0]);
		free(f->programs[i].marks[1]);
	}
	expr_free(f->expr);
	free(f->expression);
	free(f->kernel);
	free(f);
}
