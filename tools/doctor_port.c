// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the name of an interface that is to do nothing but to capture.
 * Out:  the interface: no addresses, no ARP, promiscuous, up; nothing merged, held or sent.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 *
 * Settings are changed in this order and given back in the other, so each finds what it needs:
 * an address is there before the routes that need it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "doctor.h"

struct keys {
	struct { char *hex; int family; bool late; } *v;
	int nr, room;
	bool failed;
};

static void collect(void *user, const char *hex, int family, bool late)
{
	struct keys *k = user;

	if (k->nr == k->room) {
		int room = k->room ? 2 * k->room : 16;
		void *v = reallocarray(k->v, room, sizeof(*k->v));

		k->failed |= !v;
		if (!v)
			return;
		k->v = v;
		k->room = room;
	}
	k->v[k->nr].hex = strdup(hex);
	k->v[k->nr].family = family;
	k->v[k->nr].late = late;
	k->failed |= !k->v[k->nr].hex;
	k->nr++;
}

/*
 * The kernel lists IPv4 addresses as they were added and IPv6 addresses the other way round.
 * What is given back is added from the last to the first, gateways after the way to them.
 */
static int remove_all(struct doctor *d, const char *kind)
{
	struct keys k = { 0 };
	int err = netlink_objects(d->on.index, kind, collect, &k);

	if (k.failed)
		err = -ENOMEM;
	for (int late = 1; !err && late >= 0; late--) {
		for (int i = k.nr - 1; i >= 0; i--)
			if (k.v[i].family == AF_INET && k.v[i].late == late)
				doctor_set(d, kind, "removed", k.v[i].hex);
		for (int i = 0; i < k.nr; i++)
			if (k.v[i].family != AF_INET && k.v[i].late == late)
				doctor_set(d, kind, "removed", k.v[i].hex);
	}
	for (int i = 0; i < k.nr; i++)
		free(k.v[i].hex);
	free(k.v);
	return err;
}

static bool refused(struct doctor *d)
{
	char line[64];

	if (d->on.carries_host)
		fprintf(stderr, "%s: %s goes by %s, and would be cut; take another interface\n",
			d->called, d->on.carries, d->on.name);
	else if (d->on.flags & IFF_LOOPBACK)
		fprintf(stderr, "%s: %s is the loopback, which has no wire\n", d->called,
			d->on.name);
	else if (doctor_line(d->sys, line, sizeof(line), "class/net/%s/master/ifindex",
			     d->on.name) > 0)
		fprintf(stderr, "%s: %s is part of a bridge or bond; take it out first: ip link "
			"set %s nomaster\n", d->called, d->on.name, d->on.name);
	else
		return false;
	return true;
}

int doctor_port(struct doctor *d)
{
	static const char *const kinds[] = { "route", "neighbour", "address" };
	char path[64];
	int err = 0;

	if (refused(d))
		return EXIT_FAILED;
	doctor_look(d, nic_checks);
	d->nr_findings = 0;	/* their settings are what we came for */
	for (int i = 0; i < 3 && !err && !d->fixture; i++)
		err = remove_all(d, kinds[i]);
	if (err) {
		fprintf(stderr, "%s: the addresses of %s cannot be read\n", d->called, d->on.name);
		return EXIT_FAILED;
	}
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", d->on.name);
	doctor_set(d, "sysctl", "1", path);
	doctor_set(d, "flag", "on", "noarp");
	doctor_set(d, "flag", "on", "promisc");
	doctor_set(d, "flag", "on", "up");
	return doctor_fix(d);
}
