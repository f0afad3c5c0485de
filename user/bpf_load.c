// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   skeletons that do not load, programs to attach.
 * Out:  a sentence that says what to do; links; counts of skipped runs.
 * Owns: the kernel's types, once they were asked for.
 * Runs on: the thread that opens the handle.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <unistd.h>
#include "bpf_load.h"

#define NR_FILES 64	/* of one object: its maps and programs, and what loading takes */

static int no_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

void bpf_load_quiet(void)
{
	libbpf_set_print(no_print);
}

/* libbpf goes on without a map that it had no descriptor for, and then the kernel says EINVAL. */
static bool no_descriptors(int err)
{
	struct rlimit few;

	return err == -EMFILE || (err == -EINVAL && !getrlimit(RLIMIT_NOFILE, &few) &&
				  few.rlim_cur < NR_FILES);
}

int bpf_load_failed(int err, const char *what, struct error *e)
{
	if (err == -EPERM)	/* -EACCES is the verifier's */
		return error_set(e, -EPERM, "no permission to load the BPF programs of %s; run as "
				 "root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", what);
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return error_set(e, err, "this kernel has no BTF (/sys/kernel/btf/vmlinux), which "
				 "%s needs; use a kernel built with CONFIG_DEBUG_INFO_BTF", what);
	if (no_descriptors(err))
		return error_set(e, -EMFILE, "too few descriptors may be open for the BPF programs "
				 "of %s; raise ulimit -n", what);
	if (err == -ENOMEM)
		return error_set(e, err,
				 "no memory for the BPF programs of %s; raise RLIMIT_MEMLOCK "
				 "or try a smaller ring", what);
	/* -EINVAL: a flag or a helper that it does not know; nobody's options are wrong */
	return error_set(e, err == -EINVAL ? -EOPNOTSUPP : err,
			 "the kernel refuses the BPF programs of %s: %s; `bpftool prog load` "
			 "shows its reasons", what, strerror(-err));
}

static struct bpf_kernel kernel;

static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* The function came before programs at tracepoints could call it: the verifier is asked. */
static bool reads_packets(const struct btf *btf)
{
	int func = btf__find_by_name_kind(btf, "bpf_dynptr_from_skb", BTF_KIND_FUNC);
	struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1 },	/* skb */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2 },			/* flags */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 3, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 3, .imm = -16 },
		{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = func },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int fd;

	opts.attach_btf_id = btf__find_by_name_kind(btf, "btf_trace_net_dev_queue",
						    BTF_KIND_TYPEDEF);
	if (func <= 0)
		return false;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "xcap_asks", "GPL", insns,
			   sizeof(insns) / sizeof(insns[0]), &opts);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Its types are 5 MB: not kept. */
static void ask_kernel(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return;
	kernel.preempts = has_function(btf, "trace_call_bpf_faultable");
	kernel.casts = has_function(btf, "bpf_rdonly_cast");
	kernel.tcx = has_function(btf, "tcx_link_attach");
	kernel.dynptrs = reads_packets(btf);
	btf__free(btf);
}

const struct bpf_kernel *bpf_load_kernel(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	bpf_load_quiet();
	pthread_once(&once, ask_kernel);
	return &kernel;
}

int bpf_load_attach(struct bpf_program *prog, struct bpf_link **out, struct error *e)
{
	struct bpf_link *link = bpf_program__attach(prog);

	if (!link) {
		int err = -errno;

		return error_set(e, err, "cannot attach to tracepoint %s: %s; run as root, or with "
				 "CAP_BPF and CAP_PERFMON", bpf_program__name(prog),
				 strerror(-err));
	}
	*out = link;
	return 0;
}

/* All of them run inside RCU read sections, and this call returns after a grace period. */
void bpf_load_await_running(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		/* refused with nohz_full: far longer than any program runs */
		usleep(20000);
}

uint64_t bpf_load_misses(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (prog_fd < 0 || bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return 0;
	return info.recursion_misses;
}
