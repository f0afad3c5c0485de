// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   argv.
 * Out:  the subcommand that it names, run; help and versions.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <xcap.h>
#include "cmd.h"

static const struct command *const commands[] = {
	&balance_command,
	&bounce_command,
	&count_command,
	&doctor_command,
	&dump_command,
	&extcap_command,
	&iface_command,
	&list_command,
	&pipe_command,
	&probe_command,
	&run_command,
	&top_command,
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Other names this program answers to, and what they stand for. */
static const struct { const char *name; const struct command *cmd; } names[] = {
	{ "xdpcount", &count_command },
	{ "xcap-extcap", &extcap_command },
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int usage(FILE *out)
{
	fputs("usage: xcap COMMAND [OPTION]...\n\n"
	      "Packets and system calls as one stream in time order.\n\n", out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  xcap %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("  xcap help     this list; xcap help COMMAND: its options\n"
	      "  xcap --version\n\n"
	      "xdpcount is xcap count, Wireshark's xcap-extcap is xcap extcap by another name.\n"
	      "What -i takes: man 7 xcap.\n", out);
	return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int version(void)
{
	struct utsname kernel;

	uname(&kernel);
	printf("xcap %s\nlibbpf %s\nkernel %s %s\n", xcap_version(), libbpf_version_string() + 1,
	       kernel.release, kernel.machine);
	return EXIT_DONE;
}

/* An own copy of the row, which says how the user called it. */
static int run(const struct command *cmd, const char *called, int argc, char **argv)
{
	struct command own = *cmd;

	own.called = called;
	return own.run(&own, argc, argv);
}

static int run_named(const struct command *cmd, int argc, char **argv)
{
	char called[32];

	snprintf(called, sizeof(called), "xcap %s", cmd->name);
	return run(cmd, called, argc, argv);
}

static int unknown(const char *name)
{
	fprintf(stderr, "xcap: there is no command '%s'; xcap help lists them\n", name);
	return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	char *ask[] = { argv[0], (char *)"--help", NULL };
	const struct command *cmd;

	if (argc < 2)
		return usage(stdout);
	cmd = find(argv[1]);
	return cmd ? run_named(cmd, 2, ask) : unknown(argv[1]);
}

int main(int argc, char **argv)
{
	const char *slash, *self = argc ? argv[0] : "xcap";
	static char line[1 << 14];
	const struct command *cmd;

	/* A line is one write: programs that share a terminal or a log do not tear each other's. */
	setvbuf(stderr, line, _IOLBF, sizeof(line));
	slash = strrchr(self, '/');
	self = slash ? slash + 1 : self;
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
		return version();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, self))
			return run(names[i].cmd, self, argc, argv);
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout);
	if (!strcmp(argv[1], "help"))
		return help(argc - 1, argv + 1);
	cmd = find(argv[1]);
	return cmd ? run_named(cmd, argc - 1, argv + 1) : unknown(argv[1]);
}
