// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records of the stream.
 * Out:  packets for a pcap program: packets as they are, what is none in one of two forms.
 * Owns: the batch in hand; a packet is lent until the next call.
 * Runs on: the thread that reads the handle; breakloop on any, and in signal handlers.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "forms.h"
#include "pcap_handle.h"
#include "stream.h"

#define ETHER_LEN 14
#define AHEAD 6			/* records: how far frames are fetched before use */
#define DISPATCH_MAX 4096	/* records of one pcap_dispatch(-1) of a stream that never rests */

/* Return of wait_for(): more than nothing, less than an error of libpcap's. */
enum { NOTHING = 0, SOME = 1, ENDED = -1000 };

/* ---- one record as a packet ---- */

static bool wrong_direction(const struct pcap_handle *h, const struct xcap_record *rec)
{
	return (h->direction == PCAP_D_IN && rec->direction == XCAP_DIR_OUT) ||
	       (h->direction == PCAP_D_OUT && rec->direction == XCAP_DIR_IN);
}

/* A packet in the binary form has its frame behind it. Return: 0 or PCAP_ERROR. */
static int make_room(struct pcap_handle *h, size_t size)
{
	uint8_t *room;

	if (size <= h->room_size)
		return 0;
	room = realloc(h->room, size);
	if (!room)
		return handle_error(h, PCAP_ERROR, "no memory for a packet of %zu bytes", size);
	h->room = room;
	h->room_size = size;
	return 0;
}

static int as_user0(struct pcap_handle *h, const struct xcap_record *rec)
{
	uint32_t frame = rec->type == XCAP_PACKET ? rec->caplen : 0;
	int n;

	if (make_room(h, FORM_SIZE_MAX + frame))
		return PCAP_ERROR;
	n = form_user0(rec, h->room, h->room_size);
	if (n < 0)
		return handle_error(h, PCAP_ERROR, "a record has no binary form: %s", strerror(-n));
	h->hdr.caplen = n;
	h->hdr.len = n + (rec->type == XCAP_PACKET ? rec->len - rec->caplen : 0);
	return SOME;
}

/* An event among Ethernet frames or bare IP packets. */
static int as_frame(struct pcap_handle *h, const struct xcap_record *rec, const u_char **data)
{
	uint32_t skip = h->packet_dlt == DLT_RAW ? ETHER_LEN : 0;
	int n;

	if (h->packet_dlt != DLT_EN10MB && !skip)
		return handle_error(h, PCAP_ERROR, "system calls have no form among packets of "
				    "link type %d; choose USER0 (tcpdump -y USER0)", h->packet_dlt);
	n = form_ethernet(rec, h->room, h->room_size);
	if (n < (int)skip)
		return handle_error(h, PCAP_ERROR, "a record has no form as a frame: %s",
				    strerror(n < 0 ? -n : EINVAL));
	*data = h->room + skip;
	h->hdr.caplen = h->hdr.len = n - skip;
	return SOME;
}

static int as_packet(struct pcap_handle *h, const struct xcap_record *rec, const u_char **data)
{
	if (filter_dlt(rec->packet.linktype) != h->packet_dlt)
		return handle_error(h, PCAP_ERROR, "a packet of link type %u among others of %d; "
				    "choose USER0 (tcpdump -y USER0)", rec->packet.linktype,
				    h->packet_dlt);
	*data = rec->data;
	h->hdr.caplen = rec->caplen;
	h->hdr.len = rec->len;
	return SOME;
}

static void stamp(struct pcap_handle *h, const struct xcap_record *rec)
{
	int64_t ns = rec->wall_ns % NS_PER_SEC;

	h->hdr.ts.tv_sec = rec->wall_ns / NS_PER_SEC;
	h->hdr.ts.tv_usec = h->precision == PCAP_TSTAMP_PRECISION_NANO ? ns : ns / 1000;
}

/* Return: SOME with *data and h->hdr; NOTHING it is not wanted; PCAP_ERROR. */
static int show(struct pcap_handle *h, const struct xcap_record *rec, const u_char **data)
{
	const struct bpf_program *filter = &h->filter[rec->direction == XCAP_DIR_OUT];
	int ret;

	if (rec->type == XCAP_LOSS && !h->events)
		return NOTHING;		/* in ps_drop, and no packet */
	if (wrong_direction(h, rec)) {
		h->refused++;
		return NOTHING;
	}
	*data = h->room;
	if (h->dlt == DLT_USER0)
		ret = as_user0(h, rec);
	else if (rec->type == XCAP_PACKET)
		ret = as_packet(h, rec, data);
	else
		ret = as_frame(h, rec, data);
	if (ret != SOME)
		return ret;
	if (h->dlt == DLT_USER0)
		*data = h->room;	/* it may have moved */
	stamp(h, rec);
	if (h->hdr.caplen > (bpf_u_int32)h->snaplen)
		h->hdr.caplen = h->snaplen;
	if (h->filtering && !pcap_real.offline_filter(filter, &h->hdr, *data)) {
		h->refused += rec->type != XCAP_LOSS;
		return NOTHING;
	}
	h->notices += rec->type == XCAP_LOSS;
	return SOME;
}

/* ---- batches ---- */

static void give_back(struct pcap_handle *h)
{
	if (h->lent)
		xcap_release(h->x, &h->batch[h->at - h->lent], h->lent);
	h->lent = 0;
}

static bool take_break(struct pcap_handle *h)
{
	return __atomic_load_n(&h->broken, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&h->broken, 0, __ATOMIC_ACQ_REL);
}

/*
 * Who waits for the descriptor and then reads is not to wait a second time, when what woke it
 * is not wanted: it is told that there is nothing.
 */
static bool may_wait(const struct pcap_handle *h)
{
	struct pollfd pfd = { .events = POLLIN };

	if (h->nonblock || !h->polled || !h->x || h->at < h->nr)
		return !h->nonblock;
	pfd.fd = xcap_fd(h->x);
	return poll(&pfd, 1, 0) != 1;
}

static int64_t deadline_of(const struct pcap_handle *h, bool wait)
{
	if (!wait)
		return 0;
	return h->timeout_ms > 0 ? clock_mono_ns() + h->timeout_ms * NS_PER_MS : INT64_MAX;
}

static int ms_until(int64_t deadline_ns)
{
	int64_t left;

	if (deadline_ns == INT64_MAX)
		return -1;
	left = deadline_ns ? deadline_ns - clock_mono_ns() : 0;
	return left > 0 ? (int)(left / NS_PER_MS) + 1 : 0;
}

/* See to it that there is a record in hand. Return: SOME, NOTHING, ENDED, PCAP_ERROR..., */
static int wait_for(struct pcap_handle *h, int64_t deadline_ns)
{
	int n;

	if (take_break(h))
		return PCAP_ERROR_BREAK;
	if (h->at < h->nr)
		return SOME;
	if (!h->x)
		return handle_error(h, PCAP_ERROR_NOT_ACTIVATED, "%s is not active yet", h->specs);
	if (handle_settle_fork(h))
		return PCAP_ERROR;
	give_back(h);
	h->at = h->nr = 0;
	do {
		n = xcap_next_batch(h->x, h->batch, HANDLE_BATCH, ms_until(deadline_ns));
		if (n == -EINTR && take_break(h))
			return PCAP_ERROR_BREAK;
	} while (n == -EINTR);
	if (n == -ENODATA)
		return ENDED;
	if (n < 0)
		return handle_error(h, PCAP_ERROR, "%s", xcap_errmsg(h->x));
	h->nr = n;
	return n ? SOME : NOTHING;
}

/* An edge for who waits for one. */
static void there_is_more(struct pcap_handle *h)
{
	if (h->polled)
		wait_signal(h->x);
}

/*
 * The next record that is wanted. Records that are not, without an end, do not keep who asked
 * for longer than he wants to wait. Return: as wait_for().
 */
static int next_packet(struct pcap_handle *h, int64_t deadline_ns, const u_char **data)
{
	int ret;

	for (int n = 1; ; n++) {
		ret = wait_for(h, deadline_ns);
		if (ret != SOME)
			return ret;
		if (h->at + AHEAD < h->nr)
			__builtin_prefetch(h->batch[h->at + AHEAD].data);
		h->lent++;
		ret = show(h, &h->batch[h->at++], data);
		if (ret != NOTHING)
			return ret;
		if (n % DISPATCH_MAX == 0 && !ms_until(deadline_ns)) {
			there_is_more(h);
			return NOTHING;
		}
	}
}

/* ---- libpcap's ways to read ---- */

/* Until count packets have been handled, breakloop or the end. */
static int read_all(struct pcap_handle *h, int count, pcap_handler f, u_char *user)
{
	const u_char *data;
	int n = 0, ret;

	while (count <= 0 || n < count) {
		ret = next_packet(h, INT64_MAX, &data);
		if (ret == ENDED)
			return 0;
		if (ret != SOME)
			return ret;
		f(user, &h->hdr, data);
		if (n < INT_MAX)
			n++;
	}
	return take_break(h) ? PCAP_ERROR_BREAK : 0;
}

/*
 * What is there, once round; the wait is for the first. A capture that has ended is told as a
 * break: who dispatches would take 0 for silence, and ask again at once, without end.
 */
static int read_some(struct pcap_handle *h, int count, int64_t deadline_ns, pcap_handler f,
		     u_char *user)
{
	const u_char *data;
	int n = 0, ret;

	if (count <= 0)
		count = DISPATCH_MAX;
	while (n < count) {
		ret = next_packet(h, n ? 0 : deadline_ns, &data);
		if (ret == PCAP_ERROR_BREAK && n) {
			h->broken = 1;		/* told by the next call, as pcap(3PCAP) has it */
			break;
		}
		if (ret == ENDED)
			return n ?: PCAP_ERROR_BREAK;
		if (ret == NOTHING)
			break;
		if (ret != SOME)
			return ret;
		f(user, &h->hdr, data);
		n++;
	}
	if (n == DISPATCH_MAX)
		there_is_more(h);
	return n;
}

int handle_dispatch(struct pcap_handle *h, int count, pcap_handler f, u_char *user)
{
	int n = read_some(h, count, deadline_of(h, may_wait(h)), f, user);

	give_back(h);
	return n;
}

/* Waits in any case, also when it is not to block: it returns with a reason only. */
int handle_loop(struct pcap_handle *h, int count, pcap_handler f, u_char *user)
{
	int ret = read_all(h, count, f, user);

	give_back(h);
	return ret;
}

int handle_next_ex(struct pcap_handle *h, struct pcap_pkthdr **hdr, const u_char **data)
{
	int ret = next_packet(h, deadline_of(h, may_wait(h)), data);

	*hdr = &h->hdr;
	return ret == ENDED ? PCAP_ERROR_BREAK : ret;	/* as for a savefile's end */
}

const u_char *handle_next(struct pcap_handle *h, struct pcap_pkthdr *hdr)
{
	const u_char *data;

	if (next_packet(h, deadline_of(h, may_wait(h)), &data) != SOME)
		return NULL;
	*hdr = h->hdr;
	return data;
}

void handle_breakloop(struct pcap_handle *h)
{
	__atomic_store_n(&h->broken, 1, __ATOMIC_RELEASE);
	if (h->x)
		xcap_break(h->x);
}
