// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an interface that is to be busy-polled.
 * Out:  its napi_defer_hard_irqs and gro_flush_timeout changed, and changed back.
 * Owns: /run/xcap/busypoll-NAMESPACE-IFINDEX while they are changed.
 * Runs on: any thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "busypoll.h"

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif

#define STATE_DIR "/run/xcap"
#define STATE_PREFIX "busypoll-"
#define DEFER "napi_defer_hard_irqs"
#define FLUSH "gro_flush_timeout"
/*
 * Interrupts stay off for so many empty polls, each flush timeout long. A timeout
 * that is too short wedges the queue on kernels before 7.0: 2 ms is far from that,
 * and a reader that dies is noticed within it.
 */
#define DEFER_POLLS 2
#define FLUSH_NS 2000000L

/* A locked file says that its owner lives; the kernel unlocks it when it dies. */
struct busypoll {
	int fd;
	char path[128];
	char name[IF_NAMESIZE];
	long defer, flush;	/* what they were */
};

static int sysfs(const char *name, const char *key, long *value, bool set)
{
	char path[128];
	FILE *f;
	int ok;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, key);
	f = fopen(path, set ? "we" : "re");
	if (!f)
		return -errno;
	errno = 0;
	ok = set ? fprintf(f, "%ld\n", *value) > 0 : fscanf(f, "%ld", value) == 1;
	if (fclose(f) || !ok)
		return errno ? -errno : -EIO;
	return 0;
}

/* sysfs may show another network namespace than ours, with an interface of that name in it. */
static bool is_ours(const char *name)
{
	unsigned char mac[6];
	char path[128];
	struct ifreq ifr = {};
	long shown = 0;
	int fd, n;
	FILE *f;

	if (sysfs(name, "ifindex", &shown, false) || shown != (long)if_nametoindex(name))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	n = ioctl(fd, SIOCGIFHWADDR, &ifr);
	close(fd);
	snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	f = n ? NULL : fopen(path, "re");
	if (!f)
		return false;
	n = fscanf(f, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		   &mac[4], &mac[5]);
	fclose(f);
	return n == 6 && !memcmp(mac, ifr.ifr_hwaddr.sa_data, 6);
}

/* Of the network namespace: what another one left is for that one to restore. */
static unsigned long netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

/* What could not be put back stays on record: the next capture that may does it. */
static void restore(struct busypoll *b)
{
	int ret = 0;

	if (b->name[0] && is_ours(b->name)) {
		ret = sysfs(b->name, DEFER, &b->defer, true);
		ret = sysfs(b->name, FLUSH, &b->flush, true) ?: ret;
	}
	if (!ret)
		unlink(b->path);
}

/* Return: true: locked, so whoever wrote it is dead; an empty one changed nothing yet. */
static bool adopt(struct busypoll *b)
{
	char text[128] = "";

	b->fd = open(b->path, O_RDWR | O_CLOEXEC);
	if (b->fd < 0)
		return false;
	if (flock(b->fd, LOCK_EX | LOCK_NB) || read(b->fd, text, sizeof(text) - 1) < 0) {
		close(b->fd);
		return false;
	}
	if (sscanf(text, "%15s %ld %ld", b->name, &b->defer, &b->flush) != 3)
		b->name[0] = '\0';
	return true;
}

void busypoll_recover(void)
{
	struct dirent *e;
	char prefix[64];
	DIR *dir;

	dir = opendir(STATE_DIR);
	if (!dir)
		return;
	snprintf(prefix, sizeof(prefix), STATE_PREFIX "%lu-", netns());
	while ((e = readdir(dir))) {
		struct busypoll b = {};

		if (strncmp(e->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(b.path, sizeof(b.path), STATE_DIR "/%.100s", e->d_name);
		if (!adopt(&b))
			continue;
		restore(&b);
		close(b.fd);
	}
	closedir(dir);
}

/* The old values are on disk before the first of them changes. */
static int save(struct busypoll *b, uint32_t ifindex)
{
	if (mkdir(STATE_DIR, 0755) && errno != EEXIST)
		return -errno;
	snprintf(b->path, sizeof(b->path), STATE_DIR "/" STATE_PREFIX "%lu-%u", netns(), ifindex);
	b->fd = open(b->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (b->fd < 0)
		return -errno;
	if (flock(b->fd, LOCK_EX | LOCK_NB) ||
	    dprintf(b->fd, "%s %ld %ld\n", b->name, b->defer, b->flush) < 0)
		return -errno;
	return 0;
}

int busypoll_open(struct busypoll **out, const struct netdev *dev, struct error *err)
{
	struct busypoll *b = calloc(1, sizeof(*b));
	long defer = DEFER_POLLS, flush = FLUSH_NS;
	int ret = -ENOENT;

	if (!b)
		return -ENOMEM;
	b->fd = -1;
	snprintf(b->name, sizeof(b->name), "%s", dev->name);
	if (is_ours(b->name))
		ret = sysfs(b->name, DEFER, &b->defer, false);
	ret = ret ?: sysfs(b->name, FLUSH, &b->flush, false);
	if (!ret) {
		ret = save(b, dev->ifindex);
		if (ret == -EEXIST) {	/* another live capture has changed them: its to restore */
			free(b);
			*out = NULL;
			return 0;
		}
	}
	ret = ret ?: sysfs(b->name, DEFER, &defer, true);
	ret = ret ?: sysfs(b->name, FLUSH, &flush, true);
	if (ret) {
		busypoll_close(b);
		return error_set(err, ret,
				 "cannot set %s up for busy polling in /sys/class/net (%s): mount "
				 "the sysfs of its network namespace, or leave ?busy_poll out",
				 dev->name, strerrordesc_np(-ret));
	}
	*out = b;
	return 0;
}

void busypoll_close(struct busypoll *b)
{
	if (!b)
		return;
	if (b->fd >= 0) {
		restore(b);
		close(b->fd);
	}
	free(b);
}

int busypoll_socket(int fd)
{
	int on = 1, us = 20, budget = 64;

	if (setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget)))
		return -errno;
	return 0;
}
