// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the stream.
 * Out:  the queues of a cluster, for readers in other processes, in threads, and behind
 *       interfaces; or, of a cluster that runs, its status and new filters.
 * Owns: the threads.
 * Runs on: the tool's first thread; a thread for each reader inside.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "capture.h"
#include "cmd.h"
#include "status.h"
#include "worker.h"

#define MAX_WORKERS 64
#define STATUS_BYTES 65536

struct balance {
	struct capture c;	/* first: the callbacks get it */
	uint64_t cluster;
	char *instances;
	char *modes;
	char *filters;		/* QUEUE:FILTER, a line each */
	char *outs;		/* QUEUE:IFACE, with commas between them */
	const char *allow;
	char *cpus;	/* cut at its colons */
	uint64_t slots, more;
	bool threads, status;

	char sink_spec[32];
	struct worker workers[MAX_WORKERS];
	int nr_workers;
};

#define ROW(letter, name, kind, field, value, help) \
	{ letter, name, kind, offsetof(struct balance, field), value, help, 0, 0 }

static const struct option_row rows[] = {
	CAPTURE_ROW_INTERFACE(struct balance),
	{ 'c', "cluster", OPTION_NUMBER, offsetof(struct balance, cluster), "CLUSTER",
	  "number of the cluster: its queues are xcap:CLUSTER@0, @1, ... (0)", 0, 65535 },
	ROW('n', "queues", OPTION_LIST, instances, "N[,M]...",
	    "queues of each application (1); each application gets all, spread over its queues"),
	ROW('m', "mode", OPTION_LIST, modes, "MODE[,MODE]...",
	    "how each application's are spread (packets by flow, calls by pid): flow, ip, pid, "
	    "tid, cgroup, cpu, round-robin, fanout, vlan, inner, fifo"),
	ROW('f', "filter", OPTION_TEXT, c.filter, "FILTER",
	    "keep only what matches this filter, for all queues"),
	ROW(0, "queue-filter", OPTION_LINES, filters, "QUEUE:FILTER",
	    "a filter for one queue; without -i that of a running cluster is replaced"),
	ROW('r', "send", OPTION_LIST, outs, "QUEUE:IFACE",
	    "send what comes to a queue out of an interface; again for more"),
	ROW(0, "more", OPTION_NUMBER, more, "N",
	    "queues behind those of -n, for what readers hand on"),
	ROW(0, "threads", OPTION_FLAG, threads, NULL,
	    "read all other queues by threads, which count"),
	ROW(0, "cpus", OPTION_TEXT, cpus, "CPU[:CPU]...",
	    "CPUs of the threads, in the order of queues"),
	ROW(0, "allow", OPTION_TEXT, allow, "USER[,GROUP]",
	    "who may read beside root and the user it runs as; names or numbers"),
	{ 0, "slots", OPTION_SIZE, offsetof(struct balance, slots), "SLOTS",
	  "records that wait in a queue at most, a power of two (8192)", 64, 1 << 20 },
	ROW(0, "stats", OPTION_FLAG, status, NULL, "without -i: the status of a running cluster"),
	{ 0, "duration", OPTION_TIME, offsetof(struct balance, c.duration_ns), "SECONDS",
	  "end after this time; also 500ms, 2m, 1h", 1000000, 0 },
	CAPTURE_ROWS_SIZES(struct balance),
	CAPTURE_ROW_SELF(struct balance),
	CAPTURE_ROWS_RESULT(struct balance),
	ROW('q', "quiet", OPTION_FLAG, c.quiet, NULL, "only the account at the end"),
	{ 0 }
};

/* ---- a cluster that runs ---- */

static int fail(const struct command *cmd)
{
	fprintf(stderr, "%s: %s\n", cmd->called, xcap_errmsg(NULL));
	return EXIT_FAILED;
}

static int show_status(const struct command *cmd, const struct balance *b)
{
	static char text[STATUS_BYTES];

	if (xcap_cluster_status(b->cluster, text, sizeof(text)) < 0)
		return fail(cmd);
	if (!b->c.json)
		return status_table(text, stdout) ? EXIT_FAILED : EXIT_DONE;
	puts(text);
	return EXIT_DONE;
}

/* "3:tcp port 80". Return: the filter; NULL: it is not of that form. */
static const char *split(const char *text, uint64_t *queue)
{
	char *end;

	*queue = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != ':' || *queue > INT32_MAX)
		return NULL;
	return end + 1;
}

/* Each of QUEUE:FILTER. Return: OPTIONS_RUN; exit code, said. */
static int each_filter(const struct command *cmd, struct balance *b,
		       int (*set)(struct balance *b, uint64_t queue, const char *filter))
{
	char *save = NULL, *line;
	const char *filter;
	uint64_t queue;

	for (line = b->filters ? strtok_r(b->filters, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		filter = split(line, &queue);
		if (!filter)
			return options_wrong(cmd, "--queue-filter: '%s' is not QUEUE:FILTER", line);
		if (set(b, queue, filter))
			return EXIT_FAILED;
	}
	return OPTIONS_RUN;
}

static int set_theirs(struct balance *b, uint64_t queue, const char *filter)
{
	int err = xcap_cluster_filter(b->cluster, queue, filter);

	if (err)
		fprintf(stderr, "%s: %s\n", b->c.called, xcap_errmsg(NULL));
	return err;
}

static int ask_running(const struct command *cmd, struct balance *b)
{
	int code = each_filter(cmd, b, set_theirs);

	if (code == OPTIONS_RUN)
		code = b->status ? show_status(cmd, b) : EXIT_DONE;
	return code;
}

/* ---- the master ---- */

static int set_ours(struct balance *b, uint64_t queue, const char *filter)
{
	int err = xcap_sink_filter(b->c.sink, queue, filter);

	if (err)
		capture_failed(&b->c);
	return err;
}

static bool is_taken(const struct balance *b, uint64_t queue)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "xcap:%llu@%llu", (unsigned long long)b->cluster,
		 (unsigned long long)queue);
	for (int i = 0; i < b->nr_workers; i++)
		if (!strcmp(b->workers[i].spec, spec))
			return true;
	return false;
}

static struct worker *add_worker(struct balance *b, uint64_t queue)
{
	struct worker *w = &b->workers[b->nr_workers++];

	*w = (struct worker){ .called = b->c.called, .cpu = -1, .quiet = b->c.quiet };
	snprintf(w->spec, sizeof(w->spec), "xcap:%llu@%llu", (unsigned long long)b->cluster,
		 (unsigned long long)queue);
	return w;
}

/* "0:eth1,1:eth2" */
static int add_outs(const struct command *cmd, struct balance *b)
{
	static char specs[MAX_WORKERS][32];
	char *save = NULL, *word;
	const char *name;
	struct worker *w;
	uint64_t queue;

	for (word = b->outs ? strtok_r(b->outs, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save)) {
		name = split(word, &queue);
		if (!name || !*name || strlen(name) > 15 || b->nr_workers == MAX_WORKERS)
			return options_wrong(cmd, "-r: '%s' is not QUEUE:IFACE", word);
		if (is_taken(b, queue))
			return options_wrong(cmd, "-r: queue %llu is sent already",
					     (unsigned long long)queue);
		snprintf(specs[b->nr_workers], sizeof(specs[0]), "wire:%s", name);
		w = add_worker(b, queue);
		w->sink_spec = specs[w - b->workers];
	}
	return OPTIONS_RUN;
}

static uint64_t nr_queues(const struct balance *b)
{
	const char *at = b->instances ?: "1";
	uint64_t sum = b->more;
	char *end;

	for (;; at = end + 1) {
		sum += strtoul(at, &end, 10);
		if (*end != ',')
			return sum;
	}
}

/* All queues that are not sent out of an interface. */
static int add_threads(const struct command *cmd, struct balance *b)
{
	char *save = NULL, *cpu = b->cpus ? strtok_r(b->cpus, ":", &save) : NULL;
	struct worker *w;
	uint64_t n;

	for (uint64_t q = 0; b->threads && q < nr_queues(b) && b->nr_workers < MAX_WORKERS; q++) {
		if (is_taken(b, q))
			continue;
		w = add_worker(b, q);
		if (cpu && (options_number(cpu, OPTION_NUMBER, &n) || n > INT16_MAX))
			return options_wrong(cmd, "--cpus: '%s' is no number of a CPU", cpu);
		w->cpu = cpu ? (int)n : -1;
		cpu = cpu ? strtok_r(NULL, ":", &save) : NULL;
	}
	return cpu ? options_wrong(cmd, "--cpus: there are more CPUs than threads; --threads makes "
				   "them") : OPTIONS_RUN;
}

static bool is_id(const char *text, __u32 *id)
{
	uint64_t n = 0;

	if (options_number(text, OPTION_NUMBER, &n) || n >= UINT32_MAX)
		return false;
	*id = n;
	return true;
}

/* A name or a number. Return: OPTIONS_RUN; 2 said. */
static int parse_allow(const struct command *cmd, struct balance *b)
{
	char user[64];
	const char *group = b->allow ? strchr(b->allow, ',') : NULL;
	struct passwd *pw;
	struct group *gr;

	if (!b->allow)
		return OPTIONS_RUN;
	snprintf(user, sizeof(user), "%.*s", (int)strcspn(b->allow, ","), b->allow);
	if (*user && !is_id(user, &b->c.sink_opts.allow_uid)) {
		pw = getpwnam(user);
		if (!pw)
			return options_wrong(cmd, "--allow: there is no user '%s'", user);
		b->c.sink_opts.allow_uid = pw->pw_uid;
	}
	if (!group || is_id(group + 1, &b->c.sink_opts.allow_gid))
		return OPTIONS_RUN;
	gr = getgrnam(group + 1);
	if (!gr)
		return options_wrong(cmd, "--allow: there is no group '%s'", group + 1);
	b->c.sink_opts.allow_gid = gr->gr_gid;
	return OPTIONS_RUN;
}

/* They need what privilege there is to open interfaces, and give it up themselves. */
static int opened(struct capture *c)
{
	struct balance *b = (struct balance *)c;

	return workers_start(b->workers, b->nr_workers, c->sink) ? EXIT_FAILED : OPTIONS_RUN;
}

static void look(struct capture *c)
{
	struct balance *b = (struct balance *)c;

	c->over |= workers_failed(b->workers, b->nr_workers);
}

static int master(const struct command *cmd, struct balance *b)
{
	struct capture *c = &b->c;
	int code = parse_allow(cmd, b);

	code = code == OPTIONS_RUN ? add_outs(cmd, b) : code;
	code = code == OPTIONS_RUN ? add_threads(cmd, b) : code;
	code = code == OPTIONS_RUN ? capture_check(c, cmd, false) : code;
	if (code != OPTIONS_RUN)
		return code;
	snprintf(b->sink_spec, sizeof(b->sink_spec), "xcap:%llu", (unsigned long long)b->cluster);
	c->sink_spec = b->sink_spec;
	c->sink_opts.instances = b->instances;
	c->sink_opts.modes = b->modes;
	c->sink_opts.slots = b->slots;
	c->sink_opts.more = b->more;
	c->opened = opened;
	c->look = b->nr_workers ? look : NULL;
	code = capture_open(c);
	code = code == OPTIONS_RUN ? each_filter(cmd, b, set_ours) : code;
	if (code == OPTIONS_RUN)
		capture_run(c);
	return code;
}

/* Something that only a capture can do. */
static bool has_to_capture(const struct balance *b)
{
	const struct capture *c = &b->c;

	return b->instances || b->modes || b->outs || b->allow || b->cpus || b->slots || b->more ||
	       b->threads || c->filter || c->duration_ns || c->snaplen || c->slack_ns ||
	       c->ring_bytes || c->self || c->strict;
}

static int check(const struct command *cmd, struct balance *b, int argc, char **argv, int words)
{
	if (words < argc)
		return options_wrong(cmd, "'%s' is no option; a filter goes behind -f",
				     argv[words]);
	if (b->c.specs && b->status)
		return options_wrong(cmd, "--stats asks a cluster that runs: without -i");
	if (!b->c.specs && !b->status && !b->filters)
		return options_wrong(cmd, "-i is missing: it says what to capture; --stats asks a "
				     "cluster that runs");
	if (!b->c.specs && has_to_capture(b))
		return options_wrong(cmd, "-i is missing: of a cluster that runs only --stats and "
				     "--queue-filter can be asked, with -c, --json and -q");
	return OPTIONS_RUN;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct balance b = { .c.called = cmd->called };
	int words, code = options_parse(cmd, argc, argv, &b, &words);

	code = code == OPTIONS_RUN ? check(cmd, &b, argc, argv, words) : code;
	if (code == OPTIONS_RUN && !b.c.specs) {
		code = ask_running(cmd, &b);
	} else if (code == OPTIONS_RUN) {
		code = master(cmd, &b);
		workers_join(b.workers, b.nr_workers, &b.c);
		if (code == OPTIONS_RUN) {
			workers_account(b.workers, b.nr_workers, &b.c);
			code = capture_exit_code(&b.c);
		}
	}
	capture_close(&b.c);
	free(b.instances);
	free(b.modes);
	free(b.filters);
	free(b.outs);
	return code;
}

const struct command balance_command = {
	.name = "balance",
	.summary = "spread one capture over many readers: processes, threads, interfaces",
	.usage = "-i SPEC[,SPEC]... [-c CLUSTER] [-n N[,M]...] [OPTION]...",
	.prose = "Readers take xcap:CLUSTER@QUEUE as they take any other source:\n"
		 "  xdpcount -i xcap:0@0       xcap run tcpdump -i xcap:0@auto\n"
		 "They may come and go; what nobody reads is counted.\n",
	.rows = rows,
	.run = run,
};
