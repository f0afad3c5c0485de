/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture in two processes. One has the privilege: it loads, attaches and gives
 * descriptors (remote_serve.c). The other has the records: it maps what it got and
 * merges (remote_ask.c). Between them is one SOCK_SEQPACKET connection for each handle,
 * and the capture lives no longer than that.
 *
 *	asks		gets
 *	REMOTE_OPEN	REMOTE_OPENED: the source's own parcel; once for each source
 *	REMOTE_WIRE	REMOTE_OPENED: a packet socket to send on one of the interfaces
 *	REMOTE_START	REMOTE_OPENED: from here on there are records; ends all opening
 *	REMOTE_STOP	REMOTE_OPENED: detached, no program runs any more
 *	any of these	REMOTE_FAILED: errno and its sentence
 *	REMOTE_TELL	(no answer): how its stream stands
 *	(hangs up)	all is closed
 */
#ifndef XCAP_REMOTE_H
#define XCAP_REMOTE_H

#include <stdbool.h>
#include <stdint.h>
#include "source.h"
#include "ssh.h"

enum {
	REMOTE_OPEN	= 0x78630001,
	REMOTE_WIRE,
	REMOTE_START,
	REMOTE_STOP,
	REMOTE_OPENED,
	REMOTE_FAILED,
	REMOTE_TELL,
};

/* What the reader asks with: the same build on both sides, or nothing goes. */
struct remote_hello {
	char version[16];
	uint32_t size_xsk_conf, size_cpu;
	uint64_t netns_cookie;		/* the reader's network namespace */
	struct ssh_peer ssh;		/* the connection that must not be cut, if it knows */
	uint32_t snaplen, ring_bytes;
	int64_t slack_ns;
	uint8_t self, promisc;
	uint16_t size_told;
	uint8_t reserved[4];
};

/* What the reader is told of a source, in front of the source's own parcel. */
struct remote_source {
	char scheme[16];
	char spec[SOURCE_SPEC_SIZE];
	char mode[32];
	char note[512];
	uint32_t ifindex, linktype;
};

/* What the reader tells of itself now and then: as much of it as has sources. */
struct remote_account {
	uint32_t nr_sources, nr_all;
	struct xcap_stats total;
	struct remote_told {
		char spec[SOURCE_SPEC_SIZE];
		char mode[32];
		struct xcap_stats stats;
	} sources[XCAP_TOLD_SOURCES];
};

/* Cookie of the network namespace that we are in; 0 not known. */
uint64_t remote_netns(void);

/* Fill it for this process. */
void remote_hello(struct remote_hello *h, const struct source_conf *conf);

struct remote;

/*
 * Connect to what XCAP_RUN says: "NAME:SECRET", an abstract unix socket and what it wants to
 * hear first. Return: 0; -errno with a sentence.
 */
int remote_connect(struct remote **out, const char *where, struct error *err);

/* Open a source there and take it. Return: 0; -errno with a sentence. */
int remote_open(struct source *s, const struct spec *spec);

/* All sources are open: let there be records. Return: 0; -errno with a sentence. */
int remote_start(struct remote *r, struct error *err);

/* Detach them all there; bounded. Return: 0; -errno: nobody knows whether they are. */
int remote_stop(struct remote *r);

/* A packet socket to send on an interface of one of the sources. Return: fd; -errno. */
int remote_wire(struct remote *r, uint32_t ifindex, struct error *err);

/*
 * How the stream stands is to be told, at now_ns. Return: where to write it before remote_tell();
 * NULL: not yet.
 */
struct remote_account *remote_account(struct remote *r, int64_t now_ns);

/* Never waits: while the last one has not been read, this one is not sent. */
void remote_tell(struct remote *r);

/* Has the other half gone? It is looked at now and then only. */
bool remote_is_gone(struct remote *r);

/* Readable when the other half has gone. */
int remote_fd(const struct remote *r);

/* Takes NULL. */
void remote_close(struct remote *r);

#endif
