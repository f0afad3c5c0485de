/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of several readers gets a record. What belongs together stays together. */
#ifndef XCAP_BALANCE_H
#define XCAP_BALANCE_H

#include <stdint.h>
#include <xcap.h>

/*
 * "Flow": both directions of a conversation, whatever tags and extension headers its frames have,
 * and the ICMP errors that speak of it. All fragments of a datagram go by its addresses and
 * protocol, because the later ones have no ports. What is not IP goes by its pair of hardware
 * addresses, what has none by its interface; what is no packet by its process.
 */
enum balance_mode {
	BALANCE_DEFAULT,	/* packets by flow, system calls and switches by process */
	BALANCE_FLOW,
	BALANCE_IP,		/* pair of addresses */
	BALANCE_PID,		/* this and the next two: packets by their owner, else by flow; */
	BALANCE_TID,		/* switches by the task that leaves */
	BALANCE_CGROUP,
	BALANCE_CPU,		/* not known: as by default */
	BALANCE_RR,		/* in turn */
	BALANCE_FANOUT,		/* everybody gets everything */
	BALANCE_VLAN,		/* outer VLAN; no tag, or one that names no VLAN (0), is one too */
	BALANCE_INNER,		/* flow of what tunnels carry; as flow where there is none */
	BALANCE_FIFO,		/* the first gets everything */
};

/*
 * By name ("flow", "ip", "pid", "tid", "cgroup", "cpu", "round-robin", "fanout", "vlan", "inner",
 * "fifo"). Return: enum balance_mode; -1: none has that name.
 */
int balance_mode_of(const char *name);

/* "default" has a name for people, which balance_mode_of() does not take. */
const char *balance_mode_name(int mode);

/* All names that balance_mode_of() takes, "flow, ip, ...": for sentences. */
const char *balance_mode_list(void);

#define BALANCE_ALL UINT32_MAX	/* every instance gets it */

/* Whose turn it is, of one application; begins as 0. */
struct balance_rr {
	uint64_t next;
};

/*
 * Which of nr (at least 1) instances gets rec? rr is used by BALANCE_RR only. Loss records go to
 * all in every mode. The same record gets the same answer in every process and at all times.
 * Return: 0 to nr - 1, or BALANCE_ALL.
 */
uint32_t balance_pick(enum balance_mode mode, const struct xcap_record *rec, uint32_t nr,
		      struct balance_rr *rr);

#endif
