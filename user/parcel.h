/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one process hands to another over a unix socket: bytes and descriptors
 * (SCM_RIGHTS, unix(7)), in as many messages as it takes.
 */
#ifndef XCAP_PARCEL_H
#define XCAP_PARCEL_H

#include <stddef.h>
#include <stdint.h>

#define PARCEL_BYTES 32768
#define PARCEL_FDS 2048

struct parcel {
	uint32_t kind;		/* what it is, in the words of those who send it */
	uint32_t len, at;	/* bytes in, bytes taken out */
	uint32_t nr_fds, fds_at;
	int broken;		/* -errno: something did not fit, or was not there */
	int owns;		/* received: what nobody took is closed */
	uint8_t bytes[PARCEL_BYTES];
	int fds[PARCEL_FDS];
};

/* A new one, empty, or what is left of an old one closed. Return: NULL: no memory. */
struct parcel *parcel_new(void);
void parcel_free(struct parcel *p);
void parcel_empty(struct parcel *p, uint32_t kind);

/* Put something in; what does not fit breaks the parcel. The descriptor stays the caller's. */
void parcel_put(struct parcel *p, const void *bytes, uint32_t len);
void parcel_put_text(struct parcel *p, const char *text);
void parcel_put_fd(struct parcel *p, int fd);

/*
 * Take the next out; what is not there breaks the parcel, and zeroes, "" or -1 is taken. A
 * descriptor taken is the caller's.
 */
void parcel_take(struct parcel *p, void *bytes, uint32_t len);
void parcel_take_text(struct parcel *p, char *text, uint32_t size);
int parcel_take_fd(struct parcel *p);

/* SOCK_SEQPACKET. Return: 0; -errno; -EPIPE: the other end is gone. */
int parcel_send(int sock, const struct parcel *p);

/* The same without descriptors, and without waiting. Return: 0; -EAGAIN no room; as above. */
int parcel_send_plain(int sock, const struct parcel *p);

/*
 * Empties it first. Return: 0; -ETIMEDOUT; -EPIPE the other end is gone; -EBADMSG garbage; -EMFILE
 * more descriptors than this process may have.
 */
int parcel_recv(int sock, struct parcel *p, int timeout_ms);

/*
 * The same of one message without descriptors, from who is not trusted. Never waits, also not for
 * what letting go of a stranger's descriptors may take: those stay where they are. Return: 0;
 * -EAGAIN nothing is there; -EPIPE the other end is gone; -EBADMSG garbage, or descriptors.
 */
int parcel_recv_plain(int sock, struct parcel *p);

#endif
