// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   serve, group: answers on the ports below. talk PROCESSES ROUNDS KIND/ADDRESS/PORT...:
 *       that many processes go through all of these.
 * Out:  a line for each local end of a conversation, {"t", "proto", "port", "pid", "comm"}: whose it
 *       is from then on; with "peer" only towards that port, with "family" only there.
 * Owns: its children.
 * Runs on: any namespace; raw sockets need CAP_NET_RAW.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TCP_PORT 7001		/* serve: IPv6 and IPv4 */
#define UDP_PORT 7002
#define ONLY6_PORT 7004		/* UDP, IPv6 only */
#define GROUP_PORT 7005		/* TCP and UDP, two processes with a socket each */
#define MAX_CONNS 256
#define SETTLED_US 60000	/* what is on its way has arrived, delayed acknowledgements, too */
#define ARRIVED_NS 2000000	/* so long ago */
#define PASSED_FD 100

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	line[n++] = '\n';
	if (write(1, line, n) != n)
		err(1, "standard output");
}

static int port_of(const union address *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

/* From t on the caller has this end; more: further members. */
static void claim_port(long long t, const char *proto, int port, const char *more)
{
	char comm[16];

	prctl(PR_GET_NAME, comm);
	say("{\"t\": %lld, \"proto\": \"%s\", \"port\": %d, \"pid\": %d, \"comm\": \"%s\"%s}", t, proto,
	    port, getpid(), comm, more);
}

/* Of which packets: those of the other family may have another's port of that number. */
static const char *family_of(const union address *a)
{
	return a->any.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr) ?
	       ", \"family\": 4" : ", \"family\": 6";
}

static const char *talks_to = "";	/* the family of whom this process talks to */

static int claim(long long t, int fd, const char *proto)
{
	union address a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len))
		err(1, "getsockname");
	claim_port(t, proto, port_of(&a), talks_to);
	return port_of(&a);
}

static socklen_t parse(union address *a, const char *text, int port)
{
	memset(a, 0, sizeof(*a));
	if (strchr(text, ':')) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) != 1)
			errx(2, "%s: no address", text);
		return sizeof(a->v6);
	}
	a->v4.sin_family = AF_INET;
	a->v4.sin_port = htons(port);
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) != 1)
		errx(2, "%s: no address", text);
	return sizeof(a->v4);
}

/* ---- serve ---- */

/* An IPv6 socket, for IPv4 too if only6 is not set. */
static int bound(int type, int port, int only6, int group)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type, 0), one = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof(only6)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (group && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one))) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err(1, "port %d", port);
	if (type == SOCK_STREAM && listen(fd, 1000))
		err(1, "listen");
	return fd;
}

static void claim_peer(const char *proto, const union address *peer)
{
	char more[64];

	snprintf(more, sizeof(more), ", \"peer\": %d%s", port_of(peer), family_of(peer));
	claim_port(now_ns() - ARRIVED_NS, proto, GROUP_PORT, more);
}

static void answer_datagram(int fd, bool group)
{
	union address peer;
	socklen_t len = sizeof(peer);
	char buf[2000];
	ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, &peer.any, &len);

	if (n < 0)
		err(1, "recvfrom");
	if (group)
		claim_peer("udp", &peer);
	if (sendto(fd, buf, n, 0, &peer.any, len) != n)
		err(1, "sendto");
}

static int accept_one(int fd, bool group)
{
	union address peer;
	socklen_t len = sizeof(peer);
	int conn = accept(fd, &peer.any, &len);

	if (conn < 0)
		err(1, "accept");
	if (group)
		claim_peer("tcp", &peer);
	return conn;
}

/* fds[0 .. nr_fixed - 1] wait at their ports, the first nr_tcp of them for connections. */
static void serve_loop(struct pollfd *fds, int nr_tcp, int nr_fixed, bool group)
{
	int nr = nr_fixed;
	char buf[2000];
	ssize_t n;

	for (;;) {
		if (poll(fds, nr, -1) < 0)
			err(1, "poll");
		for (int i = nr - 1; i >= 0; i--) {
			if (!fds[i].revents)
				continue;
			if (i < nr_tcp && nr < MAX_CONNS) {
				fds[nr++] = (struct pollfd){ accept_one(fds[i].fd, group), POLLIN, 0 };
			} else if (i < nr_fixed) {
				answer_datagram(fds[i].fd, group);
			} else if ((n = read(fds[i].fd, buf, sizeof(buf))) > 0) {
				if (write(fds[i].fd, buf, n) != n)
					err(1, "write");
			} else {
				close(fds[i].fd);
				fds[i] = fds[--nr];
			}
		}
	}
}

static void serve(void)
{
	static struct pollfd fds[MAX_CONNS];

	fds[0] = (struct pollfd){ bound(SOCK_STREAM, TCP_PORT, 0, 0), POLLIN, 0 };
	fds[1] = (struct pollfd){ bound(SOCK_DGRAM, UDP_PORT, 0, 0), POLLIN, 0 };
	fds[2] = (struct pollfd){ bound(SOCK_DGRAM, ONLY6_PORT, 1, 0), POLLIN, 0 };
	claim_port(0, "tcp", TCP_PORT, "");
	claim_port(0, "udp", UDP_PORT, "");
	claim_port(0, "udp", ONLY6_PORT, ", \"family\": 6");
	say("{\"ready\": 1}");
	serve_loop(fds, 1, 3, false);
}

/* Two of them: who gets what comes first is the kernel's choice. */
static void serve_group(void)
{
	static struct pollfd fds[MAX_CONNS];
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	fds[0] = (struct pollfd){ bound(SOCK_STREAM, GROUP_PORT, 0, 1), POLLIN, 0 };
	fds[1] = (struct pollfd){ bound(SOCK_DGRAM, GROUP_PORT, 0, 1), POLLIN, 0 };
	say("{\"ready\": 1}");
	serve_loop(fds, 1, 2, true);
}

/* ---- talk ---- */

static void wait_readable(int fd, const char *what)
{
	struct pollfd p = { fd, POLLIN, 0 };

	if (poll(&p, 1, 5000) != 1)
		errx(1, "%s: no answer", what);
}

/* A question and its answer, over what is connected. */
static void ask(int fd)
{
	char buf[100];

	if (write(fd, "question", 8) != 8)
		err(1, "write");
	wait_readable(fd, "ask");
	if (read(fd, buf, sizeof(buf)) != 8)
		err(1, "read");
}

static int connected(int type, const union address *to, socklen_t len)
{
	long long t = now_ns();
	int fd = socket(to->any.sa_family, type, 0);

	if (fd < 0 || connect(fd, &to->any, len))
		err(1, "connect");
	claim(t, fd, type == SOCK_STREAM ? "tcp" : "udp");
	return fd;
}

static void tcp(const union address *to, socklen_t len)
{
	int fd = connected(SOCK_STREAM, to, len);

	ask(fd);
	close(fd);
}

static void udp_connected(const union address *to, socklen_t len)
{
	int fd = connected(SOCK_DGRAM, to, len);

	ask(fd);
	close(fd);
}

static void udp(const union address *to, socklen_t len)
{
	long long t = now_ns();
	int fd = socket(to->any.sa_family, SOCK_DGRAM, 0);
	char buf[100];

	if (fd < 0 || sendto(fd, "question", 8, 0, &to->any, len) != 8)
		err(1, "sendto");
	claim(t, fd, "udp");
	wait_readable(fd, "udp");
	if (recvfrom(fd, buf, sizeof(buf), 0, NULL, NULL) != 8)
		err(1, "recvfrom");
	close(fd);
}

/* To where nobody listens. */
static void udp_lost(const union address *to, socklen_t len)
{
	long long t = now_ns();
	int fd = socket(to->any.sa_family, SOCK_DGRAM, 0);

	if (fd < 0 || sendto(fd, "question", 8, 0, &to->any, len) != 8)
		err(1, "sendto");
	claim(t, fd, "udp");
	usleep(SETTLED_US);
	close(fd);
}

static uint16_t checksum(const void *p, size_t len)
{
	const uint16_t *w = p;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *w++;
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

/* Echo requests with three answers; a raw socket chooses its identifier. */
static void ping(const union address *to, socklen_t len, int type)
{
	bool v6 = to->any.sa_family == AF_INET6;
	struct icmphdr h = { .type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO };
	struct icmp6_filter only;
	const char *proto = v6 ? "icmp6" : "icmp";
	int fd = socket(to->any.sa_family, type, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	long long t = now_ns();
	char buf[200];

	if (fd < 0)
		err(1, "%s socket", proto);
	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
	if (v6 && type == SOCK_RAW)
		setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only));
	if (type == SOCK_RAW) {
		h.un.echo.id = htons(0x8000 | (getpid() & 0x7fff));
		claim_port(t, proto, ntohs(h.un.echo.id), "");
	}
	for (int i = 0; i < 3; i++) {
		h.un.echo.sequence = htons(i);
		h.checksum = 0;
		if (!v6)
			h.checksum = checksum(&h, sizeof(h));
		if (sendto(fd, &h, sizeof(h), 0, &to->any, len) != sizeof(h))
			err(1, "%s", proto);
		if (!i && type == SOCK_DGRAM)
			claim(t, fd, proto);
		wait_readable(fd, proto);
		if (recv(fd, buf, sizeof(buf), 0) < 0)
			err(1, "recv");
	}
	close(fd);
}

static void ping_datagram(const union address *to, socklen_t len)
{
	ping(to, len, SOCK_DGRAM);
}

static void ping_raw(const union address *to, socklen_t len)
{
	ping(to, len, SOCK_RAW);
}

static void join(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "a child failed");
}

/* The parent's connection, used by a child and then by the parent again. */
static void forked(const union address *to, socklen_t len)
{
	int fd = connected(SOCK_STREAM, to, len);
	pid_t pid;

	ask(fd);
	usleep(SETTLED_US);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "forked");
		claim(now_ns(), fd, "tcp");
		ask(fd);
		usleep(SETTLED_US);
		_exit(0);
	}
	join(pid);
	claim(now_ns(), fd, "tcp");
	ask(fd);
	close(fd);
}

/* The same process under another name. */
static void executed(const union address *to, socklen_t len)
{
	pid_t pid = fork();
	int fd;

	if (!pid) {
		prctl(PR_SET_NAME, "before");
		fd = connected(SOCK_STREAM, to, len);
		ask(fd);
		usleep(SETTLED_US);
		dup2(fd, PASSED_FD);
		close(fd);
		execl("/proc/self/exe", "owner_talk", "resume", NULL);
		err(1, "exec");
	}
	join(pid);
}

static void pass(int over, int fd)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
	struct iovec iov = { (char[]){ 0 }, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(over, &m, 0) != 1)
		err(1, "SCM_RIGHTS");
}

static int passed(int over)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	int fd;

	if (recvmsg(over, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		err(1, "nothing was passed");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

/* To a process that was there before the connection was, and that alone keeps it. */
static void handed_over(const union address *to, socklen_t len)
{
	int pair[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		err(1, "socketpair");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "receiver");
		fd = passed(pair[1]);
		usleep(SETTLED_US);
		claim(now_ns(), fd, "tcp");
		ask(fd);
		close(fd);
		_exit(0);
	}
	fd = connected(SOCK_STREAM, to, len);
	ask(fd);
	usleep(SETTLED_US);
	pass(pair[0], fd);
	close(fd);
	join(pid);
	close(pair[0]);
	close(pair[1]);
}

static const struct kind {
	const char *name;
	void (*run)(const union address *to, socklen_t len);
} kinds[] = {
	{ "tcp", tcp }, { "udp", udp }, { "udpc", udp_connected }, { "lost", udp_lost },
	{ "ping", ping_datagram }, { "rawping", ping_raw }, { "fork", forked },
	{ "exec", executed }, { "pass", handed_over },
};

static void run_kind(const char *arg)
{
	char *text = strdup(arg), *rest = text, *name, *address;
	union address to;
	socklen_t len;

	name = strsep(&rest, "/");
	address = strsep(&rest, "/");
	if (!address || !rest)
		errx(2, "%s: not KIND/ADDRESS/PORT", arg);
	len = parse(&to, address, atoi(rest));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name)) {
			talks_to = family_of(&to);
			kinds[i].run(&to, len);
			free(text);
			return;
		}
	errx(2, "%s: no such kind", name);
}

static void talk(int processes, int rounds, char **args)
{
	char name[16];
	pid_t pids[100];

	if (processes < 1 || processes > 100)
		errx(2, "1 to 100 processes");
	for (int i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		snprintf(name, sizeof(name), "talk-%d", i);
		prctl(PR_SET_NAME, name);
		for (int round = 0; round < rounds; round++)
			for (char **arg = args; *arg; arg++)
				run_kind(*arg);
		_exit(0);
	}
	for (int i = 0; i < processes; i++)
		join(pids[i]);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		serve();
	if (argc == 2 && !strcmp(argv[1], "group"))
		serve_group();
	if (argc == 2 && !strcmp(argv[1], "resume")) {
		claim(now_ns(), PASSED_FD, "tcp");
		ask(PASSED_FD);
		return 0;
	}
	if (argc < 5 || strcmp(argv[1], "talk"))
		errx(2, "usage: owner_talk serve | group | talk PROCESSES ROUNDS KIND/ADDRESS/PORT...");
	talk(atoi(argv[2]), atoi(argv[3]), argv + 4);
	return 0;
}
