// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the object of a probe, and this kernel's types.
 * Out:  the object, ready.
 * Owns: nothing.
 * Runs on: the thread that opens the handle.
 */
#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>
#include "probe_setup.h"

/* A tracepoint has a type of this name in the kernel. */
static bool has_tracepoint(const struct btf *btf, const char *name)
{
	char type[80];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

int probe_setup_before(struct bpf_object *obj, uint32_t id)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;

	(void)id;
	bpf_object__for_each_program(prog, obj) {
		const char *sec = bpf_program__section_name(prog);

		if (!strncmp(sec, "tp_btf/", 7) && btf && !has_tracepoint(btf, sec + 7))
			bpf_program__set_autoload(prog, false);
	}
	btf__free(btf);
	return 0;
}

int probe_setup_after(struct bpf_object *obj, uint32_t id)
{
	(void)obj;
	(void)id;
	return 0;
}
