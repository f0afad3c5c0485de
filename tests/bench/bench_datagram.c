// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a process that sends datagrams to itself by lo, under one observer after another.
 * Out:  a table: ns that each observer adds to a datagram, sent and received; ratios.
 * Owns: a network namespace; one observer at a time.
 * Runs on: the process on CPU 0, observers on CPU 1.
 *
 * Usage: bench_datagram [ROUNDS]
 * Exit status: 1 a ratio is above its promise.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcap.h>
#include "bench_datagram.skel.h"
#include "observers.h"
#include "receiver.h"
#include "wire.h"

enum { WARM_UP = 1000, DATAGRAMS = 200000 };

/* A query: whoever looks at answers waits for one from now on. */
static const unsigned char query[] = "\x07\x57\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				     "\x04xcap\x07invalid\x00\x00\x01\x00";

static int bound(struct sockaddr_in *at, int port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) ||
	    getsockname(fd, (struct sockaddr *)at, &len))
		err(1, "a socket at port %d", port);
	return fd;
}

/* At the end: whoever waited for it has a record now. */
static void answer(int port53)
{
	unsigned char message[sizeof(query)];
	struct sockaddr_in client;
	socklen_t len = sizeof(client);

	if (recvfrom(port53, message, sizeof(message), 0, (struct sockaddr *)&client, &len) !=
	    sizeof(message))
		err(1, "no query");
	message[2] |= 0x80;
	if (sendto(port53, message, sizeof(message), 0, (struct sockaddr *)&client, len) !=
	    sizeof(message))
		err(1, "an answer");
}

/* Both ways are in the time of who sends: lo hands over as soon as softirqs may run. */
static double send_all(bool ask)
{
	struct sockaddr_in server, to;
	int port53 = bound(&server, 53), in = bound(&to, 0);
	int out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int64_t begin = 0;
	char byte = 'x';

	if (ask && sendto(out, query, sizeof(query), 0, (struct sockaddr *)&server,
			  sizeof(server)) != sizeof(query))
		err(1, "a query");
	if (connect(out, (struct sockaddr *)&to, sizeof(to)))
		err(1, "connect");
	for (int i = 0; i < WARM_UP + DATAGRAMS; i++) {
		if (i == WARM_UP)
			begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		if (send(out, &byte, 1, 0) != 1 || recv(in, &byte, 1, 0) != 1)
			err(1, "a datagram");
	}
	begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
	if (ask)
		answer(port53);
	close(port53);
	close(in);
	close(out);
	return (double)begin / DATAGRAMS;
}

/* In a process of its own on CPU 0. Return: what a datagram took. */
static double sender(bool ask)
{
	double ns;
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bench_pin(BENCH_SEND_CPU);
		ns = send_all(ask);
		_exit(write(fds[1], &ns, sizeof(ns)) != sizeof(ns));
	}
	close(fds[1]);
	if (read(fds[0], &ns, sizeof(ns)) != sizeof(ns) || waitpid(pid, &status, 0) != pid ||
	    status)
		errx(1, "the sender failed");
	close(fds[0]);
	return ns;
}

/* ---- observers ---- */

static double under_nobody(void)
{
	return sender(false);
}

static double under_empty(void)
{
	struct bench_datagram_bpf *skel = bench_datagram_bpf__open_and_load();
	double ns;

	if (!skel || bench_datagram_bpf__attach(skel))
		err(1, "BPF programs of the bench");
	ns = sender(false);
	bench_datagram_bpf__destroy(skel);
	return ns;
}

/* Nothing is read meanwhile: there is one record at most, at the end. */
static double under_probe(const char *spec, bool ask)
{
	struct xcap_record rec;
	struct xcap *x;
	double ns;

	if (xcap_open(&x, spec, NULL))
		errx(1, "%s", xcap_errmsg(NULL));
	ns = sender(ask);
	if (ask && (xcap_next(x, &rec, 2000) != 1 || rec.type != XCAP_PROBE))
		errx(1, "%s has not seen that a query waited", spec);
	xcap_close(x);
	return ns;
}

/* Of TCP, which there is none of: what is left is that sockets have an owner. */
static double under_owners(void)
{
	return under_probe("probe:resets", false);
}

static double under_dns_idle(void)
{
	return under_probe("probe:dns", false);
}

static double under_dns_waiting(void)
{
	return under_probe("probe:dns", true);
}

/* What is used where there is no probe: its filter sees each datagram twice, as the probe does. */
static double under_tcpdump(void)
{
	static const char *const argv[] = { "tcpdump", "-i", "lo", "-Z", "root", "-w", "/dev/null",
					    "udp port 53", NULL };
	struct receiver r;
	double ns;

	if (tcpdump_start(&r, argv))
		errx(1, "tcpdump does not start");
	ns = sender(false);
	tcpdump_stop(&r);
	return ns;
}

/* ---- the table ---- */

enum { NOBODY, EMPTY, OWNERS, IDLE, WAITING, TCPDUMP, NR_OBSERVERS };

static const struct observer observers[NR_OBSERVERS] = {
	[NOBODY] = { "nobody", under_nobody },
	[EMPTY] = { "two empty programs", under_empty },
	[OWNERS] = { "owners of sockets alone", under_owners },
	[IDLE] = { "probe:dns", under_dns_idle },
	[WAITING] = { "probe:dns, a query waits", under_dns_waiting },
	[TCPDUMP] = { "tcpdump udp port 53", under_tcpdump },
};

static const struct ratio ratios[] = {
	{ OWNERS, EMPTY, 0 },
	{ IDLE, OWNERS, 0 },
	{ IDLE, TCPDUMP, 1.3 },
	{ WAITING, TCPDUMP, 1.6 },
};

int main(int argc, char **argv)
{
	static struct observed bench = {
		.work = "a datagram by lo, and its way up", .unit = "CPU ns",
		.observers = observers, .nr_observers = NR_OBSERVERS,
		.ratios = ratios, .nr_ratios = sizeof(ratios) / sizeof(*ratios),
	};

	wire_make();
	return observers_main(&bench, argc, argv);
}
