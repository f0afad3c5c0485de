// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   /etc/passwd.
 * Out:  the name of a user id.
 * Owns: every name it has ever told, sorted by id; they are few and stay.
 * Runs on: any thread; one lock.
 */
#include <pthread.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xcap.h>
#include "clock.h"

#define PASSWD "/etc/passwd"
#define LOOK_NS NS_PER_SEC	/* how often the file may be looked at for ids it had not */

struct user {
	__u32 uid;
	char *name;
};

static struct {
	pthread_mutex_t lock;
	struct user *list;
	size_t nr;
	int64_t looked_ns;
	struct timespec modified;
} users = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Where the id stands, or would stand. */
static size_t place_of(__u32 uid)
{
	size_t from = 0, to = users.nr;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (users.list[middle].uid < uid)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The first of several names counts, and a name that was told is not taken back. */
static void add(__u32 uid, const char *text)
{
	size_t at = place_of(uid);
	struct user *list;
	char *name;

	if (at < users.nr && users.list[at].uid == uid)
		return;
	list = reallocarray(users.list, users.nr + 1, sizeof(*list));
	if (!list)
		return;
	users.list = list;
	name = strdup(text);
	if (!name)
		return;
	memmove(&list[at + 1], &list[at], (users.nr - at) * sizeof(*list));
	list[at] = (struct user){ uid, name };
	users.nr++;
}

static bool has_changed(void)
{
	int64_t now = clock_mono_ns();
	struct stat st;

	if (users.looked_ns && now - users.looked_ns < LOOK_NS)
		return false;
	users.looked_ns = now;
	if (stat(PASSWD, &st) || !memcmp(&st.st_mtim, &users.modified, sizeof(st.st_mtim)))
		return false;
	users.modified = st.st_mtim;
	return true;
}

static void read_file(void)
{
	FILE *f = fopen(PASSWD, "re");
	struct passwd *p;

	while (f && (p = fgetpwent(f)))
		add(p->pw_uid, p->pw_name);
	if (f)
		fclose(f);
}

static const char *find(__u32 uid)
{
	size_t at = place_of(uid);

	return at < users.nr && users.list[at].uid == uid ? users.list[at].name : NULL;
}

const char *xcap_user_name(__u32 uid)
{
	const char *name;

	pthread_mutex_lock(&users.lock);
	name = find(uid);
	if (!name && has_changed()) {
		read_file();
		name = find(uid);
	}
	pthread_mutex_unlock(&users.lock);
	return name;
}
