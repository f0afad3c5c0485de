// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the path of a cgroup.
 * Out:  what runtimes and systemd put into such names.
 * Owns: nothing; strings are copied into the caller's buffer.
 * Runs on: any thread; pure functions.
 *
 * The path is read from the root on, and what is further inside counts: a container within a
 * container, a unit of the user's manager within that manager's.
 */
#include <stdbool.h>
#include <string.h>
#include "container.h"

struct piece {
	const char *p;
	size_t len;
};

/* What has been found so far. len 0: nothing. */
struct found {
	const char *runtime;
	struct piece container, pod, unit;
	bool named;		/* the container's id is its name */
	bool escaped;		/* by systemd, as units are */
	bool kubepods;		/* somewhere above */
	struct piece parent;	/* the component before */
};

static bool equals(struct piece s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.p, text, s.len);
}

/* Take a prefix away. */
static bool after(struct piece *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (s->len <= len || memcmp(s->p, prefix, len))
		return false;
	s->p += len;
	s->len -= len;
	return true;
}

/* Take a suffix away. */
static bool before(struct piece *s, const char *suffix)
{
	size_t len = strlen(suffix);

	if (s->len <= len || memcmp(s->p + s->len - len, suffix, len))
		return false;
	s->len -= len;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool all_hex(struct piece s, size_t min, size_t max)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_hex(s.p[i]))
			return false;
	return s.len >= min && s.len <= max;
}

static void set_container(struct found *f, const char *runtime, struct piece id)
{
	f->runtime = runtime;
	f->container = id;
	f->named = f->escaped = false;
}

static void set_named(struct found *f, const char *runtime, struct piece name, bool escaped)
{
	set_container(f, runtime, name);
	f->named = true;
	f->escaped = escaped;
}

/* ---- pods: a uid as Kubernetes writes it, or the hash that pods of files have ---- */

static bool is_uid(struct piece s)
{
	size_t i;

	if (all_hex(s, 32, 32))
		return true;
	for (i = 0; i < s.len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] != '-' && s.p[i] != '_' :
		    !is_hex(s.p[i]))
			return false;
	return s.len == 36;
}

/* "pod<uid>", "kubepods-burstable-pod<uid>.slice", and what stands before that in other slices */
static void look_for_pod(struct found *f, struct piece s)
{
	const char *pod = memmem(s.p, s.len, "-pod", 4);
	bool slice = before(&s, ".slice");

	if (memmem(s.p, s.len, "kubepods", 8))
		f->kubepods = true;
	if (!f->kubepods)
		return;
	for (; slice && pod; pod = memmem(s.p, s.len, "-pod", 4)) {
		s.len -= pod + 1 - s.p;
		s.p = pod + 1;
	}
	if (after(&s, "pod") && is_uid(s))
		f->pod = s;
}

/* ---- containers ---- */

static const struct { const char *prefix, *runtime; } prefixes[] = {
	{ "docker-", "docker" },
	{ "cri-containerd-", "containerd" },
	{ "nerdctl-", "containerd" },
	{ "crio-", "cri-o" },
	{ "libpod-payload-", "podman" },
	{ "libpod-", "podman" },
};

/* Directories whose children are containers by their ids. */
static const struct { const char *parent, *runtime; } parents[] = {
	{ "docker", "docker" },
	{ "k8s.io", "containerd" },
	{ "default", "containerd" },
};

/* "docker-<id>.scope", "libpod-payload-<id>" */
static bool by_prefix(struct found *f, struct piece s)
{
	size_t i;

	before(&s, ".scope");
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct piece id = s;

		if (!after(&id, prefixes[i].prefix) || !all_hex(id, 12, 64))
			continue;
		set_container(f, prefixes[i].runtime, id);
		return true;
	}
	return false;
}

/* "kubepods-pod<uid>.slice:cri-containerd:<id>": a systemd name in a manager that is not asked */
static bool by_colons(struct found *f, struct piece s)
{
	const char *first = memchr(s.p, ':', s.len), *second;
	struct piece slice = { s.p, 0 }, id;
	size_t i, len;

	second = first ? memchr(first + 1, ':', s.p + s.len - first - 1) : NULL;
	if (!second)
		return false;
	slice.len = first - s.p;
	id = (struct piece) { second + 1, s.p + s.len - second - 1 };
	len = second - first - 1;
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strlen(prefixes[i].prefix) != len + 1 ||
		    memcmp(prefixes[i].prefix, first + 1, len) || !all_hex(id, 12, 64))
			continue;
		look_for_pod(f, slice);
		set_container(f, prefixes[i].runtime, id);
		return true;
	}
	return false;
}

/* "/docker/<id>", "/kubepods/burstable/pod<uid>/<id>", and ids where nobody knows whose */
static bool by_parent(struct found *f, struct piece s)
{
	const char *runtime = f->kubepods ? "kubernetes" : "";
	size_t i;

	if (!all_hex(s, 64, 64))
		return false;
	for (i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
		if (equals(f->parent, parents[i].parent))
			runtime = parents[i].runtime;
	set_container(f, runtime, s);
	return true;
}

/* Machines: those of systemd-nspawn are containers, those of libvirt's qemu are not. */
static bool by_machine(struct found *f, struct piece s)
{
	if (before(&s, ".service")) {
		if (!after(&s, "systemd-nspawn@"))
			return false;
	} else if (!before(&s, ".scope") || !after(&s, "machine-")) {
		return false;
	}
	if (s.len > 5 && !memcmp(s.p, "qemu\\", 5))
		return false;
	set_named(f, "nspawn", s, true);
	return true;
}

static bool by_lxc(struct found *f, struct piece s)
{
	if (!after(&s, "lxc.payload.") && !equals(f->parent, "lxc") &&
	    !equals(f->parent, "lxc.payload"))
		return false;
	set_named(f, "lxc", s, false);
	return true;
}

/* ---- the path ---- */

static bool is_unit(struct piece s)
{
	return before(&s, ".service") || before(&s, ".scope");
}

static void component(struct found *f, struct piece s)
{
	/* systemd's way around names that the kernel has in each directory */
	if (s.len > 1 && *s.p == '_')
		s = (struct piece) { s.p + 1, s.len - 1 };
	if (!by_colons(f, s) && !by_prefix(f, s) && !by_parent(f, s) && !by_machine(f, s) &&
	    !by_lxc(f, s))
		look_for_pod(f, s);
	if (is_unit(s))
		f->unit = s;
	f->parent = s;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x2d is a minus: one character of the piece. Return: bytes taken. */
static size_t unescape(struct piece s, size_t i, char *c)
{
	int high, low;

	*c = s.p[i];
	if (s.len - i < 4 || s.p[i] != '\\' || s.p[i + 1] != 'x')
		return 1;
	high = hex_value(s.p[i + 2]);
	low = hex_value(s.p[i + 3]);
	if (high < 0 || low < 0 || !(high << 4 | low))
		return 1;
	*c = high << 4 | low;
	return 4;
}

static const char *keep(char **buf, size_t *size, struct piece s, bool escaped)
{
	char *text = *buf;
	size_t i = 0, len = 0;

	if (!s.len || s.len >= *size)
		return "";
	while (i < s.len) {
		char c = s.p[i];

		i += escaped ? unescape(s, i, &c) : 1;
		text[len++] = c;
	}
	text[len++] = '\0';
	*buf += len;
	*size -= len;
	return text;
}

void container_parse(const char *path, struct xcap_cgroup *out, char *buf, size_t size)
{
	struct found f = { .runtime = "" };
	char *pod = buf, *c;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len)
			component(&f, (struct piece) { path, len });
		path += len + (path[len] == '/');
	}
	out->pod = keep(&buf, &size, f.pod, false);
	for (c = pod; *out->pod && *c; c++)	/* a slice's name has no minus within the uid */
		if (*c == '_')
			*c = '-';
	out->container = keep(&buf, &size, f.container, f.escaped);
	out->container_name = f.named ? out->container : "";
	out->unit = keep(&buf, &size, f.unit, false);
	out->runtime = !f.container.len && f.unit.len ? "systemd" : f.runtime;
}
