// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   tables of checks; an interface, or each that is up or has a device.
 * Out:  what was found, what it costs, and what changes it; with --fix it is changed.
 * Owns: the findings.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cmd.h"
#include "doctor.h"
#include "doctor_print.h"

#define ROW(name, field, help) \
	{ 0, name, OPTION_FLAG, offsetof(struct doctor, field), NULL, help, 0, 0 }

static const struct option_row rows[] = {
	ROW("fix", fix, "change what is safe to change, and remember what was"),
	ROW("port", port, "make IFACE a port that only captures: no addresses, no ARP, "
	    "promiscuous"),
	ROW("undo", undo, "give back what --fix and --port have changed"),
	ROW("drops", drops, "where packets die, layer by layer: a table each second, until "
	    "interrupted"),
	{ 'd', "delay", OPTION_TIME, offsetof(struct doctor, watch.interval_ns), "SECONDS",
	  "with --drops: the time between two tables (1)", 1000000, 3600000000000 },
	{ 'n', "rounds", OPTION_NUMBER, offsetof(struct doctor, watch.rounds), "N",
	  "with --drops: end after so many tables", 1, 0 },
	ROW("all", watch.all, "with --drops: counters that are zero as well"),
	{ 'q', "quiet", OPTION_FLAG, offsetof(struct doctor, quiet), NULL,
	  "only what is not as it should be", 0, 0 },
	ROW("json", json, "for programs: an object per line"),
	{ 0 }
};

/* ---- findings ---- */

__attribute__((noreturn))
static void no_memory(void)
{
	fputs("xcap doctor: no memory\n", stderr);
	exit(EXIT_FAILED);
}

static void *grow(void *list, int nr, int *room, size_t size)
{
	int more = *room ? 2 * *room : 64;

	if (nr < *room)
		return list;
	list = reallocarray(list, more, size);
	if (!list)
		no_memory();
	*room = more;
	return list;
}

struct finding *doctor_say(struct doctor *d, const struct check *c, enum level level,
			   const char *fmt, ...)
{
	struct finding *f;
	va_list ap;

	d->findings = grow(d->findings, d->nr_findings, &d->room_findings, sizeof(*f));
	f = &d->findings[d->nr_findings++];
	*f = (struct finding){ .check = c, .level = level };
	strcpy(f->iface, d->on.name);
	va_start(ap, fmt);
	vsnprintf(f->is, sizeof(f->is), fmt, ap);
	va_end(ap);
	return f;
}

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-"

void doctor_remedy(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	if (strspn(f->iface, PLAIN) != strlen(f->iface) || f->iface[0] == '-')
		return;
	va_start(ap, fmt);
	vsnprintf(f->command, sizeof(f->command), fmt, ap);
	va_end(ap);
}

void doctor_set(struct doctor *d, const char *kind, const char *value, const char *key)
{
	struct setting *s;

	d->settings = grow(d->settings, d->nr_settings, &d->room_settings, sizeof(*s));
	s = &d->settings[d->nr_settings++];
	*s = (struct setting){ .kind = kind, .key = strdup(key) };
	if (!s->key)
		no_memory();
	strcpy(s->iface, d->on.name);
	snprintf(s->value, sizeof(s->value), "%s", value);
}

void doctor_want(struct doctor *d, const char *kind, const char *value, const char *fmt, ...)
{
	struct finding *f = &d->findings[d->nr_findings - 1];
	char key[256];
	va_list ap;

	f->would = f->check->by != BY_HAND;
	if (f->check->by == BY_HAND || (f->check->by == BY_PORT && !d->port))
		return;
	va_start(ap, fmt);
	vsnprintf(key, sizeof(key), fmt, ap);
	va_end(ap);
	doctor_set(d, kind, value, key);
}

void doctor_look(struct doctor *d, const struct check *table)
{
	for (const struct check *c = table; c->name; c++)
		c->look(d, c);
}

/* ---- what is looked at ---- */

static void look_at_host(struct doctor *d)
{
	memset(&d->on, 0, sizeof(d->on));
	d->sys = d->sys_always;
	doctor_look(d, host_checks);
	doctor_look(d, kernel_checks);
}

#define NAME_SIZE 128	/* other names of interfaces are longer */

static unsigned int index_of(struct doctor *d, const char *name)
{
	uint64_t n;

	if (!d->fixture)
		return if_nametoindex(name);
	return doctor_number(d->sys, &n, "class/net/%s/ifindex", name) ? n : 0;
}

static void read_flags(struct doctor *d)
{
	struct setting up = { .kind = "flag", .key = (char *)"up" };
	char value[SETTING_VALUE];
	uint64_t n;

	strcpy(up.iface, d->on.name);
	if (doctor_number(d->sys, &n, "class/net/%s/flags", d->on.name))
		d->on.flags = n;
	else if (!setting_get(d, &up, value) && !strcmp(value, "on"))
		d->on.flags = IFF_UP;
}

static void read_driver(struct doctor *d)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	char line[512];

	if (!ethtool_ioctl(d, d->on.name, &info))
		snprintf(d->on.driver, sizeof(d->on.driver), "%.31s", info.driver);
	else if (doctor_line(d->sys, line, sizeof(line), "class/net/%s/device/uevent",
			     d->on.name) > 7 && !strncmp(line, "DRIVER=", 7))
		snprintf(d->on.driver, sizeof(d->on.driver), "%.31s", line + 7);
}

/* Return: whether there is such an interface. */
static bool turn_to(struct doctor *d, const char *name)
{
	uint64_t n;

	memset(&d->on, 0, sizeof(d->on));
	if (strlen(name) >= NAME_SIZE || strchr(name, '/') || name[0] == '.')
		return false;
	d->on.index = index_of(d, name);
	if (!d->on.index)
		return false;
	snprintf(d->on.name, sizeof(d->on.name), "%s", name);
	/* the name that /sys knows, for another that it goes by */
	if (!d->fixture && !if_indextoname(d->on.index, d->on.name))
		return false;
	name = d->on.name;
	/* without a /sys of our own, one of another namespace may have this name, too */
	d->sys = d->sys_always;
	if (!doctor_number(d->sys, &n, "class/net/%s/ifindex", name) || n != d->on.index)
		d->sys = -1;
	read_flags(d);
	read_driver(d);
	if (doctor_number(d->sys, &n, "class/net/%s/speed", name) && n < 10000000)
		d->on.mbps = n;
	doctor_carries(d);
	return true;
}

static void look_at_iface(struct doctor *d)
{
	doctor_look(d, nic_checks);
	doctor_look(d, bus_checks);
	doctor_look(d, other_checks);
}

struct names {
	char (*v)[IF_NAMESIZE];
	int nr, room;
};

static void collect(void *user, const char *name)
{
	struct names *names = user;

	if (!strcmp(name, "lo") || strlen(name) >= IF_NAMESIZE)
		return;
	names->v = grow(names->v, names->nr, &names->room, sizeof(*names->v));
	strcpy(names->v[names->nr++], name);
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(a, b);
}

static void all_names(struct doctor *d, struct names *names)
{
	struct if_nameindex *list;

	if (d->fixture) {
		doctor_names(d->sys, "class/net", collect, names);
	} else {
		list = if_nameindex();
		for (int i = 0; list && list[i].if_index; i++)
			collect(names, list[i].if_name);
		if_freenameindex(list);
	}
	if (names->nr)
		qsort(names->v, names->nr, sizeof(*names->v), by_name);
}

/* Those that are up, and those that are hardware. */
static void look_at_all(struct doctor *d)
{
	struct names names = { 0 };
	char line[64];

	all_names(d, &names);
	for (int i = 0; i < names.nr; i++) {
		if (!turn_to(d, names.v[i]))
			continue;
		if (d->on.flags & IFF_UP ||
		    doctor_line(d->sys, line, sizeof(line), "class/net/%s/device/uevent",
				names.v[i]) >= 0)
			look_at_iface(d);
	}
	free(names.v);
}

/* ---- modes ---- */

static int examine(struct doctor *d)
{
	int code = EXIT_DONE;

	if (d->name)
		look_at_iface(d);
	else
		look_at_all(d);
	look_at_host(d);
	doctor_print(d);
	if (d->fix)
		code = doctor_fix(d);
	doctor_summary(d);
	return code;
}

/* What could not even begin has said so, and has no sum. */
static int end(struct doctor *d, int code)
{
	if (code == EXIT_DONE || d->changed || d->failed)
		doctor_summary(d);
	return code;
}

static int undo(struct doctor *d)
{
	return end(d, doctor_undo(d));
}

static int port(struct doctor *d)
{
	return end(d, doctor_port(d));
}

static int drops(struct doctor *d)
{
	d->watch.called = d->called;
	d->watch.iface = d->name;
	d->watch.root = d->fixture ? getenv("XCAP_DOCTOR_ROOT") : NULL;
	d->watch.json = d->json;
	d->watch.quiet = d->quiet;
	return drops_run(&d->watch);
}

/* The first whose flag is set; the last is what doctor does by itself. */
static const struct {
	size_t flag;
	int (*run)(struct doctor *d);
} modes[] = {
	{ offsetof(struct doctor, undo), undo },
	{ offsetof(struct doctor, port), port },
	{ offsetof(struct doctor, drops), drops },
	{ 0, examine },
};

static int run_mode(struct doctor *d)
{
	size_t i = 0;

	while (modes[i].flag && !*((bool *)d + modes[i].flag))
		i++;
	return modes[i].run(d);
}

static int parse(const struct command *cmd, struct doctor *d, int argc, char **argv)
{
	int words, code = options_parse(cmd, argc, argv, d, &words);

	if (code != OPTIONS_RUN)
		return code;
	if (argc > words + 1)
		return options_wrong(cmd, "'%s' is one too many", argv[words + 1]);
	if (d->fix + d->undo + d->port + d->drops > 1)
		return options_wrong(cmd, "--fix, --port, --undo and --drops are one at a time");
	if (!d->drops && (d->watch.interval_ns || d->watch.rounds || d->watch.all))
		return options_wrong(cmd, "-d, -n and --all are for --drops");
	d->name = words < argc ? argv[words] : NULL;
	if ((d->fix || d->port) && !d->name)
		return options_wrong(cmd, "--%s needs the name of an interface",
				     d->fix ? "fix" : "port");
	return OPTIONS_RUN;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct doctor d = { .called = cmd->called, .sys = -1, .proc = -1, .sock = -1 };
	int code = parse(cmd, &d, argc, argv);

	if (code != OPTIONS_RUN)
		return code;
	signal(SIGPIPE, SIG_IGN);	/* what is begun is done, whoever reads of it */
	if (doctor_files_open(&d)) {
		fprintf(stderr, "%s: /sys or /proc cannot be read: %m\n", d.called);
		return EXIT_FAILED;
	}
	if (!d.fixture)
		d.sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (d.name && !d.undo && !turn_to(&d, d.name)) {
		fprintf(stderr, "%s: there is no interface '%s'; xcap list shows those there are\n",
			d.called, d.name);
		code = EXIT_FAILED;
	} else {
		code = run_mode(&d);
	}
	fflush(stdout);
	for (int i = 0; i < d.nr_settings; i++)
		free(d.settings[i].key);
	free(d.settings);
	free(d.findings);
	if (d.sock >= 0)
		close(d.sock);
	doctor_files_close(&d);
	return ferror(stdout) && errno != EPIPE ? EXIT_FAILED : code;
}

const struct command doctor_command = {
	.name = "doctor",
	.summary = "look what stands in the way of a capture, and change it",
	.usage = "[IFACE] [OPTION]...",
	.prose = "  xcap doctor                  every interface, and the host\n"
		 "  xcap doctor eth1 --fix       change what is safe\n"
		 "  xcap doctor eth1 --port      make it a port for a mirror of a switch\n"
		 "  xcap doctor eth1 --undo      as it was before\n"
		 "  xcap doctor --drops          where packets die, each second\n",
	.rows = rows,
	.run = run,
};
