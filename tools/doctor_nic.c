// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an interface, as ethtool, the kernel's own families and sysfs know it.
 * Out:  what of its settings makes a capture lose packets or show what was not on the wire.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "doctor.h"

#define MIN_FRAME_WIRE 84	/* 64 bytes, preamble and gap */
#define KEY_MAX 256

/* of ethtool_rxfh; the kernel's header has no names */
enum { HASH_TOEPLITZ = 1, HASH_XOR = 2 };

/* ---- link ---- */

static void link_is(struct doctor *d, const struct check *c)
{
	const char *name = d->on.name, *driver = d->on.driver[0] ? d->on.driver : "no driver";
	double mpps = d->on.mbps * 1e6 / (MIN_FRAME_WIRE * 8) / 1e6;
	uint64_t carrier = 1;
	struct finding *f;

	if (!(d->on.flags & IFF_UP)) {
		f = doctor_say(d, c, LEVEL_WARN, "%s, down", driver);
		doctor_remedy(f, "ip link set %s up", name);
		return;
	}
	doctor_number(d->sys, &carrier, "class/net/%s/carrier", name);
	if (!carrier)
		doctor_say(d, c, LEVEL_WARN, "%s, up, no carrier", driver);
	else if (d->on.mbps)
		doctor_say(d, c, LEVEL_OK, "%s, up, %llu Mb/s: at most %.3g million packets a "
			   "second, of %d bytes on the wire", driver,
			   (unsigned long long)d->on.mbps, mpps, MIN_FRAME_WIRE);
	else
		doctor_say(d, c, LEVEL_OK, "%s, up", driver);
	if (d->on.carries_host)
		doctor_say(d, c, LEVEL_OK, "%s goes by it: --fix leaves its rings alone, --port "
			   "refuses it", d->on.carries);
}

/* A tunnel or a VLAN has the MTU that what it stands on leaves it. */
static bool is_an_end(struct doctor *d)
{
	char line[64];

	return !strcmp(d->on.driver, "veth") ||
	       doctor_line(d->sys, line, sizeof(line), "class/net/%s/device/uevent",
			   d->on.name) >= 0;
}

/* XDP without frags takes what fits into a page with its headroom. */
static void mtu_is(struct doctor *d, const struct check *c)
{
	struct finding *f;
	uint64_t mtu, type;

	if (!doctor_number(d->sys, &mtu, "class/net/%s/mtu", d->on.name) ||
	    !doctor_number(d->sys, &type, "class/net/%s/type", d->on.name))
		return;
	if (mtu < 1500 && type == ARPHRD_ETHER && is_an_end(d)) {
		f = doctor_say(d, c, LEVEL_WARN, "%llu, and longer frames are dropped",
			       (unsigned long long)mtu);
		/* the host's way out can have no more: that of a cloud, for one */
		if (!d->on.carries_host)
			doctor_remedy(f, "ip link set %s mtu 1500", d->on.name);
	} else if (mtu > 3498) {
		doctor_say(d, c, LEVEL_NOTE, "%llu: XDP needs a driver that takes frames in parts",
			   (unsigned long long)mtu);
	} else {
		doctor_say(d, c, LEVEL_OK, "%llu", (unsigned long long)mtu);
	}
}

/* ---- rings and queues ---- */

static void rings(struct doctor *d, const struct check *c)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	char value[SETTING_VALUE];
	struct finding *f;

	if (ethtool_ioctl(d, d->on.name, &ring) || !ring.rx_max_pending)
		return;
	if (ring.rx_pending >= ring.rx_max_pending) {
		doctor_say(d, c, LEVEL_OK, "%u frames, the most there is", ring.rx_pending);
		return;
	}
	f = doctor_say(d, c, LEVEL_WARN, "%u frames of %u%s%s", ring.rx_pending,
		       ring.rx_max_pending, d->on.carries_host ? ", left alone because a change "
		       "can bounce the link of " : "", d->on.carries_host ? d->on.carries : "");
	doctor_remedy(f, "ethtool -G %s rx %u", d->on.name, ring.rx_max_pending);
	if (d->on.carries_host)
		return;
	snprintf(value, sizeof(value), "%u", ring.rx_max_pending);
	doctor_want(d, "ring", value, "rx");
}

static void count_rx(void *user, const char *name)
{
	*(int *)user += !strncmp(name, "rx-", 3);
}

static void queues(struct doctor *d, const struct check *c)
{
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	cpu_set_t online;
	char path[64];
	struct finding *f;
	int cpus = doctor_online(d, &online), now = 0, most = 0, want;
	bool combined;

	snprintf(path, sizeof(path), "class/net/%s/queues", d->on.name);
	if (!ethtool_ioctl(d, d->on.name, &ch)) {
		now = ch.combined_count + ch.rx_count;
		most = ch.max_combined ? ch.max_combined : ch.max_rx;
	} else {
		doctor_names(d->sys, path, count_rx, &now);
	}
	if (!now)
		return;
	combined = ch.max_combined;
	want = most < cpus ? most : cpus;
	if (now < want) {
		f = doctor_say(d, c, LEVEL_NOTE, "%d of %d, for %d cores", now, most, cpus);
		doctor_remedy(f, "ethtool -L %s %s %d", d->on.name, combined ? "combined" : "rx",
			       want);
	} else if (cpus && now > cpus) {
		doctor_say(d, c, LEVEL_OK, "%d for %d cores: some serve several", now, cpus);
	} else {
		doctor_say(d, c, LEVEL_OK, "%d for %d core%s", now, cpus, cpus == 1 ? "" : "s");
	}
}

/* ---- how flows are spread ---- */

static struct ethtool_rxfh *read_rss(struct doctor *d)
{
	struct ethtool_rxfh ask = { .cmd = ETHTOOL_GRSSH }, *rss;

	if (ethtool_ioctl(d, d->on.name, &ask) || ask.indir_size > 1 << 16 ||
	    ask.key_size > KEY_MAX || (!ask.indir_size && !ask.key_size))
		return NULL;
	rss = calloc(1, sizeof(*rss) + ask.indir_size * sizeof(__u32) + ask.key_size);
	if (!rss)
		return NULL;
	rss->cmd = ETHTOOL_GRSSH;
	rss->indir_size = ask.indir_size;
	rss->key_size = ask.key_size;
	if (ethtool_ioctl(d, d->on.name, rss)) {
		free(rss);
		return NULL;
	}
	return rss;
}

#define SYMMETRIC_KEY "ethtool -X %s hkey $(printf ':6d:5a%%.0s' $(seq %u) | cut -c2-)"

static const uint8_t *hash_key(const struct ethtool_rxfh *rss)
{
	return (const uint8_t *)&rss->rss_config[rss->indir_size];
}

static bool no_key(const struct ethtool_rxfh *rss)
{
	const uint8_t *key = hash_key(rss);

	return !key[0] && !memcmp(key, key + 1, rss->key_size - 1);
}

/* Toeplitz gives both directions one sum when the key comes back every 16 bits. */
static bool symmetric(const struct ethtool_rxfh *rss)
{
	const uint8_t *key = hash_key(rss);

	for (__u32 i = 2; i < rss->key_size; i++)
		if (key[i] != key[i - 2])
			return false;
	return rss->key_size > 2;
}

/* Return: queues that the table names; 0: there is no table. */
static int spread(const struct ethtool_rxfh *rss)
{
	bool seen[4096] = { false };
	int nr = 0;

	for (__u32 i = 0; i < rss->indir_size; i++) {
		if (rss->rss_config[i] >= sizeof(seen) || seen[rss->rss_config[i]])
			continue;
		seen[rss->rss_config[i]] = true;
		nr++;
	}
	return nr;
}

static void hash(struct doctor *d, const struct check *c)
{
	struct ethtool_rxfh *rss = read_rss(d);
	char over[40] = "";
	struct finding *f;
	int nr;

	if (!rss)
		return;
	nr = spread(rss);
	if (nr)		/* else there is no table */
		snprintf(over, sizeof(over), ", over %d queues", nr);
	if (nr == 1) {
		doctor_say(d, c, LEVEL_OK, "everything goes to one queue");
	} else if (rss->hfunc == HASH_XOR || rss->rsvd8[0]) {	/* input_xfrm, Linux 6.8 */
		doctor_say(d, c, LEVEL_OK, "symmetric (xor)%s", over);
	} else if (rss->hfunc && rss->hfunc != HASH_TOEPLITZ) {
		doctor_say(d, c, LEVEL_NOTE, "the hash is not Toeplitz, and not symmetric%s", over);
	} else if (!rss->key_size) {
		doctor_say(d, c, LEVEL_NOTE, "by a key that the driver does not show%s", over);
	} else if (no_key(rss)) {
		f = doctor_say(d, c, LEVEL_WARN, "the key is zero: each flow has the same hash");
		doctor_remedy(f, SYMMETRIC_KEY, d->on.name, rss->key_size / 2);
	} else if (symmetric(rss)) {
		doctor_say(d, c, LEVEL_OK, "symmetric (the key repeats)%s", over);
	} else {
		f = doctor_say(d, c, LEVEL_NOTE, "the key is not symmetric%s", over);
		doctor_remedy(f, SYMMETRIC_KEY, d->on.name, rss->key_size / 2);
	}
	free(rss);
}

/* ---- offloads: the key is what ethtool -K calls it, and the features behind ---- */

/* "tx-tcp*" */
static bool matches(const char *pattern, size_t len, const char *name)
{
	if (len && pattern[len - 1] == '*')
		return !strncmp(pattern, name, len - 1);
	return strlen(name) == len && !strncmp(pattern, name, len);
}

static bool is_one(const char *patterns, const char *name)
{
	while (*patterns) {
		size_t len = strcspn(patterns, " ");

		if (matches(patterns, len, name))
			return true;
		patterns += len + strspn(patterns + len, " ");
	}
	return false;
}

static void offload(struct doctor *d, const struct check *c)
{
	struct feature *list;
	int nr = ethtool_features(d, d->on.name, &list), on = 0, fixed = 0, there = 0;
	size_t option = strcspn(c->key, " ");
	const char *patterns = c->key + option + 1;
	struct finding *f;

	if (nr < 0)
		return;
	for (int i = 0; i < nr; i++) {
		if (!is_one(patterns, list[i].name))
			continue;
		there++;
		on += list[i].active;
		fixed += list[i].active && list[i].fixed;
	}
	if (on && on == fixed) {
		doctor_say(d, c, LEVEL_NOTE, "on, and the driver has no switch for it");
	} else if (on) {
		f = doctor_say(d, c, c->least ? LEVEL_NOTE : LEVEL_WARN, "on");
		doctor_remedy(f, "ethtool -K %s %.*s off", d->on.name, (int)option, c->key);
		for (int i = 0; i < nr; i++)
			if (is_one(patterns, list[i].name) && list[i].active && !list[i].fixed)
				doctor_want(d, "feature", "off", "%s", list[i].name);
	} else if (there) {
		doctor_say(d, c, LEVEL_OK, "off");
	}
	free(list);
}

/* ---- pause ---- */

static void pause_frames(struct doctor *d, const struct check *c)
{
	struct ethtool_pauseparam p = { .cmd = ETHTOOL_GPAUSEPARAM };
	struct finding *f;

	if (ethtool_ioctl(d, d->on.name, &p))
		return;
	if (!p.rx_pause && !p.tx_pause) {
		doctor_say(d, c, LEVEL_OK, "off");
		return;
	}
	/* what it obeys is no harm to what it receives; some drivers find that out by themselves */
	f = doctor_say(d, c, p.tx_pause ? LEVEL_NOTE : LEVEL_OK, "rx %s, tx %s",
		       p.rx_pause ? "on" : "off", p.tx_pause ? "on" : "off");
	if (p.tx_pause)
		doctor_remedy(f, "ethtool -A %s autoneg off rx off tx off", d->on.name);
	doctor_want(d, "pause", "autoneg off rx off tx off", "frames");
}

/* ---- XDP ---- */

static const struct { uint64_t bit; const char *name; } xdp_features[] = {
	{ 1, "basic" }, { 2, "redirect" }, { 4, "transmit" }, { 8, "zero copy" },
	{ 16, "offload" }, { 32, "frags" }, { 64, "transmit frags" },
};

static void xdp(struct doctor *d, const struct check *c)
{
	struct netdev_xdp xdp;
	char list[160] = "";
	int err = netlink_xdp(d, &xdp);

	if (err == -ENOENT)
		doctor_say(d, c, LEVEL_NOTE, "this kernel does not say what %s can do with XDP: "
			   "that begins with Linux 6.3", d->on.driver[0] ? d->on.driver : "it");
	if (err)
		return;
	for (size_t i = 0; i < sizeof(xdp_features) / sizeof(xdp_features[0]); i++)
		if (xdp.features & xdp_features[i].bit)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 list[0] ? ", " : "", xdp_features[i].name);
	if (xdp.metadata & 1)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), ", time stamps");
	if (!(xdp.features & 1))
		doctor_say(d, c, LEVEL_NOTE, "the driver has no XDP: programs run behind it, "
			   "where each frame has cost an allocation already");
	else if (!(xdp.features & 8))
		doctor_say(d, c, LEVEL_NOTE, "%s; no zero copy: AF_XDP copies each frame", list);
	else
		doctor_say(d, c, LEVEL_OK, "%s", list);
}

/* ---- NAPI ---- */

static void napi(struct doctor *d, const struct check *c)
{
	uint64_t flush = 0, defer = 0, threaded = 0;
	struct finding *f;

	if (!doctor_number(d->sys, &flush, "class/net/%s/gro_flush_timeout", d->on.name))
		return;
	doctor_number(d->sys, &defer, "class/net/%s/napi_defer_hard_irqs", d->on.name);
	doctor_number(d->sys, &threaded, "class/net/%s/threaded", d->on.name);
	f = doctor_say(d, c, flush > 1000000 ? LEVEL_WARN : LEVEL_OK, "gro_flush_timeout %llu ns, "
		       "napi_defer_hard_irqs %llu, %s", (unsigned long long)flush,
		       (unsigned long long)defer, threaded ? "threaded" : "in softirqs");
	if (flush > 1000000)
		doctor_remedy(f, "echo 0 > /sys/class/net/%s/gro_flush_timeout", d->on.name);
}

#define OFFLOAD(name, key, note, cost) { name, offload, cost, BY_FIX, key, note, 0 }
enum { IS_WARN, IS_NOTE };

const struct check nic_checks[] = {
	{ "link", link_is, "nothing arrives", BY_HAND, NULL, 0, 0 },
	{ "mtu", mtu_is, NULL, BY_HAND, NULL, 0, 0 },
	{ "rings", rings, "what comes while the core is busy is lost when the ring is full",
	  BY_FIX, NULL, 0, 0 },
	{ "queues", queues, "the other cores have no share of the work", BY_HAND, NULL, 0, 0 },
	{ "rss", hash, "the two directions of a flow can come by different queues", BY_HAND,
	  NULL, 0, 0 },
	OFFLOAD("gro", "gro rx-gro", IS_WARN,
		"frames are merged before a capture above XDP sees them"),
	OFFLOAD("gro_list", "rx-gro-list rx-gro-list", IS_WARN,
		"frames are chained before a capture above XDP sees them"),
	OFFLOAD("gro_hw", "rx-gro-hw rx-gro-hw", IS_WARN, "the NIC merges frames, also before XDP"),
	OFFLOAD("lro", "lro rx-lro", IS_WARN, "the NIC merges frames, and what they were is lost"),
	OFFLOAD("udp_gro", "rx-udp-gro-forwarding rx-udp-gro-forwarding", IS_WARN,
		"datagrams are merged before a capture above XDP sees them"),
	OFFLOAD("tso", "tso tx-tcp*", IS_WARN,
		"outgoing frames are captured before they are cut to size"),
	OFFLOAD("gso", "gso tx-generic-segmentation", IS_WARN,
		"outgoing frames are captured before they are cut to size"),
	OFFLOAD("udp_gso", "tx-udp-segmentation tx-udp-segmentation", IS_WARN,
		"outgoing datagrams are captured before they are cut to size"),
	OFFLOAD("rx_vlan", "rxvlan rx-vlan-hw-parse", IS_WARN,
		"the NIC takes VLAN tags off, and XDP does not see them"),
	OFFLOAD("rx_svlan", "rx-vlan-stag-hw-parse rx-vlan-stag-hw-parse", IS_WARN,
		"the NIC takes outer VLAN tags off, and XDP does not see them"),
	OFFLOAD("tx_checksum", "tx tx-checksum*", IS_NOTE,
		"outgoing frames are captured before their checksum is filled in"),
	OFFLOAD("rx_checksum", "rx rx-checksum", IS_NOTE,
		"what the NIC found is not in the frame, and lets LRO and GRO begin"),
	{ "pause", pause_frames, "a NIC that has no room stops its sender, and a switch's mirror "
	  "port then drops what nobody counts", BY_PORT, NULL, 0, 0 },
	{ "xdp", xdp, NULL, BY_HAND, NULL, 0, 0 },
	{ "napi", napi, "frames wait that long in the NIC", BY_HAND, NULL, 0, 0 },
	{ 0 }
};
