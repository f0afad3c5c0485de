// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what captures of this host publish, what masters of clusters answer.
 * Out:  a section of xcap list: lines for people, or an object for each.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "account.h"
#include "json.h"
#include "list.h"
#include "running.h"
#include "status.h"
#include "text.h"

#define NS_PER_SEC 1000000000LL
#define MAX_CLUSTERS 64
#define STATUS_BYTES (1 << 18)

struct section {
	bool json;
	bool started;
};

static void print_json(const struct running_account *a)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "type", "capture");
	json_unsigned(&j, "pid", a->pid);
	json_unsigned(&j, "uid", a->uid);
	json_text(&j, "command", a->command);
	json_time(&j, "started", a->started_ns);
	if (a->sink[0])
		json_text(&j, "sink", a->sink);
	account_total_json(&j, &a->total);
	json_unsigned(&j, "nr_sources", a->nr_all);
	json_open(&j, "sources", '[');
	for (uint32_t i = 0; i < a->nr_sources; i++)
		account_source_json(&j, a->sources[i].spec, a->sources[i].mode,
				    &a->sources[i].stats);
	json_close(&j, ']');
	json_close(&j, '}');
	json_line(&j);
}

static void print_text(const struct running_account *a)
{
	int width = 20 - (int)strlen(a->command);
	time_t second = a->started_ns / NS_PER_SEC;
	char since[32] = "-";
	struct tm tm;

	if (localtime_r(&second, &tm))
		strftime(since, sizeof(since), "%F %T", &tm);
	printf("%-8u ", a->pid);
	text_safe(stdout, a->command, sizeof(a->command));
	printf("%*s %-19s  ", width > 0 ? width : 0, "", since);
	text_safe(stdout, a->sink[0] ? a->sink : "-", sizeof(a->sink));
	putchar('\n');
	for (uint32_t i = 0; i < a->nr_sources; i++)
		account_books(stdout, a->sources[i].spec, 0, &a->sources[i].stats);
	if (a->nr_all > a->nr_sources)
		account_books(stdout, "total", 0, &a->total);
}

static int print(void *user, const struct running_account *a)
{
	struct section *s = user;

	if (s->json) {
		print_json(a);
	} else {
		if (!s->started)
			puts("\nPID      CAPTURE              SINCE                WRITES TO");
		print_text(a);
	}
	s->started = true;
	return ferror(stdout) ? -EPIPE : 0;
}

/* Those that answer us; of the others their captures are told above. */
static void print_clusters(bool json)
{
	unsigned int numbers[MAX_CLUSTERS];
	int nr = running_clusters(numbers, MAX_CLUSTERS);
	char *status = nr ? malloc(STATUS_BYTES) : NULL;

	for (int i = 0; i < nr && status; i++) {
		int len = xcap_cluster_status(numbers[i], status, STATUS_BYTES);

		if (len < 0 || len >= STATUS_BYTES)
			continue;
		(json ? status_json : status_line)(status, stdout);
	}
	free(status);
}

int list_running(bool json)
{
	struct section s = { .json = json };
	int err = running_list(print, &s);

	if (!err)
		print_clusters(json);
	return err;
}
