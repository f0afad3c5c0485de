/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xcap under the names of libpcap, for a program that is compiled again: include this
 * instead of <pcap.h>, link with libxcap as well, change nothing else.
 *
 *	pcap_open_live("syscalls", ...)         system calls, as Ethernet frames or USER0
 *	pcap_open_live("eth0+syscalls", ...)    both in one stream
 *	pcap_open_live("xsk:eth0", ...)         AF_XDP
 *	pcap_open_live("eth0", ...)             libpcap itself, as ever
 *
 * A name that is a spec of xcap(7) opens xcap; all other names, and handles that are not
 * ours, go to libpcap untouched. xcap-linktypes(7) says what system calls look like. A
 * program that cannot be compiled again is started by xcap-run(1).
 *
 * Each function is its namesake in pcap(3PCAP): arguments, units, results and errors are
 * those. What is different for our handles:
 *
 *	pcap_set_buffer_size()	the sum of the rings of all CPUs
 *	pcap_set_immediate_mode()	always on
 *	pcap_set_rfmon(), pcap_set_protocol_linux()	refused
 *	pcap_stats()	ps_recv counts lost records too; ps_ifdrop: the NIC's
 *	pcap_fileno(), pcap_get_selectable_fd()	an epoll descriptor: wait for it to be
 *		readable, and read nothing from it
 *	pcap_inject(), pcap_sendpacket()	on the first of the interfaces
 *	pcap_next_ex()	-2 when every source has ended
 *
 * Return: as in pcap(3PCAP); the sentence is in pcap_geterr().
 * Owns:   as in pcap(3PCAP): a packet is the library's until the next call.
 * Threads: one thread per handle; pcap_breakloop() and pcap_stats() from any thread and
 *         from signal handlers, pcap_close() from any thread. A handle goes on in the child
 *         of a fork, if the parent then leaves it alone.
 * Since:  0.1
 */
#ifndef XCAP_PCAP_H
#define XCAP_PCAP_H

#include <pcap/pcap.h>
#include <xcap.h>

#ifdef __cplusplus
extern "C" {
#endif

XCAP_API pcap_t *xcap_pcap_create(const char *device, char *errbuf);
XCAP_API pcap_t *xcap_pcap_open_live(const char *device, int snaplen, int promisc, int to_ms,
				     char *errbuf);
XCAP_API int xcap_pcap_activate(pcap_t *p);
XCAP_API void xcap_pcap_close(pcap_t *p);
XCAP_API int xcap_pcap_findalldevs(pcap_if_t **all, char *errbuf);
XCAP_API int xcap_pcap_lookupnet(const char *device, bpf_u_int32 *net, bpf_u_int32 *mask,
				 char *errbuf);

XCAP_API int xcap_pcap_set_snaplen(pcap_t *p, int n);
XCAP_API int xcap_pcap_set_promisc(pcap_t *p, int on);
XCAP_API int xcap_pcap_can_set_rfmon(pcap_t *p);
XCAP_API int xcap_pcap_set_rfmon(pcap_t *p, int on);
XCAP_API int xcap_pcap_set_timeout(pcap_t *p, int ms);
XCAP_API int xcap_pcap_set_immediate_mode(pcap_t *p, int on);
XCAP_API int xcap_pcap_set_buffer_size(pcap_t *p, int n);
XCAP_API int xcap_pcap_set_tstamp_type(pcap_t *p, int type);
XCAP_API int xcap_pcap_set_tstamp_precision(pcap_t *p, int n);
XCAP_API int xcap_pcap_set_protocol_linux(pcap_t *p, int n);
XCAP_API int xcap_pcap_list_tstamp_types(pcap_t *p, int **list);
XCAP_API int xcap_pcap_get_tstamp_precision(pcap_t *p);

XCAP_API int xcap_pcap_loop(pcap_t *p, int n, pcap_handler f, u_char *user);
XCAP_API int xcap_pcap_dispatch(pcap_t *p, int n, pcap_handler f, u_char *user);
XCAP_API const u_char *xcap_pcap_next(pcap_t *p, struct pcap_pkthdr *hdr);
XCAP_API int xcap_pcap_next_ex(pcap_t *p, struct pcap_pkthdr **hdr, const u_char **data);
XCAP_API void xcap_pcap_breakloop(pcap_t *p);
XCAP_API int xcap_pcap_setnonblock(pcap_t *p, int on, char *errbuf);
XCAP_API int xcap_pcap_getnonblock(pcap_t *p, char *errbuf);
XCAP_API int xcap_pcap_fileno(pcap_t *p);
XCAP_API int xcap_pcap_get_selectable_fd(pcap_t *p);
XCAP_API const struct timeval *xcap_pcap_get_required_select_timeout(pcap_t *p);
XCAP_API int xcap_pcap_setfilter(pcap_t *p, struct bpf_program *prog);
XCAP_API int xcap_pcap_setdirection(pcap_t *p, pcap_direction_t d);
XCAP_API int xcap_pcap_stats(pcap_t *p, struct pcap_stat *st);

XCAP_API int xcap_pcap_snapshot(pcap_t *p);
XCAP_API int xcap_pcap_datalink(pcap_t *p);
XCAP_API int xcap_pcap_datalink_ext(pcap_t *p);
XCAP_API int xcap_pcap_list_datalinks(pcap_t *p, int **list);
XCAP_API int xcap_pcap_set_datalink(pcap_t *p, int dlt);
XCAP_API int xcap_pcap_is_swapped(pcap_t *p);
XCAP_API int xcap_pcap_bufsize(pcap_t *p);
XCAP_API FILE *xcap_pcap_file(pcap_t *p);
XCAP_API char *xcap_pcap_geterr(pcap_t *p);
XCAP_API void xcap_pcap_perror(pcap_t *p, const char *prefix);
XCAP_API int xcap_pcap_datalink_name_to_val(const char *name);
XCAP_API const char *xcap_pcap_datalink_val_to_name(int dlt);
XCAP_API const char *xcap_pcap_datalink_val_to_description(int dlt);
XCAP_API const char *xcap_pcap_datalink_val_to_description_or_dlt(int dlt);

XCAP_API int xcap_pcap_compile(pcap_t *p, struct bpf_program *prog, const char *text, int opt,
			       bpf_u_int32 mask);
XCAP_API int xcap_pcap_inject(pcap_t *p, const void *data, size_t len);
XCAP_API int xcap_pcap_sendpacket(pcap_t *p, const u_char *data, int len);
XCAP_API pcap_dumper_t *xcap_pcap_dump_open(pcap_t *p, const char *name);
XCAP_API pcap_dumper_t *xcap_pcap_dump_open_append(pcap_t *p, const char *name);
XCAP_API pcap_dumper_t *xcap_pcap_dump_fopen(pcap_t *p, FILE *f);

#ifdef __cplusplus
}
#endif

/* What is not here needs no handle, or one from a savefile, and stays libpcap's. */
#ifndef XCAP_PCAP_NO_NAMES
#define pcap_create	xcap_pcap_create
#define pcap_open_live	xcap_pcap_open_live
#define pcap_activate	xcap_pcap_activate
#define pcap_close	xcap_pcap_close
#define pcap_findalldevs	xcap_pcap_findalldevs
#define pcap_lookupnet	xcap_pcap_lookupnet
#define pcap_set_snaplen	xcap_pcap_set_snaplen
#define pcap_set_promisc	xcap_pcap_set_promisc
#define pcap_can_set_rfmon	xcap_pcap_can_set_rfmon
#define pcap_set_rfmon	xcap_pcap_set_rfmon
#define pcap_set_timeout	xcap_pcap_set_timeout
#define pcap_set_immediate_mode	xcap_pcap_set_immediate_mode
#define pcap_set_buffer_size	xcap_pcap_set_buffer_size
#define pcap_set_tstamp_type	xcap_pcap_set_tstamp_type
#define pcap_set_tstamp_precision	xcap_pcap_set_tstamp_precision
#define pcap_set_protocol_linux	xcap_pcap_set_protocol_linux
#define pcap_list_tstamp_types	xcap_pcap_list_tstamp_types
#define pcap_get_tstamp_precision	xcap_pcap_get_tstamp_precision
#define pcap_loop	xcap_pcap_loop
#define pcap_dispatch	xcap_pcap_dispatch
#define pcap_next	xcap_pcap_next
#define pcap_next_ex	xcap_pcap_next_ex
#define pcap_breakloop	xcap_pcap_breakloop
#define pcap_setnonblock	xcap_pcap_setnonblock
#define pcap_getnonblock	xcap_pcap_getnonblock
#define pcap_fileno	xcap_pcap_fileno
#define pcap_get_selectable_fd	xcap_pcap_get_selectable_fd
#define pcap_get_required_select_timeout	xcap_pcap_get_required_select_timeout
#define pcap_setfilter	xcap_pcap_setfilter
#define pcap_setdirection	xcap_pcap_setdirection
#define pcap_stats	xcap_pcap_stats
#define pcap_snapshot	xcap_pcap_snapshot
#define pcap_datalink	xcap_pcap_datalink
#define pcap_datalink_ext	xcap_pcap_datalink_ext
#define pcap_list_datalinks	xcap_pcap_list_datalinks
#define pcap_set_datalink	xcap_pcap_set_datalink
#define pcap_is_swapped	xcap_pcap_is_swapped
#define pcap_bufsize	xcap_pcap_bufsize
#define pcap_file	xcap_pcap_file
#define pcap_geterr	xcap_pcap_geterr
#define pcap_perror	xcap_pcap_perror
#define pcap_datalink_name_to_val	xcap_pcap_datalink_name_to_val
#define pcap_datalink_val_to_name	xcap_pcap_datalink_val_to_name
#define pcap_datalink_val_to_description	xcap_pcap_datalink_val_to_description
#define pcap_datalink_val_to_description_or_dlt	xcap_pcap_datalink_val_to_description_or_dlt
#define pcap_compile	xcap_pcap_compile
#define pcap_inject	xcap_pcap_inject
#define pcap_sendpacket	xcap_pcap_sendpacket
#define pcap_dump_open	xcap_pcap_dump_open
#define pcap_dump_open_append	xcap_pcap_dump_open_append
#define pcap_dump_fopen	xcap_pcap_dump_fopen
#endif

#endif
