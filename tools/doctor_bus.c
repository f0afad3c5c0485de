// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the bus that an interface's device is at, its interrupts, its memory node.
 * Out:  whether the bus carries what the wire brings, and who is interrupted.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "doctor.h"

/*
 * What a frame costs the bus: its bytes without the checksum, a header for each 256 of them
 * (4 of framing, 2 of sequence, 16 of header, 4 of LCRC, rounded), and its share of the descriptors
 * that are written back, four at a time.
 */
#define TLP_PAYLOAD 256
#define TLP_HEADER 26
#define DESCRIPTOR 16
#define WIRE_EXTRA 20		/* preamble and gap */
#define FCS 4
#define MIN_FRAME 64
#define MAX_FRAME 1518

struct lanes {
	double gts;		/* transfers a second and lane, in thousands of millions */
	uint64_t width;
	int generation;
};

static bool read_lanes(struct doctor *d, const char *which, struct lanes *out)
{
	static const double speeds[] = { 2.5, 5, 8, 16, 32, 64 };
	char file[32], line[64];

	snprintf(file, sizeof(file), "%s_link_speed", which);
	if (doctor_bus_line(d, file, line, sizeof(line)) <= 0)
		return false;
	out->gts = strtod(line, NULL);
	out->generation = 0;
	for (int i = 0; i < 6; i++)
		if (out->gts > speeds[i] - 0.1)
			out->generation = i + 1;
	snprintf(file, sizeof(file), "%s_link_width", which);
	if (doctor_bus_line(d, file, line, sizeof(line)) <= 0)
		return false;
	out->width = strtoul(line, NULL, 10);
	return out->generation && out->width && out->width <= 32;
}

/* Bits a second, in thousands of millions, after the encoding. */
static double gbps(const struct lanes *l)
{
	double code = l->generation < 3 ? 8.0 / 10 : l->generation < 6 ? 128.0 / 130 : 242.0 / 256;

	return l->gts * l->width * code;
}

/* Of the bus, at line rate with frames of this size. */
static double needs(uint64_t mbps, int frame)
{
	int data = frame - FCS, headers = (data + TLP_PAYLOAD - 1) / TLP_PAYLOAD;
	double bytes = data + headers * TLP_HEADER + DESCRIPTOR + TLP_HEADER / 4.0;

	return mbps / 1e3 * bytes / (frame + WIRE_EXTRA);
}

static void pcie(struct doctor *d, const struct check *c)
{
	struct lanes now, most;
	char slot[80] = "";
	double has, small = needs(d->on.mbps, MIN_FRAME), large = needs(d->on.mbps, MAX_FRAME);
	enum level level = LEVEL_OK;

	if (!read_lanes(d, "current", &now))
		return;
	has = gbps(&now);
	if (read_lanes(d, "max", &most) && gbps(&most) > has + 0.1) {
		level = LEVEL_NOTE;
		snprintf(slot, sizeof(slot), ", where the card could have gen %d x%llu",
			 most.generation, (unsigned long long)most.width);
	}
	if (!d->on.mbps) {
		doctor_say(d, c, level, "gen %d x%llu, %.1f Gb/s%s", now.generation,
			   (unsigned long long)now.width, has, slot);
		return;
	}
	if (large > has)
		level = LEVEL_BAD;
	else if (small > has)
		level = LEVEL_WARN;
	doctor_say(d, c, level, "gen %d x%llu, %.1f Gb/s%s; line rate needs %.1f in the largest "
		   "and %.1f in the smallest frames", now.generation, (unsigned long long)now.width,
		   has, slot, large, small);
}

#define NODE "devices/system/node/node%d/"

/* ---- interrupts ---- */

struct irqs {
	struct doctor *d;
	cpu_set_t node;			/* CPUs of the device's memory node */
	int on[CPU_SETSIZE];		/* queues by CPU */
	int first[CPU_SETSIZE];		/* an interrupt of them */
	int nr, elsewhere, elsewhere_irq;
	bool ours;
};

static void action(void *user, const char *name)
{
	struct irqs *irqs = user;
	const char *iface = irqs->d->on.name;
	const char *at = strstr(name, iface);

	/*
	 * "eth1-rx-0", and not "eth10-rx-0", "eth1-tx-0", and "eth1", which tells of the link;
	 * "mlx5_comp3" and "virtio0-input.0" name no interface.
	 */
	irqs->ours |= at && at[strlen(iface)] == '-' && !strcasestr(at, "-tx-");
	irqs->ours |= at && strcasestr(at, "-tx-rx-");
	irqs->ours |= strstr(name, "_comp") || strstr(name, "-input");
}

#define IRQ "irq/%.20s/"

static void interrupt(void *user, const char *name)
{
	struct irqs *irqs = user;
	struct doctor *d = irqs->d;
	char line[1024], path[64];
	cpu_set_t set;

	snprintf(path, sizeof(path), "irq/%.20s", name);
	irqs->ours = false;
	doctor_names(d->proc, path, action, irqs);
	if (!irqs->ours)
		return;
	if (doctor_line(d->proc, line, sizeof(line), IRQ "effective_affinity_list", name) <= 0 &&
	    doctor_line(d->proc, line, sizeof(line), IRQ "smp_affinity_list", name) <= 0)
		return;
	/* one that may go anywhere has no place that could be wrong */
	if (doctor_cpus(line, &set) != 1)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		irqs->nr++;
		if (irqs->on[cpu]++)
			irqs->first[cpu] = atoi(name);
		if (CPU_COUNT(&irqs->node) && !CPU_ISSET(cpu, &irqs->node)) {
			irqs->elsewhere++;
			irqs->elsewhere_irq = atoi(name);
		}
	}
}

static struct irqs *read_irqs(struct doctor *d)
{
	struct irqs *irqs = calloc(1, sizeof(*irqs));
	char path[64], line[1024];
	int node;

	if (!irqs)
		return NULL;
	irqs->d = d;
	if (doctor_bus_line(d, "numa_node", line, sizeof(line)) > 0 && (node = atoi(line)) >= 0 &&
	    doctor_line(d->sys, line, sizeof(line), NODE "cpulist", node) > 0)
		doctor_cpus(line, &irqs->node);
	snprintf(path, sizeof(path), "class/net/%s/device/msi_irqs", d->on.name);
	if (doctor_names(d->sys, path, interrupt, irqs) < 0) {
		snprintf(path, sizeof(path), "class/net/%s/device/../msi_irqs", d->on.name);
		doctor_names(d->sys, path, interrupt, irqs);
	}
	return irqs;
}

/* Return: a CPU of the device's node that serves no queue; -1 there is none. */
static int idle_cpu(struct doctor *d, const struct irqs *irqs)
{
	cpu_set_t online;

	doctor_online(d, &online);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &online) && !irqs->on[cpu] &&
		    (!CPU_COUNT(&irqs->node) || CPU_ISSET(cpu, &irqs->node)))
			return cpu;
	return -1;
}

static void irq(struct doctor *d, const struct check *c)
{
	struct irqs *irqs = read_irqs(d);
	int idle, worst = 0;
	struct finding *f;

	if (!irqs || !irqs->nr) {
		free(irqs);
		return;
	}
	idle = idle_cpu(d, irqs);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (irqs->on[cpu] > irqs->on[worst])
			worst = cpu;
	if (irqs->on[worst] > 1 && idle >= 0) {
		f = doctor_say(d, c, LEVEL_WARN, "core %d serves %d of %d queues, and core %d none",
			       worst, irqs->on[worst], irqs->nr, idle);
		doctor_remedy(f, "echo %d > /proc/irq/%d/smp_affinity_list", idle,
			       irqs->first[worst]);
	} else {
		doctor_say(d, c, LEVEL_OK, "%d queue%s, at most %d at a core", irqs->nr,
			   irqs->nr == 1 ? "" : "s", irqs->on[worst]);
	}
	free(irqs);
}

/* ---- memory ---- */

static void nodes_named(void *user, const char *name)
{
	*(int *)user += !strncmp(name, "node", 4) && name[4] >= '0' && name[4] <= '9';
}

static void numa(struct doctor *d, const struct check *c)
{
	struct irqs *irqs;
	char line[1024];
	struct finding *f;
	int nodes = 0, node;

	doctor_names(d->sys, "devices/system/node", nodes_named, &nodes);
	if (nodes < 2 || doctor_bus_line(d, "numa_node", line, sizeof(line)) <= 0)
		return;
	node = atoi(line);
	if (node < 0) {
		doctor_say(d, c, LEVEL_OK, "no node is said to be the card's");
		return;
	}
	irqs = read_irqs(d);
	if (doctor_line(d->sys, line, sizeof(line), NODE "cpulist", node) <= 0)
		strcpy(line, "?");
	if (irqs && irqs->elsewhere) {
		f = doctor_say(d, c, LEVEL_WARN, "the card is at node %d (cores %.60s), and %d of "
			       "its %d queues interrupt cores of another", node, line,
			       irqs->elsewhere, irqs->nr);
		doctor_remedy(f, "echo %.40s > /proc/irq/%d/smp_affinity_list", line,
			       irqs->elsewhere_irq);
	} else {
		doctor_say(d, c, LEVEL_OK, "node %d, cores %.60s: a capture belongs there", node,
			   line);
	}
	free(irqs);
}

const struct check bus_checks[] = {
	{ "pcie", pcie, "a slot with more lanes, or another generation, carries more", BY_HAND,
	  NULL, 0, 0 },
	{ "irq", irq, "that core is full before the others have anything to do", BY_HAND,
	  NULL, 0, 0 },
	{ "numa", numa, "each frame crosses from one processor to the other", BY_HAND, NULL, 0, 0 },
	{ 0 }
};
