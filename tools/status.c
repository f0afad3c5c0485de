// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the status of a cluster, in JSON.
 * Out:  a line for each queue.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <json-c/json.h>
#include "status.h"

static uint64_t number(struct json_object *o, const char *key)
{
	return json_object_get_uint64(json_object_object_get(o, key));
}

static void print_queue(struct json_object *q, FILE *out)
{
	struct json_object *filter = json_object_object_get(q, "filter");
	char pid[16] = "-";

	if (json_object_object_get(q, "pid"))
		snprintf(pid, sizeof(pid), "%llu", (unsigned long long)number(q, "pid"));
	fprintf(out, "%5llu %8s %12llu %12llu %9llu %9llu %9llu %9llu %8llu%s%s\n",
		(unsigned long long)number(q, "queue"), pid,
		(unsigned long long)number(q, "seen"), (unsigned long long)number(q, "delivered"),
		(unsigned long long)number(q, "filtered"), (unsigned long long)number(q, "dropped"),
		(unsigned long long)number(q, "no_reader"), (unsigned long long)number(q, "unread"),
		(unsigned long long)number(q, "backlog"), filter ? "  " : "",
		filter ? json_object_get_string(filter) : "");
}

int status_table(const char *json, FILE *out)
{
	struct json_object *o = json_tokener_parse(json), *queues, *frames;

	if (!o) {
		fputs("xcap: what the master answered is no status\n", stderr);
		return -1;
	}
	frames = json_object_object_get(o, "frames");
	fprintf(out, "cluster %llu: %llu records; frames: %llu of %llu free, %llu kept\n",
		(unsigned long long)number(o, "cluster"), (unsigned long long)number(o, "records"),
		(unsigned long long)number(frames, "free"),
		(unsigned long long)number(frames, "total"),
		(unsigned long long)number(frames, "kept"));
	fprintf(out, "%5s %8s %12s %12s %9s %9s %9s %9s %8s\n", "queue", "reader", "seen",
		"delivered", "filtered", "dropped", "no reader", "unread", "backlog");
	queues = json_object_object_get(o, "queues");
	for (size_t i = 0; i < json_object_array_length(queues); i++)
		print_queue(json_object_array_get_idx(queues, i), out);
	json_object_put(o);
	return 0;
}
