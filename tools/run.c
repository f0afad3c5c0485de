// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a program that knows libpcap, and its arguments.
 * Out:  the same process as that program, with libxcap-pcap.so before libpcap, and a
 *       privileged half beside it.
 * Owns: nothing that outlives the program.
 * Runs on: the tool's only thread, until it becomes the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "apparmor.h"
#include "broker.h"
#include "cmd.h"
#include "program.h"

#define SHIM "libxcap-pcap.so"
#define EXIT_CANNOT_RUN 126	/* as shells say it */
#define EXIT_NOT_FOUND 127

struct run {
	char *map;	/* a line each */
};

static const struct option_row rows[] = {
	{ 0, "map", OPTION_LINES, offsetof(struct run, map), "NAME=SPEC",
	  "what the program calls NAME is SPEC, for programs that ask the system about NAME "
	  "too; may be given again", 0, 0 },
	{ 0 },
};

/* Beside the program where it was built, else where it was installed. */
static int find_shim(char *path, size_t size)
{
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	static const char *const places[] = { "", "../lib/", NULL };

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (int i = 0; slash && places[i]; i++)
		if ((size_t)snprintf(path, size, "%s%s" SHIM, self, places[i]) < size &&
		    !access(path, R_OK))
			return 0;
	if ((size_t)snprintf(path, size, "%s/" SHIM, XCAP_LIBDIR) < size && !access(path, R_OK))
		return 0;
	return -ENOENT;
}

/* What others preload stays behind ours. */
static int set_environment(const char *shim, const char *name, const char *map)
{
	const char *others = getenv("LD_PRELOAD");
	char *all;

	if (asprintf(&all, "%s%s%s", shim, others && *others ? ":" : "", others ?: "") < 0)
		return -ENOMEM;
	if (setenv("LD_PRELOAD", all, 1) || setenv("XCAP_RUN", name, 1))
		return -ENOMEM;
	free(all);
	return (map ? setenv("XCAP_MAP", map, 1) : unsetenv("XCAP_MAP")) ? -ENOMEM : 0;
}

static int become(const char *called, const char *path, char **argv)
{
	int err;

	execv(path, argv);
	err = errno;
	fprintf(stderr, "%s: cannot start %s: %s\n", called, path, strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int prepare(const char *called, const char *path, const char *map)
{
	char shim[PATH_MAX], name[BROKER_NAME_SIZE], why[PROGRAM_WHY_SIZE];
	int ret;

	if (program_check(path, why)) {
		fprintf(stderr, "%s: %s\n", called, why);
		return EXIT_CANNOT_RUN;
	}
	if (find_shim(shim, sizeof(shim))) {
		fprintf(stderr, "%s: no " SHIM " beside this program or in " XCAP_LIBDIR
			"; install xcap again\n", called);
		return EXIT_FAILED;
	}
	if (strpbrk(shim, " :")) {	/* the loader would split it */
		fprintf(stderr, "%s: the path %s has a space or a colon in it, which LD_PRELOAD "
			"cannot have; move it\n", called, shim);
		return EXIT_FAILED;
	}
	apparmor_leave(called, path);	/* before who serves the program is forked off */
	ret = broker_start(name);
	ret = ret ?: set_environment(shim, name, map);
	if (!ret)
		return EXIT_DONE;
	fprintf(stderr, "%s: cannot prepare for %s: %s\n", called, path, strerror(-ret));
	return EXIT_FAILED;
}

/* Return: NULL: each is NAME=SPEC; else the first that is not. */
static const char *wrong_map(const char *map)
{
	for (const char *line = map; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (*line == '=' || line[strcspn(line, "=\n")] != '=')
			return line;
	}
	return NULL;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	int first = options_leading(cmd, argc, argv), words, code;
	struct run run = { 0 };
	char path[PATH_MAX];
	const char *wrong;

	/* options behind the program's name are the program's */
	code = options_parse(cmd, first, argv, &run, &words);
	if (code != OPTIONS_RUN)
		return code;
	wrong = wrong_map(run.map);
	if (wrong)
		return options_wrong(cmd, "--map %.*s: write NAME=SPEC, such as eth0=tap:eth0",
				     (int)strcspn(wrong, "\n"), wrong);
	if (first >= argc)
		return options_wrong(cmd, "name the program, such as tcpdump -i syscalls");
	code = program_find(argv[first], path, sizeof(path));
	if (code) {
		fprintf(stderr, "%s: %s: %s\n", cmd->called, argv[first],
			code == -ENOENT ? "no such program" : strerror(-code));
		return code == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	}
	code = prepare(cmd->called, path, run.map);
	return code == EXIT_DONE ? become(cmd->called, path, argv + first) : code;
}

const struct command run_command = {
	.name = "run",
	.summary = "start any pcap program, which can then capture from xcap",
	.usage = "[OPTION]... PROGRAM [ARGUMENT]...",
	.prose = "The program names what it captures as xcap does: syscalls, eth0+syscalls,\n"
		 "xsk:eth0, tap:eth0. All other names stay libpcap's.\n",
	.rows = rows,
	.run = run,
};
