// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a plain name, "eth0".
 * Out:  the source that does no harm there: xsk where nothing can be lost, else tap.
 * Owns: nothing; the source turns into the one that was chosen.
 * Runs on: the thread that opens the handle.
 *
 * AF_XDP takes frames away from the host. So it is chosen only where the host
 * has no use for them: no address, nothing on top and nothing above (netdev.c
 * says what counts), and no other program at the XDP hook.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netdev.h"
#include "source.h"

static bool knows(const struct source_ops *ops, const char *key)
{
	for (const char *const *k = ops->options; k && *k; k++)
		if (!strcmp(*k, key))
			return true;
	return false;
}

static int check_options(const struct source_ops *ops, const struct spec *spec, struct error *err)
{
	for (int i = 0; i < spec->nr_options; i++)
		if (!knows(ops, spec->options[i].key))
			return error_set(err, -EINVAL,
					 "%s is captured by %s here, which has no option '%s': "
					 "say which is meant, xsk:%s or tap:%s",
					 spec->name, ops->scheme, spec->options[i].key, spec->name,
					 spec->name);
	return 0;
}

/* The source becomes the chosen one, and says so. */
static int become(struct source *s, const struct spec *spec, const struct source_ops *ops,
		  const char *why)
{
	char note[sizeof(s->note)];
	int ret;

	ret = check_options(ops, spec, s->err);
	if (ret)
		return ret;
	s->ops = ops;
	snprintf(s->spec, sizeof(s->spec), "%s:%.*s", ops->scheme,
		 (int)(sizeof(s->spec) - sizeof(spec->scheme) - 1), spec->text);
	ret = ops->open(s, spec);
	if (ret)
		return ret;
	snprintf(note, sizeof(note), "%s", s->note);
	snprintf(s->note, sizeof(s->note), "%.150s, so %s:%.60s: %.280s", why, ops->scheme,
		 spec->name, note);
	return 0;
}

static int source_iface_open(struct source *s, const struct spec *spec)
{
	char why[256], reason[160];
	struct netdev dev;
	bool take;
	int ret;

	ret = netdev_get(spec->name, &dev, s->err);
	if (ret)
		return ret;
	take = netdev_may_take(&dev, reason, sizeof(reason));
	snprintf(why, sizeof(why), "%s %s", dev.name, reason);
	if (!take)
		return become(s, spec, &source_tap_ops, why);

	ret = become(s, spec, &source_xsk_ops, why);
	if (!ret || ret == -EINVAL || ret == -EPERM)
		return ret;
	/* it would do no harm, but it cannot be had: another was faster, or an old kernel */
	snprintf(why, sizeof(why), "%.200s", s->err->text);
	ret = become(s, spec, &source_tap_ops, why);
	if (!ret)
		s->err->text[0] = '\0';
	return ret;
}

/* Only ever seen on a source that could not be opened. */
static void source_iface_close(struct source *s)
{
}

static const char *const options[] = { "queues", "frames", "ring", "chunk", "snaplen", "promisc",
				       "busy_poll", "hook", "owner", NULL };

const struct source_ops source_iface_ops = {
	.scheme = "",
	.help = "an interface: xsk where nothing can be lost, else tap",
	.options = options,
	.privileged = true,
	.wants = SOURCE_WANTS_TASKS | SOURCE_WANTS_SOCKETS,
	.check = source_check_interface,
	.open = source_iface_open,
	.close = source_iface_close,
};
