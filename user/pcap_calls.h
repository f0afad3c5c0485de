/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of libpcap that take a handle, as one table: what pcap_twin.c decides
 * about each ("is it one of ours?"), xcap_pcap.h offers by another name and the shim by
 * the same name. pcap(3PCAP) says what each does.
 *
 *	X(result, name, parameters, arguments of libpcap's, arguments of ours)
 *
 * ours is handle_NAME() of pcap_handle.h. XV: those without a result.
 */
#ifndef XCAP_PCAP_CALLS_H
#define XCAP_PCAP_CALLS_H

#include <pcap/pcap.h>

#ifdef pcap_dump_fopen		/* a macro on one system that we do not run on */
#undef pcap_dump_fopen
#endif

#define PCAP_HANDLE_CALLS(X, XV)								\
	/* before it is activated */								\
	X(int, activate, (pcap_t *p), (p), (h))							\
	X(int, set_snaplen, (pcap_t *p, int n), (p, n), (h, n))					\
	X(int, set_promisc, (pcap_t *p, int on), (p, on), (h, on))				\
	X(int, can_set_rfmon, (pcap_t *p), (p), (h))						\
	X(int, set_rfmon, (pcap_t *p, int on), (p, on), (h, on))				\
	X(int, set_timeout, (pcap_t *p, int ms), (p, ms), (h, ms))				\
	X(int, set_immediate_mode, (pcap_t *p, int on), (p, on), (h, on))			\
	X(int, set_buffer_size, (pcap_t *p, int n), (p, n), (h, n))				\
	X(int, set_tstamp_type, (pcap_t *p, int type), (p, type), (h, type))			\
	X(int, set_tstamp_precision, (pcap_t *p, int n), (p, n), (h, n))			\
	X(int, set_protocol_linux, (pcap_t *p, int n), (p, n), (h, n))				\
	X(int, list_tstamp_types, (pcap_t *p, int **list), (p, list), (h, list))		\
	X(int, get_tstamp_precision, (pcap_t *p), (p), (h))					\
	/* reading */										\
	X(int, loop, (pcap_t *p, int n, pcap_handler f, u_char *user), (p, n, f, user),	\
	  (h, n, f, user))									\
	X(int, dispatch, (pcap_t *p, int n, pcap_handler f, u_char *user), (p, n, f, user),	\
	  (h, n, f, user))									\
	X(const u_char *, next, (pcap_t *p, struct pcap_pkthdr *hdr), (p, hdr), (h, hdr))	\
	X(int, next_ex, (pcap_t *p, struct pcap_pkthdr **hdr, const u_char **data),		\
	  (p, hdr, data), (h, hdr, data))							\
	XV(breakloop, (pcap_t *p), (p), (h))							\
	X(int, setnonblock, (pcap_t *p, int on, char *errbuf), (p, on, errbuf),		\
	  (h, on, errbuf))									\
	X(int, getnonblock, (pcap_t *p, char *errbuf), (p, errbuf), (h, errbuf))		\
	X(int, fileno, (pcap_t *p), (p), (h))							\
	X(int, get_selectable_fd, (pcap_t *p), (p), (h))					\
	X(const struct timeval *, get_required_select_timeout, (pcap_t *p), (p), (h))		\
	X(int, setfilter, (pcap_t *p, struct bpf_program *prog), (p, prog), (h, prog))		\
	X(int, setdirection, (pcap_t *p, pcap_direction_t d), (p, d), (h, d))			\
	X(int, stats, (pcap_t *p, struct pcap_stat *st), (p, st), (h, st))			\
	/* what it is */									\
	X(int, snapshot, (pcap_t *p), (p), (h))							\
	X(int, datalink, (pcap_t *p), (p), (h))							\
	X(int, datalink_ext, (pcap_t *p), (p), (h))						\
	X(int, list_datalinks, (pcap_t *p, int **list), (p, list), (h, list))			\
	X(int, set_datalink, (pcap_t *p, int dlt), (p, dlt), (h, dlt))				\
	X(int, is_swapped, (pcap_t *p), (p), (h))						\
	X(int, bufsize, (pcap_t *p), (p), (h))							\
	X(FILE *, file, (pcap_t *p), (p), (h))							\
	X(char *, geterr, (pcap_t *p), (p), (h))						\
	XV(perror, (pcap_t *p, const char *prefix), (p, prefix), (h, prefix))			\
	/* what is done with it */								\
	X(int, compile, (pcap_t *p, struct bpf_program *prog, const char *text, int opt,	\
	  bpf_u_int32 mask), (p, prog, text, opt, mask), (h, prog, text, opt, mask))		\
	X(int, inject, (pcap_t *p, const void *data, size_t len), (p, data, len),		\
	  (h, data, len))									\
	X(int, sendpacket, (pcap_t *p, const u_char *data, int len), (p, data, len),		\
	  (h, data, len))									\
	X(pcap_dumper_t *, dump_open, (pcap_t *p, const char *name), (p, name), (h, name))	\
	X(pcap_dumper_t *, dump_open_append, (pcap_t *p, const char *name), (p, name),		\
	  (h, name))										\
	X(pcap_dumper_t *, dump_fopen, (pcap_t *p, FILE *f), (p, f), (h, f))

/* Others of libpcap that ours stand on: X(result, name, parameters). */
#define PCAP_PLAIN_CALLS(X)									\
	X(pcap_t *, create, (const char *device, char *errbuf))				\
	X(pcap_t *, open_live, (const char *device, int snaplen, int promisc, int to_ms,	\
	  char *errbuf))									\
	X(void, close, (pcap_t *p))								\
	X(int, findalldevs, (pcap_if_t **all, char *errbuf))					\
	X(int, lookupnet, (const char *device, bpf_u_int32 *net, bpf_u_int32 *mask,		\
	  char *errbuf))									\
	X(pcap_t *, open_dead_with_tstamp_precision, (int dlt, int snaplen, u_int precision))	\
	X(int, offline_filter, (const struct bpf_program *prog, const struct pcap_pkthdr *hdr,	\
	  const u_char *data))									\
	X(void, freecode, (struct bpf_program *prog))						\
	X(int, datalink_name_to_val, (const char *name))					\
	X(const char *, datalink_val_to_name, (int dlt))					\
	X(const char *, datalink_val_to_description, (int dlt))				\
	X(const char *, datalink_val_to_description_or_dlt, (int dlt))

/* libpcap's own; the shim, which has these names itself, fills it when it is loaded. */
struct pcap_real {
#define X(ret, name, params, args, ours) ret (*name) params;
#define XV(name, params, args, ours) void (*name) params;
	PCAP_HANDLE_CALLS(X, XV)
#undef X
#define X(ret, name, params) ret (*name) params;
	PCAP_PLAIN_CALLS(X)
#undef X
#undef XV
};
extern struct pcap_real pcap_real;

#endif
