// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the stream.
 * Out:  its records on an interface that is made for them, until it ends.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "capture.h"
#include "cmd.h"

struct iface {
	struct capture c;
	const char *name;
	char spec[64];
};

static const struct option_row rows[] = {
	{ 0, "name", OPTION_TEXT, offsetof(struct iface, name), "NAME",
	  "how the interface is called (syscalls)", 0, 0 },
	CAPTURE_ROW_INTERFACE(struct iface),
	CAPTURE_ROWS_EXTENT(struct iface),
	CAPTURE_ROWS_SIZES(struct iface),
	{ 'q', "quiet", OPTION_FLAG, offsetof(struct iface, c.quiet), NULL,
	  "less on standard error", 0, 0 },
	CAPTURE_ROWS_RESULT(struct iface),
	{ 0 }
};

/* words: what is no option. */
static int check(struct iface *iface, const struct command *cmd, char **words, int nr)
{
	struct capture *c = &iface->c;

	if (!nr && !c->specs)
		return options_wrong(cmd, "what to show is missing, such as syscalls");
	if (nr + !!c->specs > 1)
		return options_wrong(cmd, "'%s' is no option; write several specs with commas "
				     "between them", words[nr - 1]);
	if (nr && !(c->specs = strdup(words[0])))
		return options_wrong(cmd, "no memory");
	if ((size_t)snprintf(iface->spec, sizeof(iface->spec), "iface:%s", iface->name) >=
	    sizeof(iface->spec))
		return options_wrong(cmd, "--name: too long for an interface");
	c->sink_spec = iface->spec;
	return capture_check(c, cmd, false);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct iface iface = { .c = { .called = cmd->called, .no_owners = true },
			       .name = "syscalls" };
	struct capture *c = &iface.c;
	int words, code = options_parse(cmd, argc, argv, &iface, &words);

	if (code == OPTIONS_RUN)
		code = check(&iface, cmd, argv + words, argc - words);
	if (code == OPTIONS_RUN)
		code = capture_open(c);
	if (code == OPTIONS_RUN) {
		fprintf(stderr, "xcap: showing it on the interface %s, as in `tcpdump -v -i %s`; "
			"what its readers do is left out\n", iface.name, iface.name);
		capture_run(c);
		if (c->json)
			capture_account_json(c, stdout);
		else
			capture_account(c, stderr);
		capture_flush(c);
		code = capture_exit_code(c);
	}
	capture_close(c);
	return code;
}

const struct command iface_command = {
	.name = "iface",
	.summary = "show records on an interface, to any program for packets",
	.usage = "SPEC[,SPEC]... [OPTION]...",
	.rows = rows,
	.run = run,
};
