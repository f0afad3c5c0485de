// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   where records are to go ("pcapng:FILE", "FILE", "-", "iface:NAME",
 *       "wire:NAME"), then records.
 * Out:  the sink of that scheme, opened, fed and closed.
 * Owns: the handle of a sink.
 * Runs on: the thread of the stream.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "opts.h"
#include "sink.h"

/* The first is meant when no scheme is named. */
static const struct sink_ops *const rows[] = {
	&sink_pcapng_ops,
	&sink_iface_ops,
	&sink_wire_ops,
	&sink_queue_ops,
};

/* A colon in the name of a file is no scheme. */
static const struct sink_ops *find(const char **spec)
{
	const char *colon = strchr(*spec, ':');
	size_t i, len = colon ? (size_t)(colon - *spec) : 0;

	for (i = 0; colon && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i]->scheme) != len || memcmp(rows[i]->scheme, *spec, len))
			continue;
		*spec = colon + 1;
		return rows[i];
	}
	return rows[0];
}

/* What is asked for, checked, with the defaults put in. */
static int take_opts(struct xcap_sink_opts *ours, const struct xcap_sink_opts *theirs,
		     struct error *error)
{
	const __u32 both = XCAP_PROCESS_BLOCKS | XCAP_PROCESS_COMMENTS;
	int err = opts_in(ours, sizeof(*ours), theirs);

	if (err)
		return error_set(error, err, "the options of the sink are not those of xcap %s",
				 xcap_version());
	if (ours->process & ~(both | XCAP_PROCESS_NOWHERE))
		return error_set(error, -EINVAL, "xcap_sink_opts.process: 0x%x has bits that xcap "
				 "%s does not know", ours->process, xcap_version());
	if (!ours->process)
		ours->process = both;
	return 0;
}

int xcap_sink_open_opts(struct xcap_sink **out, const char *spec, struct xcap *x,
			const struct xcap_sink_opts *opts)
{
	struct xcap_sink *s;
	int err;

	if (!spec || !*spec)
		return error_set(stream_error(x), -EINVAL,
				 "no file is named to write to; - is standard output");
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(stream_error(x), -ENOMEM, "no memory to write %s", spec);
	s->x = x;
	s->err = stream_error(x);
	s->ops = find(&spec);
	err = take_opts(&s->opts, opts, s->err);
	if (!err)
		err = s->ops->open(s, spec);
	if (err) {
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

int xcap_sink_open(struct xcap_sink **out, const char *spec, struct xcap *x)
{
	return xcap_sink_open_opts(out, spec, x, NULL);
}

const char *xcap_sink_note(const struct xcap_sink *s)
{
	return s->note;
}

int xcap_sink_put(struct xcap_sink *s, const struct xcap_record *recs, int nr)
{
	return s->ops->put(s, recs, nr);
}

int xcap_sink_flush(struct xcap_sink *s)
{
	return s->ops->flush ? s->ops->flush(s) : 0;
}

int xcap_sink_filter(struct xcap_sink *s, unsigned int queue, const char *expression)
{
	if (!s->ops->filter)
		return error_set(s->err, -EOPNOTSUPP, "only a cluster's queues have filters");
	return s->ops->filter(s, queue, expression);
}

int xcap_sink_close(struct xcap_sink *s)
{
	int err;

	if (!s)
		return 0;
	err = s->ops->close(s);
	free(s);
	return err;
}
