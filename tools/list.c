// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what the library finds in this network namespace, and what captures on this host.
 * Out:  a line or a JSON object for each interface: what it is, how it would be captured; then
 *       for each capture.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <xcap.h>
#include "cmd.h"
#include "json.h"
#include "list.h"
#include "text.h"

struct list {
	bool json;
	bool started;
};

static const struct option_row rows[] = {
	{ 0, "json", OPTION_FLAG, offsetof(struct list, json), NULL,
	  "for programs: an object per line", 0, 0 },
	{ 0 }
};

static const char *state(const struct xcap_iface *i)
{
	if (!(i->flags & XCAP_IFACE_UP))
		return "down";
	return i->flags & XCAP_IFACE_RUNNING ? "up" : "no carrier";
}

static void print_json(const struct xcap_iface *i)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "type", "interface");
	json_text(&j, "name", i->name);
	if (i->ifindex) {
		json_unsigned(&j, "ifindex", i->ifindex);
		json_unsigned(&j, "mtu", i->mtu);
		json_unsigned(&j, "queues", i->queues);
		json_text(&j, "state", state(i));
	}
	if (i->driver[0])
		json_text(&j, "driver", i->driver);
	if (i->kind[0])
		json_text(&j, "kind", i->kind);
	if (i->xdp_prog_id)
		json_unsigned(&j, "xdp_prog_id", i->xdp_prog_id);
	json_text(&j, "spec", i->spec);
	json_text(&j, "why", i->why);
	json_close(&j, '}');
	json_line(&j);
}

static void print_line(const struct list *list, const struct xcap_iface *i)
{
	const char *driver = i->driver[0] ? i->driver : i->kind[0] ? i->kind : "-";
	int width = 15 - (int)strlen(i->name);

	if (!list->started)
		puts("NAME            DRIVER      STATE       MTU    QUEUES  MEANS");
	text_safe(stdout, i->name, strlen(i->name));
	printf("%*s ", width > 0 ? width : 0, "");
	if (i->ifindex)
		printf("%-11s %-11s %-6u %-7u ", driver, state(i), i->mtu, i->queues);
	else
		printf("%-11s %-11s %-6s %-7s ", "-", "-", "-", "-");
	text_safe(stdout, i->spec, strlen(i->spec));
	printf("\n%16s", "");
	text_safe(stdout, i->why, strlen(i->why));
	putchar('\n');
}

static int print(void *user, const struct xcap_iface *iface)
{
	struct list *list = user;

	if (list->json)
		print_json(iface);
	else
		print_line(list, iface);
	list->started = true;
	return ferror(stdout) ? -EPIPE : 0;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct list list = { 0 };
	int words, err, code = options_parse(cmd, argc, argv, &list, &words);

	if (code != OPTIONS_RUN)
		return code;
	if (words < argc)
		return options_wrong(cmd, "'%s' is no option", argv[words]);
	err = xcap_list(print, &list);
	if (err && err != -EPIPE) {
		fprintf(stderr, "%s: %s\n", cmd->called, xcap_errmsg(NULL));
		return EXIT_FAILED;
	}
	err = err ?: list_running(list.json);
	if (err && err != -EPIPE) {
		fprintf(stderr, "%s: cannot see what captures: %s\n", cmd->called, strerror(-err));
		return EXIT_FAILED;
	}
	fflush(stdout);
	return ferror(stdout) && errno != EPIPE ? EXIT_FAILED : EXIT_DONE;
}

const struct command list_command = {
	.name = "list",
	.summary = "show the interfaces, how each would be captured, and what captures",
	.usage = "[--json]",
	.rows = rows,
	.run = run,
};
