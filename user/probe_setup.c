// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the object of a probe, and this kernel's types.
 * Out:  the object, ready.
 * Owns: nothing.
 * Runs on: the thread that opens the handle.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>
#include "probe_setup.h"
#include "xcap_event.h"

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

/* ---- names that only this kernel knows ---- */

#define NAME_SIZE 32

/* Numbers of an enum, for the object's map "reasons". */
struct names {
	uint32_t probe;
	const char *module;	/* where it is loaded; NULL: of the kernel itself */
	const char *type;
	const char *prefix;	/* which the names in records are without */
};

static const struct names names[] = {
	{ XPROBE_RESETS, NULL, "sk_rst_reason", "SK_RST_REASON_" },
	{ XPROBE_DROPS, NULL, "skb_drop_reason", "SKB_DROP_REASON_" },
	{ XPROBE_DROPS, "openvswitch", "ovs_drop_reason", "" },
	{ XPROBE_DROPS, "mac80211", "mac80211_drop_reason", "" },
};

static int put_name(int map_fd, uint32_t number, const char *name)
{
	char value[NAME_SIZE] = "";

	snprintf(value, sizeof(value), "%s", name);
	return bpf_map_update_elem(map_fd, &number, value, BPF_ANY);
}

/* An enum that this kernel does not have has no numbers. */
static int put_names(int map_fd, const struct btf *btf, const struct names *n)
{
	int id = btf__find_by_name_kind(btf, n->type, BTF_KIND_ENUM), ret = 0;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; t && !ret && i < btf_vlen(t); i++) {
		const struct btf_enum *e = btf_enum(t) + i;
		const char *name = btf__name_by_offset(btf, e->name_off);
		size_t skip = strlen(n->prefix);

		if (!strncmp(name, n->prefix, skip))
			ret = put_name(map_fd, e->val, name + skip);
	}
	return ret;
}

int probe_setup_after(struct bpf_object *obj, uint32_t id)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "reasons");
	struct btf *kernel = map ? btf__load_vmlinux_btf() : NULL;
	int ret = 0;

	for (size_t i = 0; kernel && !ret && i < sizeof(names) / sizeof(*names); i++) {
		const struct names *n = &names[i];
		struct btf *module;

		if (n->probe != id)
			continue;
		module = n->module ? btf__load_module_btf(n->module, kernel) : NULL;
		ret = put_names(bpf_map__fd(map), module ?: kernel, n);
		btf__free(module);
	}
	btf__free(kernel);
	return ret;
}
