/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose packets are whose: sockets by their cookie, by both their addresses, or by the one they
 * are bound to; who used them, and when. What is not known is not guessed.
 */
#ifndef XCAP_OWNER_H
#define XCAP_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "xcap_event.h"

struct owners;

/*
 * What of a packet tells its socket. Addresses as in xcap_ev_sock, ports in host order. No padding:
 * two that are the same have the same bytes.
 */
struct owner_flow {
	uint64_t cookie;	/* of the socket that sent it; 0 not known */
	uint64_t netns;		/* of the interface */
	uint32_t ifindex;
	uint8_t  protocol;	/* 0: no more is known than what stands above */
	bool     out;		/* it leaves: the source is here */
	uint16_t src_port, dst_port;
	uint16_t reserved[3];
	uint8_t  src[16], dst[16];
};
_Static_assert(sizeof(struct owner_flow) == 64, "no padding");

struct owner {
	uint32_t pid, tid, uid;
	uint64_t cgroup_id;
	int64_t from_ns;	/* since then it has the socket */
	int how;		/* XCAP_OWNER_ */
	char comm[16];		/* when it took the socket; "" not known */
};

/* Return: NULL: no memory. */
struct owners *owners_new(void);
void owners_free(struct owners *t);

/* One XEV_SOCK record, in stream order; comm: 16 bytes, the task's name then, or NULL. */
void owners_apply(struct owners *t, const struct xcap_ev_sock *ev, const char *comm);

/*
 * Until then it may have been missed who took a socket over: each is nobody's until it is seen in
 * use again.
 */
void owners_unsure(struct owners *t, int64_t mono_ns);

/* This address is one of the namespace's own: what is bound to any address takes it. */
void owners_add_address(struct owners *t, uint64_t netns, const uint8_t address[16]);

/*
 * Whose packet is it, at that time? A packet that has a cookie tells the addresses of its socket,
 * which is remembered. *sure: nobody else here can be meant, whatever addresses this host has.
 * Return: true with *out.
 */
bool owners_find(struct owners *t, const struct owner_flow *flow, int64_t mono_ns,
		 struct owner *out, bool *sure);

/* How often packets have told addresses that were new. */
uint64_t owners_nr_learned(const struct owners *t);

/* Sockets in the table. */
unsigned int owners_count(const struct owners *t);

#endif
