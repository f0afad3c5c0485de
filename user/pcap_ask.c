// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what a pcap program sets and asks of a handle, besides its packets.
 * Out:  libpcap's answers for it; what cannot be had says so in its error.
 * Owns: nothing.
 * Runs on: the thread of the handle; stats on any, and in signal handlers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "filter.h"
#include "pcap_handle.h"
#include "stream.h"

#define XCAP_PCAP_NO_NAMES
#include <xcap_pcap.h>

static int not_active(struct pcap_handle *h)
{
	return handle_error(h, PCAP_ERROR_NOT_ACTIVATED, "%s is not active yet", h->specs);
}

/* ---- before it is activated ---- */

static int too_late(struct pcap_handle *h)
{
	return h->x ? handle_error(h, PCAP_ERROR_ACTIVATED, "%s is active already", h->specs) : 0;
}

int handle_set_snaplen(struct pcap_handle *h, int n)
{
	int ret = too_late(h);

	if (!ret && n > 0 && n <= 262144)	/* else it stays at the most, as in libpcap */
		h->snaplen = n;
	return ret;
}

int handle_set_promisc(struct pcap_handle *h, int on)
{
	int ret = too_late(h);

	if (!ret)
		h->promisc = on;
	return ret;
}

int handle_can_set_rfmon(struct pcap_handle *h)
{
	return too_late(h);
}

int handle_set_rfmon(struct pcap_handle *h, int on)
{
	int ret = too_late(h);

	if (!ret && on)
		ret = handle_error(h, PCAP_ERROR_RFMON_NOTSUP, "%s has no monitor mode", h->specs);
	return ret;
}

int handle_set_timeout(struct pcap_handle *h, int ms)
{
	int ret = too_late(h);

	if (!ret)
		h->timeout_ms = ms;
	return ret;
}

/* Always so: a record is never kept back for company. */
int handle_set_immediate_mode(struct pcap_handle *h, int on)
{
	return too_late(h);
}

int handle_set_buffer_size(struct pcap_handle *h, int n)
{
	int ret = too_late(h);

	if (!ret && n > 0)
		h->buffer_size = n;
	return ret;
}

int handle_set_tstamp_type(struct pcap_handle *h, int type)
{
	int ret = too_late(h);

	if (!ret && type != PCAP_TSTAMP_HOST)
		ret = PCAP_WARNING_TSTAMP_TYPE_NOTSUP;
	return ret;
}

int handle_set_tstamp_precision(struct pcap_handle *h, int n)
{
	int ret = too_late(h);

	if (!ret && n != PCAP_TSTAMP_PRECISION_MICRO && n != PCAP_TSTAMP_PRECISION_NANO)
		ret = PCAP_ERROR_TSTAMP_PRECISION_NOTSUP;
	if (!ret)
		h->precision = n;
	return ret;
}

int handle_set_protocol_linux(struct pcap_handle *h, int n)
{
	int ret = too_late(h);

	if (!ret && n)
		ret = handle_error(h, PCAP_ERROR, "%s takes all protocols; use a filter",
				   h->specs);
	return ret;
}

static int one_number(struct pcap_handle *h, int **list, int number)
{
	*list = malloc(sizeof(**list));
	if (!*list)
		return handle_error(h, PCAP_ERROR, "no memory for a list");
	**list = number;
	return 1;
}

int handle_list_tstamp_types(struct pcap_handle *h, int **list)
{
	return one_number(h, list, PCAP_TSTAMP_HOST);
}

int handle_get_tstamp_precision(struct pcap_handle *h)
{
	return h->precision;
}

/* ---- while it captures ---- */

int handle_setnonblock(struct pcap_handle *h, int on, char *errbuf)
{
	h->nonblock = on;
	return 0;
}

int handle_getnonblock(struct pcap_handle *h, char *errbuf)
{
	return h->nonblock;
}

static int descriptor(struct pcap_handle *h)
{
	int fd = h->x ? xcap_fd(h->x) : -1;

	return fd < 0 ? PCAP_ERROR : fd;
}

int handle_get_selectable_fd(struct pcap_handle *h)
{
	h->polled = h->x;
	return descriptor(h);
}

/* Some wait for this one; who reads without a timeout is never told "nothing" for it. */
int handle_fileno(struct pcap_handle *h)
{
	h->polled |= h->x && h->timeout_ms > 0;
	return descriptor(h);
}

const struct timeval *handle_get_required_select_timeout(struct pcap_handle *h)
{
	return NULL;	/* the descriptor tells all by itself */
}

void handle_drop_filter(struct pcap_handle *h)
{
	if (!h->filtering)
		return;
	h->filtering = false;
	pcap_real.freecode(&h->filter[0]);
	pcap_real.freecode(&h->filter[1]);
}

int handle_setfilter(struct pcap_handle *h, struct bpf_program *prog)
{
	struct bpf_program split[2];

	if (!h->x)
		return not_active(h);
	if (!prog || !prog->bf_insns || !bpf_validate(prog->bf_insns, prog->bf_len))
		return handle_error(h, PCAP_ERROR, "the filter is no valid BPF program");
	if (filter_split(prog, split))
		return handle_error(h, PCAP_ERROR, "no memory for a filter");
	handle_drop_filter(h);
	memcpy(h->filter, split, sizeof(h->filter));
	h->filtering = true;
	return 0;
}

int handle_setdirection(struct pcap_handle *h, pcap_direction_t d)
{
	if (!h->x)
		return not_active(h);
	if (d != PCAP_D_IN && d != PCAP_D_OUT && d != PCAP_D_INOUT)
		return handle_error(h, PCAP_ERROR, "there is no direction %d", d);
	h->direction = d;
	return 0;
}

/*
 * As on Linux: ps_recv counts what the filter let through, lost records included, and
 * ps_ifdrop is no part of it.
 */
int handle_stats(struct pcap_handle *h, struct pcap_stat *st)
{
	struct xcap_stats s = { .sz = sizeof(s) };
	uint64_t refused = __atomic_load_n(&h->refused, __ATOMIC_ACQUIRE);
	uint64_t notices = __atomic_load_n(&h->notices, __ATOMIC_ACQUIRE);
	uint64_t dropped = 0;

	if (!h->x)
		return not_active(h);
	if (xcap_stats(h->x, -1, &s))
		return handle_error(h, PCAP_ERROR, "%s", xcap_errmsg(h->x));
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		dropped += s.dropped[i];
	st->ps_ifdrop = s.dropped[XCAP_DROP_NIC_MISSED];
	st->ps_drop = dropped - st->ps_ifdrop;
	st->ps_recv = s.seen - s.filtered - refused - st->ps_ifdrop + notices;
	return 0;
}

/* ---- what it is ---- */

int handle_snapshot(struct pcap_handle *h)
{
	return h->x ? h->snaplen : not_active(h);
}

int handle_datalink(struct pcap_handle *h)
{
	return h->x ? h->dlt : not_active(h);
}

int handle_datalink_ext(struct pcap_handle *h)
{
	return handle_datalink(h);
}

int handle_list_datalinks(struct pcap_handle *h, int **list)
{
	if (!h->x)
		return not_active(h);
	if (h->packet_dlt == DLT_USER0)
		return one_number(h, list, DLT_USER0);
	*list = malloc(2 * sizeof(**list));
	if (!*list)
		return handle_error(h, PCAP_ERROR, "no memory for a list");
	(*list)[0] = h->packet_dlt;
	(*list)[1] = DLT_USER0;
	return 2;
}

int handle_set_datalink(struct pcap_handle *h, int dlt)
{
	const char *name = xcap_pcap_datalink_val_to_name(dlt);
	int before = h->dlt;

	if (!h->x)
		return not_active(h);
	if (dlt != h->packet_dlt && dlt != DLT_USER0)
		return handle_error(h, PCAP_ERROR, "%s is not one of the DLTs supported by %s",
				    name ? name : "that", h->specs);
	h->dlt = dlt;
	if (!handle_remodel(h))
		return 0;
	h->dlt = before;
	return PCAP_ERROR;
}

int handle_is_swapped(struct pcap_handle *h)
{
	return h->x ? 0 : not_active(h);
}

int handle_bufsize(struct pcap_handle *h)
{
	return h->buffer_size;
}

FILE *handle_file(struct pcap_handle *h)
{
	return NULL;
}

char *handle_geterr(struct pcap_handle *h)
{
	return h->errbuf;
}

void handle_perror(struct pcap_handle *h, const char *prefix)
{
	fprintf(stderr, "%s: %s\n", prefix, h->errbuf);
}

/* ---- what is done with it ---- */

/* libpcap works on the model, and its sentence becomes the handle's. */
static void take_error(struct pcap_handle *h)
{
	handle_error(h, 0, "%s", pcap_real.geterr(h->model));
}

int handle_compile(struct pcap_handle *h, struct bpf_program *prog, const char *text, int opt,
		   bpf_u_int32 mask)
{
	int ret;

	if (!h->x)
		return not_active(h);
	ret = pcap_real.compile(h->model, prog, text, opt, mask);
	if (ret)
		take_error(h);
	return ret;
}

int handle_inject(struct pcap_handle *h, const void *data, size_t len)
{
	int fd = h->x ? stream_wire(h->x) : not_active(h);
	ssize_t n;

	if (!h->x)
		return fd;
	if (fd < 0)
		return handle_error(h, PCAP_ERROR, "%s", xcap_errmsg(h->x));
	n = write(fd, data, len);
	return n < 0 ? handle_error(h, PCAP_ERROR, "send: %s", strerror(errno)) : (int)n;
}

int handle_sendpacket(struct pcap_handle *h, const u_char *data, int len)
{
	return handle_inject(h, data, len) < 0 ? PCAP_ERROR : 0;
}

pcap_dumper_t *handle_dump_open(struct pcap_handle *h, const char *name)
{
	pcap_dumper_t *d = NULL;

	if (!h->x)
		not_active(h);
	else if (!(d = pcap_real.dump_open(h->model, name)))
		take_error(h);
	return d;
}

pcap_dumper_t *handle_dump_open_append(struct pcap_handle *h, const char *name)
{
	pcap_dumper_t *d = NULL;

	if (!h->x)
		not_active(h);
	else if (!(d = pcap_real.dump_open_append(h->model, name)))
		take_error(h);
	return d;
}

pcap_dumper_t *handle_dump_fopen(struct pcap_handle *h, FILE *f)
{
	pcap_dumper_t *d = NULL;

	if (!h->x)
		not_active(h);
	else if (!(d = pcap_real.dump_fopen(h->model, f)))
		take_error(h);
	return d;
}
