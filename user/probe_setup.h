/* SPDX-License-Identifier: BSD-2-Clause */
/* What single probes need of this kernel, beside their programs: names of reasons, and the like. */
#ifndef XCAP_PROBE_SETUP_H
#define XCAP_PROBE_SETUP_H

#include <bpf/libbpf.h>
#include <stdint.h>

/* The object is open: sizes, programs that are not to be loaded. Return: 0; -errno. */
int probe_setup_before(struct bpf_object *obj, uint32_t id);

/* It is loaded: tables that its programs look things up in. Return: 0; -errno. */
int probe_setup_after(struct bpf_object *obj, uint32_t id);

#endif
