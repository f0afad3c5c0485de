// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the name of an interface.
 * Out:  what the ethtool ioctls say of it: they are in every kernel and every driver.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "doctor.h"

int ethtool_ioctl(struct doctor *d, const char *iface, void *data)
{
	struct ifreq ifr = { .ifr_data = data };
	int ret;

	if (d->sock < 0)
		return -EOPNOTSUPP;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
	ret = ioctl(d->sock, SIOCETHTOOL, &ifr);
	return ret < 0 ? -errno : ret;
}

static int nr_features(struct doctor *d, const char *iface)
{
	__u32 room[(sizeof(struct ethtool_sset_info) + 3) / 4 + 1] = { 0 };
	struct ethtool_sset_info *ask = (void *)room;
	int err;

	ask->cmd = ETHTOOL_GSSET_INFO;
	ask->sset_mask = 1ULL << ETH_SS_FEATURES;
	err = ethtool_ioctl(d, iface, ask);
	if (err)
		return err;
	return ask->sset_mask && ask->data[0] < 4096 ? (int)ask->data[0] : -EOPNOTSUPP;
}

int ethtool_features(struct doctor *d, const char *iface, struct feature **out)
{
	int nr = nr_features(d, iface), blocks = (nr + 31) / 32, err = -ENOMEM;
	struct ethtool_gstrings *names;
	struct ethtool_gfeatures *bits;
	struct feature *list;

	if (nr <= 0)
		return nr ? nr : -EOPNOTSUPP;
	names = calloc(1, sizeof(*names) + (size_t)nr * ETH_GSTRING_LEN);
	bits = calloc(1, sizeof(*bits) + blocks * sizeof(bits->features[0]));
	list = calloc(nr, sizeof(*list));
	if (!names || !bits || !list)
		goto fail;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = nr;
	bits->cmd = ETHTOOL_GFEATURES;
	bits->size = blocks;
	err = ethtool_ioctl(d, iface, names);
	if (!err)
		err = ethtool_ioctl(d, iface, bits);
	if (err)
		goto fail;
	for (int i = 0; i < nr; i++) {
		const struct ethtool_get_features_block *b = &bits->features[i / 32];
		__u32 bit = 1U << (i % 32);

		memcpy(list[i].name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		list[i].wanted = b->requested & bit;
		list[i].active = b->active & bit;
		list[i].fixed = !(b->available & bit) || b->never_changed & bit;
	}
	*out = list;
	list = NULL;
	err = nr;
fail:
	free(names);
	free(bits);
	free(list);
	return err;
}
