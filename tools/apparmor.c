// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a process that is going to be another program.
 * Out:  the same, and then that program, out of reach of AppArmor's profiles.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * A profile for tcpdump knows what tcpdump opens, and none of what it is handed instead; nor
 * may a program map libraries of ours from where its profile knows of none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "apparmor.h"

#define ATTR "/proc/self/attr/apparmor/"

static int ask(const char *attr, const char *want)
{
	int fd = open(attr, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, want, strlen(want)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

static void say(const char *called, const char *program)
{
	char profile[128] = "";
	int fd = open(ATTR "current", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, profile, sizeof(profile) - 1);

	if (fd >= 0)
		close(fd);
	profile[n > 0 ? n : 0] = '\0';
	profile[strcspn(profile, "\n")] = '\0';
	fprintf(stderr, "%s: AppArmor confines %s itself%s%s, and so %s; if it is refused, start "
		"%s outside of that profile\n", called, called, *profile ? " by " : "", profile,
		program, called);
}

/*
 * First this process: from a profile that may leave for the next exec only, the loader would
 * take the program for one with more rights than ours, and heed no LD_PRELOAD.
 */
void apparmor_leave(const char *called, const char *program)
{
	int ret = ask(ATTR "current", "changeprofile unconfined");

	ret = ret ?: ask(ATTR "exec", "exec unconfined");
	/* any other error: a kernel that runs without AppArmor */
	if (ret == -EACCES || ret == -EPERM)
		say(called, program);
}
