// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   "xsk:eth0": the frames that bpf/xdp_redirect.bpf.c hands to AF_XDP sockets.
 * Out:  a lane for each RX queue (xskq.c); frames are lent where the NIC put them.
 * Owns: the program and its link, one UMEM for all queues, the sockets.
 * Runs on: the thread of the handle.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach.h"
#include "bpf_load.h"
#include "busypoll.h"
#include "clock.h"
#include "kfilter.h"
#include "netdev.h"
#include "source.h"
#include "ssh.h"
#include "umem.h"
#include "xcap_event.h"
#include "xsk_conf.h"
#include "xskq.h"
#include "xdp_redirect.skel.h"

#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)		/* kernel 6.6 */
#endif

#define COMPLETION_SIZE 64		/* nothing is sent, but the kernel wants the ring */
#define BUSY_FOR (2 * NS_PER_SEC)	/* a closed socket may hold its queue for a while */
#define HOOK_FOR (NS_PER_SEC / 2)	/* so may a killed process its program */
#define LINK_FOR (5 * NS_PER_SEC)	/* NICs that begin anew when a program is attached */
#define NAP_US 10000
#define FILTER_NOTE "leaves to the host what does not match"
#define NS_PER_FRAME 67		/* 10 Gbit/s of the smallest frames: a nap fills half the ring */

struct xsk {
	struct xdp_redirect_bpf *bpf;
	struct kfilter filter;
	struct umem umem;
	struct xsk_umem *xdp_umem;
	struct xskq *queues;
	int nr, nr_gone;
	int link, promisc;		/* -1 none */
	bool generic;
	struct xcap_cpu *counts;	/* mapped; by number of the queue */
	size_t counts_size;
	struct busypoll *busypoll;
	struct xsk_conf conf;
};

static void source_xsk_close(struct source *s);

/* ---- the program ---- */

static void configure(struct xsk *x, const struct xsk_conf *c, const struct ssh_peer *ssh,
		      bool shared)
{
	struct xdp_redirect_cfg *cfg = (struct xdp_redirect_cfg *)&x->bpf->rodata->cfg;

	cfg->ifindex = c->dev.ifindex;
	/* ssh may come in here though its address stands on another interface */
	cfg->pass_host = c->dev.busy[0] != '\0';
	memcpy(cfg->ssh_remote, ssh->remote, sizeof(cfg->ssh_remote));
	memcpy(cfg->ssh_local, ssh->local, sizeof(cfg->ssh_local));
	cfg->ssh_remote_port = ssh->remote_port;
	cfg->ssh_local_port = ssh->local_port;
	cfg->shared = shared;
	bpf_map__set_max_entries(x->bpf->maps.xsks, c->first + c->nr);
	bpf_map__set_max_entries(x->bpf->maps.queues, c->first + c->nr);
	if (c->sg)
		bpf_program__set_flags(x->bpf->progs.xdp_redirect, BPF_F_XDP_HAS_FRAGS);
	if (c->sg)
		bpf_program__set_flags(x->bpf->progs.redirect_kept, BPF_F_XDP_HAS_FRAGS);
}

/* What does not match is the host's, so the kernel has to be able to tell. */
static int set_filter(struct xsk *x, struct source *s, const char *expression)
{
	int ret = kfilter_set(&x->filter, s, expression);
	struct error why;

	if (ret == -EOPNOTSUPP || ret == -E2BIG) {
		why = *s->err;
		return error_set(s->err, ret, "%.350s, so it cannot leave to the host what does "
				 "not match: use a simpler filter, or copy with tap:%s", why.text,
				 x->conf.dev.name);
	}
	if (!ret)
		kfilter_note(s, "%s", expression && *expression ?
			     FILTER_NOTE : "");
	return ret;
}

static int open_filter(struct xsk *x, struct source *s, bool shared)
{
	int ret;

	x->filter = (struct kfilter){
		.target = {
			.hook = x->conf.sg ? CBPF_XDP_FRAGS : CBPF_XDP,
			.progs_fd = bpf_map__fd(x->bpf->maps.progs),
			.verdict = XDP_PASS,
			.counts_fd = bpf_map__fd(x->bpf->maps.queues),
			.by_queue = true,
			.shared = shared,
		},
		.in = bpf_program__fd(x->bpf->progs.redirect_kept),
		.out = -1,
	};
	ret = kfilter_open(&x->filter, s->err);
	return ret ?: set_filter(x, s, s->conf->filter);
}

/* A capture that was killed a moment ago may still be on its way out. */
static int attach_patiently(struct xsk *x, struct source *s, const struct xsk_conf *c)
{
	int fd = bpf_program__fd(x->bpf->progs.xdp_redirect);
	int64_t deadline = clock_mono_ns() + HOOK_FOR;

	for (;;) {
		x->link = attach_xdp(fd, c->dev.ifindex, &x->generic, s->err);
		if (x->link >= 0)
			return 0;
		if (x->link != -EBUSY || clock_mono_ns() > deadline)
			return x->link;
		usleep(NAP_US);
	}
}

static int load_and_attach(struct xsk *x, struct source *s, const struct xsk_conf *c,
			   const struct ssh_peer *ssh, bool shared)
{
	int ret;

	x->bpf = xdp_redirect_bpf__open();
	if (!x->bpf)
		return bpf_load_failed(-errno, s->spec, s->err);
	configure(x, c, ssh, shared);
	ret = xdp_redirect_bpf__load(x->bpf);
	if (ret)
		return bpf_load_failed(ret, s->spec, s->err);
	ret = open_filter(x, s, shared);
	return ret ?: attach_patiently(x, s, c);
}

static void detach(struct xsk *x)
{
	if (x->link >= 0)
		close(x->link);
	if (x->promisc >= 0)
		close(x->promisc);
	x->link = x->promisc = -1;
}

static int map_counts(struct xsk *x, int fd)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *map;

	x->counts_size = ((x->conf.first + x->conf.nr) * sizeof(*x->counts) + page - 1) &
			 ~(page - 1);
	map = mmap(NULL, x->counts_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	x->counts = map;
	return 0;
}

/* Its counts cost more where several CPUs may run a queue, which only attaching tells. */
static int open_program(struct xsk *x, struct source *s, const struct xsk_conf *c,
			const struct ssh_peer *ssh)
{
	int ret = load_and_attach(x, s, c, ssh, false);

	if (!ret && x->generic) {
		detach(x);
		xdp_redirect_bpf__destroy(x->bpf);
		ret = load_and_attach(x, s, c, ssh, true);
	}
	return ret ?: map_counts(x, bpf_map__fd(x->bpf->maps.queues));
}

/* ---- sockets ---- */

static int bind_once(struct xsk *x, const struct xsk_conf *c, int i, uint16_t flags)
{
	struct xsk_socket_config conf = {
		.rx_size = c->ring,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = flags,
	};
	struct xskq *q = &x->queues[i];

	return xsk_socket__create_shared(&q->xsk, c->dev.name, c->first + i, x->xdp_umem, &q->rx,
					 NULL, &q->fill, &q->completion, &conf);
}

/* The kernel tears sockets down in its own time: what another has just closed is still busy. */
static int bind_patiently(struct xsk *x, const struct xsk_conf *c, int i, uint16_t flags)
{
	int64_t deadline = clock_mono_ns() + BUSY_FOR;
	int ret;

	while ((ret = bind_once(x, c, i, flags)) == -EBUSY && clock_mono_ns() < deadline)
		usleep(NAP_US);
	return ret;
}

/* The first socket decides how the UMEM is used, the others follow it. */
static int bind_queue(struct xsk *x, const struct xsk_conf *c, int i)
{
	uint16_t flags = XDP_USE_NEED_WAKEUP | (c->sg ? XDP_USE_SG : 0);
	int ret = -EOPNOTSUPP;

	if (i)
		return bind_patiently(x, c, i, 0);
	if (!x->generic)
		ret = bind_patiently(x, c, i, flags | XDP_ZEROCOPY);
	if (ret && ret != -EBUSY)
		ret = bind_patiently(x, c, i, flags | XDP_COPY);
	return ret;
}

static int open_queue(struct xsk *x, struct source *s, const struct xsk_conf *c, int i)
{
	uint32_t queue = c->first + i, keep = c->ring / 2;
	struct xskq *q = &x->queues[i];
	int ret;

	if (i)
		ret = umem_pool_open(&q->pool, i * c->frames, c->frames, c->chunk, keep);
	else
		ret = 0;	/* open_umem() had to have it */
	if (!ret && c->sg)
		ret = joined_open(&q->joined, c->frames * c->chunk, q->pool.mask + 1);
	if (ret)
		return ret;
	ret = bind_queue(x, c, i);
	if (ret)
		return xsk_conf_refused(c, ret, queue, s->err);
	q->fd = xsk_socket__fd(q->xsk);
	if (c->busy_poll) {
		ret = busypoll_socket(q->fd);
		if (ret)
			return error_set(s->err, ret,
					 "this kernel refuses preferred busy polling (%s): "
					 "leave ?busy_poll out",
					 strerrordesc_np(-ret));
	}
	xskq_refill(q);
	return 0;
}

static void describe_queue(struct xsk *x, struct source *s, const struct xsk_conf *c, int i)
{
	struct xskq *q = &x->queues[i];

	q->area = x->umem.area;
	q->snaplen = c->snaplen;
	q->busy_poll = c->busy_poll;
	q->in_order = !x->generic;
	q->trail_ns = x->generic ? s->slack_ns : 0;
	q->counts = &x->counts[c->first + i];
	q->ifindex = c->dev.ifindex;
	q->err = s->err;
	q->spec = s->spec;
	q->asks_nic = i == 0;
	q->nic_base = i == 0 ? netdev_rx_missed(c->dev.ifindex) : 0;
	q->mark_ns = clock_mono_ns();
	q->plain = (struct xcap_record){
		.source = s->index,
		.type = XCAP_PACKET,
		.direction = XCAP_DIR_IN,
		.cpu = XCAP_CPU_UNKNOWN,
		.ifindex = c->dev.ifindex,
		.packet = { .linktype = XCAP_LINK_ETHERNET, .queue = c->first + i },
	};
}

/* The first queue's fill ring belongs to the UMEM and is filled before its socket is bound. */
static int open_umem(struct xsk *x, struct source *s, const struct xsk_conf *c)
{
	struct xsk_umem_config conf = {
		.fill_size = c->ring,
		.comp_size = COMPLETION_SIZE,
		.frame_size = c->chunk,
	};
	struct xskq *q = &x->queues[0];
	int ret;

	ret = umem_open(&x->umem, c->frames * c->nr, c->chunk, s->err);
	if (ret)
		return ret;
	ret = xsk_umem__create(&x->xdp_umem, x->umem.area, x->umem.area_size, &q->fill,
			       &q->completion, &conf);
	if (ret)
		return xsk_conf_refused(c, ret, c->first, s->err);
	ret = umem_pool_open(&q->pool, 0, c->frames, c->chunk, c->ring / 2);
	if (!ret)
		umem_fill(&q->pool, &q->fill);
	return ret;
}

static int open_sockets(struct xsk *x, struct source *s, const struct xsk_conf *c)
{
	int ret;

	x->queues = calloc(c->nr, sizeof(*x->queues));
	if (!x->queues)
		return -ENOMEM;
	x->nr = c->nr;
	for (int i = 0; i < x->nr; i++)
		describe_queue(x, s, c, i);
	ret = open_umem(x, s, c);
	for (int i = 0; i < x->nr && !ret; i++) {
		x->queues[i].area = x->umem.area;
		ret = open_queue(x, s, c, i);
	}
	return ret;
}

/* From here on frames are ours: all queues at once, or as nearly as can be. */
static int open_gates(struct xsk *x, const struct xsk_conf *c)
{
	int map = bpf_map__fd(x->bpf->maps.xsks);

	for (int i = 0; i < x->nr; i++) {
		__u32 queue = c->first + i, fd = x->queues[i].fd;

		if (bpf_map_update_elem(map, &queue, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* ---- what is said about it ---- */

static void describe(struct xsk *x, struct source *s, const struct xsk_conf *c,
		     const struct ssh_peer *ssh)
{
	struct xdp_options opts = {};
	socklen_t len = sizeof(opts);

	getsockopt(x->queues[0].fd, SOL_XDP, XDP_OPTIONS, &opts, &len);
	snprintf(s->mode, sizeof(s->mode), "xsk %s", x->generic ? "generic" :
		 opts.flags & XDP_OPTIONS_ZEROCOPY ? "zero-copy" : "copy");
	xsk_conf_note(c, ssh, s->note, sizeof(s->note));
	if (s->conf->filter)
		kfilter_note(s, FILTER_NOTE);
}

/* Attaching a program restarts the rings of many a NIC, and the link with them. */
static void await_link(const struct xsk_conf *c)
{
	int64_t deadline = clock_mono_ns() + LINK_FOR;
	struct netdev dev = c->dev;

	if (!c->dev.running)
		return;
	while (!netdev_get(c->dev.name, &dev, NULL) && !dev.running && clock_mono_ns() < deadline)
		usleep(NAP_US);
}

/* What a reader has to know of it, wherever it runs. */
static void settle(struct xsk *x, struct source *s)
{
	s->nr_lanes = x->nr;
	s->nap_ns = x->conf.busy_poll ? 1 :	/* nobody else polls */
		    x->conf.ring * NS_PER_FRAME / 2;
}

static int open_all(struct xsk *x, struct source *s, const struct spec *spec)
{
	struct ssh_peer ssh = {};
	struct xsk_conf *c = &x->conf;
	int ret;

	ret = xsk_conf_parse(c, spec, s->conf->snaplen, s->err);
	if (ret)
		return ret;
	s->ifindex = c->dev.ifindex;
	busypoll_recover();
	if (s->conf->ssh)
		ssh = *s->conf->ssh;
	else
		ssh_find(&ssh);
	if (c->busy_poll)
		ret = busypoll_open(&x->busypoll, &c->dev, s->err);
	if (x->busypoll)
		s->flags |= XCAP_SOURCE_NET_ADMIN;
	ret = ret ?: open_program(x, s, c, &ssh);
	ret = ret ?: open_sockets(x, s, c);
	if (!ret && c->promisc) {
		x->promisc = attach_promisc(c->dev.ifindex, s->err);
		ret = x->promisc < 0 ? x->promisc : 0;
	}
	if (ret)
		return ret;
	await_link(c);
	describe(x, s, c, &ssh);
	return 0;
}

/* From here on frames are taken from the host. */
static int source_xsk_start(struct source *s)
{
	struct xsk *x = s->priv;
	int ret = open_gates(x, &x->conf);

	if (ret)
		return xsk_conf_refused(&x->conf, ret, x->conf.first, s->err);
	x->filter.live = true;
	s->err->text[0] = '\0';		/* of an attempt that another made up for */
	settle(x, s);
	return 0;
}

/* ---- the contract ---- */

static int source_xsk_filter(struct source *s, const char *expression)
{
	return set_filter(s->priv, s, expression);
}

static struct xsk *xsk_new(struct source *s)
{
	struct xsk *x = calloc(1, sizeof(*x));

	if (x)
		x->link = x->promisc = x->filter.target.progs_fd = -1;
	s->priv = x;
	return x;
}

static int source_xsk_open(struct source *s, const struct spec *spec)
{
	struct xsk *x = xsk_new(s);
	int ret;

	if (!x)
		return -ENOMEM;
	bpf_load_quiet();
	ret = open_all(x, s, spec);
	if (!ret && !s->conf->given)	/* else the reader asks for it */
		ret = source_xsk_start(s);
	if (ret)
		source_xsk_close(s);
	return ret;
}

static struct xskq *queue_of(struct source *s, int lane)
{
	return &((struct xsk *)s->priv)->queues[lane];
}

static int source_xsk_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct xsk *x = s->priv;
	int n = xskq_peek(queue_of(s, lane), recs, max);

	/* the interface is gone: told by the last lane, when all has been read */
	if (n == -ENETDOWN && ++x->nr_gone < x->nr)
		n = -ENODATA;
	return n;
}

static void source_xsk_release(struct source *s, int lane, int n)
{
	xskq_release(queue_of(s, lane), n);
}

static int64_t source_xsk_watermark(struct source *s, int lane)
{
	return xskq_watermark(queue_of(s, lane));
}

static int source_xsk_arm(struct source *s, int epoll_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct xsk *x = s->priv;

	for (int i = 0; i < x->nr; i++)
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, x->queues[i].fd, &ev))
			return -errno;
	return 0;
}

static int source_xsk_sleep(struct source *s, bool on)
{
	struct xsk *x = s->priv;
	int due = 0;

	for (int i = 0; i < x->nr && on; i++)
		due |= xskq_is_due(&x->queues[i]);
	return due;
}

static void source_xsk_stop(struct source *s)
{
	struct xsk *x = s->priv;

	detach(x);
	bpf_load_await_running();
	for (int i = 0; i < x->nr; i++)
		xskq_stop(&x->queues[i]);
}

static void source_xsk_stats(struct source *s, struct source_stats *st)
{
	struct xsk *x = s->priv;

	for (int i = 0; i < x->nr; i++)
		xskq_stats(&x->queues[i], st);
}

/* Nothing comes any more, then the sockets, then the memory they wrote to. */
static void source_xsk_close(struct source *s)
{
	struct xsk *x = s->priv;

	if (!x)
		return;
	detach(x);
	for (int i = 0; i < x->nr; i++)
		xskq_close(&x->queues[i]);
	if (x->xdp_umem)
		xsk_umem__delete(x->xdp_umem);
	umem_close(&x->umem);
	if (x->counts)
		munmap(x->counts, x->counts_size);
	xdp_redirect_bpf__destroy(x->bpf);
	busypoll_close(x->busypoll);
	free(x->queues);
	free(x);
	s->priv = NULL;
}

/* ---- opened in one process, read in another ---- */

static int source_xsk_give(struct source *s, struct parcel *p)
{
	struct xsk *x = s->priv;

	parcel_put(p, &x->conf, sizeof(x->conf));
	parcel_put(p, &x->generic, sizeof(x->generic));
	parcel_put_fd(p, x->umem.memfd);
	parcel_put_fd(p, bpf_map__fd(x->bpf->maps.queues));
	for (int i = 0; i < x->nr; i++)
		parcel_put_fd(p, x->queues[i].fd);
	return p->broken;
}

static int take_queue(struct xsk *x, struct source *s, int i, struct parcel *p)
{
	const struct xsk_conf *c = &x->conf;
	struct xskq *q = &x->queues[i];
	int ret;

	describe_queue(x, s, c, i);
	ret = umem_pool_open(&q->pool, i * c->frames, c->frames, c->chunk, c->ring / 2);
	if (!ret && c->sg)
		ret = joined_open(&q->joined, c->frames * c->chunk, q->pool.mask + 1);
	return ret ?: xskq_take(q, parcel_take_fd(p), c->ring);
}

static int take_all(struct xsk *x, struct source *s, struct parcel *p)
{
	int memfd, counts, ret;

	parcel_take(p, &x->conf, sizeof(x->conf));
	parcel_take(p, &x->generic, sizeof(x->generic));
	memfd = parcel_take_fd(p);
	counts = parcel_take_fd(p);
	ret = p->broken ?: umem_take(&x->umem, memfd, x->conf.frames * x->conf.nr,
				     x->conf.chunk);
	ret = ret ?: map_counts(x, counts);
	if (counts >= 0)
		close(counts);
	x->queues = calloc(x->conf.nr, sizeof(*x->queues));
	if (!x->queues)
		return -ENOMEM;
	for (; x->nr < (int)x->conf.nr && !ret; x->nr++)
		ret = take_queue(x, s, x->nr, p);
	return ret ?: p->broken;
}

static int source_xsk_take(struct source *s, struct parcel *p)
{
	struct xsk *x = xsk_new(s);
	int ret;

	if (!x)
		return -ENOMEM;
	ret = take_all(x, s, p);
	if (ret)
		source_xsk_close(s);
	else
		settle(x, s);
	return ret;
}

/* ---- frames that other processes map ---- */

static struct umem_pool *pool_of(struct xsk *x, uint32_t chunk)
{
	return &x->queues[chunk / x->conf.frames].pool;
}

/* Half of what may be lent; the stream's reader needs some, too. */
static uint32_t may_keep(const struct umem_pool *p)
{
	return p->max_lent / 2;
}

static int source_xsk_memory(struct source *s, struct memory *m)
{
	struct xsk *x = s->priv;

	*m = (struct memory){ .memfd = x->umem.memfd, .base = x->umem.area,
				     .size = x->umem.area_size, .chunk_size = x->conf.chunk };
	for (int i = 0; i < x->nr; i++)
		m->nr_keep += may_keep(&x->queues[i].pool);
	return s->conf->remote ? -EACCES : 0;	/* that process alone may seal it */
}

static bool source_xsk_keep(struct source *s, uint32_t chunk)
{
	struct umem_pool *p = pool_of(s->priv, chunk);

	return p->nr_kept < may_keep(p) && umem_keep(p, chunk);
}

static void source_xsk_unkeep(struct source *s, uint32_t chunk)
{
	umem_unkeep(pool_of(s->priv, chunk), chunk);
}

static const char *const options[] = { "queues", "frames", "ring", "chunk", "snaplen", "promisc",
				       "busy_poll", "owner", NULL };

const struct source_ops source_xsk_ops = {
	.scheme = "xsk",
	.help = "an interface's frames by AF_XDP, taken from the host",
	.options = options,
	.privileged = true,
	.wants = SOURCE_WANTS_TASKS | SOURCE_WANTS_SOCKETS | SOURCE_WANTS_EARLY,
	.check = source_check_interface,
	.open = source_xsk_open,
	.peek = source_xsk_peek,
	.release = source_xsk_release,
	.watermark = source_xsk_watermark,
	.arm = source_xsk_arm,
	.sleep = source_xsk_sleep,
	.stop = source_xsk_stop,
	.filter = source_xsk_filter,
	.stats = source_xsk_stats,
	.close = source_xsk_close,
	.give = source_xsk_give,
	.take = source_xsk_take,
	.start = source_xsk_start,
	.memory = source_xsk_memory,
	.keep = source_xsk_keep,
	.unkeep = source_xsk_unkeep,
};
