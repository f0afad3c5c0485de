/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sources that read BPF ring buffers share: one ring and one lane for
 * each CPU, the counters of the programs, the sleep flag, the watermark; and one
 * more lane, number nr, for losses that no program can tell of.
 */
#ifndef XCAP_RINGS_H
#define XCAP_RINGS_H

#include <bpf/libbpf.h>
#include "ringbuf.h"
#include "source.h"
#include "xcap_event.h"

struct ring_lane {
	struct ringbuf rb;
	int map_fd;
	int64_t bound_ns;	/* watermark that holds */
	int64_t asked_ns;	/* clock read before asked_pos; 0: nothing asked */
	uint64_t asked_pos;
	bool ended;
};

struct rings {
	int nr;			/* lanes: CPUs that have a ring */
	int nr_cpus;		/* possible CPUs: entries of cpus */
	struct ring_lane *lanes;
	struct xcap_cpu *cpus;	/* shared with the programs */
	struct xcap_ctl *ctl;	/* shared with the programs */
	uint64_t lost[XCAP_DROP_MAX];	/* what the source found lost; see rings_look() */
	uint64_t said[XCAP_DROP_MAX];	/* of that, told by loss records */
	int64_t looked_ns;
	bool silent;			/* the lane of losses has ended */
	bool stopped;
	void *bss;			/* mapped, if another process opened it: ctl is in it */
	size_t bss_size;
};

/* The option `ring=`: bytes a CPU, a power of two. Return: 0; -EINVAL with a sentence. */
int rings_size_option(const struct spec *spec, uint64_t *bytes, struct error *err);

/* Before load: sizes of the two maps of emit.bpf.h. Return: 0 or -errno. */
int rings_prepare(struct bpf_map *events, struct bpf_map *cpus);

/*
 * After load: make and map the rings. ctl: the object's .bss. On failure a sentence, and
 * all is freed.
 */
int rings_open(struct rings *r, struct bpf_map *events, struct bpf_map *cpus, struct xcap_ctl *ctl,
	       uint32_t ring_bytes, struct error *err);

/* What stands in a ring, as a record. */
void rings_decode(const struct source *s, const struct xcap_ev *ev, struct xcap_record *rec);

/* As the ops of the same names in source.h. */
int rings_peek(struct rings *r, const struct source *s, int lane, struct xcap_record *recs,
	       int max);
void rings_release(struct rings *r, int lane, int n);
int64_t rings_watermark(struct rings *r, int lane);
int rings_arm(struct rings *r, int epoll_fd);
int rings_sleep(struct rings *r, bool on);

/* The programs are detached: wait until none runs any more, then let the lanes end. */
void rings_stop(struct rings *r);

/*
 * Is it time to count what was lost out of the programs' sight? Then the source
 * writes its totals to lost[]; the next peek of lane nr tells the difference.
 */
bool rings_look(struct rings *r);

/* Adds what the programs counted, and lost[]. */
void rings_stats(const struct rings *r, struct source_stats *st);

/* Records that the programs had no room for; calls that xcap_cpu.alone counts. */
uint64_t rings_dropped(const struct rings *r);
uint64_t rings_alone(const struct rings *r);

void rings_close(struct rings *r);

/* The maps, into a parcel; bss: the map of the object's .bss, ctl in it at that offset. */
void rings_give(const struct rings *r, struct bpf_map *cpus, struct bpf_map *bss,
		uint32_t ctl_offset, struct parcel *p);

/* Map what rings_give() put in; r->bss is the .bss. Return: 0; -errno, and all is freed. */
int rings_take(struct rings *r, struct parcel *p);

#endif
