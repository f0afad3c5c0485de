// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   nothing: tables.
 * Out:  the columns of each view, and numbers as they stand in them.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <stdio.h>
#include <string.h>
#include "top_columns.h"

static const struct top_column
	process = { "PROCESS", "name", TOP_BY_NAME, 0 },
	container = { "CONTAINER", "name", TOP_BY_NAME, 0 },
	flow = { "FLOW", "name", TOP_BY_NAME, 0 },
	interface = { "INTERFACE", "name", TOP_BY_NAME, 0 },
	syscall_ = { "SYSCALL", "name", TOP_BY_NAME, 0 },
	file = { "FILE", "name", TOP_BY_NAME, 0 },
	port = { "PORT", "name", TOP_BY_NAME, 0 },
	host = { "HOST", "name", TOP_BY_NAME, 0 },
	packets = { "PKT/S", "packets", TOP_BY_PACKETS, 6 },
	in = { "IN/S", "in", TOP_BY_BYTES_IN, 6 },
	out = { "OUT/S", "out", TOP_BY_BYTES_OUT, 6 },
	calls = { "CALL/S", "calls", TOP_BY_CALLS, 6 },
	errors = { "ERR/S", "errors", TOP_BY_ERRORS, 6 },
	latency = { "LATENCY", "latency", TOP_BY_LATENCY, 8 },
	read_ = { "READ/S", "read", TOP_BY_READ, 6 },
	written = { "WRIT/S", "written", TOP_BY_WRITTEN, 6 },
	lost = { "LOST/S", "lost", TOP_BY_LOST, 6 },
	total_events = { "TOTAL", "total", TOP_BY_TOTAL_EVENTS, 6 },
	total = { "TOTAL", "total", TOP_BY_TOTAL_BYTES, 6 },
	total_calls = { "TOTAL", "total", TOP_BY_TOTAL_CALLS, 6 },
	total_lost = { "LOST", "lost-total", TOP_BY_TOTAL_LOST, 6 },
	activity = { "HISTORY", "activity", TOP_BY_EVENTS, 8 },
	traffic = { "HISTORY", "activity", TOP_BY_BYTES, 8 };

#define NET &packets, &in, &out, &calls, &total, &traffic

static const struct top_view_columns views[TOP_VIEWS] = {
	[TOP_PROCESS] = {
		{ &process, &packets, &in, &out, &calls, &errors, &latency,
		  &total_events, &activity }, false },
	[TOP_CONTAINER] = {
		{ &container, &packets, &in, &out, &calls, &errors, &latency,
		  &total_events, &activity }, false },
	[TOP_FLOW] = { { &flow, NET }, true },
	[TOP_INTERFACE] = {
		{ &interface, &packets, &in, &out, &calls, &lost, &total_lost, &activity }, false },
	[TOP_SYSCALL] = {
		{ &syscall_, &calls, &errors, &latency, &read_, &written, &total_calls, &activity },
		false },
	[TOP_FILE] = {
		{ &file, &calls, &errors, &latency, &read_, &written, &total_calls, &activity },
		false },
	[TOP_PORT] = { { &port, NET }, true },
	[TOP_HOST] = { { &host, NET }, true },
};

const struct top_view_columns *top_columns(enum top_view view)
{
	return &views[view];
}

int top_column_find(enum top_view view, const char *what)
{
	for (int i = 0; views[view].columns[i]; i++)
		if (!strcmp(views[view].columns[i]->name, what))
			return i;
	return -1;
}

int top_column_first(enum top_view view)
{
	return top_column_find(view, "activity");
}

int top_view_find(const char *what)
{
	for (int v = 0; v < TOP_VIEWS; v++)
		if (!strcmp(top_view_name(v), what))
			return v;
	return -1;
}

/* At most six characters. */
static void scaled(char *text, double n, double step, const char *const *suffixes)
{
	while (n >= step * 0.9995 && suffixes[1]) {
		n /= step;
		suffixes++;
	}
	if (n >= 99.95 || (!**suffixes && n == (int)n))
		snprintf(text, 12, "%.0f%s", n < 1e6 ? n : 1e6, *suffixes);
	else
		snprintf(text, 12, "%.*f%s", n < 9.995 ? 2 : 1, n, *suffixes);
}

void top_number(char *text, enum top_value by, double n)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E", NULL };
	static const char *const times[] = { "ns", "us", "ms", "s", NULL };

	if (by != TOP_BY_LATENCY)
		scaled(text, n, 1000, units);
	else if (n)
		scaled(text, n, 1000, times);
	else
		strcpy(text, "-");
}
