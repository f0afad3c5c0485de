/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   records.
 * Out:  bytes that programs made for packets can take, of two link types:
 *       Ethernet, which every one of them decodes, and USER0, which holds all of a record.
 * Owns: nothing.
 * Runs on: any thread. Once for each system call: nothing allocates or formats.
 *
 * man/xcap-linktypes.7 describes both byte by byte, for those who read them.
 */
#ifndef XCAP_FORMS_H
#define XCAP_FORMS_H

#include <stddef.h>
#include <stdint.h>
#include <xcap.h>

#define FORM_LINK_USER0 147	/* LINKTYPE_USER0 */

/* What stands before the line in form_ethernet(): MAC, IPv4, UDP, "<6>". */
#define FORM_ETHERNET_HEAD (14 + 20 + 8 + 3)

/* No form of a record that is no packet is longer. */
#define FORM_SIZE_MAX (FORM_ETHERNET_HEAD + XCAP_TEXT_MAX)

/*
 * A record that is no packet as an Ethernet frame: a syslog message in UDP, whose MAC
 * addresses carry thread, CPU and process, and whose source port carries the call.
 * Return: bytes written; -ENOSPC; -EINVAL a packet, or no record.
 */
int form_ethernet(const struct xcap_record *rec, uint8_t *buf, size_t size);

/*
 * What a record is on an Ethernet: a packet's own bytes, or form_ethernet() in buf.
 * Return: bytes at *frame; else as form_ethernet().
 */
int form_frame(const struct xcap_record *rec, uint8_t *buf, size_t size, const uint8_t **frame);

/* A frame of USER0 begins with this, little-endian; the body of its type is at head_len. */
struct form_user0 {
	uint8_t  version;	/* FORM_USER0_VERSION */
	uint8_t  type;		/* enum xcap_type */
	uint16_t head_len;	/* bytes of this header: it may grow */
	uint16_t flags;		/* XCAP_REC_ */
	uint16_t cpu;		/* XCAP_CPU_UNKNOWN */
	uint32_t pid;
	uint32_t tid;
	uint32_t uid;
	uint32_t ifindex;
	uint64_t cgroup_id;
	char	 comm[16];
	uint8_t  direction;	/* XCAP_DIR_ */
	uint8_t  reserved;
	uint16_t machine;	/* whose numbers calls have: e_machine of ELF, 62 x86-64 */
	uint16_t source;	/* index of the spec */
	uint16_t reserved2;
};
_Static_assert(sizeof(struct form_user0) == 56, "layout");

#define FORM_USER0_VERSION 1

/* Bodies. Readers skip what stands behind the fields they know. */
struct form_user0_packet {
	uint32_t linktype;	/* LINKTYPE_ of the frame that follows this body */
	uint32_t wire_len;	/* bytes on the wire */
	uint32_t queue;
	uint32_t frame_at;	/* bytes from the start of this body to the frame */
};
_Static_assert(sizeof(struct form_user0_packet) == 16, "layout");

struct form_user0_enter {
	uint32_t nr;
	uint32_t reserved;
	uint64_t args[6];
};
_Static_assert(sizeof(struct form_user0_enter) == 56, "layout");

struct form_user0_exit {
	uint32_t nr;
	uint32_t reserved;
	int64_t  ret;
};
_Static_assert(sizeof(struct form_user0_exit) == 16, "layout");

struct form_user0_switch {
	uint32_t next_pid;
	uint32_t next_tid;
	char	 next_comm[16];
	uint32_t prev_state;
	uint32_t next_prio;
};
_Static_assert(sizeof(struct form_user0_switch) == 32, "layout");

struct form_user0_loss {
	uint64_t count;
	uint32_t where;		/* enum xcap_drop */
	uint32_t reserved;
};
_Static_assert(sizeof(struct form_user0_loss) == 16, "layout");

struct form_user0_probe {
	uint32_t id;		/* xcap_record.probe.id */
	uint32_t text_len;	/* bytes of the line that follows: what the probe tells */
	uint64_t cookie;
};
_Static_assert(sizeof(struct form_user0_probe) == 16, "layout");
#define FORM_USER0_TEXT (XCAP_TEXT_MAX - 64)	/* longest line, with a NUL: a longer one is cut */

/* What stands before the frame of a packet in form_user0(). */
#define FORM_USER0_PACKET_HEAD (sizeof(struct form_user0) + sizeof(struct form_user0_packet))

/*
 * Any record as a frame of USER0; a packet of any link type stands behind its body.
 * Return: bytes written; -ENOSPC; -EINVAL no record.
 */
int form_user0(const struct xcap_record *rec, uint8_t *buf, size_t size);

#endif
