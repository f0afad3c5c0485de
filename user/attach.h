/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links for XDP and TCX, and what else must die with the process. Every
 * function returns a descriptor whose close detaches: killed at any moment,
 * nothing stays attached.
 */
#ifndef XCAP_ATTACH_H
#define XCAP_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include "error.h"

/**
 * attach_xdp - XDP by bpf_link, native where the driver can, else generic
 * @prog_fd: loaded XDP program; for a jumbo MTU the native hook wants one for frames in
 *           pieces (BPF_F_XDP_HAS_FRAGS)
 * @ifindex: interface
 * @generic: out: the driver has no native XDP
 *
 * Never replaces: another program there is -EBUSY and a sentence with its name and id.
 * Return: link fd; -EOPNOTSUPP: the interface takes none, or not one like this; other
 * -errno; each with a sentence.
 */
int attach_xdp(int prog_fd, uint32_t ifindex, bool *generic, struct error *err);

/*
 * TCX by bpf_link. Return: link fd; -EOPNOTSUPP: this kernel has no TCX (no sentence);
 * other -errno.
 */
int attach_tcx(int prog_fd, uint32_t ifindex, bool egress, struct error *err);

/* AF_PACKET socket bound to ifindex whose eBPF filter is prog_fd. Return: socket fd or -errno. */
int attach_packet(int prog_fd, uint32_t ifindex, struct error *err);

/* AF_PACKET socket bound to ifindex to send on; it receives nothing. Return: fd or -errno. */
int attach_wire(uint32_t ifindex, struct error *err);

/* Promiscuous mode by PACKET_ADD_MEMBERSHIP. Return: socket fd or -errno. */
int attach_promisc(uint32_t ifindex, struct error *err);

#endif
