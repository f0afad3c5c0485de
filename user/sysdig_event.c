// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   syscall and switch records.
 * Out:  sysdig event types and parameters, as Wireshark 4.0 and later decode them.
 * Owns: nothing but a cache of what has been looked up.
 * Runs on: any thread.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include "sysdig_event.h"

/*
 * Numbers sysdig gave the calls; the index is the number. Wireshark has the
 * names of these: 4.0 up to 313 and in the details, newer ones in the list too.
 */
static const char *const numbered[] = {
	"", "restart_syscall", "exit", "read", "write", "open", "close", "creat", "link",
	"unlink", "chdir", "time", "mknod", "chmod", "stat", "lseek", "getpid", "mount",
	"ptrace", "alarm", "fstat", "pause", "utime", "access", "sync", "kill", "rename",
	"mkdir", "rmdir", "dup", "pipe", "times", "brk", "acct", "ioctl", "fcntl",
	"setpgid", "umask", "chroot", "ustat", "dup2", "getppid", "getpgrp", "setsid",
	"sethostname", "setrlimit", "getrusage", "gettimeofday", "settimeofday", "symlink",
	"lstat", "readlink", "uselib", "swapon", "reboot", "mmap", "munmap", "truncate",
	"ftruncate", "fchmod", "getpriority", "setpriority", "statfs", "fstatfs", "syslog",
	"setitimer", "getitimer", "uname", "", "wait4", "swapoff", "sysinfo", "fsync",
	"setdomainname", "adjtimex", "mprotect", "init_module", "delete_module", "quotactl",
	"getpgid", "fchdir", "sysfs", "personality", "getdents", "select", "flock", "msync",
	"readv", "writev", "getsid", "fdatasync", "mlock", "munlock", "mlockall",
	"munlockall", "sched_setparam", "sched_getparam", "sched_setscheduler",
	"sched_getscheduler", "sched_yield", "sched_get_priority_max",
	"sched_get_priority_min", "sched_rr_get_interval", "nanosleep", "mremap", "poll",
	"prctl", "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigqueueinfo", "rt_sigsuspend", "getcwd", "capget", "capset", "sendfile",
	"getrlimit", "lchown", "getuid", "getgid", "geteuid", "getegid", "setreuid",
	"setregid", "getgroups", "setgroups", "fchown", "setresuid", "getresuid",
	"setresgid", "getresgid", "chown", "setuid", "setgid", "setfsuid", "setfsgid",
	"pivot_root", "mincore", "madvise", "gettid", "setxattr", "lsetxattr", "fsetxattr",
	"getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr",
	"removexattr", "lremovexattr", "fremovexattr", "tkill", "futex",
	"sched_setaffinity", "sched_getaffinity", "set_thread_area", "get_thread_area",
	"io_setup", "io_destroy", "io_getevents", "io_submit", "io_cancel", "exit_group",
	"epoll_create", "epoll_ctl", "epoll_wait", "remap_file_pages", "set_tid_address",
	"timer_create", "timer_settime", "timer_gettime", "timer_getoverrun",
	"timer_delete", "clock_settime", "clock_gettime", "clock_getres", "clock_nanosleep",
	"tgkill", "utimes", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive",
	"mq_notify", "mq_getsetattr", "kexec_load", "waitid", "add_key", "request_key",
	"keyctl", "ioprio_set", "ioprio_get", "inotify_init", "inotify_add_watch",
	"inotify_rm_watch", "openat", "mkdirat", "mknodat", "fchownat", "futimesat",
	"unlinkat", "renameat", "linkat", "symlinkat", "readlinkat", "fchmodat",
	"faccessat", "pselect6", "ppoll", "unshare", "set_robust_list", "get_robust_list",
	"splice", "tee", "vmsplice", "getcpu", "epoll_pwait", "utimensat", "signalfd",
	"timerfd_create", "eventfd", "timerfd_settime", "timerfd_gettime", "signalfd4",
	"eventfd2", "epoll_create1", "dup3", "pipe2", "inotify_init1", "preadv", "pwritev",
	"rt_tgsigqueueinfo", "perf_event_open", "fanotify_init", "prlimit64",
	"clock_adjtime", "syncfs", "setns", "getdents64", "socket", "bind", "connect",
	"listen", "accept", "getsockname", "getpeername", "socketpair", "sendto",
	"recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "sendmmsg",
	"recvmsg", "recvmmsg", "accept4", "semop", "semget", "semctl", "msgsnd", "msgrcv",
	"msgget", "msgctl", "shmdt", "shmget", "shmctl", "statfs64", "fstatfs64",
	"fstatat64", "sendfile64", "ugetrlimit", "bdflush", "sigprocmask", "ipc",
	"socketcall", "stat64", "lstat64", "fstat64", "fcntl64", "mmap2", "_newselect",
	"sgetmask", "ssetmask", "sigpending", "olduname", "umount", "signal", "nice",
	"stime", "_llseek", "waitpid", "pread64", "pwrite64", "arch_prctl", "shmat",
	"rt_sigreturn", "fallocate", "newfstatat", "process_vm_readv", "process_vm_writev",
	"fork", "vfork", "setuid32", "getuid32", "setgid32", "geteuid32", "getgid32",
	"setresuid32", "setresgid32", "getresuid32", "getresgid32", "finit_module", "bpf",
	"seccomp", "sigaltstack", "getrandom", "fadvise64", "renameat2", "userfaultfd",
	"openat2", "umount2", "execve", "execveat", "copy_file_range", "clone", "clone3",
	"open_by_handle_at", "io_uring_setup", "io_uring_enter", "io_uring_register",
	"mlock2", "getegid32", "fsconfig", "fspick", "fsmount", "fsopen", "open_tree",
	"move_mount", "mount_setattr", "memfd_create", "memfd_secret", "ioperm",
	"kexec_file_load", "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "pkey_alloc",
	"pkey_mprotect", "pkey_free", "landlock_create_ruleset", "quotactl_fd",
	"landlock_restrict_self", "landlock_add_rule", "epoll_pwait2", "migrate_pages",
	"move_pages", "preadv2", "pwritev2", "kcmp", "sched_setattr", "mbind",
	"epoll_ctl_old", "lookup_dcookie", "modify_ldt", "statx", "set_mempolicy",
	"io_pgetevents", "set_mempolicy_home_node", "semtimedop", "get_kernel_syms",
	"readahead", "futex_waitv", "getpmsg", "name_to_handle_at", "process_mrelease",
	"nfsservctl", "epoll_wait_old", "rseq", "create_module", "", "sched_getattr",
	"faccessat2", "_sysctl", "query_module", "get_mempolicy", "sync_file_range",
	"process_madvise", "membarrier", "iopl", "close_range", "fanotify_mark",
	[403] = "sigaction", [405] = "readdir", [407] = "sigsuspend", [408] = "idle",
	[410] = "sigreturn", [412] = "cachestat", [413] = "fchmodat2",
	[414] = "map_shadow_stack", [417] = "futex_wake", [418] = "futex_requeue",
	[419] = "futex_wait", [437] = "listmount", [438] = "statmount",
	[439] = "lsm_get_self_attr", [440] = "lsm_set_self_attr",
	[441] = "lsm_list_modules", [442] = "mseal",
};

enum { GENERIC = 0, SWITCH = 146 };

#define RET	 "qr"
#define EXEC_REST "qtqpq-s-q-q-q-u-u-u-scs-s-u-q-u-"
#define EXEC_RET "=qrx1e1" EXEC_REST
#define EXECAT_RET "=qrx2e2" EXEC_REST

/*
 * One call: the type of its enter event (exit is one more), and the parameters
 * of both as pairs of a width and a value. Only leading parameters are given
 * where the later ones are not known: readers take what the block says it has,
 * but an empty integer would be malformed to them. "=" before a format: "open" and "execve"
 * have as many as Wireshark 4.0 takes for granted, to the number, empty or 0 where not known.
 *
 * Width: q 8 bytes, f 8 from a signed int, u 4, h 2, b 1.
 * Value: 0-5 an argument, r the result, t tid, p pid, - 0.
 *
 * Or what an argument refers to: s string (sc comm, s- none), d data, n the size of data in 4
 * bytes, x the first of strings, e the others, v two descriptors, o flags of open() as sysdig
 * has them, a socket address, T addresses of a socket, A those of one that was accepted.
 *
 * Calls of one family share a type where sysdig had but one (dup2 is dup).
 */
struct call {
	const char *name;
	uint16_t enter_type;
	const char *enter;
	const char *exit;	/* NULL: never returns */
};

static const struct call calls_known[] = {
	{ "accept", 246, "", "frAr" },
	{ "accept4", 248, "u3", "frAr" },
	{ "access", 264, "u1", "qrs0" },
	{ "bind", 20, "f0", "qra1" },
	{ "bpf", 296, "q0", RET },
	{ "brk", 158, "q0", RET },
	{ "chdir", 94, "", "qrs0" },
	{ "chmod", 314, "", "qrs0u1" },
	{ "chroot", 266, "", "qrs0" },
	{ "clock_nanosleep", 134, "", RET },
	{ "clone", 222, "", RET },
	{ "clone3", 222, "", RET },
	{ "close", 4, "f0", RET },
	{ "connect", 22, "f0", "qrT0" },
	{ "creat", 58, "", "frs0u1" },
	{ "dup", 124, "f0", RET },
	{ "dup2", 124, "f0", RET },
	{ "dup3", 124, "f0", RET },
	{ "epoll_pwait", 78, "f2", RET },
	{ "epoll_pwait2", 78, "f2", RET },
	{ "epoll_wait", 78, "f2", RET },
	{ "eventfd", 62, "q0", RET },
	{ "eventfd2", 62, "q0u1", RET },
	{ "execve", 292, "s0", EXEC_RET },
	{ "execveat", 292, "s1", EXECAT_RET },
	{ "exit", 186, "q0", NULL },
	{ "exit_group", 186, "q0", NULL },
	{ "faccessat", 264, "u2", "qrs1" },
	{ "faccessat2", 264, "u2", "qrs1" },
	{ "fchdir", 96, "f0", RET },
	{ "fchmod", 316, "", "qrf0u1" },
	{ "fchmodat", 312, "", "qrf0s1u2" },
	{ "fchmodat2", 312, "", "qrf0s1u2" },
	{ "fcntl", 150, "f0b1", RET },
	{ "fcntl64", 150, "f0b1", RET },
	{ "flock", 242, "f0u1", RET },
	{ "fork", 224, "", RET },
	{ "fstat", 70, "f0", RET },
	{ "fstat64", 76, "f0", RET },
	{ "fstatat64", 66, "", "qrs1" },
	{ "futex", 64, "q0h1q2", RET },
	{ "getcwd", 92, "", "qrs0" },
	{ "getdents", 236, "f0", RET },
	{ "getdents64", 238, "f0", RET },
	{ "getegid", 208, "", "ur" },
	{ "geteuid", 204, "", "ur" },
	{ "getgid", 206, "", "ur" },
	{ "getpeername", 40, "", RET },
	{ "getresgid", 212, "", RET },
	{ "getresuid", 210, "", RET },
	{ "getrlimit", 140, "b0", RET },
	{ "getsockname", 38, "", RET },
	{ "getsockopt", 46, "", RET },
	{ "getuid", 202, "", "ur" },
	{ "inotify_init", 138, "", RET },
	{ "inotify_init1", 138, "b0", RET },
	{ "ioctl", 170, "f0q1q2", RET },
	{ "kill", 128, "f0b1", RET },
	{ "link", 308, "", "qrs0s1" },
	{ "linkat", 310, "", "qrf0s1f2s3u4" },
	{ "listen", 24, "f0u1", RET },
	{ "_llseek", 88, "f0", RET },
	{ "lseek", 86, "f0q1b2", RET },
	{ "lstat", 68, "", "qrs0" },
	{ "lstat64", 74, "", "qrs0" },
	{ "mkdir", 276, "u1", "qrs0" },
	{ "mkdirat", 304, "", "qrf0s1u2" },
	{ "mmap", 160, "q0q1u2u3f4q5", RET },
	{ "mmap2", 162, "q0q1u2u3f4q5", RET },
	{ "mount", 256, "u3", "qrs0s1s2" },
	{ "munmap", 164, "q0q1", RET },
	{ "nanosleep", 134, "", RET },
	{ "newfstatat", 66, "", "qrs1" },
	{ "_newselect", 84, "", RET },
	{ "open", 2, "", "=frs0o1u2" },
	{ "openat", 306, "", "frf0s1o2u3" },
	{ "openat2", 326, "", "frf0s1" },
	{ "pipe", 60, "", "qrv0" },
	{ "pipe2", 60, "", "qrv0" },
	{ "poll", 80, "s-f2", RET },
	{ "ppoll", 254, "", RET },
	{ "pread64", 112, "f0u2q3", "qrd1" },
	{ "preadv", 120, "f0q3", "qrurd1" },
	{ "preadv2", 120, "f0q3", "qrurd1" },
	{ "prlimit64", 144, "f0b1", RET },
	{ "pselect6", 82, "", RET },
	{ "ptrace", 168, "h0f1", RET },
	{ "pwrite64", 114, "f0u2q3", "qrd1" },
	{ "pwritev", 122, "f0n1q3", "qrd1" },
	{ "pwritev2", 122, "f0n1q3", "qrd1" },
	{ "quotactl", 190, "", RET },
	{ "read", 6, "f0u2", "qrd1" },
	{ "readv", 116, "f0", "qrurd1" },
	{ "recvfrom", 34, "f0u2", "qrd1T0" },
	{ "recvmmsg", 54, "", RET },
	{ "recvmsg", 52, "f0", "qrurd1T0" },
	{ "rename", 174, "", "qrs0s1" },
	{ "renameat", 176, "", "qrf0s1f2s3" },
	{ "renameat2", 318, "", "qrf0s1f2s3u4" },
	{ "rmdir", 278, "", "qrs0" },
	{ "seccomp", 298, "q0", RET },
	{ "select", 82, "", RET },
	{ "semctl", 252, "u0u1h2", RET },
	{ "semget", 262, "u0u1u2", RET },
	{ "semop", 250, "u0", RET },
	{ "sendfile", 188, "f0f1", RET },
	{ "sendfile64", 188, "f0f1", RET },
	{ "sendmmsg", 50, "", RET },
	{ "sendmsg", 48, "f0n1T0", "qrd1" },
	{ "sendto", 30, "f0u2T0", "qrd1" },
	{ "setgid", 200, "u0", RET },
	{ "setns", 240, "f0u1", RET },
	{ "setpgid", 294, "f0f1", RET },
	{ "setresgid", 194, "u0u1u2", RET },
	{ "setresuid", 192, "u0u1u2", RET },
	{ "setrlimit", 142, "b0", RET },
	{ "setsid", 274, "", RET },
	{ "setsockopt", 44, "", RET },
	{ "setuid", 198, "u0", RET },
	{ "shutdown", 36, "f0b1", RET },
	{ "signalfd", 126, "f0", RET },
	{ "signalfd4", 126, "f0", RET },
	{ "socket", 18, "u0u1u2", RET },
	{ "socketpair", 42, "u0u1u2", "qrv3" },
	{ "splice", 166, "f0f2q4u5", RET },
	{ "stat", 66, "", "qrs0" },
	{ "stat64", 72, "", "qrs0" },
	{ "statx", 66, "", "qrs1" },
	{ "symlink", 178, "", "qrs0s1" },
	{ "symlinkat", 180, "", "qrs0f1s2" },
	{ "tgkill", 132, "f0f1b2", RET },
	{ "timerfd_create", 136, "b0", RET },
	{ "tkill", 130, "f0b1", RET },
	{ "umount", 258, "", "qrs0" },
	{ "umount2", 258, "u1", "qrs0" },
	{ "unlink", 300, "", "qrs0" },
	{ "unlinkat", 302, "", "qrf0s1u2" },
	{ "unshare", 284, "u0", RET },
	{ "userfaultfd", 320, "", RET },
	{ "vfork", 226, "", RET },
	{ "write", 8, "f0u2", "qrd1" },
	{ "writev", 118, "f0n1", "qrd1" },
};

#define NR_CALLS (sizeof(calls_known) / sizeof(calls_known[0]))
#define NR_NUMBERED (sizeof(numbered) / sizeof(numbered[0]))
#define NR_CACHED 512

static unsigned int number_of(const char *name)
{
	unsigned int i;

	for (i = 1; i < NR_NUMBERED; i++)
		if (numbered[i] && !strcmp(name, numbered[i]))
			return i;
	return 0;
}

/* A row of calls_known as row + 1, else NR_CALLS + 1 + sysdig's number. */
static unsigned int find(uint32_t nr, int compat)
{
	const char *name = xcap_syscall_name(nr, compat);
	unsigned int i;

	if (!name)
		return NR_CALLS + 1;
	for (i = 0; i < NR_CALLS; i++)
		if (!strcmp(name, calls_known[i].name))
			return i + 1;
	return NR_CALLS + 1 + number_of(name);
}

/* Two threads may look the same call up at once: both store the same answer. */
static unsigned int find_cached(uint32_t nr, int compat)
{
	static _Atomic uint16_t cache[2][NR_CACHED];
	unsigned int found;

	if (nr >= NR_CACHED)
		return find(nr, compat);
	found = atomic_load_explicit(&cache[compat][nr], memory_order_relaxed);
	if (!found) {
		found = find(nr, compat);
		atomic_store_explicit(&cache[compat][nr], found, memory_order_relaxed);
	}
	return found;
}

/*
 * The number stands in both parameters: Wireshark 4.0 looks the second, meant
 * for the kernel's own number, up in the table of the first. Ours is in the
 * option that follows the event.
 */
static void make_generic(struct sysdig_event *ev, unsigned int number, int exit)
{
	ev->type = GENERIC + exit;
	sysdig_number(ev, number, 2);
	if (!exit)
		sysdig_number(ev, number, 2);
}

static void make_enter(struct sysdig_event *ev, const struct xcap_record *r, const struct call *c,
		       struct sysdig_calls *calls)
{
	ev->type = c->enter_type;
	if ((r->flags & XCAP_REC_COMPAT) && !strcmp(c->name, "mmap"))
		return;		/* there, one pointer to all of them */
	sysdig_params(ev, r, r, c->enter);
	if (calls && c->exit && strpbrk(c->exit, "012345"))
		sysdig_calls_begin(calls, r);
}

static void make_exit(struct sysdig_event *ev, const struct xcap_record *r, const struct call *c,
		      struct sysdig_calls *calls)
{
	struct xcap_record enter;

	if (!c->exit) {
		make_generic(ev, number_of(c->name), 1);
		return;
	}
	ev->type = c->enter_type + 1;
	if (calls && sysdig_calls_end(calls, r, &enter))
		sysdig_params(ev, r, &enter, c->exit);
	else
		sysdig_params(ev, r, NULL, c->exit);
}

void sysdig_event_make(struct sysdig_event *ev, const struct xcap_record *r,
		       struct sysdig_calls *calls)
{
	int compat = !!(r->flags & XCAP_REC_COMPAT), exit = r->type == XCAP_SYS_EXIT;
	unsigned int found;

	memset(ev, 0, offsetof(struct sysdig_event, scratch));
	if (r->type == XCAP_SWITCH) {
		ev->type = SWITCH;
		sysdig_number(ev, r->sw.next_tid, 8);
		return;
	}
	found = find_cached(exit ? r->exit.nr : r->enter.nr, compat);
	if (found > NR_CALLS)
		make_generic(ev, found - NR_CALLS - 1, exit);
	else if (exit)
		make_exit(ev, r, &calls_known[found - 1], calls);
	else
		make_enter(ev, r, &calls_known[found - 1], calls);
}
