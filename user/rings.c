// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   per-CPU BPF ring buffers and counters, written through emit.bpf.h.
 * Out:  records, a lane for each CPU; watermarks; counts.
 * Owns: ring maps and mappings; records are lent in place.
 * Runs on: the thread of the handle; the programs run on any CPU.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bpf_load.h"
#include "clock.h"
#include "rings.h"

#define LOAD(what) __atomic_load_n(&(what), __ATOMIC_ACQUIRE)

#define LOOK_NS (100 * NS_PER_MS)	/* how often losses out of sight are counted */
#define DRAIN_NS (1 * NS_PER_US)	/* longer than a store stays in a store buffer */

int rings_size_option(const struct spec *spec, uint64_t *bytes, struct error *err)
{
	int ret = spec_number(spec, "ring", 4096, 1ULL << 30, bytes, err);

	if (!ret && *bytes & (*bytes - 1))
		ret = error_set(err, -EINVAL, "ring=%s is not a power of two; try 8M",
				spec_option(spec, "ring"));
	return ret;
}

int rings_prepare(struct bpf_map *events, struct bpf_map *cpus)
{
	int nr = libbpf_num_possible_cpus(), err;

	if (nr < 0)
		return nr;
	err = bpf_map__set_max_entries(events, nr);
	return err ?: bpf_map__set_max_entries(cpus, nr);
}

/* "0-3,5,7-8": 8 */
static int last_number(const char *list)
{
	const char *p = list + strlen(list);

	while (p > list && (p[-1] < '0' || p[-1] > '9'))
		p--;
	while (p > list && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return atoi(p);
}

/*
 * CPUs up to the last that is online get a ring; one that is plugged in later has
 * none, and what happens there is counted as lost.
 */
static int nr_rings(int nr_possible)
{
	FILE *f = fopen("/sys/devices/system/cpu/online", "re");
	int last = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	char *line = NULL;
	size_t size = 0;

	if (f) {
		if (getline(&line, &size, f) > 0)
			last = last_number(line);
		free(line);
		fclose(f);
	}
	return last + 1 < nr_possible ? last + 1 : nr_possible;
}

static int lane_open(struct ring_lane *l, int events_fd, int cpu, uint32_t ring_bytes)
{
	int err;

	l->bound_ns = INT64_MIN;
	l->map_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "xcap_ring", 0, 0, ring_bytes, NULL);
	if (l->map_fd < 0)
		return l->map_fd;
	err = ringbuf_open(&l->rb, l->map_fd, ring_bytes);
	return err ?: bpf_map_update_elem(events_fd, &cpu, &l->map_fd, BPF_ANY);
}

static size_t cpus_bytes(const struct rings *r)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (r->nr_cpus * sizeof(struct xcap_cpu) + page - 1) & ~(page - 1);
}

int rings_open(struct rings *r, struct bpf_map *events, struct bpf_map *cpus, struct xcap_ctl *ctl,
	       uint32_t ring_bytes, struct error *err)
{
	void *p;
	int ret = -ENOMEM, nr;

	*r = (struct rings){ .nr_cpus = bpf_map__max_entries(cpus), .ctl = ctl };
	r->lanes = calloc(r->nr_cpus, sizeof(*r->lanes));
	if (!r->lanes)
		goto fail;
	for (int i = 0; i < r->nr_cpus; i++)
		r->lanes[i].map_fd = -1;
	p = mmap(NULL, cpus_bytes(r), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(cpus), 0);
	if (p == MAP_FAILED) {
		ret = -errno;
		goto fail;
	}
	r->cpus = p;
	for (nr = nr_rings(r->nr_cpus); r->nr < nr; ) {
		int cpu = r->nr++;

		ret = lane_open(&r->lanes[cpu], bpf_map__fd(events), cpu, ring_bytes);
		if (ret)
			goto fail;
	}
	return 0;
fail:
	rings_close(r);
	return error_set(err, ret,
			 "cannot make ring buffers of %u KiB a CPU: %s; try a smaller ring",
			 ring_bytes / 1024, strerror(-ret));
}

/* ---- records ---- */

static void decode_packet(const struct xcap_ev *ev, struct xcap_record *rec)
{
	const struct xcap_ev_packet *p = (const void *)ev;

	rec->data = p->data;
	rec->caplen = p->caplen;
	rec->len = p->wire_len;
	rec->ifindex = p->ifindex;
	rec->direction = ev->flags & XEV_OUT ? XCAP_DIR_OUT : XCAP_DIR_IN;
	rec->packet.queue = p->queue;
	rec->packet.cookie = p->cookie;
}

/* What its arguments refer to stands behind the call. */
static void decode_items(const struct xcap_ev *ev, size_t head, struct xcap_record *rec)
{
	if (ev->len <= head)
		return;
	rec->data = (const __u8 *)ev + head;
	rec->caplen = rec->len = ev->len - head;
}

static void decode_probe(const struct xcap_ev_probe *p, struct xcap_record *rec)
{
	rec->data = p->data;
	rec->caplen = rec->len = p->ev.len - sizeof(*p);
	rec->probe.id = p->probe;
	rec->probe.cookie = p->cookie;
	rec->cgroup_id = p->cgroup_id;
	rec->uid = p->uid;
	memcpy(rec->comm, p->comm, sizeof(rec->comm));
}

static void decode_other(const struct xcap_ev *ev, struct xcap_record *rec)
{
	const struct xcap_ev_enter *enter = (const void *)ev;
	const struct xcap_ev_exit *ex = (const void *)ev;
	const struct xcap_ev_switch *sw = (const void *)ev;
	const struct xcap_ev_loss *loss = (const void *)ev;

	if (ev->flags & XEV_COMPAT)
		rec->flags |= XCAP_REC_COMPAT;
	switch (ev->type) {
	case XEV_ENTER:
		rec->enter.nr = enter->nr;
		rec->enter.args = (const __u64 *)enter->args;
		decode_items(ev, sizeof(*enter), rec);
		break;
	case XEV_EXIT:
		rec->exit.nr = ex->nr;
		rec->exit.ret = ex->ret;
		decode_items(ev, sizeof(*ex), rec);
		break;
	case XEV_SWITCH:
		rec->sw.next_pid = sw->next_pid;
		rec->sw.next_tid = sw->next_tid;
		rec->sw.prev_state = sw->prev_state;
		rec->sw.next_prio = sw->next_prio;
		break;
	case XEV_LOSS:
		rec->loss.count = loss->count;
		rec->loss.where = loss->where;
		break;
	case XEV_PROBE:
		decode_probe((const void *)ev, rec);
		break;
	case XEV_TASK ... XEV_MAX - 1:
		rec->data = (const __u8 *)ev;
		rec->caplen = rec->len = ev->len;
		break;
	}
}

void rings_decode(const struct source *s, const struct xcap_ev *ev, struct xcap_record *rec)
{
	*rec = (struct xcap_record){
		.mono_ns = ev->mono_ns,
		.source = s->index,
		.cpu = ev->cpu,
		.type = ev->type,
		.pid = ev->pid,
		.tid = ev->tid,
	};
	if (ev->type == XEV_PACKET) {
		decode_packet(ev, rec);
		rec->packet.linktype = s->linktype;
	} else {
		decode_other(ev, rec);
	}
}

static int peek_ring(struct rings *r, const struct source *s, int lane, struct xcap_record *recs,
		     int max)
{
	struct ringbuf *rb = &r->lanes[lane].rb;
	const void *ev;
	int n;

	for (n = 0; n < max && ringbuf_peek(rb, &ev); n++)
		rings_decode(s, ev, &recs[n]);
	if (n || !r->stopped)
		return n;
	r->lanes[lane].ended = true;
	return -ENODATA;
}

bool rings_look(struct rings *r)
{
	int64_t now = clock_mono_ns();

	if (r->silent || (!r->stopped && now - r->looked_ns < LOOK_NS))
		return false;
	r->looked_ns = now;
	return true;
}

static struct xcap_record loss(const struct source *s, uint64_t count, int where)
{
	return (struct xcap_record){
		.mono_ns = clock_mono_ns(),
		.source = s->index,
		.cpu = XCAP_CPU_UNKNOWN,
		.type = XCAP_LOSS,
		.loss = { .count = count, .where = where },
	};
}

/* What the programs lost last had no later record to tell it, on no CPU. Return: records. */
static uint64_t last_lost(struct rings *r)
{
	uint64_t sum = 0;

	for (int i = 0; i < r->nr_cpus; i++) {
		sum += r->cpus[i].lost;
		r->cpus[i].lost = 0;
	}
	return sum;
}

/* They have no CPU and no exact time: stamped when they are found, so never late. */
static int peek_losses(struct rings *r, const struct source *s, struct xcap_record *recs, int max)
{
	uint64_t sum;
	int n = 0;

	for (int where = 0; where < XCAP_DROP_MAX && n < max; where++) {
		if (r->lost[where] <= r->said[where])
			continue;
		recs[n++] = loss(s, r->lost[where] - r->said[where], where);
		r->said[where] = r->lost[where];
	}
	if (n || !r->stopped)
		return n;
	sum = r->silent ? 0 : last_lost(r);
	r->silent = true;
	if (!sum)
		return -ENODATA;
	recs[0] = loss(s, sum, XDROP_RING_FULL);
	return 1;
}

int rings_peek(struct rings *r, const struct source *s, int lane, struct xcap_record *recs, int max)
{
	return lane == r->nr ? peek_losses(r, s, recs, max) : peek_ring(r, s, lane, recs, max);
}

void rings_release(struct rings *r, int lane, int n)
{
	if (lane != r->nr)
		ringbuf_release(&r->lanes[lane].rb, n);
}

/*
 * A record is stamped after its place was reserved. So what has no place yet,
 * when the producer position is read after the clock, is younger than the clock;
 * and once the reader has come to that position, so is all that may follow.
 */
int64_t rings_watermark(struct rings *r, int lane)
{
	struct ring_lane *l;
	int64_t now;
	uint64_t end;

	if (lane == r->nr)
		return r->silent ? INT64_MAX : clock_mono_ns() - CLOCK_MARGIN_NS;
	l = &r->lanes[lane];
	if (l->ended)
		return INT64_MAX;
	if (l->asked_ns && l->rb.peek_pos >= l->asked_pos) {
		l->bound_ns = l->asked_ns - CLOCK_MARGIN_NS;
		l->asked_ns = 0;
	}
	if (!l->asked_ns) {
		now = clock_mono_ns();
		end = ringbuf_producer(&l->rb);
		if (l->rb.peek_pos >= end) {
			l->bound_ns = now - CLOCK_MARGIN_NS;
		} else {
			l->asked_ns = now;
			l->asked_pos = end;
		}
	}
	return l->bound_ns;
}

/* ---- sleeping and waking ---- */

/*
 * Edge-triggered: a ring is "readable" as long as a record is lent, which is
 * nothing to wake for. Programs send an edge when ctl->sleeping is set.
 */
int rings_arm(struct rings *r, int epoll_fd)
{
	for (int i = 0; i < r->nr; i++) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, r->lanes[i].map_fd, &ev))
			return -errno;
	}
	return 0;
}

static bool any_record(const struct rings *r)
{
	for (int i = 0; i < r->nr; i++)
		if (r->lanes[i].rb.peek_pos < ringbuf_producer(&r->lanes[i].rb))
			return true;
	return false;
}

int rings_sleep(struct rings *r, bool on)
{
	int64_t until;

	/* full barrier: the flag is out before we look at the rings a last time */
	__atomic_store_n(&r->ctl->sleeping, on, __ATOMIC_SEQ_CST);
	if (!on)
		return 0;
	/*
	 * A program that read the flag before it was set has reserved its record before that,
	 * without a barrier between: give its store the time to come out.
	 */
	for (until = clock_mono_ns() + DRAIN_NS; clock_mono_ns() < until; )
		;
	if (!any_record(r))
		return 0;
	__atomic_store_n(&r->ctl->sleeping, 0, __ATOMIC_RELEASE);
	return 1;
}

/* ---- the end ---- */

void rings_stop(struct rings *r)
{
	bpf_load_await_running();
	r->stopped = true;
}

uint64_t rings_dropped(const struct rings *r)
{
	uint64_t sum = 0;

	for (int i = 0; i < r->nr_cpus; i++)
		sum += LOAD(r->cpus[i].dropped);
	return sum;
}

uint64_t rings_alone(const struct rings *r)
{
	uint64_t sum = 0;

	for (int i = 0; i < r->nr_cpus; i++)
		sum += LOAD(r->cpus[i].alone);
	return sum;
}

void rings_stats(const struct rings *r, struct source_stats *st)
{
	for (int where = 0; where < XCAP_DROP_MAX; where++) {
		uint64_t lost = LOAD(r->lost[where]);

		st->seen += lost;
		st->dropped[where] += lost;
	}
	for (int i = 0; r->cpus && i < r->nr_cpus; i++) {
		st->dropped[XDROP_RING_FULL] += LOAD(r->cpus[i].dropped);
		st->filtered += LOAD(r->cpus[i].filtered);
		st->seen += LOAD(r->cpus[i].seen);	/* last: no sum is larger */
	}
}

/* ---- from one process to another ---- */

void rings_give(const struct rings *r, struct bpf_map *cpus, struct bpf_map *bss,
		uint32_t ctl_offset, struct parcel *p)
{
	uint32_t sizes[] = { r->nr, r->nr_cpus, r->nr ? r->lanes[0].rb.size : 0,
			     bpf_map__value_size(bss), ctl_offset };

	parcel_put(p, sizes, sizeof(sizes));
	parcel_put_fd(p, bpf_map__fd(cpus));
	parcel_put_fd(p, bpf_map__fd(bss));
	for (int i = 0; i < r->nr; i++)
		parcel_put_fd(p, r->lanes[i].map_fd);
}

/* Maps a whole array; its descriptor is done with. */
static int map_array(void *out, int fd, size_t bytes)
{
	void *p;
	int ret = 0;

	if (fd < 0)
		return -EBADMSG;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		ret = -errno;
	else
		*(void **)out = p;
	close(fd);
	return ret;
}

static int take_lanes(struct rings *r, int nr, uint32_t ring_bytes, struct parcel *p)
{
	int ret = 0;

	while (r->nr < nr && !ret) {
		struct ring_lane *l = &r->lanes[r->nr++];

		l->bound_ns = INT64_MIN;
		l->map_fd = parcel_take_fd(p);
		ret = p->broken ?: ringbuf_open(&l->rb, l->map_fd, ring_bytes);
	}
	return ret;
}

int rings_take(struct rings *r, struct parcel *p)
{
	uint32_t sizes[5];
	int ret;

	parcel_take(p, sizes, sizeof(sizes));
	if (p->broken || sizes[0] > sizes[1] || sizes[1] > PARCEL_FDS ||
	    sizes[4] + sizeof(struct xcap_ctl) > sizes[3])
		return -EBADMSG;
	*r = (struct rings){ .nr_cpus = sizes[1], .bss_size = sizes[3] };
	ret = map_array(&r->cpus, parcel_take_fd(p), cpus_bytes(r));
	ret = ret ?: map_array(&r->bss, parcel_take_fd(p), r->bss_size);
	r->lanes = calloc(r->nr_cpus, sizeof(*r->lanes));
	if (!ret)
		ret = r->lanes ? take_lanes(r, sizes[0], sizes[2], p) : -ENOMEM;
	if (!ret)
		r->ctl = (struct xcap_ctl *)((char *)r->bss + sizes[4]);
	else
		rings_close(r);
	return ret;
}

void rings_close(struct rings *r)
{
	for (int i = 0; i < r->nr; i++) {
		ringbuf_close(&r->lanes[i].rb);
		if (r->lanes[i].map_fd >= 0)
			close(r->lanes[i].map_fd);
	}
	if (r->cpus)
		munmap(r->cpus, cpus_bytes(r));
	if (r->bss)
		munmap(r->bss, r->bss_size);
	free(r->lanes);
	*r = (struct rings){ 0 };
}
