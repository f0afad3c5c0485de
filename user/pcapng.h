/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files as bytes: pcapng blocks out, pcapng and pcap in. Pure functions
 * on memory, no descriptors; docs/pcapng.md says which block means what.
 */
#ifndef XCAP_PCAPNG_H
#define XCAP_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcap.h>

#define PCAPNG_SNAPLEN	262144		/* in every interface block: libpcap wants one */
#define PCAPNG_MAX_BLOCK (16u << 20)	/* longer ones are taken for damage */

/* Room for any block but a packet's bytes: fixed parts, options, strings. */
#define PCAPNG_SLACK	4096
#define PCAPNG_PROCESS_ROOM 16384	/* for a process block */
#define PCAPNG_ITEMS_MAX (128u << 10)	/* of what arguments refer to, that is written */
#define PCAPNG_EVENT_ROOM (2 * PCAPNG_ITEMS_MAX + 2 * PCAPNG_SLACK)	/* once as parameters */
#define PCAPNG_MAX_STR	255		/* longer strings are cut */

/*
 * Our own option in packet and event blocks, in the section's byte order. What
 * is behind the head stands there only as far as the length of the option says.
 *
 *	 0 u32 magic "xcap"	 4 u16 type, u16 flags	 8 u16 cpu, u16 0
 *	12 u32 pid, tid, uid, nr  28 u64 cgroup_id  36 char comm[16]
 *	52 enter: u64 args[6]; exit: s64 ret;
 *	   switch: u32 next_pid, next_tid, prev_state, next_prio, char next_comm[16];
 *	   packet: u32 owner, u64 cookie;
 *	   probe: u32 id, u32 0, u64 cookie
 *	behind a probe: what it tells, as in xcap_event_probe.h
 *	behind enter and exit: items as struct xcap_ev_item has them. What is too long for one
 *	option goes on in options of code PCAPNG_OPT_MORE, which follow at once.
 *
 * In process blocks the same code, little-endian: u32 magic, u64 cgroup_id, then strings
 * with a NUL behind each: the cgroup's path, runtime, container, container_name, pod, unit.
 */
#define PCAPNG_OPT_COMMENT 1
#define PCAPNG_OPT_DARWIN 0x8001	/* macOS: number of the packet's process block */
#define PCAPNG_OPT_XCAP	0x8ca9		/* bit 15: for local use */
#define PCAPNG_OPT_MORE	0x8caa		/* more of the one before it */
#define PCAPNG_OPT_LONGEST 65532	/* a multiple of 4: nothing stands between the parts */
#define PCAPNG_MAGIC	0x70616378
enum {
	PCAPNG_XCAP_HEAD = 12,
	PCAPNG_XCAP_TASK = 52,
	PCAPNG_XCAP_EXIT = 60,
	PCAPNG_XCAP_PACKET = 64,
	PCAPNG_XCAP_PROBE = 68,
	PCAPNG_XCAP_SWITCH = 84,
	PCAPNG_XCAP_ENTER = 100,
};

enum {
	PCAPNG_IDB	= 1,
	PCAPNG_PB	= 2,
	PCAPNG_SPB	= 3,
	PCAPNG_ISB	= 5,
	PCAPNG_EPB	= 6,
	PCAPNG_JOURNAL	= 9,
	PCAPNG_CUSTOM	= 0xbad,
	PCAPNG_EVENT	= 0x204,	/* sysdig event */
	PCAPNG_EVENT_V2	= 0x216,	/* the same with the number of parameters */
	PCAPNG_SHB	= 0x0a0d0d0a,
	PCAPNG_CUSTOM_NO_COPY = 0x40000bad,
	PCAPNG_DARWIN	= 0x80000001,	/* process block of macOS */
};
#define PCAPNG_PEN_WIRESHARK 32622	/* whose custom block it is */
#define PCAPNG_ENTRY_PROCESS 3		/* what is in it */

/*
 * ---- out: each writes one block at dst and returns its length ----
 *
 * The caller has PCAPNG_SLACK bytes free at dst, for a packet and its caplen
 * more, PCAPNG_EVENT_ROOM for an event. Blocks are in the byte order of this machine.
 */
size_t pcapng_put_section(uint8_t *dst, const char *hardware, const char *os, const char *appl);
size_t pcapng_put_interface(uint8_t *dst, uint32_t linktype, const char *name,
			    const char *description);

/* prefix: link header to stand before the bytes of r, skip: bytes of r left out. */
struct pcapng_frame {
	uint32_t interface;
	uint64_t id;		/* of the packet in its file; 0: none */
	uint64_t dropped;	/* lost on this interface since its last packet */
	bool	 queue_known;	/* its number is told even if it is 0 */
	bool	 comments;	/* who is behind it, for people */
	uint8_t  prefix[14];
	uint32_t prefix_len;
	uint32_t skip;		/* at most r->caplen */
};
size_t pcapng_put_packet(uint8_t *dst, const struct xcap_record *r, const struct pcapng_frame *f);

/* Prefix and skip for a packet among Ethernet frames. Return: false: it has no place there. */
bool pcapng_as_ethernet(struct pcapng_frame *f, const struct xcap_record *r);

/* Syscall enter, exit and context switch; there are PCAPNG_EVENT_ROOM bytes at dst. */
struct sysdig_calls;	/* sysdig_event.h; NULL: exits have no parameters of their entries */
size_t pcapng_put_event(uint8_t *dst, const struct xcap_record *r, struct sysdig_calls *calls);

/* Loss: a journal entry that people can read; where by xcap_drop_name(). */
size_t pcapng_put_loss(uint8_t *dst, const struct xcap_record *r, const char *spec);

/* What a probe tells: a journal entry; there are PCAPNG_EVENT_ROOM bytes at dst. */
size_t pcapng_put_probe(uint8_t *dst, const struct xcap_record *r);

/* A journal entry that says something and has a time, and is no loss. */
size_t pcapng_put_note(uint8_t *dst, int64_t wall_ns, const char *message);

struct pcapng_counts {
	int64_t start_ns, end_ns;	/* wall time of the first and last record; 0 none */
	uint64_t received;		/* reached the interface */
	uint64_t if_dropped;		/* the interface had no room */
	uint64_t accepted;		/* passed the filter */
	uint64_t os_dropped;		/* lost behind it */
	uint64_t delivered;		/* reached the user */
};
size_t pcapng_put_counts(uint8_t *dst, uint32_t interface, const struct pcapng_counts *c);

/* ---- out: who is behind records, pcapng_process.c ---- */

/*
 * Has been told what a process block would say of the record? Then, or if it has no pid, it
 * needs none. It counts as told from now on; what was told long ago may be forgotten.
 */
struct pcapng_told *pcapng_told_new(void);
void pcapng_told_free(struct pcapng_told *t);
bool pcapng_told(struct pcapng_told *t, const struct xcap_record *r);

/* The block, of up to PCAPNG_PROCESS_ROOM bytes; r->pid is known. */
size_t pcapng_put_process(uint8_t *dst, const struct xcap_record *r);

/* Options of a packet, in the words that ptcpdump has for them; less than 3 KiB. */
void pcapng_put_comments(uint8_t **w, const uint8_t *block, const struct xcap_record *r);

/* ---- in ---- */

struct pcapng_interface {
	uint32_t linktype;
	uint32_t snaplen;
	uint8_t  tsresol;
	int64_t  tsoffset_s;
};

/* What has been learned from a file so far. All zero: nothing. */
struct pcapng_reader {
	uint8_t  format;		/* PCAPNG_FORMAT_ */
	bool     swapped;
	uint32_t frac_ns;		/* pcap: ns in a unit of the fraction */
	uint32_t head_len;		/* pcap: length of a record header */
	uint32_t nr_interfaces, interfaces_size;
	struct pcapng_interface *interfaces;
	struct pcapng_known *known;	/* processes that the file has told of; NULL: none yet */
	uint32_t section;		/* their pids hold within a section */
	int64_t  last_ns;		/* for simple packets, which have no time */
	uint32_t linktype;		/* of the first interface */
	bool     linktype_known;
	size_t   want;			/* after -EAGAIN: bytes the next block has in all */
	char     why[160];		/* after -EBADMSG: what is wrong */
};
enum { PCAPNG_FORMAT_NONE, PCAPNG_FORMAT_PCAP, PCAPNG_FORMAT_PCAPNG };

/**
 * pcapng_decode - the next block of a pcapng or pcap file
 * @d:    reader; its memory is freed by pcapng_reader_free()
 * @p:    bytes that follow what was used before; the block is decoded in place:
 *        arguments of a syscall are moved onto their alignment
 * @len:  bytes at @p
 * @used: out: bytes of the block; 0 unless 0 or 1 is returned
 * @r:    out: the record, bytes lent from @p, process and cgroup from @d; wall_ns is set,
 *        mono_ns and source are not
 *
 * Return: 1 a record; 0 a block that holds none; -EAGAIN @len is too short, see
 *         want; -EBADMSG see why; -ENOMEM.
 */
int pcapng_decode(struct pcapng_reader *d, uint8_t *p, size_t len, size_t *used,
		  struct xcap_record *r);

void pcapng_reader_free(struct pcapng_reader *d);

#endif
