// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an empty directory; the same source is built for 64 and for 32 bits.
 * Out:  system calls with known arguments between two marks: nearly all that have any. What could
 *       do harm gets arguments that the kernel refuses, or comes when capabilities are gone.
 * Owns: what it makes in the directory, and its namespaces.
 * Runs on: root, in a private mount and network namespace.
 *
 * Everything a call reads is in memory before: a page that is missing at the entry is told at
 * the exit, and when that happens is not ours to say. Numbers of descriptors, of System V objects
 * and ports are the same in each run.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#define MARK 4711		/* no user: getpriority() answers ESRCH */
#define PAGE 4096
#define NOBODY_PID 0x3ffffff	/* above every pid_max */

/* Calls newer than the headers, of one number everywhere. */
enum {
	SYS_cachestat = 451, SYS_fchmodat2, SYS_map_shadow_stack, SYS_futex_wake, SYS_futex_wait,
	SYS_futex_requeue, SYS_statmount, SYS_listmount, SYS_lsm_get_self_attr,
	SYS_lsm_set_self_attr, SYS_lsm_list_modules, SYS_mseal, SYS_setxattrat, SYS_getxattrat,
	SYS_listxattrat, SYS_removexattrat, SYS_open_tree_attr, SYS_file_getattr,
	SYS_file_setattr,
};

/* An argument of 64 bits takes two registers of a 32-bit call. */
#ifdef __x86_64__
#define WIDE(n) (n)
#else
#define WIDE(n) (long)((long long)(n)), (long)((long long)(n) >> 32)
#endif

#define CALL(name, ...) call(SYS_##name, (long[6]){ __VA_ARGS__ })
#define P(...) ((long)(__VA_ARGS__))

struct long_time {
	long long sec, nsec;
};

struct kernel_action {
	unsigned long handler, flags, restorer;
	unsigned int mask[2];
};

static char out[16][PAGE] __attribute__((aligned(PAGE)));	/* what calls write to */
static char *mapped;
static long no_sleep[2], second[4] = { 0, 0, 1000, 500 }, *const later = second + 2;
static struct long_time no_sleep64;

static long call(long nr, const long *a)
{
	return syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void mark(void)
{
	CALL(getpriority, PRIO_USER, MARK);
}

#include "../lib/args_files.h"

/* ---- sockets ---- */

static const int one = 1;

static void sockets_inet(void)
{
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(443),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, client = server;
	unsigned int len = sizeof(server);

	client.sin_port = htons(50001);
	CALL(socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);			/* 5 */
	CALL(setsockopt, 5, SOL_SOCKET, SO_REUSEADDR, P(&one), 4);
	CALL(bind, 5, P(&server), sizeof(server));
	CALL(listen, 5, 7);
	CALL(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);			/* 6 */
	CALL(bind, 6, P(&client), sizeof(client));
	CALL(connect, 6, P(&server), sizeof(server));
	CALL(accept4, 5, P(out[0]), P(&len), SOCK_NONBLOCK | SOCK_CLOEXEC);	/* 7 */
	CALL(getsockname, 6, P(out[0]), P(&len));
	CALL(getpeername, 6, P(out[0]), P(&len));
	CALL(setsockopt, 6, IPPROTO_TCP, TCP_NODELAY, P(&one), 4);
	CALL(setsockopt, 6, SOL_SOCKET, SO_LINGER, P((int[]){ 1, 3 }), 8);
	CALL(setsockopt, 6, SOL_IP, IP_TTL, P((int[]){ 9 }), 4);
	len = 4;
	CALL(getsockopt, 6, SOL_SOCKET, SO_TYPE, P(out[0]), P(&len));
	CALL(getsockopt, 6, IPPROTO_TCP, TCP_NODELAY, P(out[0]), P(&len));
	CALL(sendto, 6, P("GET / HTTP/1.1\r\n"), 16, MSG_NOSIGNAL, 0, 0);
	CALL(read, 7, P(out[0]), 16);
	CALL(write, 7, P("HTTP/1.1 200 OK\r\n"), 17);
	CALL(recvfrom, 6, P(out[0]), 8, MSG_WAITALL, 0, 0);
	CALL(recvfrom, 6, P(out[0]), 100, MSG_DONTWAIT | MSG_PEEK, 0, 0);
	CALL(shutdown, 6, SHUT_WR);
	CALL(shutdown, 7, 9);
	CALL(close, 7);
	CALL(close, 6);
#ifdef __x86_64__
	CALL(fcntl, 5, F_SETFL, O_NONBLOCK);
	CALL(accept, 5, P(out[0]), P(&len));
#else
	CALL(socketcall, 4, P((long[]){ 5, 3 }));
#endif
	CALL(close, 5);
}

static void sockets_inet6(void)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(53),
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	unsigned int len = sizeof(here);

	CALL(socket, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);	/* 5 */
	CALL(setsockopt, 5, IPPROTO_IPV6, IPV6_V6ONLY, P(&one), 4);
	CALL(bind, 5, P(&here), sizeof(here));
	CALL(sendto, 5, P("to \xc3\xbc and \0 all"), 12, MSG_DONTWAIT, P(&here), sizeof(here));
	CALL(recvfrom, 5, P(out[0]), 100, MSG_TRUNC, P(out[1]), P(&len));
	CALL(connect, 5, P(&here), sizeof(here));
	CALL(getpeername, 5, P(out[0]), P(&len));
	CALL(close, 5);
}

static void sockets_unix(void)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "sub/so\"cket" };
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0ab\0tract" };
	struct sockaddr_un none = { .sun_family = AF_UNIX, .sun_path = "absent" };
	struct iovec two[2] = { { (char[]){ "one " }, 4 }, { (char[]){ "message" }, 7 } }, in = { out[0], 200 };
	struct msghdr msg = { .msg_name = &name, .msg_namelen = 11, .msg_iov = two,
			      .msg_iovlen = 2 };
	struct msghdr got = { .msg_name = out[1], .msg_namelen = 110, .msg_iov = &in,
			      .msg_iovlen = 1 };
	struct mmsghdr msgs[2] = { { .msg_hdr = msg }, { .msg_hdr = msg } };
	struct mmsghdr gots[2] = { { .msg_hdr = got }, { .msg_hdr = got } };
	unsigned int len = sizeof(name);

	CALL(socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, P(out[0]));	/* 5, 6 */
	CALL(sendto, 5, P("pair"), 4, MSG_EOR, 0, 0);
	CALL(recvfrom, 6, P(out[0]), 100, 0, P(out[1]), P(&len));
	CALL(close, 6);
	CALL(close, 5);
	CALL(socket, AF_UNIX, SOCK_DGRAM, 0);					/* 5 */
	CALL(bind, 5, P(&name), 11);
	CALL(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);			/* 6 */
	CALL(bind, 6, P(&path), 2 + sizeof("sub/so\"cket"));
	CALL(connect, 6, P(&none), sizeof(none));
	CALL(connect, 6, P(&name), 11);
	CALL(sendmsg, 6, P(&msg), MSG_NOSIGNAL);
	CALL(recvmsg, 5, P(&got), 0);
	msgs[1].msg_hdr.msg_iovlen = 1;
	CALL(sendmmsg, 6, P(msgs), 2, 0);
	CALL(recvmmsg, 5, P(gots), 2, MSG_WAITFORONE, P(no_sleep));
	len = sizeof(name);
	CALL(getsockname, 5, P(out[0]), P(&len));
	CALL(getpeername, 5, P(out[0]), P(&len));
	CALL(close, 6);
	CALL(close, 5);
}

static void sockets_other(void)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_pid = 4711, .nl_groups = 1 };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = 1 };
	struct sockaddr any = { .sa_family = AF_UNSPEC };

	CALL(socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);	/* 5 */
	CALL(bind, 5, P(&nl), sizeof(nl));
	CALL(connect, 5, P(&any), sizeof(any));
	CALL(close, 5);
	CALL(socket, AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));			/* 5 */
	CALL(bind, 5, P(&ll), sizeof(ll));
	CALL(close, 5);
	CALL(socket, AF_INET, SOCK_RAW, IPPROTO_ICMP);				/* 5 */
	CALL(close, 5);
	CALL(socket, AF_BRIDGE, SOCK_RDM, 0);
	CALL(bind, -1, P(&any), 1);
	CALL(connect, FILE_FD, P(&any), 0);
}

/* ---- processes ---- */

static char exe[] = "./args_calls", exe_name[] = "args_calls", empty[] = "";
static char *child_argv[] = { exe, (char[]){ "exec" }, (char[]){ "two words" },
			      (char[]){ "tab\tand \"quotes\"" }, empty, NULL };
static char *child_env[] = { (char[]){ "A=b" }, NULL };

static void children(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	long pid;

	pid = CALL(fork);
	if (!pid)
		CALL(exit, 3);
	CALL(wait4, pid, P(out[0]), 0, P(out[1]));
	pid = CALL(clone, SIGCHLD);
	if (!pid)
		CALL(exit_group, 4);
	CALL(waitid, P_PID, pid, P(out[0]), WEXITED | WNOWAIT, 0);
	CALL(wait4, -1, P(out[0]), WUNTRACED, 0);
	pid = CALL(clone3, P(&args), 64);
	if (!pid) {
		CALL(execve, P(exe), P(child_argv), P(child_env));
		CALL(exit, 99);
	}
	CALL(wait4, pid, P(out[0]), 0, 0);
	pid = vfork();
	if (!pid) {
		CALL(execveat, AT_FDCWD, P(exe_name), P(child_argv + 4), P(child_env), 0);
		CALL(exit, 99);
	}
	CALL(wait4, pid, P(out[0]), 0, 0);
	pid = CALL(clone, SIGCHLD | CLONE_FILES);
	if (!pid) {
		CALL(rt_sigprocmask, SIG_UNBLOCK, P((sigset_t[]){ { { 1 << (SIGTERM - 1) } } }), 0, 8);
		CALL(tkill, CALL(gettid), SIGKILL);
	}
	CALL(wait4, pid, P(out[0]), 0, 0);
	CALL(wait4, pid, P(out[0]), WNOHANG, 0);
	CALL(execve, P("absent"), P(child_argv), P(child_env));
	CALL(clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWNS | CLONE_FS);
	CALL(clone3, P(&args), 8);
	pid = CALL(getpid);
	CALL(pidfd_open, pid, 0);						/* 5 */
	CALL(pidfd_send_signal, 5, 0, 0, 0);
	CALL(pidfd_getfd, 5, FILE_FD, 0);					/* 6 */
	CALL(process_madvise, 5, 0, 0, MADV_COLD, 0);
	CALL(process_mrelease, 5, 1);
	CALL(close, 6);
	CALL(close, 5);
	CALL(kcmp, NOBODY_PID, pid, 0 /* KCMP_FILE */, 3, 4);
	CALL(process_vm_readv, pid, P((&(struct iovec){ out[0], 5 })), 1,
	     P((&(struct iovec){ exe, 5 })), 1, 0);
	CALL(process_vm_writev, pid, P((&(struct iovec){ exe_name, 4 })), 1,
	     P((&(struct iovec){ out[0], 4 })), 1, 0);
	CALL(ptrace, 2 /* PTRACE_PEEKDATA */, NOBODY_PID, 0, 0);
}

static void identity(void)
{
	CALL(getuid);
	CALL(geteuid);
	CALL(getgid);
	CALL(getegid);
	CALL(getppid);
	CALL(getpgid, 0);
	CALL(getsid, NOBODY_PID);
	CALL(setpgid, NOBODY_PID, 0);
	CALL(setsid);
	CALL(getgroups, 0, 0);
	CALL(setuid, 0);
	CALL(setgid, 0);
	CALL(setreuid, -1, 0);
	CALL(setregid, 0, -1);
	CALL(setresuid, -1, 0, -1);
	CALL(setresgid, 0, 0, -1);
	CALL(getresuid, P(out[0]), P(out[1]), P(out[2]));
	CALL(getresgid, P(out[0]), P(out[1]), P(out[2]));
	CALL(setfsuid, 0);
	CALL(setfsgid, 0);
#ifdef __x86_64__
	CALL(setgroups, 3, P((unsigned int[]){ 4, 24, 100000 }));
	CALL(getgroups, 8, P(out[0]));
#else
	CALL(setgroups, 2, P((unsigned short[]){ 4, 24 }));
	CALL(getgroups, 8, P(out[0]));
	CALL(setgroups32, 3, P((unsigned int[]){ 4, 24, 100000 }));
	CALL(getgroups32, 8, P(out[0]));
	CALL(getresuid32, P(out[0]), P(out[1]), P(out[2]));
	CALL(setresgid32, 0, 0, -1);
	CALL(chown32, P("sub/file"), 100000, 200000);
	CALL(setuid32, 0);
#endif
	CALL(setgroups, 0, 0);
	CALL(capget, P((unsigned int[]){ _LINUX_CAPABILITY_VERSION_3, 0 }), P(out[0]));
	CALL(setpriority, PRIO_PROCESS, 0, 1);
	CALL(getpriority, PRIO_PROCESS, 0);
	CALL(ioprio_set, 1, 0, 4 << 13 >> 1);
	CALL(ioprio_get, 1, 0);
	CALL(getrlimit, RLIMIT_CORE, P(out[0]));
	CALL(setrlimit, RLIMIT_CORE, P((unsigned long[]){ 0, 0 }));
	CALL(prlimit64, 0, RLIMIT_NOFILE, P((unsigned long long[]){ 256, 512 }), 0);
	CALL(prlimit64, 0, RLIMIT_NOFILE, 0, P(out[0]));
	CALL(getrusage, RUSAGE_CHILDREN, P(out[0]));
	CALL(prctl, PR_SET_PDEATHSIG, 0);
	CALL(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
	CALL(arch_prctl, 0x1003 /* ARCH_GET_FS */, P(out[0]));
	CALL(personality, 0xffffffff);
	CALL(set_robust_list, 0, 3 * sizeof(long));
	CALL(get_robust_list, 0, P(out[0]), P(out[1]));
	CALL(set_tid_address, P(out[3]));
	CALL(rseq, P(out[0]), 32, 2, 0x1234);
	CALL(seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, P((&(int){ 0x7fff0000 })));
	CALL(membarrier, 16 /* MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED */, 0, 0);
	CALL(restart_syscall);
}

static void schedule(void)
{
	CALL(sched_yield);
	CALL(sched_getscheduler, 0);
	CALL(sched_getparam, 0, P(out[0]));
	CALL(sched_setparam, 0, P((int[]){ 3 }));
	CALL(sched_setscheduler, 0, SCHED_BATCH | SCHED_RESET_ON_FORK, P((int[]){ 0 }));
	CALL(sched_getattr, 0, P(out[0]), 48, 0);
	CALL(sched_setattr, 0, P((unsigned int[12]){ 48, SCHED_IDLE, 1 }), 0);
	CALL(sched_get_priority_max, SCHED_FIFO);
	CALL(sched_get_priority_min, SCHED_RR);
	CALL(sched_rr_get_interval, NOBODY_PID, P(out[0]));
	CALL(sched_setaffinity, 0, sizeof(long), P((unsigned long[]){ 1 }));
	CALL(sched_getaffinity, 0, 128, P(out[0]));
	CALL(getcpu, P(out[0]), P(out[1]), 0);
}

/* ---- signals and times ---- */

static void on_signal(int sig)
{
	(void)sig;
}

/* As many arguments as the calls of both widths take: 8 bytes of set, then no more. */
static void signals(void)
{
	unsigned int usr[2] = { 1u << (SIGUSR1 - 1), 0 }, most[2] = { ~0u, ~0u };
	unsigned int none[2] = { 0 }, high[2] = { 1u << (SIGINT - 1), 0xc };
	struct kernel_action act = { .handler = 1, .flags = SA_RESTART | SA_NODEFER,
				     .mask = { 1u << (SIGHUP - 1) } };
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	long pid = CALL(getpid);

	CALL(rt_sigprocmask, SIG_BLOCK, P(usr), P(out[0]), 8);
	CALL(rt_sigprocmask, SIG_SETMASK, P(most), P(out[0]), 8);
	CALL(rt_sigprocmask, SIG_SETMASK, P(high), P(out[0]), 8);
	CALL(rt_sigprocmask, SIG_SETMASK, P(usr), P(out[0]), 8);
	CALL(rt_sigaction, SIGURG, P(&act), P(out[0]), 8);
	CALL(rt_sigaction, SIGURG, 0, P(out[0]), 8);
	CALL(rt_sigaction, SIGKILL, P(&act), 0, 8);
	CALL(kill, pid, 0);
	CALL(kill, pid, SIGUSR1);
	CALL(rt_sigpending, P(out[0]), 8);
	CALL(rt_sigtimedwait, P(usr), P(out[0]), P(no_sleep), 8);
	CALL(rt_sigtimedwait, P(usr), 0, P(no_sleep), 8);
	CALL(tgkill, pid, pid, SIGUSR1);
	CALL(tkill, pid, 0);
	CALL(rt_sigqueueinfo, pid, SIGUSR1, P(&info));
	CALL(rt_tgsigqueueinfo, pid, pid, SIGUSR1, P(&info));
	CALL(kill, pid, SIGUSR2);		/* its exit, the handler, rt_sigreturn */
	CALL(rt_sigprocmask, SIG_SETMASK, P((unsigned int[2]){ 1u << (SIGUSR1 - 1) |
	     1u << (SIGUSR2 - 1) }), 0, 8);
	CALL(kill, pid, SIGUSR2);
	CALL(rt_sigsuspend, P(usr), 8);
	CALL(kill, NOBODY_PID, 34);
	CALL(kill, NOBODY_PID, SIGHUP);
	CALL(sigaltstack, P((&(stack_t){ .ss_sp = out[8], .ss_size = PAGE })), P(out[0]));
	CALL(sigaltstack, P((&(stack_t){ .ss_flags = SS_DISABLE })), P(out[0]));
	CALL(rt_sigtimedwait, P(usr), P(out[0]), 0, 8);
	CALL(rt_sigtimedwait, P(usr), P(out[0]), 0, 8);
	CALL(rt_sigprocmask, SIG_SETMASK, P(none), 0, 8);
#ifndef __x86_64__
	CALL(sigprocmask, SIG_BLOCK, P(usr), P(out[0]));
	CALL(sigpending, P(out[0]));
	CALL(signal, SIGURG, 0);
	CALL(rt_sigtimedwait_time64, P(usr), P(out[0]), P(&no_sleep64), 8);
	CALL(waitpid, -1, P(out[0]), WNOHANG);
#endif
}

static void times(void)
{
	struct sigevent event = { .sigev_signo = SIGUSR1, .sigev_notify = SIGEV_NONE };
	long half[4] = { 0, 500, 60, 250 }, bad[2] = { 7, 2000000 };

	CALL(time, P(out[0]));
	CALL(gettimeofday, P(out[0]), 0);
	CALL(clock_gettime, CLOCK_MONOTONIC, P(out[0]));
	CALL(clock_getres, CLOCK_BOOTTIME, P(out[0]));
	CALL(clock_settime, CLOCK_MONOTONIC, P(no_sleep));
	CALL(settimeofday, P(bad), 0);
	CALL(adjtimex, 0);
	CALL(clock_adjtime, CLOCK_TAI, 0);
	CALL(nanosleep, P((long[]){ 0, 1 }), 0);
	CALL(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, P((long[]){ 1, 5 }), 0);
	CALL(alarm, 100);
	CALL(alarm, 0);
	CALL(setitimer, ITIMER_VIRTUAL, P(half), 0);
	CALL(setitimer, ITIMER_VIRTUAL, P((long[4]){ 0 }), 0);
	CALL(getitimer, ITIMER_PROF, P(out[0]));
	CALL(timer_create, CLOCK_MONOTONIC, P(&event), P(out[0]));		/* 0 */
	CALL(timer_settime, 0, 0, P(second), P(out[0]));
	CALL(timer_settime, 0, TIMER_ABSTIME, P((long[4]){ 0 }), 0);
	CALL(timer_gettime, 0, P(out[0]));
	CALL(timer_getoverrun, 0);
	CALL(timer_delete, 0);
	CALL(timerfd_create, CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);	/* 5 */
	CALL(timerfd_settime, 5, TFD_TIMER_ABSTIME, P(second), P(out[0]));
	CALL(timerfd_settime, 5, 0, P((long[4]){ 0 }), 0);
	CALL(timerfd_gettime, 5, P(out[0]));
	CALL(times, P(out[0]));
#ifndef __x86_64__
	CALL(timerfd_settime64, 5, TFD_TIMER_ABSTIME, P((struct long_time[2]){ { 0, 0 }, { 1000, 500 } }), P(out[0]));
	CALL(timerfd_settime64, 5, 0, P((struct long_time[2]){ { 0, 0 } }), 0);
	CALL(timerfd_gettime64, 5, P(out[0]));
	CALL(clock_gettime64, CLOCK_REALTIME, P(out[0]));
	CALL(clock_getres_time64, CLOCK_BOOTTIME, P(out[0]));
	CALL(clock_nanosleep_time64, CLOCK_MONOTONIC, 0, P(&no_sleep64), 0);
	CALL(utimensat_time64, DIR_FD, P("file"), P((struct long_time[2]){ { 0, 0 }, { 1000, 500 } }), 0);
	CALL(futex_time64, P(out[0]), FUTEX_WAIT, 99, P((struct long_time[2]){ { 0, 0 }, { 1000, 500 } }), 0, 0);
#endif
	CALL(close, 5);
}

/* ---- memory ---- */

static void futexes(void)
{
	static int word = 5;
	struct { unsigned long long val, uaddr; unsigned int flags, pad; } wait = {
		1, P(&word), 2 | 128, 0 };

	CALL(futex, P(&word), FUTEX_WAKE_PRIVATE, 1);
	CALL(futex, P(&word), FUTEX_WAIT, 6, P(later));
	CALL(futex, P(&word), FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 6, P(later), 0, 0xffffffffu);
	CALL(futex, P(&word), FUTEX_CMP_REQUEUE, 1, 2, P(out[0]), 4);
	CALL(futex_waitv, P(&wait), 1, 0, P(&no_sleep64), CLOCK_MONOTONIC);
	CALL(futex_wake, P(&word), 0xff, 1, 2 | 128);
	CALL(futex_wait, P(&word), 6, 0xff, 2 | 128, P(&no_sleep64), CLOCK_MONOTONIC);
	CALL(futex_requeue, 0, 0, 1, 1);
}

static void memory(void)
{
#ifdef __x86_64__
	mapped = (char *)CALL(mmap, 0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			      MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED, FILE_FD, PAGE);
#else
	mapped = (char *)CALL(mmap2, 0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			      MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CALL(mmap2, 0, PAGE, PROT_READ, MAP_SHARED, FILE_FD, 1);
	CALL(mmap, P((long[]){ 0, PAGE, PROT_READ, MAP_SHARED, FILE_FD, PAGE }));
#endif
	CALL(mprotect, P(mapped), PAGE, PROT_READ | PROT_EXEC);
	CALL(pkey_mprotect, P(mapped), PAGE, PROT_READ | PROT_WRITE, -1);
	CALL(madvise, P(mapped), PAGE, MADV_DONTNEED);
	CALL(msync, P(mapped), PAGE, MS_ASYNC | MS_INVALIDATE);
	CALL(mincore, P(mapped), PAGE, P(out[0]));
	CALL(mlock, P(mapped), PAGE);
	CALL(mlock2, P(mapped), PAGE, 1);
	CALL(munlock, P(mapped), PAGE);
	CALL(mlockall, MCL_CURRENT | 8);
	CALL(munlockall);
	CALL(mremap, P(mapped), PAGE, 2 * PAGE, 0);
	CALL(mremap, P(mapped), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 1);
	CALL(remap_file_pages, P(mapped), 1, 1, 0, MAP_NONBLOCK);
	CALL(munmap, P(mapped), 2 * PAGE);
	CALL(mseal, 1, PAGE, 0);
	CALL(brk, 0);
	CALL(pkey_alloc, 1, 2);
	CALL(pkey_free, 99);
	CALL(map_shadow_stack, 1, PAGE, 2);
	CALL(userfaultfd, O_CLOEXEC | 0x100);
	CALL(memfd_secret, 0x100);
	CALL(get_mempolicy, 0, 0, 0, 0, 1 << 9);
	CALL(set_mempolicy, 99, 0, 0);
	CALL(mbind, 1, PAGE, 1 /* MPOL_PREFERRED */, 0, 0, 1 /* MPOL_MF_STRICT */);
	CALL(set_mempolicy_home_node, 1, PAGE, 0, 1);
	CALL(migrate_pages, NOBODY_PID, 0, 0, 0);
	CALL(move_pages, NOBODY_PID, 0, 0, 0, 0, 2);
}

/* ---- System V and POSIX IPC ---- */

static void ipc(void)
{
	static struct { long type; char text[8]; } message = { 3, "message" };
	struct sembuf ops[2] = { { 0, 1, 0 }, { 1, -1, IPC_NOWAIT | SEM_UNDO } };
	long attr[8] = { 0, 3, 64, 0 };

	CALL(msgget, IPC_PRIVATE, IPC_CREAT | 0600);				/* 0 */
	CALL(msgsnd, 0, P(&message), 8, IPC_NOWAIT);
	CALL(msgrcv, 0, P(out[0]), 100, 3, MSG_NOERROR | IPC_NOWAIT);
	CALL(msgctl, 0, IPC_RMID, 0);
	CALL(semget, 0x4711, 2, IPC_CREAT | IPC_EXCL | 0640);			/* 0 */
	CALL(semctl, 0, 1, 12 /* GETVAL */, 0);
#ifdef __x86_64__
	CALL(semop, 0, P(ops), 2);
	CALL(semtimedop, 0, P(ops), 1, P(no_sleep));
#else
	CALL(semtimedop_time64, 0, P(ops), 2, P(&no_sleep64));
#endif
	CALL(semctl, 0, 0, IPC_RMID, 0);
	CALL(shmget, 0x4712, PAGE, IPC_CREAT | 0600);				/* 0 */
	mapped = (char *)CALL(shmat, 0, 0, SHM_RDONLY);
	CALL(shmdt, P(mapped));
	CALL(shmctl, 0, IPC_RMID, 0);
	CALL(mq_open, P("queue"), O_RDWR | O_CREAT, 0600, P(attr));		/* 5 */
	CALL(mq_timedsend, 5, P("queued"), 6, 2, P(later));
	CALL(mq_timedreceive, 5, P(out[0]), 64, P(out[1]), P(later));
	CALL(mq_getsetattr, 5, P((long[8]){ O_NONBLOCK }), P(out[0]));
	CALL(mq_notify, 5, P((&(struct sigevent){ .sigev_notify = SIGEV_NONE,
						  .sigev_signo = SIGUSR1 })));
	CALL(mq_unlink, P("queue"));
	CALL(close, 5);
	CALL(io_setup, 0, 0);
	CALL(io_destroy, 1);
	CALL(io_submit, 1, 1, 0);
	CALL(io_cancel, 1, 0, 0);
	CALL(io_getevents, 1, 1, 2, 0, P(no_sleep));
	CALL(io_uring_setup, 0, P((unsigned int[30]){ 0, 0, 1 << 3 }));
	CALL(io_uring_enter, -1, 1, 2, 1, 0, 0);
	CALL(io_uring_register, -1, 0, 0, 1);
}

/* ---- the machine ---- */

static void mounts(void)
{
	CALL(mkdir, P("mnt"), 0755);
	CALL(mount, P("none"), P("mnt"), P("tmpfs"), MS_NOSUID | MS_NOEXEC, P("size=64k"));
	CALL(mount, 0, P("mnt"), 0, MS_REMOUNT | MS_RDONLY, 0);
	CALL(mount_setattr, AT_FDCWD, P("mnt"), AT_RECURSIVE,
	     P((unsigned long long[]){ 1, 2, MS_PRIVATE, 0 }), 32);
	CALL(umount2, P("mnt"), MNT_DETACH | UMOUNT_NOFOLLOW);
	CALL(fsopen, P("tmpfs"), 1);						/* 5 */
	CALL(fsconfig, 5, 1 /* FSCONFIG_SET_STRING */, P("size"), P("64k"), 0);
	CALL(fsconfig, 5, 6 /* FSCONFIG_CMD_CREATE */, 0, 0, 0);
	CALL(fsmount, 5, 1, 0xa /* NOSUID, NOEXEC */);				/* 6 */
	CALL(move_mount, 6, P(""), AT_FDCWD, P("mnt"), 4);
	CALL(fspick, AT_FDCWD, P("mnt"), 1 | 2);				/* 7 */
	CALL(open_tree, AT_FDCWD, P("mnt"), 1 | O_CLOEXEC | AT_RECURSIVE);	/* 8 */
	CALL(open_tree_attr, AT_FDCWD, P("absent"), O_CLOEXEC, 0, 0);
	CALL(close_range, 5, 8, 0);
	CALL(umount2, P("mnt"), 0);
	CALL(rmdir, P("mnt"));
	CALL(pivot_root, P("sub"), P("absent"));
	CALL(statmount, 0, 0, 0, 1);
	CALL(listmount, 0, 0, 0, 1);
	CALL(name_to_handle_at, DIR_FD, P("file"), P((int[2]){ 0 }), P(out[0]), AT_SYMLINK_FOLLOW);
	CALL(sethostname, P("known-host"), 10);
	CALL(setdomainname, P("known.domain"), 12);
	CALL(setns, FILE_FD, CLONE_NEWNET | CLONE_NEWIPC);
	CALL(unshare, CLONE_NEWUTS | CLONE_FS);
	CALL(uname, P(out[0]));
	CALL(sysinfo, P(out[0]));
	CALL(getrandom, P(out[0]), 16, 1);
}

/* Without capabilities from here on. */
static void refused(void)
{
	CALL(capset, P((unsigned int[]){ _LINUX_CAPABILITY_VERSION_3, 0 }),
	     P((unsigned int[6]){ 0 }));
	CALL(acct, P("absent"));
	CALL(chroot, P("absent"));
	CALL(swapon, P("absent"), 0x8000 | 7);
	CALL(swapoff, P("absent"));
	CALL(reboot, 0xfee1dead, 672274793, 0x01234567, 0);
	CALL(kexec_load, 0, 0, 0, 0);
	CALL(init_module, 0, 0, P("param=1"));
	CALL(finit_module, FILE_FD, P("param=2"), 1);
	CALL(delete_module, P("absent"), O_NONBLOCK | O_TRUNC);
	CALL(quotactl, 0x800007 << 8, P("absent"), 5, 0);
	CALL(quotactl_fd, FILE_FD, 0x800007 << 8 | 1, 5, 0);
	CALL(open_by_handle_at, AT_FDCWD, 0, O_RDONLY);
	CALL(ioperm, 7, 0, 1);
	CALL(iopl, 4);
	CALL(vhangup);
	CALL(syslog, 8 /* SYSLOG_ACTION_CONSOLE_LEVEL */, 0, 9);
	CALL(bpf, 5 /* BPF_PROG_LOAD */, 0, 1);
	CALL(perf_event_open, P((unsigned int[16]){ 1, 64 }), 0, -1, -1, 8 | 0x100);
	CALL(add_key, P("nosuch"), P("described"), P("pay\0load"), 8, -1);
	CALL(request_key, P("nosuch"), P("described"), 0, -2);
	CALL(keyctl, 3 /* KEYCTL_REVOKE */, -9);
	CALL(landlock_create_ruleset, P((&(unsigned long long){ 6 })), 8, 2);
	CALL(landlock_add_rule, -1, 1, 0, 0);
	CALL(landlock_restrict_self, -1, 0);
	CALL(lsm_get_self_attr, 0, 0, 0, 0);
	CALL(lsm_set_self_attr, 0, 0, 0, 0);
	CALL(lsm_list_modules, 0, 0, 1);
	CALL(modify_ldt, 99, 0, 0);
	CALL(ustat, 0xffff, P(out[0]));
	CALL(sysfs, 99);
	CALL(umask, 022);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "exec"))
		return 7;
	if (argc < 2)
		return 8;		/* the second child: its first argument is empty */
	if (argc != 2 || chdir(argv[1]) || unshare(CLONE_NEWIPC | CLONE_NEWUTS) ||
	    close_range(3, ~0u, 0) || mlockall(MCL_CURRENT)) {
		perror("args_calls");
		return 1;
	}
	umask(022);
	signal(SIGUSR2, on_signal);
	mark();
	file_names();
	file_data();
	file_state();
	descriptors();
	waiting();
	sockets_inet();
	sockets_inet6();
	sockets_unix();
	sockets_other();
	children();
	identity();
	schedule();
	signals();
	times();
	futexes();
	memory();
	ipc();
	mounts();
	refused();
	mark();
	return 0;
}
