// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   settings that are about to be changed, as they are.
 * Out:  the same from a file, whoever was killed in between.
 * Owns: the directory's lock while it is open.
 * Runs on: the tool's only thread.
 *
 * A line is a setting: boot, network namespace, index and name of the interface, kind, key and
 * value, with tabs between. Root acts on what stands there, so it is read only from a file that
 * nobody else can have written, and each word of it is checked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "doctor.h"

#define HEAD "xcap-doctor 1\n"
#define STATE_MAX (1 << 20)
#define FILE_NAME "doctor"
#define NO_INTERFACE "-"	/* at index 0: an interface can have this name */

__attribute__((format(printf, 3, 4)))
static int fail(struct state *st, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(st->why, sizeof(st->why), fmt, ap);
	va_end(ap);
	return err;
}

static const char *directory(void)
{
	const char *dir = getenv("XCAP_STATE_DIR");

	return dir && *dir ? dir : "/var/lib/xcap";
}

/* Nobody but us can have put anything there. */
static bool is_ours(const struct stat *st, mode_t others)
{
	return st->st_uid == geteuid() && !(st->st_mode & others);
}

static int open_dir(struct state *st)
{
	struct stat dir;

	if (mkdir(directory(), 0700) && errno != EEXIST)
		return fail(st, -errno, "%s cannot be made: %m", directory());
	st->dir = open(directory(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (st->dir < 0)
		return fail(st, -errno, "%s cannot be opened: %m", directory());
	if (fstat(st->dir, &dir) || !is_ours(&dir, 022))
		return fail(st, -EPERM, "others can write to %s: it must be yours, with mode 700",
			    directory());
	st->lock = openat(st->dir, FILE_NAME ".lock",
			  O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (st->lock < 0)
		return fail(st, -errno, "%s/" FILE_NAME ".lock cannot be opened: %m", directory());
	if (flock(st->lock, LOCK_EX | LOCK_NB))
		return fail(st, -EBUSY, "another xcap doctor is changing settings; wait for it");
	return 0;
}

/* ---- reading ---- */

static bool number(const char *text, unsigned int *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*out = n;
	return *text >= '0' && *text <= '9' && !*end && n <= INT32_MAX;
}

static bool is_name(const char *name)
{
	return *name && strlen(name) < IF_NAMESIZE && strcmp(name, "..") && strcmp(name, ".") &&
	       !strchr(name, '/');
}

static struct remembered *room(struct state *st)
{
	int more = st->room ? 2 * st->room : 32;
	struct remembered *list = st->list;

	if (st->nr == st->room) {
		list = reallocarray(st->list, more, sizeof(*list));
		if (!list)
			return NULL;
		st->list = list;
		st->room = more;
	}
	memset(&list[st->nr], 0, sizeof(*list));
	return &list[st->nr];
}

/* Return: 0; -EINVAL, -ENOMEM. */
static int parse(struct state *st, char *line)
{
	enum { BOOT, NETNS, INDEX, NAME, KIND, KEY, VALUE, NR };
	char *word[NR];
	struct remembered *r = room(st);

	if (!r)
		return -ENOMEM;
	for (int i = 0; i < NR; i++) {
		word[i] = strsep(&line, "\t");
		if (!word[i])
			return -EINVAL;
		/* names of interfaces can have any byte but white space */
		for (const char *p = word[i]; *p && i != NAME; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				return -EINVAL;
	}
	r->s.kind = setting_kind(word[KIND], word[KEY]);
	if (line || !r->s.kind || strlen(word[BOOT]) >= sizeof(r->boot) ||
	    strlen(word[NETNS]) >= sizeof(r->netns) || !number(word[INDEX], &r->ifindex) ||
	    strlen(word[VALUE]) >= sizeof(r->s.value) || !is_name(word[NAME]))
		return -EINVAL;
	strcpy(r->boot, word[BOOT]);
	strcpy(r->netns, word[NETNS]);
	if (r->ifindex || strcmp(word[NAME], NO_INTERFACE))
		strcpy(r->s.iface, word[NAME]);
	strcpy(r->s.value, word[VALUE]);
	r->s.key = strdup(word[KEY]);
	if (!r->s.key)
		return -ENOMEM;
	st->nr++;
	return 0;
}

static int parse_all(struct state *st, char *text)
{
	int err = strncmp(text, HEAD, strlen(HEAD)) ? -EINVAL : 0;
	char *line;

	if (!err)
		text += strlen(HEAD);
	while (!err && *text) {
		char *end = strchr(text, '\n');

		line = text;
		if (!end)
			return -EINVAL;
		*end = '\0';
		text = end + 1;
		err = parse(st, line);
	}
	return err;
}

static int read_state(struct state *st)
{
	int fd = openat(st->dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err;
	struct stat file;
	char *text;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fail(st, -errno, "%s/" FILE_NAME " cannot be read: %m", directory());
	text = calloc(1, STATE_MAX + 1);
	if (fstat(fd, &file) || !S_ISREG(file.st_mode) || file.st_nlink != 1 ||
	    !is_ours(&file, 077))
		err = fail(st, -EPERM, "%s/" FILE_NAME " can be from others: it must be a file of "
			   "yours, with mode 600; nothing is done with it", directory());
	else if (!text || file.st_size > STATE_MAX)
		err = fail(st, -EFBIG, "%s/" FILE_NAME " is too large", directory());
	else if (read(fd, text, STATE_MAX) != file.st_size ||
		 strlen(text) != (size_t)file.st_size || parse_all(st, text))
		err = fail(st, -EINVAL, "%s/" FILE_NAME " has line %d that no xcap doctor wrote; "
			   "nothing is done with it", directory(), st->nr + 2);
	else
		err = 0;
	free(text);
	close(fd);
	return err;
}

static void where(struct doctor *d, struct state *st)
{
	struct stat ns;

	if (doctor_line(d->proc, st->boot, sizeof(st->boot), "sys/kernel/random/boot_id") <= 0)
		strcpy(st->boot, "0");
	if (d->fixture || stat("/proc/self/ns/net", &ns))
		strcpy(st->netns, "0");
	else
		snprintf(st->netns, sizeof(st->netns), "%llu:%llu", (unsigned long long)ns.st_dev,
			 (unsigned long long)ns.st_ino);
}

int state_open(struct doctor *d, struct state *st)
{
	int err;

	*st = (struct state){ .dir = -1, .lock = -1 };
	where(d, st);
	err = open_dir(st);
	if (!err)
		err = read_state(st);
	if (err)
		state_close(st);
	return err;
}

/* ---- writing ---- */

int state_add(struct state *st, const struct setting *s, unsigned int ifindex, const char *old)
{
	struct remembered *r;

	for (int i = 0; i < st->nr; i++) {
		r = &st->list[i];
		if (!strcmp(r->s.kind, s->kind) && !strcmp(r->s.key, s->key) &&
		    !strcmp(r->s.iface, s->iface) && r->ifindex == ifindex &&
		    !strcmp(r->boot, st->boot) && !strcmp(r->netns, st->netns))
			return 0;	/* what was first is what was */
	}
	r = room(st);
	if (!r)
		return -ENOMEM;
	r->s = *s;
	r->ifindex = ifindex;
	strcpy(r->boot, st->boot);
	strcpy(r->netns, st->netns);
	snprintf(r->s.value, sizeof(r->s.value), "%s", old);
	r->s.key = strdup(s->key);
	if (!r->s.key)
		return -ENOMEM;
	st->nr++;
	st->changed = true;
	return 0;
}

void state_forget(struct state *st, int i)
{
	free(st->list[i].s.key);
	memmove(&st->list[i], &st->list[i + 1], (--st->nr - i) * sizeof(*st->list));
	st->changed = true;
}

static int write_to(struct state *st, int fd)
{
	FILE *out = fdopen(fd, "w");
	int err = 0;

	if (!out) {
		close(fd);
		return -ENOMEM;
	}
	fputs(HEAD, out);
	for (int i = 0; i < st->nr; i++) {
		const struct remembered *r = &st->list[i];

		fprintf(out, "%s\t%s\t%u\t%s\t%s\t%s\t%s\n", r->boot, r->netns, r->ifindex,
			r->s.iface[0] ? r->s.iface : NO_INTERFACE, r->s.kind, r->s.key, r->s.value);
	}
	if (fflush(out) || fsync(fileno(out)))
		err = -errno;
	return fclose(out) && !err ? -errno : err;
}

int state_save(struct state *st)
{
	int fd, err = 0;

	if (!st->changed)
		return 0;
	if (!st->nr) {
		if (unlinkat(st->dir, FILE_NAME, 0) && errno != ENOENT)
			err = -errno;
	} else {
		unlinkat(st->dir, FILE_NAME ".new", 0);
		fd = openat(st->dir, FILE_NAME ".new",
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		err = fd < 0 ? -errno : write_to(st, fd);
		if (!err && renameat(st->dir, FILE_NAME ".new", st->dir, FILE_NAME))
			err = -errno;
	}
	if (!err && fsync(st->dir))
		err = -errno;
	if (err)
		return fail(st, err, "%s/" FILE_NAME " cannot be written: %s", directory(),
			    strerror(-err));
	st->changed = false;
	return 0;
}

void state_close(struct state *st)
{
	for (int i = 0; i < st->nr; i++)
		free(st->list[i].s.key);
	free(st->list);
	if (st->lock >= 0)
		close(st->lock);
	if (st->dir >= 0)
		close(st->dir);
	st->list = NULL;
	st->nr = st->room = 0;
	st->dir = st->lock = -1;
}
