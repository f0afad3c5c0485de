// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the status of a cluster, in JSON.
 * Out:  a line for each queue, or one for all; or an object for programs.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <json-c/json.h>
#include <string.h>
#include "status.h"
#include "text.h"

static uint64_t number(struct json_object *o, const char *key)
{
	return json_object_get_uint64(json_object_object_get(o, key));
}

static void print_queue(struct json_object *q, FILE *out)
{
	const char *filter = json_object_get_string(json_object_object_get(q, "filter"));
	char pid[16] = "-";

	if (json_object_object_get(q, "pid"))
		snprintf(pid, sizeof(pid), "%llu", (unsigned long long)number(q, "pid"));
	fprintf(out, "%5llu %8s %12llu %12llu %9llu %9llu %9llu %9llu %8llu%s",
		(unsigned long long)number(q, "queue"), pid,
		(unsigned long long)number(q, "seen"), (unsigned long long)number(q, "delivered"),
		(unsigned long long)number(q, "filtered"), (unsigned long long)number(q, "dropped"),
		(unsigned long long)number(q, "no_reader"), (unsigned long long)number(q, "unread"),
		(unsigned long long)number(q, "backlog"), filter ? "  " : "");
	if (filter)
		text_safe(out, filter, strlen(filter));
	putc('\n', out);
}

static void print_cluster(struct json_object *o, FILE *out)
{
	struct json_object *frames = json_object_object_get(o, "frames");

	fprintf(out, "cluster %llu: %llu records; frames: %llu of %llu free, %llu kept\n",
		(unsigned long long)number(o, "cluster"), (unsigned long long)number(o, "records"),
		(unsigned long long)number(frames, "free"),
		(unsigned long long)number(frames, "total"),
		(unsigned long long)number(frames, "kept"));
}

/* What a master answers is another process's word. Return: NULL: it is no status. */
static struct json_object *parse(const char *json)
{
	struct json_tokener *t = json_tokener_new();
	struct json_object *o;

	if (!t)
		return NULL;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, json, strlen(json) + 1);
	json_tokener_free(t);
	if (json_object_is_type(o, json_type_object) &&
	    json_object_is_type(json_object_object_get(o, "queues"), json_type_array))
		return o;
	json_object_put(o);
	return NULL;
}

int status_table(const char *json, FILE *out)
{
	struct json_object *o = parse(json), *queues;

	if (!o) {
		fputs("xcap: what the master answered is no status\n", stderr);
		return -1;
	}
	print_cluster(o, out);
	fprintf(out, "%5s %8s %12s %12s %9s %9s %9s %9s %8s\n", "queue", "reader", "seen",
		"delivered", "filtered", "dropped", "no reader", "unread", "backlog");
	queues = json_object_object_get(o, "queues");
	for (size_t i = 0; i < json_object_array_length(queues); i++)
		print_queue(json_object_array_get_idx(queues, i), out);
	json_object_put(o);
	return 0;
}

void status_line(const char *json, FILE *out)
{
	struct json_object *o = parse(json);

	if (o)
		print_cluster(o, out);
	json_object_put(o);
}

void status_json(const char *json, FILE *out)
{
	struct json_object *o = parse(json), *typed;

	if (!o)
		return;
	typed = json_object_new_object();
	json_object_object_add(typed, "type", json_object_new_string("cluster"));
	json_object_object_foreach(o, key, value)
		json_object_object_add(typed, key, json_object_get(value));
	fprintf(out, "%s\n", json_object_to_json_string_ext(typed, JSON_C_TO_STRING_PLAIN |
				JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(typed);
	json_object_put(o);
}
