// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   how many frames, how large, how fast, through which interface.
 * Out:  the frames, numbered, and one JSON line: what was made, what the
 *       interface took and what it refused, so that books can be closed.
 * Owns: one socket or one BPF program, and a batch of frames.
 * Runs on: one thread; in mode xdp one for each queue, bound to a CPU, because
 *       veth chooses the queue by it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "txgen.h"
#include "txgen.skel.h"

#define BATCH 64
#define FRAME_MAX 9216
#define MAX_THREADS 64

struct conf {
	const char *iface, *mode;
	unsigned int ifindex;
	uint64_t frames;
	struct txgen_cfg cfg;
	int queues, cpu;
	int nr_tags;
	uint16_t tags[2];
	struct in_addr from, to;
	uint8_t to_mac[6], from_mac[6];
};

/* What one run, or one thread of it, did. */
struct result {
	uint64_t made;		/* handed to the kernel, refused ones included */
	uint64_t refused;	/* the kernel said so; they were made again */
	uint64_t start_ns;	/* when everything was ready */
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = 1;
}

__attribute__((format(printf, 2, 3), noreturn))
static void die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "txgen: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(code);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Sleeps until frame number `seq` is due. */
static void pace(const struct conf *c, uint64_t start_ns, uint64_t seq)
{
	uint64_t due;
	struct timespec ts;

	if (!c->cfg.rate_pps)
		return;
	due = start_ns + (uint64_t)((double)seq / c->cfg.rate_pps * 1e9);
	ts.tv_sec = due / 1000000000;
	ts.tv_nsec = due % 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* How many frames may go out between two looks at the clock. */
static uint64_t burst(const struct conf *c, uint64_t left, uint64_t most)
{
	uint64_t n = c->cfg.rate_pps ? c->cfg.rate_pps / 10000 + 1 : most;

	n = n < most ? n : most;
	return n < left ? n : left;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t ip_checksum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static uint32_t frame_size(const struct conf *c, uint64_t seq)
{
	return c->cfg.min + seq % c->cfg.span;
}

/* Ethernet and as many tags as fit. Return: where the rest begins. */
static uint32_t frame_ethernet(const struct conf *c, uint8_t *p, uint32_t size, uint16_t type)
{
	uint32_t at = 12;

	memcpy(p, c->to_mac, 6);
	memcpy(p + 6, c->from_mac, 6);
	/* the outer tag of two is a service tag */
	for (int i = 0; i < c->nr_tags && at + 6 <= size; i++, at += 4) {
		put16(p + at, i + 1 < c->nr_tags ? 0x88a8 : 0x8100);
		put16(p + at + 2, c->tags[i]);
	}
	put16(p + at, type);
	return at + 2;
}

/* One whole frame. Return: its size. */
static uint32_t frame_make(const struct conf *c, uint8_t *p, uint64_t seq)
{
	uint32_t size = frame_size(c, seq), ip_len = size - c->cfg.ip;
	uint8_t *ip;

	memset(p, 0, size);
	if (size < c->cfg.ip - 14 + TXGEN_IP_MIN) {
		frame_ethernet(c, p, size, TXGEN_ETHERTYPE);
		put32(p + 8, seq);
		return size;
	}
	ip = p + frame_ethernet(c, p, size, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, ip_len);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, &c->from, 4);
	memcpy(ip + 16, &c->to, 4);
	put16(ip + 10, ip_checksum(ip));
	put16(ip + 20, TXGEN_FROM + seq % c->cfg.flows);
	put16(ip + 22, TXGEN_PORT);
	put16(ip + 24, ip_len - 20);
	put32(ip + 28, TXGEN_MAGIC);
	put32(ip + 32, seq);
	return size;
}

/* ---- mode packet: AF_PACKET, any size ---- */

static int open_packet(const struct conf *c)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = c->ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&to, sizeof(to)))
		die(1, "cannot send raw frames through %s: %s", c->iface, strerror(errno));
	return fd;
}

/* Sends the batch whole; what is refused for want of room goes out again. */
static void send_batch(int fd, struct mmsghdr *msgs, int nr, struct result *res)
{
	int done = 0, n;

	while (done < nr) {
		n = sendmmsg(fd, msgs + done, nr - done, 0);
		if (n > 0) {
			done += n;
			res->made += n;
		} else if (errno == ENOBUFS || errno == EAGAIN) {
			res->refused++;
			res->made++;
			usleep(20);
		} else if (errno != EINTR) {
			die(1, "the interface refuses a frame of %zu bytes: %s",
			    msgs[done].msg_hdr.msg_iov->iov_len, strerror(errno));
		}
	}
}

static void run_packet(const struct conf *c, struct result *res)
{
	static uint8_t frames[BATCH][FRAME_MAX];
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int fd = open_packet(c);

	res->start_ns = now_ns();
	for (uint64_t seq = 0; seq < c->frames && !stopped;) {
		int nr = burst(c, c->frames - seq, BATCH);

		for (int i = 0; i < nr; i++) {
			iov[i].iov_base = frames[i];
			iov[i].iov_len = frame_make(c, frames[i], seq + i);
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
		}
		pace(c, res->start_ns, seq);
		send_batch(fd, msgs, nr, res);
		seq += nr;
	}
	close(fd);
}

/* ---- mode udp: a socket per flow, through the whole stack ---- */

static int open_udp(const struct conf *c, int flow)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(TXGEN_FROM + flow) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = c->to,
				  .sin_port = htons(TXGEN_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	/* IP_RECVERR: only then a full queue is told and not kept silent */
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, c->iface, strlen(c->iface)) ||
	    bind(fd, (void *)&from, sizeof(from)) || connect(fd, (void *)&to, sizeof(to)))
		die(1, "cannot send UDP to %s: %s", inet_ntoa(c->to), strerror(errno));
	return fd;
}

static void run_udp(const struct conf *c, struct result *res)
{
	uint8_t payload[FRAME_MAX] = { 0 };
	int *fds = calloc(c->cfg.flows, sizeof(*fds));

	if (!fds)
		die(1, "out of memory");
	for (unsigned int i = 0; i < c->cfg.flows; i++)
		fds[i] = open_udp(c, i);
	put32(payload, TXGEN_MAGIC);
	res->start_ns = now_ns();
	for (uint64_t seq = 0; seq < c->frames && !stopped; seq++) {
		struct iovec iov = { payload, frame_size(c, seq) - 42 };
		struct mmsghdr msg = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };

		put32(payload + 4, seq);
		pace(c, res->start_ns, seq);
		send_batch(fds[seq % c->cfg.flows], &msg, 1, res);
	}
	for (unsigned int i = 0; i < c->cfg.flows; i++)
		close(fds[i]);
	free(fds);
}

/* ---- mode xdp: the kernel makes the frames ---- */

struct sender {
	const struct conf *conf;
	int prog_fd, cpu;
	uint64_t frames;
	pthread_t thread;
	int err;
};

static int bind_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void *send_xdp(void *arg)
{
	struct sender *s = arg;
	const struct conf *c = s->conf;
	uint32_t size = c->cfg.min + c->cfg.span - 1;
	uint8_t frame[FRAME_MAX];
	struct xdp_md ctx = { .data_end = size, .ingress_ifindex = c->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = s->frames,
		    .batch_size = burst(c, s->frames, BATCH),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (s->cpu >= 0)
		s->err = bind_cpu(s->cpu) ? -errno : 0;
	frame_make(c, frame, c->cfg.span - 1);
	if (!s->err && s->frames)
		s->err = bpf_prog_test_run_opts(s->prog_fd, &opts);
	return NULL;
}

static void run_xdp(const struct conf *c, struct result *res)
{
	struct sender senders[MAX_THREADS];
	struct txgen_bpf *skel = txgen_bpf__open();
	int err = 0;

	if (!skel)
		die(1, "the BPF object cannot be opened: %s", strerror(errno));
	memcpy((void *)&skel->rodata->cfg, &c->cfg, sizeof(c->cfg));
	if (txgen_bpf__load(skel))
		die(1, "the BPF program cannot be loaded: %s", strerror(errno));
	res->start_ns = skel->bss->start_ns = now_ns();
	for (int i = 0; i < c->queues; i++) {
		struct sender *s = &senders[i];

		*s = (struct sender) {
			.conf = c,
			.prog_fd = bpf_program__fd(skel->progs.txgen_tx),
			.cpu = c->queues > 1 ? i : c->cpu,
			.frames = c->frames / c->queues + (i < (int)(c->frames % c->queues)),
		};
		if (pthread_create(&s->thread, NULL, send_xdp, s))
			die(1, "no thread: %s", strerror(errno));
	}
	for (int i = 0; i < c->queues; i++) {
		pthread_join(senders[i].thread, NULL);
		err = err ? err : senders[i].err;
	}
	res->made = skel->bss->next_seq;
	txgen_bpf__destroy(skel);
	if (err && err != -EINTR)
		die(1, "live frames through %s: %s; --mode packet needs less of the kernel",
		    c->iface, strerror(-err));
}

/* ---- the account ---- */

/* 32-bit counters are enough for differences. */
static struct rtnl_link_stats stats_of(const char *iface)
{
	struct rtnl_link_stats stats = { 0 };
	struct ifaddrs *list, *i;

	if (getifaddrs(&list))
		return stats;
	for (i = list; i; i = i->ifa_next) {
		if (i->ifa_data && i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET &&
		    !strcmp(i->ifa_name, iface))
			memcpy(&stats, i->ifa_data, sizeof(stats));
	}
	freeifaddrs(list);
	return stats;
}

/* Drivers of real hardware count when the frame is out: wait for them. */
static void report(const struct conf *c, const struct result *res,
		   const struct rtnl_link_stats *before, double seconds)
{
	uint32_t sent = 0, dropped = 0;

	for (int i = 0; i < 60; i++) {
		struct rtnl_link_stats after = stats_of(c->iface);

		sent = after.tx_packets - before->tx_packets;
		dropped = after.tx_dropped - before->tx_dropped;
		if ((uint64_t)sent + dropped >= res->made)
			break;
		usleep(50000);
	}
	printf("{\"interface\":\"%s\",\"mode\":\"%s\",\"frames\":%llu,\"sent\":%llu,"
	       "\"refused\":%llu,\"tx_packets\":%u,\"tx_dropped\":%u,\"seconds\":%.6f,"
	       "\"pps\":%.0f}\n", c->iface, c->mode,
	       (unsigned long long)(res->made - res->refused),
	       (unsigned long long)(res->made - dropped),
	       (unsigned long long)res->refused, sent, dropped, seconds,
	       (res->made - dropped) / seconds);
}

/* ---- the command line ---- */

static const char usage[] =
	"usage: txgen -i IFACE -n FRAMES [options]\n"
	"  -s SIZE, -S MIN:MAX   bytes on the wire without FCS (60); MIN to MAX in turn\n"
	"  --vlan ID             one 802.1Q tag\n"
	"  --qinq OUTER,INNER    an 802.1ad and an 802.1Q tag\n"
	"  --rate PPS            frames a second (as fast as it goes)\n"
	"  --queues N            spread over so many queues: CPUs in mode xdp, flows else\n"
	"  --flows N             source ports (16 for each queue)\n"
	"  --cpu N               send from this CPU\n"
	"  --mode MODE           packet: AF_PACKET, 14 to 9216 bytes (default)\n"
	"                        xdp: made in the kernel, the receiver needs XDP or GRO on\n"
	"                        udp: from UDP sockets, through the stack\n"
	"  --from IP, --to IP    addresses (198.18.0.1, 198.18.0.2)\n"
	"  --mac MAC             destination (02:00:00:00:00:02)\n"
	"Prints one JSON line: frames (made), sent (taken by the interface), tx_dropped.\n";

static uint64_t number(const char *what, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t v = strtoull(text, &end, 0);

	if (end == text || *end || v < min || v > max)
		die(2, "%s takes a number from %llu to %llu, not '%s'", what,
		    (unsigned long long)min, (unsigned long long)max, text);
	return v;
}

/* "A<separator>B" as two numbers. */
static void two(const char *what, char *text, char separator, uint64_t max,
		unsigned int *a, unsigned int *b)
{
	char *second = strchr(text, separator);

	if (!second)
		die(2, "%s takes two numbers with '%c' between them", what, separator);
	*second++ = '\0';
	*a = number(what, text, 0, max);
	*b = number(what, second, 0, max);
}

static void interface(struct conf *c, const char *name)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	c->iface = name;
	c->ifindex = if_nametoindex(name);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (!c->ifindex || ioctl(fd, SIOCGIFHWADDR, &ifr))
		die(1, "no interface '%s': %s", name, strerror(errno));
	memcpy(c->from_mac, ifr.ifr_hwaddr.sa_data, 6);
	close(fd);
}

enum { VLAN = 256, QINQ, RATE, QUEUES, FLOWS, CPU, MODE, FROM, TO, MAC };

static const struct option options[] = {
	{ "vlan", 1, NULL, VLAN }, { "qinq", 1, NULL, QINQ }, { "rate", 1, NULL, RATE },
	{ "queues", 1, NULL, QUEUES }, { "flows", 1, NULL, FLOWS }, { "cpu", 1, NULL, CPU },
	{ "mode", 1, NULL, MODE }, { "from", 1, NULL, FROM }, { "to", 1, NULL, TO },
	{ "mac", 1, NULL, MAC }, { "help", 0, NULL, 'h' }, { 0 },
};

static void option(struct conf *c, int o)
{
	unsigned int a, b;

	switch (o) {
	case 'i':
		interface(c, optarg);
		break;
	case 'n':
		c->frames = number("-n", optarg, 1, INT32_MAX);
		break;
	case 's':
		c->cfg.min = number("-s", optarg, 14, FRAME_MAX);
		c->cfg.span = 1;
		break;
	case 'S':
		two("-S", optarg, ':', FRAME_MAX, &a, &b);
		if (a < 14 || a > b)
			die(2, "-S takes MIN:MAX, 14 <= MIN <= MAX");
		c->cfg.min = a;
		c->cfg.span = b - a + 1;
		break;
	case VLAN:
		c->tags[0] = number("--vlan", optarg, 0, 4095);
		c->nr_tags = 1;
		break;
	case QINQ:
		two("--qinq", optarg, ',', 4095, &a, &b);
		c->tags[0] = a;
		c->tags[1] = b;
		c->nr_tags = 2;
		break;
	case RATE:
		c->cfg.rate_pps = number("--rate", optarg, 1, 1000000000);
		break;
	case QUEUES:
		c->queues = number("--queues", optarg, 1, MAX_THREADS);
		break;
	case FLOWS:
		c->cfg.flows = number("--flows", optarg, 1, 40000);
		break;
	case CPU:
		c->cpu = number("--cpu", optarg, 0, CPU_SETSIZE - 1);
		break;
	case MODE:
		c->mode = optarg;
		break;
	case FROM:
	case TO:
		if (!inet_aton(optarg, o == FROM ? &c->from : &c->to))
			die(2, "'%s' is not an IPv4 address", optarg);
		break;
	case MAC:
		if (sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &c->to_mac[0], &c->to_mac[1],
			   &c->to_mac[2], &c->to_mac[3], &c->to_mac[4], &c->to_mac[5]) != 6)
			die(2, "'%s' is not a MAC address", optarg);
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

/* What follows from the options, and what does not go together. */
static void settle(struct conf *c)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int max = c->cfg.min + c->cfg.span - 1;

	if (!c->iface || !c->frames)
		die(2, "-i IFACE and -n FRAMES are needed; --help tells more");
	c->cfg.ip = 14 + 4 * c->nr_tags;
	if (!c->cfg.flows)
		c->cfg.flows = 16 * c->queues;
	if (!strcmp(c->mode, "xdp")) {
		if (c->cfg.min < c->cfg.ip - 14 + TXGEN_IP_MIN || max > TXGEN_XDP_MAX)
			die(2,
			    "--mode xdp makes frames of %u to %u bytes; --mode packet all others",
			    c->cfg.ip - 14 + TXGEN_IP_MIN, TXGEN_XDP_MAX);
		if (c->queues > cpus)
			c->queues = cpus;
	} else if (!strcmp(c->mode, "udp")) {
		if (c->nr_tags || c->cfg.min < TXGEN_IP_MIN)
			die(2, "--mode udp sends no tags and at least %u bytes", TXGEN_IP_MIN);
	} else if (strcmp(c->mode, "packet")) {
		die(2, "no mode '%s': packet, xdp or udp", c->mode);
	}
}

int main(int argc, char **argv)
{
	struct conf c = { .mode = "packet", .queues = 1, .cpu = -1,
			  .cfg = { .min = 60, .span = 1 }, .to_mac = { 2, 0, 0, 0, 0, 2 } };
	struct sigaction sa = { .sa_handler = on_signal };
	struct rtnl_link_stats before;
	struct result res = { 0 };
	int o;

	inet_aton("198.18.0.1", &c.from);
	inet_aton("198.18.0.2", &c.to);
	while ((o = getopt_long(argc, argv, "i:n:s:S:h", options, NULL)) != -1)
		option(&c, o);
	settle(&c);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (c.cpu >= 0 && bind_cpu(c.cpu))
		die(1, "CPU %d: %s", c.cpu, strerror(errno));
	before = stats_of(c.iface);
	if (*c.mode == 'x')
		run_xdp(&c, &res);
	else if (*c.mode == 'u')
		run_udp(&c, &res);
	else
		run_packet(&c, &res);
	report(&c, &res, &before, (now_ns() - res.start_ns) / 1e9);
	return 0;
}
