/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A handle of libpcap's API that is one of ours. What the program holds is a
 * pcap_open_dead() one, so that libpcap itself knows it for one of its own; we know it by
 * its address.
 */
#ifndef XCAP_PCAP_HANDLE_H
#define XCAP_PCAP_HANDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "pcap_calls.h"

#define HANDLE_BATCH 64

struct pcap_handle {
	pcap_t *key;		/* what the program holds; NULL: closed, or free */
	pcap_t *ghost;		/* what it held, of the handle before */
	uint32_t state;		/* who is in here */
	char errbuf[PCAP_ERRBUF_SIZE];

	/* as it was asked for */
	char *specs;
	int snaplen, promisc, timeout_ms, buffer_size;
	int precision;		/* PCAP_TSTAMP_PRECISION_ */
	int dlt;		/* what it gives; 0 until it is active */
	bool nonblock, polled;	/* polled: somebody waits for the descriptor */
	pcap_direction_t direction;

	/* active */
	struct xcap *x;
	pcap_t *model;		/* dead, and of the current link type: for compile and dump */
	int packet_dlt;		/* of its packets */
	bool events;		/* there is more than packets */
	struct bpf_program filter[2];	/* [1] for what goes out */
	bool filtering;
	unsigned int forks;	/* as the last reader knew it */

	/* reading */
	struct xcap_record batch[HANDLE_BATCH];
	int at, nr;		/* batch[at..nr) is still to come */
	int lent;		/* records before at that were handed out and not given back */
	uint8_t *room;		/* where forms are written */
	size_t room_size;
	struct pcap_pkthdr hdr;	/* of next and next_ex */
	int broken;		/* pcap_breakloop() */

	/* counted here, written by the reader only */
	uint64_t refused;	/* by setfilter and setdirection */
	uint64_t notices;	/* loss records shown as packets */
};

/* Handles that are open now: get counts a reference. Return: NULL: not one of ours. */
struct pcap_handle *handle_get(pcap_t *p);
void handle_put(struct pcap_handle *h);

/* Is it one that was closed, and not so long ago? libpcap's own answers for it, with errors. */
bool handle_was_ours(const pcap_t *p);

/* A new one, not active. Return: NULL, why in errbuf. */
struct pcap_handle *handle_new(const char *specs, char *errbuf);

/* Forget it; calls under way end, and the last of them frees it. */
void handle_close(struct pcap_handle *h);

/* Write its error. Return: code. */
__attribute__((format(printf, 3, 4)))
int handle_error(struct pcap_handle *h, int code, const char *fmt, ...);

/* Another process may be the reader now. Return: 0 or PCAP_ERROR. */
int handle_settle_fork(struct pcap_handle *h);

/* Without a filter from now on. */
void handle_drop_filter(struct pcap_handle *h);

/* The model follows link type, snaplen and precision. Return: 0 or PCAP_ERROR. */
int handle_remodel(struct pcap_handle *h);

/* pcap_read.c, pcap_handle.c, pcap_ask.c: one for each row of the table */
int handle_activate(struct pcap_handle *h);
int handle_set_snaplen(struct pcap_handle *h, int n);
int handle_set_promisc(struct pcap_handle *h, int on);
int handle_can_set_rfmon(struct pcap_handle *h);
int handle_set_rfmon(struct pcap_handle *h, int on);
int handle_set_timeout(struct pcap_handle *h, int ms);
int handle_set_immediate_mode(struct pcap_handle *h, int on);
int handle_set_buffer_size(struct pcap_handle *h, int n);
int handle_set_tstamp_type(struct pcap_handle *h, int type);
int handle_set_tstamp_precision(struct pcap_handle *h, int n);
int handle_set_protocol_linux(struct pcap_handle *h, int n);
int handle_list_tstamp_types(struct pcap_handle *h, int **list);
int handle_get_tstamp_precision(struct pcap_handle *h);
int handle_loop(struct pcap_handle *h, int n, pcap_handler f, u_char *user);
int handle_dispatch(struct pcap_handle *h, int n, pcap_handler f, u_char *user);
const u_char *handle_next(struct pcap_handle *h, struct pcap_pkthdr *hdr);
int handle_next_ex(struct pcap_handle *h, struct pcap_pkthdr **hdr, const u_char **data);
void handle_breakloop(struct pcap_handle *h);
int handle_setnonblock(struct pcap_handle *h, int on, char *errbuf);
int handle_getnonblock(struct pcap_handle *h, char *errbuf);
int handle_fileno(struct pcap_handle *h);
int handle_get_selectable_fd(struct pcap_handle *h);
const struct timeval *handle_get_required_select_timeout(struct pcap_handle *h);
int handle_setfilter(struct pcap_handle *h, struct bpf_program *prog);
int handle_setdirection(struct pcap_handle *h, pcap_direction_t d);
int handle_stats(struct pcap_handle *h, struct pcap_stat *st);
int handle_snapshot(struct pcap_handle *h);
int handle_datalink(struct pcap_handle *h);
int handle_datalink_ext(struct pcap_handle *h);
int handle_list_datalinks(struct pcap_handle *h, int **list);
int handle_set_datalink(struct pcap_handle *h, int dlt);
int handle_is_swapped(struct pcap_handle *h);
int handle_bufsize(struct pcap_handle *h);
FILE *handle_file(struct pcap_handle *h);
char *handle_geterr(struct pcap_handle *h);
void handle_perror(struct pcap_handle *h, const char *prefix);
int handle_compile(struct pcap_handle *h, struct bpf_program *prog, const char *text, int opt,
		   bpf_u_int32 mask);
int handle_inject(struct pcap_handle *h, const void *data, size_t len);
int handle_sendpacket(struct pcap_handle *h, const u_char *data, int len);
pcap_dumper_t *handle_dump_open(struct pcap_handle *h, const char *name);
pcap_dumper_t *handle_dump_open_append(struct pcap_handle *h, const char *name);
pcap_dumper_t *handle_dump_fopen(struct pcap_handle *h, FILE *f);

#endif
