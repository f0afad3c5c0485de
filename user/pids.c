// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the number of a process in our pid namespace.
 * Out:  the number that records and filters have for it: that in the initial one.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bpf_load.h"
#include "stream.h"
#include "pids.skel.h"

#define INITIAL_INO 0xeffffffcu		/* of the initial pid namespace, on every kernel */

/* Without /proc nothing is known of it, and the kernel is asked. */
static bool is_initial(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_INO;
}

/* Return: 0; -errno. What it was run for is in .bss. */
static int run_iterator(struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), ret;
	char none;

	if (fd < 0)
		return fd;
	do
		ret = read(fd, &none, sizeof(none));	/* to the end: nothing is written */
	while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int ask_kernel(int pid, struct error *err)
{
	struct pids_bpf *skel;
	int ret;

	bpf_load_quiet();
	skel = pids_bpf__open();
	ret = skel ? pids_bpf__load(skel) : -errno;
	if (ret) {
		ret = bpf_load_failed(ret, "numbers of processes", err);
		pids_bpf__destroy(skel);
		return ret;
	}
	skel->bss->wanted = pid;
	ret = bpf_load_attach(skel->progs.pids, &skel->links.pids, err);
	if (!ret) {
		ret = run_iterator(skel->links.pids);
		if (ret)
			error_set(err, ret, "cannot list the processes of this pid namespace: %s",
				  strerror(-ret));
	}
	ret = ret ?: skel->bss->found;
	pids_bpf__destroy(skel);
	return ret;
}

int xcap_pid(int pid)
{
	struct error *err = stream_last_error();
	int ret = 0;

	if (pid > 0 && (!kill(pid, 0) || errno != ESRCH))
		ret = is_initial() ? pid : ask_kernel(pid, err);
	return ret ?: error_set(err, -ESRCH, "there is no process %d", pid);
}
