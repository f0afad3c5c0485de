// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   sysctls, CPU frequency and idle states, huge pages, the softirqs' own counts.
 * Out:  what of the host lets a capture fall behind.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "doctor.h"

/* ---- sysctls: below what kernels come with is a warning, below what we want a note ---- */

static void sysctl(struct doctor *d, const struct check *c)
{
	char path[128], dotted[64], value[SETTING_VALUE];
	struct finding *f;
	uint64_t now;

	if (!doctor_number(d->proc, &now, "sys/%s", c->key))
		return;		/* in a namespace of its own, a network has few of them */
	snprintf(dotted, sizeof(dotted), "%s", c->key);
	for (char *p = dotted; *p; p++)
		if (*p == '/')
			*p = '.';
	if (now >= c->want) {
		doctor_say(d, c, LEVEL_OK, "%s = %llu", dotted, (unsigned long long)now);
		return;
	}
	snprintf(path, sizeof(path), "sys/%s", c->key);
	f = doctor_say(d, c, now < c->least ? LEVEL_WARN : LEVEL_NOTE, "%s = %llu%s", dotted,
		       (unsigned long long)now, faccessat(d->proc, path, W_OK, AT_EACCESS) ?
		       " (not to be written from here)" : "");
	doctor_remedy(f, "sysctl -w %s=%llu", dotted, (unsigned long long)c->want);
	if (faccessat(d->proc, path, W_OK, AT_EACCESS))
		return;
	snprintf(value, sizeof(value), "%llu", (unsigned long long)c->want);
	doctor_want(d, "sysctl", value, "%s", c->key);
}

static void jit(struct doctor *d, const struct check *c)
{
	struct finding *f;
	uint64_t on;

	/* as compiled into some kernels: no switch, always on */
	if (!doctor_number(d->proc, &on, "sys/net/core/bpf_jit_enable"))
		return;
	f = doctor_say(d, c, on ? LEVEL_OK : LEVEL_BAD, "net.core.bpf_jit_enable = %llu",
		       (unsigned long long)on);
	if (on)
		return;
	doctor_remedy(f, "sysctl -w net.core.bpf_jit_enable=1");
	doctor_want(d, "sysctl", "1", "net/core/bpf_jit_enable");
}

static void busy_poll(struct doctor *d, const struct check *c)
{
	uint64_t poll, reading;

	if (doctor_number(d->proc, &poll, "sys/net/core/busy_poll") &&
	    doctor_number(d->proc, &reading, "sys/net/core/busy_read"))
		doctor_say(d, c, LEVEL_OK, "busy_poll %llu us, busy_read %llu us for sockets that "
			   "do not say", (unsigned long long)poll, (unsigned long long)reading);
}

/*
 * Since boot: packets dropped at a full backlog, and polls that were cut off with work left. How
 * many there were in all begins anew at 2^32, soon: it is good for nothing but a share.
 */
static void softnet(struct doctor *d, const struct check *c)
{
	char *text = doctor_text(d->proc, "net/softnet_stat"), *line = text, *next;
	unsigned long long packets = 0, dropped = 0, squeezed = 0;
	unsigned int v[3];

	for (; line && *line; line = next) {
		next = strchrnul(line, '\n');
		if (sscanf(line, "%x %x %x", &v[0], &v[1], &v[2]) == 3) {
			packets += v[0];
			dropped += v[1];
			squeezed += v[2];
		}
		next += *next == '\n';
	}
	if (text && packets)
		doctor_say(d, c, dropped ? LEVEL_WARN : squeezed > 100 + packets / 1000 ?
			   LEVEL_NOTE : LEVEL_OK, "since boot %llu dropped at a full backlog, %llu "
			   "round%s cut short by the budget", dropped, squeezed,
			   squeezed == 1 ? "" : "s");
	free(text);
}

/* ---- CPUs ---- */

#define GOVERNORS "devices/system/cpu/cpu%d/cpufreq/scaling_governor"

static void governor(struct doctor *d, const struct check *c)
{
	char line[SETTING_VALUE], other[SETTING_VALUE] = "";
	cpu_set_t online;
	int cpus = doctor_online(d, &online), slow = 0, there = 0;
	struct finding *f;

	for (int pass = 0; pass < 2; pass++) {
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
			if (!CPU_ISSET(cpu, &online) ||
			    doctor_line(d->sys, line, sizeof(line), GOVERNORS, cpu) <= 0)
				continue;
			there += !pass;
			if (!strcmp(line, "performance"))
				continue;
			if (!pass && !slow++)
				strcpy(other, line);
			else if (pass)
				doctor_want(d, "sysfs", "performance", GOVERNORS, cpu);
		}
		if (!there) {
			doctor_say(d, c, LEVEL_OK, "not for the kernel to say here");
			return;
		}
		if (!slow) {
			doctor_say(d, c, LEVEL_OK, "performance at all %d cores", there);
			return;
		}
		if (pass)
			return;
		f = doctor_say(d, c, LEVEL_WARN, "%.30s at %d of %d cores", other, slow, cpus);
		doctor_remedy(f, "echo performance | tee "
			      "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
	}
}

#define SLEEP_WARN_US 100
#define SLEEP_NOTE_US 50

#define MAX_STATES 10	/* the kernel's own limit */
#define ALL_STATES "/sys/devices/system/cpu/cpu*/cpuidle/state"
#define STATES "devices/system/cpu/cpu0/cpuidle/state%d/"

/* The slowest that is on, and the first and last that are too slow. */
static void idle(struct doctor *d, const struct check *c)
{
	uint64_t us, off, most = 0;
	char name[32] = "";
	struct finding *f;
	int first = -1, last = -1, n;

	for (n = 0; n < MAX_STATES && doctor_number(d->sys, &us, STATES "latency", n); n++) {
		if (!doctor_number(d->sys, &off, STATES "disable", n) || off)
			continue;
		if (us >= SLEEP_NOTE_US)
			last = n;
		if (us >= SLEEP_NOTE_US && first < 0)
			first = n;
		if (us < most)
			continue;
		most = us;
		doctor_line(d->sys, name, sizeof(name), STATES "name", n);
	}
	if (!n)
		return;
	f = doctor_say(d, c, most >= SLEEP_WARN_US ? LEVEL_WARN : most >= SLEEP_NOTE_US ?
		       LEVEL_NOTE : LEVEL_OK, "%s: a core needs %llu us to wake up", name,
		       (unsigned long long)most);
	if (first >= 0 && first == last)
		doctor_remedy(f, "echo 1 | tee " ALL_STATES "%d/disable", first);
	else if (first >= 0)
		doctor_remedy(f, "echo 1 | tee " ALL_STATES "[%d-%d]/disable", first, last);
}

/* ---- memory ---- */

static void huge_pages(struct doctor *d, const struct check *c)
{
	char *text = doctor_text(d->proc, "meminfo"), *at;
	unsigned long total = 0, unused = 0;

	at = text ? strstr(text, "HugePages_Total:") : NULL;
	if (at && sscanf(at, "HugePages_Total: %lu HugePages_Free: %lu", &total, &unused) == 2)
		doctor_say(d, c, LEVEL_OK, "%lu, %lu of them free; xcap needs none", total, unused);
	free(text);
}

#define SYSCTL(name, key, least, want, cost) { name, sysctl, cost, BY_FIX, key, least, want }

const struct check host_checks[] = {
	SYSCTL("rmem_default", "net/core/rmem_default", 212992, 212992,
	       "sockets that ask for nothing overflow early"),
	SYSCTL("rmem_max", "net/core/rmem_max", 212992, 16777216,
	       "no socket can ask for a larger buffer"),
	SYSCTL("budget", "net/core/netdev_budget", 300, 600,
	       "a core stops polling its NIC after so many packets, whatever the ring holds"),
	SYSCTL("budget_us", "net/core/netdev_budget_usecs", 2000, 8000,
	       "a core stops polling its NIC after so long, whatever the ring holds"),
	SYSCTL("backlog", "net/core/netdev_max_backlog", 1000, 10000,
	       "packets from veth, tunnels and RPS are dropped behind so many"),
	{ "softnet", softnet, "the kernel itself could not keep up", BY_HAND, NULL, 0, 0 },
	{ "jit", jit, "every program in front of a capture is interpreted", BY_FIX, NULL, 0, 0 },
	{ "busy_poll", busy_poll, NULL, BY_HAND, NULL, 0, 0 },
	{ "governor", governor, "a core that was idle begins slowly, and rings fill meanwhile",
	  BY_FIX, NULL, 0, 0 },
	{ "idle", idle, "a burst that comes meanwhile is lost when the ring is full", BY_HAND,
	  NULL, 0, 0 },
	{ "huge_pages", huge_pages, NULL, BY_HAND, NULL, 0, 0 },
	{ 0 }
};
