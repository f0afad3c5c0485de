// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   bpf/tcx_copy.bpf.c at TCX (or at an AF_PACKET socket), bpf/xdp_copy.bpf.c at XDP.
 * Out:  a lane for each CPU with copies of the frames; the traffic is never touched.
 * Owns: the programs, their links, the rings.
 * Runs on: the thread of the handle.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "attach.h"
#include "bpf_load.h"
#include "clock.h"
#include "kfilter.h"
#include "netdev.h"
#include "rings.h"
#include "source.h"
#include "tcx_copy.skel.h"
#include "xdp_copy.skel.h"

/* how often an idle tap looks whether its interface is there */
#define LOOK_NS (100 * NS_PER_MS)
#define LINKTYPE_RAW 101
#define TCX_NEXT (-1u)			/* kernel 6.6 */
#define FRAME_OVERHEAD 22		/* Ethernet header and two tags */

struct tap {
	struct tcx_copy_bpf *tcx;	/* one of the two is loaded */
	struct xdp_copy_bpf *xdp;
	struct kfilter filter;
	struct rings rings;
	int links[2];			/* of TCX, XDP, or the socket; -1 none */
	int promisc;			/* socket, -1 none */
	bool gone, gone_told;		/* the interface */
	int64_t looked_ns;
	uint64_t missed_before;		/* by the NIC, before the capture */
	int progs[2];			/* that run, for their counts; -1 none */
	int taken_progs;		/* of these, descriptors that are ours to close */
};

static void source_tap_close(struct source *s);

/* ---- loading ---- */

static int load_tcx(struct tap *t, struct source *s, const struct netdev *dev, uint32_t snaplen,
		    uint32_t ring_bytes)
{
	struct tcx_copy_cfg *cfg;
	int ret;

	t->tcx = tcx_copy_bpf__open();
	if (!t->tcx)
		return bpf_load_failed(-errno, s->spec, s->err);
	cfg = (struct tcx_copy_cfg *)&t->tcx->rodata->cfg;
	cfg->snaplen = snaplen;
	cfg->ifindex = dev->ifindex;
	cfg->loopback = dev->arphrd == ARPHRD_LOOPBACK;
	cfg->owner = !!(s->wants & SOURCE_WANTS_SOCKETS);
	ret = rings_prepare(t->tcx->maps.events, t->tcx->maps.cpus);
	ret = ret ?: tcx_copy_bpf__load(t->tcx);
	if (ret)
		return bpf_load_failed(ret, s->spec, s->err);
	return rings_open(&t->rings, t->tcx->maps.events, t->tcx->maps.cpus, &t->tcx->bss->ctl,
			  ring_bytes, s->err);
}

static int load_xdp(struct tap *t, struct source *s, const struct netdev *dev, uint32_t snaplen,
		    uint32_t ring_bytes, bool frags)
{
	struct xdp_copy_cfg *cfg;
	int ret;

	t->xdp = xdp_copy_bpf__open();
	if (!t->xdp)
		return bpf_load_failed(-errno, s->spec, s->err);
	cfg = (struct xdp_copy_cfg *)&t->xdp->rodata->cfg;
	cfg->snaplen = snaplen;
	cfg->ifindex = dev->ifindex;
	bpf_program__set_autoload(t->xdp->progs.xdp_copy, !frags);
	bpf_program__set_autoload(t->xdp->progs.xdp_copy_kept, !frags);
	bpf_program__set_autoload(t->xdp->progs.xdp_copy_frags, frags);
	bpf_program__set_autoload(t->xdp->progs.xdp_frags_kept, frags);
	ret = rings_prepare(t->xdp->maps.events, t->xdp->maps.cpus);
	ret = ret ?: xdp_copy_bpf__load(t->xdp);
	if (ret)
		return bpf_load_failed(ret, s->spec, s->err);
	return rings_open(&t->rings, t->xdp->maps.events, t->xdp->maps.cpus, &t->xdp->bss->ctl,
			  ring_bytes, s->err);
}

/* ---- attaching ---- */

/* Before anything is attached: no packet is copied that nobody wants. */
static int open_filter(struct tap *t, struct source *s, enum cbpf_hook hook,
		       const struct bpf_map *progs, const struct bpf_program *in,
		       const struct bpf_program *out)
{
	int ret;

	t->filter = (struct kfilter){
		.target = {
			.hook = hook,
			.progs_fd = bpf_map__fd(progs),
			.verdict = hook == CBPF_SOCKET ? 0 :
				   hook == CBPF_TC ? TCX_NEXT : XDP_PASS,
			.counts_fd = bpf_map__fd(t->xdp ? t->xdp->maps.cpus : t->tcx->maps.cpus),
			.count_seen = true,
		},
		.in = bpf_program__fd(in),
		.out = out ? bpf_program__fd(out) : -1,
	};
	ret = kfilter_open(&t->filter, s->err);
	return ret ?: kfilter_try(&t->filter, s, s->conf->filter);
}

static int attach(struct tap *t, int slot, struct bpf_program *prog, int fd)
{
	if (fd < 0)
		return fd;
	t->links[slot] = fd;
	t->progs[slot] = bpf_program__fd(prog);
	return 0;
}

/* Before TCX there is no hook at TC that dies with its process; a packet socket does. */
static int open_packet(struct tap *t, struct source *s, const struct netdev *dev)
{
	struct bpf_program *prog = t->tcx->progs.packet_both;
	int ret;

	snprintf(s->mode, sizeof(s->mode), "tap packet");
	snprintf(s->note, sizeof(s->note), "copies both directions at a packet socket, "
		 "because this kernel has no TCX");
	ret = open_filter(t, s, CBPF_SOCKET, t->tcx->maps.socket_progs,
			  t->tcx->progs.packet_kept, NULL);
	return ret ?: attach(t, 0, prog,
			     attach_packet(bpf_program__fd(prog), dev->ifindex, s->err));
}

/*
 * On lo every frame is seen twice, and is one record. It is taken on its way out, where it still
 * has the socket that sent it, and shown as what comes in: it does so in the same moment.
 */
static int open_tcx(struct tap *t, struct source *s, const struct netdev *dev, uint32_t snaplen,
		    uint32_t ring_bytes)
{
	bool loopback = dev->arphrd == ARPHRD_LOOPBACK;
	int ret = load_tcx(t, s, dev, snaplen, ring_bytes);

	if (ret)
		return ret;
	snprintf(s->mode, sizeof(s->mode), "tap tcx");
	snprintf(s->note, sizeof(s->note), "copies %s at TCX; the host's traffic is not touched",
		 loopback ? "what comes in" : "both directions");
	ret = open_filter(t, s, CBPF_TC, t->tcx->maps.progs, t->tcx->progs.tcx_in_kept,
			  t->tcx->progs.tcx_out_kept);
	if (ret)
		return ret;
	ret = attach(t, 0, t->tcx->progs.tcx_in,
		     attach_tcx(bpf_program__fd(t->tcx->progs.tcx_in), dev->ifindex, loopback,
				s->err));
	if (ret == -EOPNOTSUPP)
		return open_packet(t, s, dev);
	if (ret || loopback)
		return ret;
	return attach(t, 1, t->tcx->progs.tcx_out,
		      attach_tcx(bpf_program__fd(t->tcx->progs.tcx_out), dev->ifindex, true,
				 s->err));
}

static int open_xdp(struct tap *t, struct source *s, const struct netdev *dev, uint32_t snaplen,
		    uint32_t ring_bytes)
{
	bool frags = dev->mtu + FRAME_OVERHEAD > (uint32_t)sysconf(_SC_PAGESIZE) / 2;
	bool generic = false;
	struct bpf_program *prog;
	char filter[sizeof(s->note)];
	int ret = load_xdp(t, s, dev, snaplen, ring_bytes, frags);

	ret = ret ?: open_filter(t, s, frags ? CBPF_XDP_FRAGS : CBPF_XDP, t->xdp->maps.progs,
				 frags ? t->xdp->progs.xdp_frags_kept :
					 t->xdp->progs.xdp_copy_kept, NULL);
	if (ret)
		return ret;
	memcpy(filter, s->note, sizeof(filter));
	prog = frags ? t->xdp->progs.xdp_copy_frags : t->xdp->progs.xdp_copy;
	ret = attach(t, 0, prog, attach_xdp(bpf_program__fd(prog), dev->ifindex, &generic, s->err));
	snprintf(s->mode, sizeof(s->mode), "tap xdp");
	snprintf(s->note, sizeof(s->note), "copies what comes in at XDP%s, before the stack; "
		 "what goes out, and tags the NIC or kernel keeps beside the frame, are not "
		 "seen%.256s", generic ? " (generic)" : "", filter);
	return ret;
}

/* ---- open ---- */

static int parse_hook(const struct spec *spec, bool *xdp, struct error *err)
{
	const char *hook = spec_option(spec, "hook");

	*xdp = hook && !strcmp(hook, "xdp");
	if (hook && !*xdp && strcmp(hook, "tcx"))
		return error_set(err, -EINVAL, "hook=%.40s is neither tcx nor xdp", hook);
	return 0;
}

static int open_promisc(struct tap *t, struct source *s, const struct spec *spec)
{
	bool on = s->conf->promisc;
	int ret = spec_bool(spec, "promisc", &on, s->err);

	if (ret || !on)
		return ret;
	t->promisc = attach_promisc(s->ifindex, s->err);
	return t->promisc < 0 ? t->promisc : 0;
}

/* Return: 0; -EOPNOTSUPP: a link layer that nothing here can read, such as radio or CAN. */
static int set_linktype(struct source *s, const struct netdev *dev)
{
	switch (dev->arphrd) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		s->linktype = XCAP_LINK_ETHERNET;
		return 0;
	case ARPHRD_NONE:	/* no link layer: bare IP */
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		s->linktype = LINKTYPE_RAW;
		return 0;
	}
	return error_set(s->err, -EOPNOTSUPP, "%s is neither Ethernet nor bare IP (ARPHRD %u); "
			 "capture it with tcpdump -i %s", dev->name, dev->arphrd, dev->name);
}

static struct tap *tap_new(struct source *s)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (t)
		t->filter.target.progs_fd = -1;
	if (t)
		t->links[0] = t->links[1] = t->promisc = t->progs[0] = t->progs[1] = -1;
	s->priv = t;
	return t;
}

static int source_tap_open(struct source *s, const struct spec *spec)
{
	uint64_t ring_bytes = s->conf->ring_bytes, snaplen = s->conf->snaplen;
	struct tap *t = tap_new(s);
	struct netdev dev;
	bool xdp;
	int ret;

	if (!t)
		return -ENOMEM;
	bpf_load_quiet();
	ret = netdev_get(spec->name, &dev, s->err);
	ret = ret ?: parse_hook(spec, &xdp, s->err);
	ret = ret ?: rings_size_option(spec, &ring_bytes, s->err);
	ret = ret ?: spec_number(spec, "snaplen", 1, 1 << 30, &snaplen, s->err);
	ret = ret ?: set_linktype(s, &dev);
	if (!ret) {
		s->ifindex = dev.ifindex;
		s->loopback = dev.arphrd == ARPHRD_LOOPBACK;
		t->missed_before = netdev_rx_missed(dev.ifindex);
		ret = xdp ? open_xdp(t, s, &dev, snaplen, ring_bytes) :
			    open_tcx(t, s, &dev, snaplen, ring_bytes);
	}
	ret = ret ?: open_promisc(t, s, spec);
	if (ret) {
		source_tap_close(s);
		return ret;
	}
	t->filter.live = true;
	s->nr_lanes = t->rings.nr + 1;
	return 0;
}

/* ---- the contract ---- */

static int source_tap_filter(struct source *s, const char *expression)
{
	return kfilter_try(&((struct tap *)s->priv)->filter, s, expression);
}

/* The links outlive the interface silently, so an idle tap has to look. */
static void check_gone(struct tap *t, struct source *s)
{
	int64_t now = clock_mono_ns();

	if (t->rings.stopped || now - t->looked_ns < LOOK_NS)
		return;
	t->looked_ns = now;
	if (netdev_exists(s->ifindex))
		return;
	t->gone = true;
	rings_stop(&t->rings);
}

/* Told by the last of the lanes, when all that came before has been lent. */
static int say_gone(struct tap *t, struct source *s)
{
	t->gone_told = true;
	return error_set(s->err, -ENETDOWN, "the interface of %s is gone; what was captured before "
			 "is complete", s->spec);
}

/* What the NIC had no room for, and runs that recursion protection skipped. */
static void count_losses(struct tap *t, const struct source *s)
{
	uint64_t missed = netdev_rx_missed(s->ifindex), misses = 0;

	for (int i = 0; i < 2; i++)
		misses += bpf_load_misses(t->progs[i]);
	if (missed > t->missed_before)	/* not so when the interface is gone */
		t->rings.lost[XCAP_DROP_NIC_MISSED] = missed - t->missed_before;
	t->rings.lost[XCAP_DROP_RECURSION] = misses;
}

static int source_tap_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct tap *t = s->priv;
	int n;

	if (lane == t->rings.nr && rings_look(&t->rings))
		count_losses(t, s);
	n = rings_peek(&t->rings, s, lane, recs, max);
	if (n == 0)
		check_gone(t, s);
	if (n == -ENODATA && lane == t->rings.nr && t->gone && !t->gone_told)
		return say_gone(t, s);
	return n;
}

static void source_tap_release(struct source *s, int lane, int n)
{
	rings_release(&((struct tap *)s->priv)->rings, lane, n);
}

static int64_t source_tap_watermark(struct source *s, int lane)
{
	return rings_watermark(&((struct tap *)s->priv)->rings, lane);
}

static int source_tap_arm(struct source *s, int epoll_fd)
{
	return rings_arm(&((struct tap *)s->priv)->rings, epoll_fd);
}

static int source_tap_sleep(struct source *s, bool on)
{
	return rings_sleep(&((struct tap *)s->priv)->rings, on);
}

static void detach(struct tap *t)
{
	for (int i = 0; i < 2; i++) {
		if (t->links[i] >= 0)
			close(t->links[i]);
		t->links[i] = -1;
	}
	if (t->promisc >= 0)
		close(t->promisc);
	t->promisc = -1;
}

static void source_tap_stop(struct source *s)
{
	struct tap *t = s->priv;

	detach(t);
	rings_stop(&t->rings);
}

static void source_tap_stats(struct source *s, struct source_stats *st)
{
	struct tap *t = s->priv;

	rings_stats(&t->rings, st);
}

static void source_tap_close(struct source *s)
{
	struct tap *t = s->priv;

	if (!t)
		return;
	detach(t);
	rings_close(&t->rings);
	for (int i = 0; i < t->taken_progs; i++)
		close(t->progs[i]);
	tcx_copy_bpf__destroy(t->tcx);
	xdp_copy_bpf__destroy(t->xdp);
	free(t);
	s->priv = NULL;
}

/* ---- opened in one process, read in another ---- */

static int source_tap_give(struct source *s, struct parcel *p)
{
	struct tap *t = s->priv;
	uint32_t nr = (t->progs[0] >= 0) + (t->progs[1] >= 0);

	if (t->tcx)
		rings_give(&t->rings, t->tcx->maps.cpus, t->tcx->maps.bss,
			   offsetof(typeof(*t->tcx->bss), ctl), p);
	else
		rings_give(&t->rings, t->xdp->maps.cpus, t->xdp->maps.bss,
			   offsetof(typeof(*t->xdp->bss), ctl), p);
	parcel_put(p, &t->missed_before, sizeof(t->missed_before));
	parcel_put(p, &nr, sizeof(nr));
	for (uint32_t i = 0; i < nr; i++)
		parcel_put_fd(p, t->progs[i]);
	return p->broken;
}

static int source_tap_take(struct source *s, struct parcel *p)
{
	struct tap *t = tap_new(s);
	uint32_t nr;
	int ret;

	if (!t)
		return -ENOMEM;
	ret = rings_take(&t->rings, p);
	if (!ret) {
		parcel_take(p, &t->missed_before, sizeof(t->missed_before));
		parcel_take(p, &nr, sizeof(nr));
		for (uint32_t i = 0; i < nr && i < 2 && !p->broken; i++)
			t->progs[t->taken_progs++] = parcel_take_fd(p);
		ret = p->broken;
	}
	if (ret)
		source_tap_close(s);
	s->nr_lanes = ret ? 0 : t->rings.nr + 1;
	return ret;
}

static const char *const options[] = { "hook", "snaplen", "ring", "promisc",
				       "owner", NULL };

const struct source_ops source_tap_ops = {
	.scheme = "tap",
	.help = "a copy of an interface's packets, both directions",
	.options = options,
	.privileged = true,
	.wants = SOURCE_WANTS_TASKS | SOURCE_WANTS_SOCKETS,
	.check = source_check_interface,
	.open = source_tap_open,
	.peek = source_tap_peek,
	.release = source_tap_release,
	.watermark = source_tap_watermark,
	.arm = source_tap_arm,
	.sleep = source_tap_sleep,
	.stop = source_tap_stop,
	.filter = source_tap_filter,
	.stats = source_tap_stats,
	.close = source_tap_close,
	.give = source_tap_give,
	.take = source_tap_take,
};
