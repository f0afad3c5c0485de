// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what bpf/readers.bpf.c finds among the open files of all processes.
 * Out:  whether a process reads the device.
 * Owns: the BPF object, the list of processes.
 * Runs on: the thread of the stream.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bpf_load.h"
#include "clock.h"
#include "readers.h"
#include "xcap_event.h"
#include "readers.skel.h"

#define LOOK_NS (NS_PER_SEC / 20)
#define LOOK_MAX_NS NS_PER_SEC	/* whatever it costs */
#define SHARE 100		/* of a CPU that looking may take: a hundredth */

struct readers {
	struct readers_bpf *skel;
	uint32_t *pids;		/* in order, each once */
	int nr, room;
	int64_t next_ns;	/* when to look again */
};

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* In order, each once. */
static int tidy(uint32_t *pids, int nr)
{
	int n = 0;

	qsort(pids, nr, sizeof(*pids), by_number);
	for (int i = 0; i < nr; i++)
		if (!n || pids[i] != pids[n - 1])
			pids[n++] = pids[i];
	return n;
}

/* All of the iterator, behind one another. Return: how many, or -errno. */
static int read_all(struct readers *r, int fd)
{
	size_t have = 0;

	for (;;) {
		size_t size = r->room * sizeof(*r->pids);
		ssize_t n;

		if (size - have < sizeof(*r->pids)) {
			uint32_t *more = realloc(r->pids, 2 * size + 256);

			if (!more)
				return -ENOMEM;
			r->pids = more;
			r->room = (2 * size + 256) / sizeof(*more);
			continue;
		}
		n = read(fd, (char *)r->pids + have, size - have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return have / sizeof(*r->pids);
		have += n;
	}
}

static int look(struct readers *r)
{
	int fd = bpf_iter_create(bpf_link__fd(r->skel->links.readers)), nr;

	if (fd < 0)
		return fd;
	nr = read_all(r, fd);
	close(fd);
	r->nr = nr > 0 ? tidy(r->pids, nr) : 0;
	return nr < 0 ? nr : 0;
}

/* Of this thread: a look that had to wait for a CPU has cost no more. */
static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int readers_look(struct readers *r, int64_t now_ns, struct error *err)
{
	int64_t pause_ns;
	int ret;

	if (now_ns < r->next_ns)
		return 0;
	pause_ns = cpu_ns();
	ret = look(r);
	pause_ns = SHARE * (cpu_ns() - pause_ns);
	if (pause_ns < LOOK_NS)
		pause_ns = LOOK_NS;
	r->next_ns = now_ns + (pause_ns < LOOK_MAX_NS ? pause_ns : LOOK_MAX_NS);
	if (ret)
		return error_set(err, ret, "cannot find out who reads the device: %s; without "
				 "that a reader's own calls would be shown to it for ever",
				 strerror(-ret));
	return 0;
}

bool readers_have(const struct readers *r, uint32_t pid)
{
	return bsearch(&pid, r->pids, r->nr, sizeof(*r->pids), by_number);
}

int readers_open(struct readers **out, const uint8_t mac[6], struct error *err)
{
	struct readers *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return error_set(err, -ENOMEM, "no memory to look for readers");
	bpf_load_quiet();
	r->skel = readers_bpf__open();
	ret = r->skel ? 0 : -errno;
	if (!ret) {
		memcpy((void *)r->skel->rodata->cfg.mac, mac, 6);
		ret = readers_bpf__load(r->skel);
	}
	if (ret)
		bpf_load_failed(ret, "the device's readers", err);
	ret = ret ?: bpf_load_attach(r->skel->progs.readers, &r->skel->links.readers, err);
	ret = ret ?: readers_look(r, clock_mono_ns(), err);
	if (ret) {
		readers_close(r);
		return ret;
	}
	*out = r;
	return 0;
}

void readers_close(struct readers *r)
{
	if (!r)
		return;
	readers_bpf__destroy(r->skel);
	free(r->pids);
	free(r);
}
