// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the stream.
 * Out:  what is left of it behind several stages, at network interfaces or counted. Stages are
 *       threads, or, with a queue named at both ends, other processes.
 * Owns: the threads.
 * Runs on: the tool's first thread; a thread for each stage.
 *
 *	threads		stream - queue 0 - stage 0 - queue 1 - stage 1 - interface
 *	processes	stream - queue 0 - (xcap bounce) - queue 1 - interface
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "cmd.h"
#include "worker.h"

#define MAX_QUEUES 64
#define MAX_CLUSTER 65535
#define NOT_GIVEN UINT64_MAX

struct pipe {
	struct capture c;	/* first: the callbacks get it */
	uint64_t cluster;
	char *outs;		/* IFACE or IFACE,QUEUE, a line each */
	char *filters;		/* STAGE:FILTER, a line each */
	char *cpus;		/* cut at its colons */
	uint64_t queues, stages, slots, delay_ns;
	bool replicate;

	uint64_t first;			/* queue that the stream goes to */
	char sinks[MAX_QUEUES][64];	/* "wire:eth1" */
	uint64_t targets[MAX_QUEUES];	/* the queues that they are sent from */
	int nr_outs;
	char sink_spec[32];
	char instances[2 * MAX_QUEUES];
	struct worker workers[MAX_QUEUES];
	int nr_workers;
};

#define ROW(letter, name, kind, field, value, help, min, max) \
	{ letter, name, kind, offsetof(struct pipe, field), value, help, min, max }

static const struct option_row rows[] = {
	ROW('i', "interface", OPTION_LIST, c.specs, "SPEC[,SPEC]...[,QUEUE]",
	    "what comes in, in the order of time; with -n its last part is the queue it goes to",
	    0, 0),
	ROW('o', "out", OPTION_LINES, outs, "IFACE[,QUEUE]",
	    "send it out of this interface; with -n what comes to this queue. Without -o the last "
	    "stage counts", 0, 0),
	ROW(0, "stages", OPTION_NUMBER, stages, "N",
	    "threads that it goes through, one after the other (2; with --replicate 1)", 1,
	    MAX_QUEUES),
	ROW(0, "stage-filter", OPTION_LINES, filters, "STAGE:FILTER",
	    "what does not match goes no further than this stage, 0 the first; again for more", 0,
	    0),
	ROW(0, "cpus", OPTION_TEXT, cpus, "CPU[:CPU]...", "CPUs of the stages", 0, 0),
	ROW('n', "queues", OPTION_NUMBER, queues, "N",
	    "N queues and no stages: other processes hand on between -i and -o, xcap bounce", 1,
	    MAX_QUEUES),
	ROW('c', "cluster", OPTION_NUMBER, cluster, "CLUSTER",
	    "number of the cluster: its queues are xcap:CLUSTER@0, @1, ... (with -n 0, else a "
	    "free one)", 0, MAX_CLUSTER),
	ROW(0, "replicate", OPTION_FLAG, replicate, NULL,
	    "several -o, and each interface gets everything", 0, 0),
	ROW(0, "delay", OPTION_TIME, delay_ns, "TIME",
	    "send each so long after it came; what waits, waits in --slots, and is dropped beyond "
	    "them", 1, 60000000000),
	ROW(0, "slots", OPTION_SIZE, slots, "SLOTS",
	    "records that wait in a queue at most, a power of two (8192)", 64, 1 << 20),
	ROW('f', "filter", OPTION_TEXT, c.filter, "FILTER",
	    "let only in what matches this filter", 0, 0),
	ROW(0, "duration", OPTION_TIME, c.duration_ns, "SECONDS",
	    "end after this time; also 500ms, 2m, 1h", 1000000, 0),
	CAPTURE_ROWS_SIZES(struct pipe),
	CAPTURE_ROW_SELF(struct pipe),
	CAPTURE_ROWS_RESULT(struct pipe),
	ROW('q', "quiet", OPTION_FLAG, c.quiet, NULL, "only the account at the end", 0, 0),
	{ 0 }
};

static bool by_processes(const struct pipe *p)
{
	return p->queues;
}

/* Cuts ",3" off a text. Return: false: there is none, or it is no queue of ours. */
static bool cut_queue(const struct pipe *p, char *text, uint64_t *queue)
{
	char *comma = strrchr(text, ',');

	if (!comma || options_number(comma + 1, OPTION_NUMBER, queue) || *queue >= p->queues)
		return false;
	*comma = '\0';
	return true;
}

static int take_in(const struct command *cmd, struct pipe *p)
{
	if (!p->c.specs)
		return options_wrong(cmd, "-i is missing: it says what comes in");
	if (by_processes(p) && !cut_queue(p, p->c.specs, &p->first))
		return options_wrong(cmd, "-i %s: with -n %llu it ends with a queue, 0 to %llu, "
				     "such as eth0,0", p->c.specs, (unsigned long long)p->queues,
				     (unsigned long long)p->queues - 1);
	return OPTIONS_RUN;
}

/* Where one goes, and from which queue. */
static int take_out(const struct command *cmd, struct pipe *p, char *text)
{
	uint64_t *target = &p->targets[p->nr_outs];

	if (p->nr_outs == MAX_QUEUES)
		return options_wrong(cmd, "-o %s: there are %d already", text, MAX_QUEUES);
	if (by_processes(p) && !cut_queue(p, text, target))
		return options_wrong(cmd, "-o %s: with -n %llu it ends with a queue, 0 to %llu, "
				     "such as eth1,%llu", text, (unsigned long long)p->queues,
				     (unsigned long long)p->queues - 1,
				     (unsigned long long)p->queues - 1);
	if (by_processes(p) && *target < p->first)
		return options_wrong(cmd, "-o %s: what comes to queue %llu is handed on to higher "
				     "ones, and not to %llu", text, (unsigned long long)p->first,
				     (unsigned long long)*target);
	for (int i = 0; by_processes(p) && i < p->nr_outs; i++)
		if (p->targets[i] == *target)
			return options_wrong(cmd, "-o %s: queue %llu is sent already", text,
					     (unsigned long long)*target);
	if (strchr(text, ',') || (size_t)snprintf(p->sinks[p->nr_outs], sizeof(p->sinks[0]),
	    "wire:%s", text) >= sizeof(p->sinks[0]))
		return options_wrong(cmd, "-o %s: that is no interface; for several give -o again",
				     text);
	p->nr_outs++;
	return OPTIONS_RUN;
}

static int take_outs(const struct command *cmd, struct pipe *p)
{
	char *save = NULL, *line = p->outs ? strtok_r(p->outs, "\n", &save) : NULL;
	int code = OPTIONS_RUN;

	for (; line && code == OPTIONS_RUN; line = strtok_r(NULL, "\n", &save))
		code = take_out(cmd, p, line);
	if (code != OPTIONS_RUN)
		return code;
	if (by_processes(p) && !p->nr_outs)
		return options_wrong(cmd, "-o is missing: it says where all leaves; xcap balance "
				     "only makes queues");
	if (!by_processes(p) && p->nr_outs > 1 && !p->replicate)
		return options_wrong(cmd, "several -o: with --replicate each interface gets "
				     "everything; xcap balance --send spreads it");
	return OPTIONS_RUN;
}

/* ---- threads ---- */

static struct worker *add_worker(struct pipe *p, uint64_t queue)
{
	struct worker *w = &p->workers[p->nr_workers++];

	*w = (struct worker){ .called = p->c.called, .cpu = -1, .quiet = p->c.quiet };
	snprintf(w->spec, sizeof(w->spec), "xcap:%llu@%llu", (unsigned long long)p->cluster,
		 (unsigned long long)queue);
	return w;
}

/* So many pipelines beside each other; queues of a stage stand together, as upwards is onwards. */
static int add_stages(const struct command *cmd, struct pipe *p)
{
	uint64_t lanes = p->nr_outs ?: 1;

	p->stages = p->stages ?: lanes > 1 ? 1 : 2;
	if (p->stages * lanes > MAX_QUEUES)
		return options_wrong(cmd, "%llu stages for each of %llu interfaces are more than "
				     "%d queues", (unsigned long long)p->stages,
				     (unsigned long long)lanes, MAX_QUEUES);
	for (uint64_t i = 0; i < p->stages * lanes; i++) {
		bool last = i / lanes == p->stages - 1;
		struct worker *w = add_worker(p, i);

		w->next = last ? 0 : i + lanes;
		w->sink_spec = last && p->nr_outs ? p->sinks[i % lanes] : NULL;
		w->delay_ns = last ? p->delay_ns : 0;
	}
	for (uint64_t i = 0; i < lanes; i++)
		strcat(p->instances, i ? ",1" : "1");
	p->c.sink_opts.more = (p->stages - 1) * lanes;
	return OPTIONS_RUN;
}

static int add_senders(struct pipe *p)
{
	for (int i = 0; i < p->nr_outs; i++) {
		struct worker *w = add_worker(p, p->targets[i]);

		w->sink_spec = p->sinks[i];
		w->delay_ns = p->delay_ns;
	}
	strcpy(p->instances, "1");
	p->c.sink_opts.first = p->first;
	p->c.sink_opts.more = p->queues - p->first - 1;
	return OPTIONS_RUN;
}

/* "1:udp" for the second stage of each pipeline. */
static int add_filters(const struct command *cmd, struct pipe *p)
{
	char *save = NULL, *line = p->filters ? strtok_r(p->filters, "\n", &save) : NULL, *end;
	uint64_t lanes = p->nr_outs ?: 1, stage;

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		stage = strtoul(line, &end, 10);
		if (*line < '0' || *line > '9' || *end != ':' || !end[1])
			return options_wrong(cmd, "--stage-filter: '%s' is not STAGE:FILTER", line);
		if (stage >= p->stages)
			return options_wrong(cmd, "--stage-filter: there is no stage %llu, but 0 "
					     "to %llu", (unsigned long long)stage,
					     (unsigned long long)p->stages - 1);
		if (p->workers[stage * lanes].filter)
			return options_wrong(cmd, "--stage-filter: stage %llu has a filter",
					     (unsigned long long)stage);
		for (uint64_t i = 0; i < lanes; i++)
			p->workers[stage * lanes + i].filter = end + 1;
	}
	return OPTIONS_RUN;
}

/* "0:1" */
static int add_cpus(const struct command *cmd, struct pipe *p)
{
	char *save = NULL, *word = p->cpus ? strtok_r(p->cpus, ":", &save) : NULL;
	int lanes = p->nr_outs ?: 1;
	uint64_t cpu;

	for (int at = 0; word; at += lanes, word = strtok_r(NULL, ":", &save)) {
		if (options_number(word, OPTION_NUMBER, &cpu) || cpu > INT16_MAX)
			return options_wrong(cmd, "--cpus: '%s' is no number of a CPU", word);
		if (at >= p->nr_workers)
			return options_wrong(cmd, "--cpus: there are more CPUs than stages");
		for (int i = 0; i < lanes; i++)
			p->workers[at + i].cpu = cpu;
	}
	return OPTIONS_RUN;
}

/* Nobody has to know it: the first that has no master, and not where all others begin to look. */
static void find_cluster(struct pipe *p)
{
	char text[1];

	if (p->cluster != NOT_GIVEN)
		return;
	p->cluster = 0;
	if (by_processes(p))
		return;
	p->cluster = MAX_CLUSTER - getpid() % (MAX_CLUSTER / 2);
	while (p->cluster > 1 &&
	       xcap_cluster_status(p->cluster, text, sizeof(text)) != -ECONNREFUSED)
		p->cluster--;
}

static int prepare(const struct command *cmd, struct pipe *p)
{
	bool alone = p->stages || p->filters || p->cpus || p->replicate;
	int code;

	if (by_processes(p) && alone)
		return options_wrong(cmd, "-n: other processes are the stages; --stages, "
				     "--stage-filter, --cpus and --replicate are for threads");
	code = take_in(cmd, p);
	code = code == OPTIONS_RUN ? take_outs(cmd, p) : code;
	if (code != OPTIONS_RUN)
		return code;
	find_cluster(p);
	if (by_processes(p))
		return add_senders(p);
	code = add_stages(cmd, p);
	code = code == OPTIONS_RUN ? add_filters(cmd, p) : code;
	return code == OPTIONS_RUN ? add_cpus(cmd, p) : code;
}

/* ---- while it runs ---- */

/* Where both directions are seen, what is sent would come in again, without end. */
static int check_loops(struct pipe *p)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	char name[64];

	for (int i = 0; i < p->nr_outs; i++) {
		const char *out = p->sinks[i] + strlen("wire:");

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(out, "?"), out);
		for (int s = 0; s < xcap_nr_sources(p->c.x); s++) {
			if (xcap_source_info(p->c.x, s, &info) || !info.ifindex ||
			    info.ifindex != if_nametoindex(name) || strncmp(info.mode, "tap", 3))
				continue;
			fprintf(stderr, "%s: %s sees what is sent out of %s, which would come in "
				"again, without end; xsk:%s sees what arrives there, alone\n",
				p->c.called, info.spec, name, name);
			return EXIT_FAILED;
		}
	}
	return OPTIONS_RUN;
}

/* They need what privilege there is to open interfaces, and give it up themselves. */
static int opened(struct capture *c)
{
	struct pipe *p = (struct pipe *)c;
	int code = check_loops(p);

	if (code != OPTIONS_RUN)
		return code;
	return workers_start(p->workers, p->nr_workers, c->sink) ? EXIT_FAILED : OPTIONS_RUN;
}

/* What one stage cannot do any more, all of them have done for. */
static void look(struct capture *c)
{
	struct pipe *p = (struct pipe *)c;

	c->over |= workers_failed(p->workers, p->nr_workers);
}

static int start(const struct command *cmd, struct pipe *p)
{
	struct capture *c = &p->c;
	int code = prepare(cmd, p);

	code = code == OPTIONS_RUN ? capture_check(c, cmd, false) : code;
	if (code != OPTIONS_RUN)
		return code;
	snprintf(p->sink_spec, sizeof(p->sink_spec), "xcap:%llu", (unsigned long long)p->cluster);
	c->sink_spec = p->sink_spec;
	c->sink_opts.instances = p->instances;
	c->sink_opts.slots = p->slots;
	c->no_owners = !by_processes(p) && !p->filters;
	c->opened = opened;
	c->look = look;
	code = capture_open(c);
	if (code == OPTIONS_RUN)
		capture_run(c);
	return code;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct pipe *p = calloc(1, sizeof(*p));
	int words, code;

	if (!p)
		return EXIT_FAILED;
	p->c.called = cmd->called;
	p->cluster = NOT_GIVEN;
	code = options_parse(cmd, argc, argv, p, &words);
	if (code == OPTIONS_RUN && words < argc)
		code = options_wrong(cmd, "'%s' is no option; a filter goes behind -f",
				     argv[words]);
	code = code == OPTIONS_RUN ? start(cmd, p) : code;
	workers_join(p->workers, p->nr_workers, &p->c);
	if (code == OPTIONS_RUN) {
		uint64_t lost = workers_account(p->workers, p->nr_workers, &p->c);

		code = capture_exit_code(&p->c);
		if (code == EXIT_DONE && p->c.strict && lost)
			code = EXIT_LOSSY;
	}
	capture_close(&p->c);
	free(p->outs);
	free(p->filters);
	free(p);
	return code;
}

const struct command pipe_command = {
	.name = "pipe",
	.summary = "let a capture through several stages and out of an interface",
	.usage = "-i SPEC[,SPEC]... [-o IFACE]... [OPTION]...",
	.prose = "  xcap pipe -i xsk:eth1 -o eth2 --stages 3 --stage-filter 0:'udp or arp'\n"
		 "  xcap pipe -i xsk:eth1,0 -o eth2,1 -n 2 -c 99 &\n"
		 "  xcap bounce -i xcap:99@0 -o xcap:99@1\n",
	.rows = rows,
	.run = run,
};
