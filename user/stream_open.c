// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   specs, options, a filter.
 * Out:  the handle: sources opened, merge, tables and filter built; all of it closed again.
 * Owns: the handle and everything under it.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "attach.h"
#include "clock.h"
#include "opts.h"
#include "stream.h"
#include "xcap_event.h"

#define SNAPLEN_DEFAULT 262144
#define SLACK_US_DEFAULT 2000
#define RING_KB_DEFAULT 8192

static _Thread_local struct error last_error;

#define STR2(x) #x
#define STR(x) STR2(x)

const char *xcap_version(void)
{
	return STR(XCAP_VERSION_MAJOR) "." STR(XCAP_VERSION_MINOR) "." STR(XCAP_VERSION_PATCH);
}

const char *xcap_errmsg(const struct xcap *x)
{
	return x ? x->err.text : last_error.text;
}

struct error *stream_error(struct xcap *x)
{
	return &x->err;
}

struct error *stream_last_error(void)
{
	return &last_error;
}

/* ---- open ---- */

static int read_opts(struct xcap *x, struct xcap_opts *o, const struct xcap_opts *theirs)
{
	int err = opts_in(o, sizeof(*o), theirs);

	if (err == -E2BIG)
		return error_set(&x->err, err, "an option is set that this library (%s) does not "
				 "know; use a newer one", xcap_version());
	if (err)
		return error_set(&x->err, err, "xcap_opts.sz must be sizeof(struct xcap_opts)");
	if (o->flags & ~(XCAP_SELF | XCAP_PROMISC | XCAP_NO_OWNERS))
		return error_set(&x->err, -EINVAL, "xcap_opts.flags has bits that this library "
				 "(%s) does not know", xcap_version());
	if (o->ring_kb & (o->ring_kb - 1))
		return error_set(&x->err, -EINVAL, "ring size of %u KiB is not a power of two; "
				 "try %u", o->ring_kb, RING_KB_DEFAULT);
	if (o->ring_kb && (o->ring_kb < 4 || o->ring_kb > 1024 * 1024))
		return error_set(&x->err, -EINVAL, "ring size must be 4 KiB to 1 GiB");
	x->conf.snaplen = o->snaplen ?: SNAPLEN_DEFAULT;
	x->conf.slack_ns = (o->slack_us ?: SLACK_US_DEFAULT) * NS_PER_US;
	x->conf.ring_bytes = (o->ring_kb ?: RING_KB_DEFAULT) * 1024;
	x->conf.self = o->flags & XCAP_SELF;
	x->conf.promisc = o->flags & XCAP_PROMISC;
	x->conf.owners = !(o->flags & XCAP_NO_OWNERS);
	return 0;
}

static int open_source(struct xcap *x, struct source **out, const struct spec *spec, int index)
{
	struct source *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->conf = &x->conf;
	s->err = &x->err;
	s->index = index;
	s->slack_ns = x->conf.slack_ns;
	s->linktype = XCAP_LINK_ETHERNET;
	err = source_open(s, spec);
	if (err)
		free(s);
	else
		*out = s;
	return err;
}

/* What the records of all sources are to be joined with, and the first spec that wants it. */
struct wish {
	uint32_t wants;		/* SOURCE_WANTS_ */
	char of[SOURCE_SPEC_SIZE];
};

/* There is room for nr of them and the hidden one, which is opened before all others. */
static int add_hidden(struct xcap *x, int nr, const struct wish *wish)
{
	struct spec *spec;
	int err;

	x->sources = calloc(nr + 1, sizeof(*x->sources));
	if (!x->sources)
		return -ENOMEM;
	if (!wish->wants)
		return 0;
	spec = calloc(1, sizeof(*spec));
	if (!spec)
		return -ENOMEM;
	spec->hidden = true;
	x->owners = wish->wants & SOURCE_WANTS_SOCKETS;
	x->netns = remote_netns();
	strcpy(spec->name, wish->wants & SOURCE_WANTS_EARLY ? "early" :
	       wish->wants & SOURCE_WANTS_SOCKETS ? "sockets" : "tasks");
	memcpy(spec->text, wish->of, sizeof(spec->text));
	err = open_source(x, &x->hidden, spec, nr);
	free(spec);
	if (!err) {
		x->conf.tree_fd = x->hidden->tree_fd;
		x->conf.tree_all_fd = x->hidden->tree_all_fd;
	}
	return err;
}

/*
 * Return: specs in the list, all of them good as far as can be seen; -errno with a sentence.
 */
static int check_sources(struct xcap *x, const char *specs, struct spec *spec, struct wish *wish)
{
	const struct source_ops *ops;
	int ret, n = 0;

	while ((ret = spec_next(&specs, spec, &x->err)) > 0) {
		ret = source_check(spec, &ops, &x->err);
		if (ret)
			return ret;
		if (!wish->wants)
			memcpy(wish->of, spec->text, sizeof(wish->of));
		wish->wants |= source_wants(ops, spec, &x->conf);
		n++;
	}
	if (ret)
		return ret;
	if (n > UINT16_MAX)
		return error_set(&x->err, -E2BIG, "more than %d sources in one stream", UINT16_MAX);
	return n ?: error_set(&x->err, -EINVAL, "no source is named; try 'tap:lo' or 'syscalls'");
}

/* The first interface that is captured. Return: 0: there is none. */
static uint32_t first_ifindex(const struct xcap *x)
{
	for (int i = 0; i < x->nr_sources; i++)
		if (x->sources[i]->ifindex)
			return x->sources[i]->ifindex;
	return 0;
}

/* After it the other process has no privilege either. */
static int start_remote(struct xcap *x)
{
	if (first_ifindex(x))
		x->wire = remote_wire(x->remote, first_ifindex(x), &x->wire_err);
	return remote_start(x->remote, &x->err);
}

/* Nothing is touched before all that was asked for makes sense. */
static int add_sources(struct xcap *x, const char *specs, const char *filter)
{
	struct spec *spec = malloc(sizeof(*spec));
	struct wish wish = { 0 };
	int ret;

	if (!spec)
		return -ENOMEM;
	ret = check_sources(x, specs, spec, &wish);
	x->conf.merged = ret > 1;
	if (ret > 0 && filter && *filter)
		ret = filter_check(filter, &x->err) ?: ret;
	if (ret > 0)
		ret = add_hidden(x, ret, &wish);
	if (!ret)
		while ((ret = spec_next(&specs, spec, &x->err)) > 0) {
			ret = open_source(x, &x->sources[x->nr_sources], spec, x->nr_sources);
			if (ret)
				break;
			x->nr_sources++;
		}
	free(spec);
	x->nr_all = x->nr_sources;
	if (x->hidden)
		x->sources[x->nr_all++] = x->hidden;
	return ret || !x->remote ? ret : start_remote(x);
}

/* What stands on the number of sources and lanes. */
static int build(struct xcap *x)
{
	int err = merge_new(&x->merge, x->sources, x->nr_all);

	if (err)
		return err;
	x->tables = tables_new(x->owners);
	x->counts = calloc(x->nr_all, sizeof(*x->counts));
	x->nr_inner = calloc(x->nr_all, sizeof(*x->nr_inner));
	x->lanes = calloc(merge_nr_lanes(x->merge) + 1, sizeof(*x->lanes));
	if (!x->tables || !x->counts || !x->nr_inner || !x->lanes)
		return -ENOMEM;
	x->wall_offset_ns = clock_wall_offset_ns();
	x->last_ns = INT64_MIN;
	return wait_open(x);
}

/* NULL or "": no filter, *f stays. */
static int compile_filter(struct xcap *x, const char *expression, struct filter **f)
{
	uint32_t *linktypes;
	int err = 0;

	if (expression && *expression) {
		linktypes = calloc(x->nr_sources, sizeof(*linktypes));
		if (!linktypes)
			return -ENOMEM;
		for (int i = 0; i < x->nr_sources; i++)
			linktypes[i] = x->sources[i]->linktype;
		err = filter_compile(f, expression, linktypes, x->nr_sources, &x->err);
		free(linktypes);
	}
	return err;
}

static void put_filter(struct xcap *x, struct filter *f)
{
	const uint32_t *pids = NULL;
	int nr = f ? filter_trees(f, &pids) : 0;

	tables_follow(x->tables, pids, nr);
	filter_free(x->filter);
	x->filter = f;
	x->kernels = f && filter_is_kernels(f);
	x->asks_calls = f && filter_asks_calls(f);
}

/* What the kernel is to do of it; who asks for processes wants packets to have them. */
static int plan_filter(struct xcap *x, const char *expression, char **text,
		       struct xcap_wanted **wanted)
{
	bool processes = false;
	int err = 0;

	if (expression && *expression)
		err = filter_superset(expression, text, &processes, &x->err) ?:
		      filter_wanted_text(expression, wanted);
	x->conf.owners |= processes;
	if (!err && processes && !x->remote)
		x->conf.nr_trees = filter_trees_needed(expression, x->trees);
	return err;
}

int stream_open(struct xcap **out, const char *specs, const struct xcap_opts *opts,
		struct remote *remote)
{
	struct xcap *x = calloc(1, sizeof(*x));
	struct xcap_wanted *wanted = NULL;
	struct filter *f = NULL;
	struct xcap_opts o;
	char *text = NULL;
	int err;

	if (!x) {
		remote_close(remote);
		return error_set(&last_error, -ENOMEM, "no memory for a capture handle");
	}
	x->epoll_fd = x->event_fd = x->timer_fd = x->wire = -1;
	x->remote = x->conf.remote = remote;
	x->conf.trees = x->trees;
	x->conf.tree_fd = x->conf.tree_all_fd = -1;
	x->pid = getpid();
	err = read_opts(x, &o, opts);
	err = err ?: plan_filter(x, o.filter, &text, &wanted);
	x->conf.filter = remote ? NULL : text;
	x->conf.wanted = wanted;
	err = err ?: add_sources(x, specs ?: "", o.filter);
	x->conf.filter = NULL;
	x->conf.wanted = NULL;
	free(text);
	free(wanted);
	err = err ?: build(x);
	err = err ?: compile_filter(x, o.filter, &f);
	if (!err) {
		put_filter(x, f);
		*out = x;
		return 0;
	}
	if (!x->err.text[0])
		error_set(&x->err, err, "cannot open '%s': %s", specs ?: "", strerror(-err));
	last_error = x->err;
	xcap_close(x);
	return err;
}

int xcap_open(struct xcap **out, const char *specs, const struct xcap_opts *opts)
{
	return stream_open(out, specs, opts, NULL);
}

void xcap_close(struct xcap *x)
{
	if (!x)
		return;
	/* a fork of the process that opened it leaves the capture alone */
	if (x->remote && x->pid == getpid())
		remote_stop(x->remote);		/* closing it does the rest */
	wait_close(x);
	merge_free(x->merge);
	for (int i = x->nr_all - 1; i >= 0; i--) {
		source_close(x->sources[i]);
		free(x->sources[i]);
	}
	free(x->sources);
	tables_free(x->tables);
	filter_free(x->filter);
	free(x->counts);
	free(x->nr_inner);
	free(x->lanes);
	if (x->wire >= 0)
		close(x->wire);
	remote_close(x->remote);
	free(x);
}

/* To the sources from the first on. Return: 0; -errno, and *nr sources have it. */
static int push_filter(struct xcap *x, const struct filter *f, int *nr)
{
	const char *text = f ? filter_kernel_text(f) : NULL;
	int err = 0, last = *nr;

	for (*nr = 0; *nr < last; (*nr)++) {
		struct source *s = x->sources[*nr];

		if (s->ops->filter)
			err = s->ops->filter(s, text);
		if (err)
			break;
	}
	return err;
}

/* To all sources that know what to do with it: none can fail. */
static void push_wanted(struct xcap *x, const struct xcap_wanted *w)
{
	for (int i = 0; i < x->nr_sources; i++)
		if (x->sources[i]->ops->want)
			x->sources[i]->ops->want(x->sources[i], w);
}

int xcap_set_filter(struct xcap *x, const char *expression)
{
	struct xcap_wanted w;
	int nr = x->nr_sources, err;
	struct filter *f = NULL;
	struct error why;

	err = compile_filter(x, expression, &f);
	if (err)
		return err;
	err = push_filter(x, f, &nr);
	if (!err) {
		push_wanted(x, filter_wanted(f, &w) ? &w : NULL);
		if (x->hidden && x->hidden->tree_all)	/* it may be about others */
			*x->hidden->tree_all = 1;
		put_filter(x, f);
		return 0;
	}
	why = x->err;
	push_filter(x, x->filter, &nr);		/* what they had before, they can have again */
	x->err = why;
	filter_free(f);
	return err;
}

int stream_wire(struct xcap *x)
{
	if (x->wire >= 0)
		return x->wire;
	if (!first_ifindex(x))
		return error_set(&x->err, -ENODEV, "nothing that is captured can be sent on; "
				 "name an interface");
	if (x->remote)
		return error_set(&x->err, -EACCES, "%s", x->wire_err.text);
	x->wire = attach_wire(first_ifindex(x), &x->err);
	return x->wire;
}

int stream_adopt(struct xcap *x)
{
	int ret = 0;

	x->pid = getpid();
	for (int i = 0; i < x->nr_all && !ret; i++)
		if (x->sources[i]->ops->adopt)
			ret = x->sources[i]->ops->adopt(x->sources[i]);
	return ret;
}
