// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   source specs as people write them: [scheme:]name[?key=value[&key=value...]], ...
 * Out:  the table's row for each, opened.
 * Owns: the table.
 * Runs on: the thread that opens the handle.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "netdev.h"
#include "remote.h"
#include "source.h"

/* One row a source. The row without a scheme takes plain names, so it comes last. */
static const struct source_ops *const table[] = {
	&source_tap_ops,
	&source_syscalls_ops,
	&source_probe_ops,
	&source_file_ops,
	&source_xsk_ops,
	&source_queue_ops,
	&source_iface_ops,
};

const struct source_ops *source_row(int i)
{
	return i >= 0 && i < (int)(sizeof(table) / sizeof(table[0])) ? table[i] : NULL;
}

static bool is_row(const struct source_ops *ops, const struct spec *spec)
{
	if (spec->scheme[0])
		return !strcmp(ops->scheme, spec->scheme);
	if (!strcmp(spec->name, "-"))
		return !strcmp(ops->scheme, "file");
	/* a source that has no name of its own: "syscalls" */
	return !ops->scheme[0] || (!strcmp(ops->scheme, spec->name) && ops->nameless);
}

static const struct source_ops *find_row(const struct spec *spec)
{
	int i = 0;

	if (spec->hidden)
		return &source_owner_ops;
	while (source_row(i) && !is_row(source_row(i), spec))
		i++;
	return source_row(i);
}

/* ---- grammar ---- */

static int copy(char *to, size_t size, const char *from, size_t len, const char *what,
		struct error *err)
{
	if (len >= size)
		return error_set(err, -EINVAL, "%s '%.40s...' is longer than %zu characters", what,
				 from, size - 1);
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* What can only be the beginning of a spec: "tap:", or "syscalls" as a whole word. */
static bool begins_spec(const char *p)
{
	for (int i = 0; source_row(i); i++) {
		const struct source_ops *ops = source_row(i);
		size_t len = strlen(ops->scheme);

		if (len && !strncmp(p, ops->scheme, len) &&
		    (p[len] == ':' || (ops->nameless && strchr(",+?", p[len]))))
			return true;
	}
	return false;
}

static bool is_separator(const char *p, const struct spec *spec)
{
	return *p == ',' || (*p == '+' && strcmp(spec->scheme, "file") && begins_spec(p + 1));
}

/* A name up to the next separator or question mark; what follows a backslash is no such. */
static int copy_name(const char **at, struct spec *spec, struct error *err)
{
	const char *p = *at;
	size_t n = 0;

	while (*p && *p != '?' && !is_separator(p, spec)) {
		if (*p == '\\' && p[1])
			p++;
		if (n == sizeof(spec->name) - 1)
			return error_set(err, -EINVAL,
					 "name '%.40s...' is longer than %zu characters",
					 spec->name, sizeof(spec->name) - 1);
		spec->name[n++] = *p++;
	}
	spec->name[n] = '\0';
	*at = p;
	return 0;
}

static bool is_syscall(const char *name, size_t len)
{
	char text[64];

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return !strcmp(text, "switch") || xcap_syscall_nr(text, 0) >= 0 ||
	       xcap_syscall_nr(text, 1) >= 0;
}

static bool is_number(const char *text, size_t len)
{
	return len && strspn(text, "0123456789") >= len;
}

/* Options whose value is a list: it goes on behind a comma while the like of it follows. */
static const struct { const char *key; bool (*like)(const char *text, size_t len); } lists[] = {
	{ "only", is_syscall },
	{ "without", is_number },
};

/* End of the value of an option. */
static const char *value_end(const char *p, const struct spec *spec, const char *key,
			     size_t key_len)
{
	bool (*like)(const char *, size_t) = NULL;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strlen(lists[i].key) == key_len && !memcmp(lists[i].key, key, key_len))
			like = lists[i].like;
	for (;;) {
		const char *end = p;

		while (*end && *end != '&' && !is_separator(end, spec))
			end++;
		if (*end != ',' || !like)
			return end;
		p = end + 1;
		if (!like(p, strcspn(p, ",&+")))
			return end;
	}
}

static int parse_option(const char **at, struct spec *spec, struct error *err)
{
	const char *key = *at, *eq = key + strcspn(key, "=,&"), *end;
	int n = spec->nr_options, ret;

	if (n == SOURCE_MAX_OPTIONS)
		return error_set(err, -EINVAL, "more than %d options in one spec",
				 SOURCE_MAX_OPTIONS);
	if (*eq != '=' || eq == key)
		return error_set(err, -EINVAL, "option '%.*s' has no value; write key=value",
				 (int)(eq - key), key);
	end = value_end(eq + 1, spec, key, eq - key);
	ret = copy(spec->options[n].key, sizeof(spec->options[n].key), key, eq - key, "option",
		   err);
	ret = ret ?: copy(spec->options[n].value, sizeof(spec->options[n].value), eq + 1,
			  end - eq - 1, "value", err);
	if (ret)
		return ret;
	if (spec_option(spec, spec->options[n].key))
		return error_set(err, -EINVAL, "option '%s' is given twice",
				 spec->options[n].key);
	spec->nr_options++;
	*at = end;
	return 0;
}

/*
 * "xsk:" and "tcp://": letters and digits before a colon. "fe80::1" and "eth0:1" have
 * none of ours.
 */
static size_t scheme_len(const char *p)
{
	size_t n = 0;

	while (islower((unsigned char)p[n]))
		n++;
	return n && p[n] == ':' ? n : 0;
}

int spec_next(const char **list, struct spec *spec, struct error *err)
{
	const char *start = *list, *p = start;
	size_t n = scheme_len(p), len;
	int ret = 0;

	memset(spec, 0, sizeof(*spec));
	if (!*p)
		return 0;
	if (n) {
		ret = copy(spec->scheme, sizeof(spec->scheme), p, n, "scheme", err);
		p += n + 1;
	}
	ret = ret ?: copy_name(&p, spec, err);
	while (!ret && (*p == '?' || *p == '&')) {
		p++;
		ret = parse_option(&p, spec, err);
	}
	if (ret)
		return ret;
	if (!spec->name[0] && !spec->scheme[0])
		return error_set(err, -EINVAL, "an empty source in '%.100s'; "
				 "specs are separated by single commas", start);
	len = p - start;
	if (len >= sizeof(spec->text))
		len = sizeof(spec->text) - 1;
	memcpy(spec->text, start, len);
	if (*p == ',' && !p[1])
		return error_set(err, -EINVAL, "nothing follows the comma after '%s'", spec->text);
	*list = *p ? p + 1 : p;
	return 1;
}

bool spec_is_ours(const char *list)
{
	struct spec *spec = malloc(sizeof(*spec));
	bool ours = begins_spec(list);

	if (spec && !ours)
		ours = spec_next(&list, spec, NULL) > 0 && !spec->scheme[0] &&
		       strcmp(spec->name, "-") && (*list || spec->nr_options);
	free(spec);
	return ours;
}

bool spec_is_privileged(const char *list)
{
	struct spec *spec = malloc(sizeof(*spec));
	const struct source_ops *ops;
	bool privileged = !spec;

	while (spec && spec_next(&list, spec, NULL) > 0)
		if (!(ops = find_row(spec)) || ops->privileged)
			privileged = true;
	free(spec);
	return privileged;
}

const char *spec_option(const struct spec *spec, const char *key)
{
	for (int i = 0; i < spec->nr_options; i++)
		if (!strcmp(spec->options[i].key, key))
			return spec->options[i].value;
	return NULL;
}

static int shift_of(const char *suffix)
{
	if (!*suffix)
		return 0;
	if (suffix[1])
		return -1;
	switch (*suffix) {
	case 'k': case 'K': return 10;
	case 'm': case 'M': return 20;
	case 'g': case 'G': return 30;
	}
	return -1;
}

int spec_number(const struct spec *spec, const char *key, uint64_t min, uint64_t max,
		uint64_t *out, struct error *err)
{
	const char *text = spec_option(spec, key);
	unsigned long long v;
	char *end;
	int shift;

	if (!text)
		return 0;
	errno = 0;
	v = strtoull(text, &end, 10);
	shift = shift_of(end);
	if (!isdigit((unsigned char)*text) || errno || shift < 0 || v > UINT64_MAX >> shift ||
	    v << shift < min || v << shift > max)
		return error_set(err, -EINVAL, "%s=%.40s is no number from %llu to %llu", key, text,
				 (unsigned long long)min, (unsigned long long)max);
	*out = v << shift;
	return 0;
}

int spec_bool(const struct spec *spec, const char *key, bool *out, struct error *err)
{
	const char *v = spec_option(spec, key);

	if (!v)
		return 0;
	if (strcmp(v, "on") && strcmp(v, "off"))
		return error_set(err, -EINVAL, "%s=%.40s is neither on nor off", key, v);
	*out = !strcmp(v, "on");
	return 0;
}

/* ---- table ---- */

static int check_options(const struct source_ops *ops, const struct spec *spec, struct error *err)
{
	char known[256] = "";

	for (int i = 0; i < spec->nr_options; i++) {
		const char *const *k = ops->options;

		while (k && *k && strcmp(*k, spec->options[i].key))
			k++;
		if (k && *k)
			continue;
		for (k = ops->options; k && *k; k++) {
			strncat(known, known[0] ? ", " : "", sizeof(known) - strlen(known) - 1);
			strncat(known, *k, sizeof(known) - strlen(known) - 1);
		}
		return error_set(err, -EINVAL, "'%s' has no option '%s'; it knows: %s", spec->text,
				 spec->options[i].key, known[0] ? known : "none");
	}
	return 0;
}

static int unknown_scheme(const struct spec *spec, struct error *err)
{
	char known[256] = "";

	for (int i = 0; source_row(i); i++) {
		if (!source_row(i)->scheme[0])
			continue;
		strncat(known, known[0] ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, source_row(i)->scheme, sizeof(known) - strlen(known) - 1);
	}
	return error_set(err, -EINVAL, "'%s:' is no kind of source; there are: %s, or the plain "
			 "name of an interface", spec->scheme, known);
}

static int check_owner(const struct spec *spec, struct error *err)
{
	bool ignored;

	return spec_bool(spec, "owner", &ignored, err);
}

int source_check(const struct spec *spec, const struct source_ops **ops, struct error *err)
{
	int ret;

	*ops = find_row(spec);
	if (!*ops)
		return unknown_scheme(spec, err);
	ret = check_options(*ops, spec, err) ?: check_owner(spec, err);
	return ret || !(*ops)->check ? ret : (*ops)->check(spec, err);
}

int source_check_interface(const struct spec *spec, struct error *err)
{
	struct netdev dev;

	return netdev_get(spec->name, &dev, err);
}

const struct source_ops *source_by_scheme(const char *scheme)
{
	int i = 0;

	if (!strcmp(scheme, source_owner_ops.scheme))
		return &source_owner_ops;
	while (source_row(i) && strcmp(source_row(i)->scheme, scheme))
		i++;
	return source_row(i);
}

uint32_t source_wants(const struct source_ops *ops, const struct spec *spec,
		      const struct source_conf *conf)
{
	const char *hook = spec_option(spec, "hook");
	uint32_t wants = ops->wants;
	bool owners = conf->owners;

	if (ops->wants_of)
		wants |= ops->wants_of(spec);
	if (hook && !strcmp(hook, "xdp"))
		wants |= SOURCE_WANTS_EARLY;
	spec_bool(spec, "owner", &owners, NULL);
	return owners || !(wants & SOURCE_WANTS_SOCKETS) ? wants : 0;
}

int source_open(struct source *s, const struct spec *spec)
{
	int ret = source_check(spec, &s->ops, s->err);

	if (ret)
		return ret;
	s->wants = source_wants(s->ops, spec, s->conf);
	memcpy(s->spec, spec->text, sizeof(s->spec));
	s->filter_ns = INT64_MAX;
	if (s->conf->remote && s->ops->privileged)
		return remote_open(s, spec);
	return s->ops->open(s, spec);
}

void source_close(struct source *s)
{
	if (s && s->ops)
		s->ops->close(s);
}
