// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   settings that stand in the way; or those that were remembered.
 * Out:  the host, changed; or as it was before.
 * Owns: the state, while it works.
 * Runs on: the tool's only thread.
 *
 * All that will be changed is on disk, as it was, before the first is changed: so each change
 * can be taken back, whenever we are killed. Changes are taken back from the last to the first.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "doctor.h"

static int failed(struct doctor *d, const struct state *st)
{
	fprintf(stderr, "%s: %s\n", d->called, st->why);
	return EXIT_FAILED;
}

static const char *why(int err)
{
	return err == -EIO ? "it was accepted and is not so" : strerror(-err);
}

static int remember_all(struct doctor *d, struct state *st, char (*old)[SETTING_VALUE])
{
	for (int i = 0; i < d->nr_settings; i++) {
		struct setting *s = &d->settings[i];
		int err = setting_get(d, s, old[i]);

		if (!err && strcmp(old[i], s->value))
			err = state_add(st, s, if_nametoindex(s->iface), old[i]);
		else if (err)
			old[i][0] = '\0';
		if (err == -ENOMEM) {
			snprintf(st->why, sizeof(st->why), "no memory");
			return err;
		}
	}
	return state_save(st);
}

static void change(struct doctor *d, const struct setting *s, const char *old)
{
	char now[SETTING_VALUE];
	int err;

	if (!old[0] || !strcmp(old, s->value))
		return;
	err = setting_set(d, s, s->value);
	if (!err && !setting_get(d, s, now) && strcmp(now, s->value) && strcmp(now, "there"))
		err = -EIO;
	doctor_changed(d, s, old, s->value, err ? CHANGE_FAILED : CHANGE_DONE,
		       err ? why(err) : NULL);
}

int doctor_fix(struct doctor *d)
{
	char (*old)[SETTING_VALUE];
	struct state st;
	int err;

	if (!d->nr_settings)
		return EXIT_DONE;
	old = calloc(d->nr_settings, sizeof(*old));
	err = state_open(d, &st);
	if (!old && !err)
		err = -ENOMEM;
	if (!err)
		err = remember_all(d, &st, old);
	if (err)
		failed(d, &st);
	for (int i = 0; !err && i < d->nr_settings; i++)
		change(d, &d->settings[i], old[i]);
	state_close(&st);
	free(old);
	return err || d->failed ? EXIT_FAILED : EXIT_DONE;
}

/* ---- back ---- */

/* Return: whether the record is done with. */
static bool give_back(struct doctor *d, struct state *st, const struct remembered *r)
{
	const struct setting *s = &r->s;
	char now[SETTING_VALUE] = "", then[SETTING_VALUE], name[IF_NAMESIZE];
	bool is_object = !strcmp(s->value, "there");
	int err = 0;

	if (strcmp(r->boot, st->boot)) {
		doctor_changed(d, s, "", s->value, CHANGE_NONE,
			       "the host has been started anew, and has forgotten it");
		return true;
	}
	if (s->iface[0] && !d->fixture && if_nametoindex(s->iface) != r->ifindex) {
		bool gone = !if_nametoindex(s->iface) && !if_indextoname(r->ifindex, name);

		doctor_changed(d, s, "", s->value, gone ? CHANGE_NONE : CHANGE_FAILED, gone ?
			       "the interface is gone, and this with it" :
			       "that name is not this interface's any more; it stays remembered");
		return gone;
	}
	if (!is_object)
		err = setting_get(d, s, now);
	if (!err && !strcmp(now, s->value))
		return true;	/* killed before it was changed, or changed back by somebody */
	if (!err)
		err = setting_set(d, s, s->value);
	if (!err && !is_object && !setting_get(d, s, then) && strcmp(then, s->value))
		err = -EIO;
	doctor_changed(d, s, is_object ? "removed" : now, s->value,
		       err ? CHANGE_FAILED : CHANGE_DONE, err ? why(err) : NULL);
	return !err;
}

static bool is_asked_for(struct doctor *d, struct state *st, const struct remembered *r)
{
	if (strcmp(r->boot, st->boot))
		return true;
	if (strcmp(r->netns, st->netns))
		return false;
	if (!d->name || !r->s.iface[0] || !strcmp(d->name, r->s.iface))
		return true;
	/* by another name that it has, or has now */
	return !d->fixture && r->ifindex && if_nametoindex(d->name) == r->ifindex;
}

int doctor_undo(struct doctor *d)
{
	struct state st;
	int err = state_open(d, &st), here = 0;

	if (err)
		return failed(d, &st);
	for (int i = st.nr - 1; i >= 0; i--) {
		if (!is_asked_for(d, &st, &st.list[i]))
			continue;
		here++;
		if (give_back(d, &st, &st.list[i]))
			state_forget(&st, i);
	}
	/* once, at the end: who is killed before that finds all of it again, and done already */
	err = state_save(&st);
	if (err)
		failed(d, &st);
	if (!here && !d->json)
		puts("nothing is remembered: there is nothing to give back");
	state_close(&st);
	return err || d->failed ? EXIT_FAILED : EXIT_DONE;
}
