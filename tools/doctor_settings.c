// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the kind and the key of a setting, and its value as text.
 * Out:  what it is; what it is from now on.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * Keys and values come back from a file: a kind takes those keys that a check of ours can name.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "doctor.h"

struct kind {
	const char *name;
	bool (*valid)(const char *key);
	int (*get)(struct doctor *d, const struct setting *s, char *value);
	int (*set)(struct doctor *d, const struct setting *s, const char *value);
};

/* ---- files: the key is the path below /proc/sys or /sys ---- */

static bool is_path(const char *key, const char *below)
{
	return !strncmp(key, below, strlen(below)) && !strstr(key, "..");
}

static bool is_sysctl(const char *key)
{
	return is_path(key, "net/");
}

static bool is_governor(const char *key)
{
	return is_path(key, "devices/system/cpu/cpu") && strstr(key, "/cpufreq/scaling_governor");
}

static int get_sysctl(struct doctor *d, const struct setting *s, char *value)
{
	int n = doctor_line(d->proc, value, SETTING_VALUE, "sys/%s", s->key);

	return n < 0 ? n : 0;
}

static int set_sysctl(struct doctor *d, const struct setting *s, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "sys/%.240s", s->key);
	return doctor_write(d->proc, path, value);
}

static int get_sysfs(struct doctor *d, const struct setting *s, char *value)
{
	int n = doctor_line(d->sys, value, SETTING_VALUE, "%s", s->key);

	return n < 0 ? n : 0;
}

static int set_sysfs(struct doctor *d, const struct setting *s, const char *value)
{
	return doctor_write(d->sys, s->key, value);
}

/* ---- offloads: on or off as they were asked for, which is not always what they are ---- */

static bool is_feature(const char *key)
{
	return strlen(key) < ETH_GSTRING_LEN;
}

static int get_feature(struct doctor *d, const struct setting *s, char *value)
{
	struct feature *list;
	int nr = ethtool_features(d, s->iface, &list), err = -EOPNOTSUPP;

	if (nr < 0)
		return nr;
	for (int i = 0; i < nr; i++)
		if (!strcmp(list[i].name, s->key)) {
			strcpy(value, list[i].wanted ? "on" : "off");
			err = 0;
		}
	free(list);
	return err;
}

/* What is not wanted any more can stay on: another feature or the device needs it. */
static int set_feature(struct doctor *d, const struct setting *s, const char *value)
{
	struct feature *list;
	int nr = ethtool_features(d, s->iface, &list), err = -ENOMEM, i;
	struct ethtool_sfeatures *ask;

	if (nr < 0)
		return nr;
	ask = calloc(1, sizeof(*ask) + (nr + 31) / 32 * sizeof(ask->features[0]));
	for (i = 0; i < nr && strcmp(list[i].name, s->key); i++)
		;
	free(list);
	if (ask && i < nr) {
		ask->cmd = ETHTOOL_SFEATURES;
		ask->size = (nr + 31) / 32;
		ask->features[i / 32].valid = 1U << (i % 32);
		ask->features[i / 32].requested = strcmp(value, "on") ? 0 : 1U << (i % 32);
		err = ethtool_ioctl(d, s->iface, ask);
		if (err >= 0)
			err = err & ETHTOOL_F_WISH && strcmp(value, "on") ? -EIO : 0;
	} else if (ask) {
		err = -EOPNOTSUPP;
	}
	free(ask);
	return err;
}

/* ---- rings ---- */

static bool is_ring(const char *key)
{
	return !strcmp(key, "rx");
}

static int get_ring(struct doctor *d, const struct setting *s, char *value)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	int err = ethtool_ioctl(d, s->iface, &ring);

	if (!err)
		snprintf(value, SETTING_VALUE, "%u", ring.rx_pending);
	return err;
}

static int set_ring(struct doctor *d, const struct setting *s, const char *value)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	int err = ethtool_ioctl(d, s->iface, &ring);

	if (err)
		return err;
	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.rx_pending = strtoul(value, NULL, 10);
	return ethtool_ioctl(d, s->iface, &ring);
}

/* ---- pause frames: "autoneg on rx on tx off" ---- */

static bool is_pause(const char *key)
{
	return !strcmp(key, "frames");
}

static int get_pause(struct doctor *d, const struct setting *s, char *value)
{
	struct ethtool_pauseparam p = { .cmd = ETHTOOL_GPAUSEPARAM };
	int err = ethtool_ioctl(d, s->iface, &p);

	if (!err)
		snprintf(value, SETTING_VALUE, "autoneg %s rx %s tx %s", p.autoneg ? "on" : "off",
			 p.rx_pause ? "on" : "off", p.tx_pause ? "on" : "off");
	return err;
}

static int set_pause(struct doctor *d, const struct setting *s, const char *value)
{
	struct ethtool_pauseparam p = { .cmd = ETHTOOL_SPAUSEPARAM };
	char autoneg[4], rx[4], tx[4];

	if (sscanf(value, "autoneg %3s rx %3s tx %3s", autoneg, rx, tx) != 3)
		return -EINVAL;
	p.autoneg = !strcmp(autoneg, "on");
	p.rx_pause = !strcmp(rx, "on");
	p.tx_pause = !strcmp(tx, "on");
	return ethtool_ioctl(d, s->iface, &p);
}

/* ---- flags of the interface ---- */

static const struct { const char *name; unsigned int bit; } flags[] = {
	{ "up", IFF_UP }, { "promisc", IFF_PROMISC }, { "noarp", IFF_NOARP },
};

static unsigned int flag_bit(const char *key)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(flags[i].name, key))
			return flags[i].bit;
	return 0;
}

static bool is_flag(const char *key)
{
	return flag_bit(key);
}

static int flag_ioctl(struct doctor *d, const struct setting *s, unsigned long what,
		      struct ifreq *ifr)
{
	if (d->sock < 0)
		return -EOPNOTSUPP;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", s->iface);
	return ioctl(d->sock, what, ifr) < 0 ? -errno : 0;
}

static int get_flag(struct doctor *d, const struct setting *s, char *value)
{
	struct ifreq ifr = { 0 };
	int err = flag_ioctl(d, s, SIOCGIFFLAGS, &ifr);

	if (!err)
		strcpy(value, (unsigned short)ifr.ifr_flags & flag_bit(s->key) ? "on" : "off");
	return err;
}

static int set_flag(struct doctor *d, const struct setting *s, const char *value)
{
	struct ifreq ifr = { 0 };
	int err = flag_ioctl(d, s, SIOCGIFFLAGS, &ifr);

	if (err)
		return err;
	ifr.ifr_flags &= ~flag_bit(s->key);
	ifr.ifr_flags |= strcmp(value, "on") ? 0 : flag_bit(s->key);
	return flag_ioctl(d, s, SIOCSIFFLAGS, &ifr);
}

/* ---- addresses, routes, neighbours: the key is the object itself ---- */

static bool is_hex(const char *key)
{
	size_t len = strlen(key);

	return len && len % 2 == 0 && strspn(key, "0123456789abcdef") == len;
}

/* Whoever asks has just been given it. */
static int get_object(struct doctor *d, const struct setting *s, char *value)
{
	strcpy(value, "there");
	return d->fixture ? -EOPNOTSUPP : 0;
}

static int set_object(struct doctor *d, const struct setting *s, const char *value)
{
	return d->fixture ? -EOPNOTSUPP :
	       netlink_object(s->kind, s->key, !strcmp(value, "there"));
}

static const struct kind kinds[] = {
	{ "sysctl", is_sysctl, get_sysctl, set_sysctl },
	{ "sysfs", is_governor, get_sysfs, set_sysfs },
	{ "feature", is_feature, get_feature, set_feature },
	{ "ring", is_ring, get_ring, set_ring },
	{ "pause", is_pause, get_pause, set_pause },
	{ "flag", is_flag, get_flag, set_flag },
	{ "address", is_hex, get_object, set_object },
	{ "route", is_hex, get_object, set_object },
	{ "neighbour", is_hex, get_object, set_object },
};

static const struct kind *find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

const char *setting_kind(const char *name, const char *key)
{
	const struct kind *kind = find(name);

	return kind && kind->valid(key) ? kind->name : NULL;
}

int setting_get(struct doctor *d, const struct setting *s, char value[SETTING_VALUE])
{
	return find(s->kind)->get(d, s, value);
}

int setting_set(struct doctor *d, const struct setting *s, const char *value)
{
	return find(s->kind)->set(d, s, value);
}
