// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   DEVICE, which somebody sends UDP to all the time; IDLE, where nothing comes; "ours"
 *       or "plain".
 * Out:  a line for each thing that pcap(3PCAP) promises and that does not hold; exit 1.
 * Owns: its handles, dump files in the directory that it runs in.
 * Runs on: an ordinary libpcap program. pcap_api_twin.c is the same with another include.
 */
#ifndef TWIN
#include <pcap.h>
#endif
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *device, *idle;
static bool ours;
static int nr_checks, nr_bad;
static char errbuf[PCAP_ERRBUF_SIZE];

__attribute__((format(printf, 2, 3)))
static void check(bool good, const char *fmt, ...)
{
	va_list ap;

	nr_checks++;
	if (good)
		return;
	nr_bad++;
	va_start(ap, fmt);
	fputs("FAIL: ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
	va_end(ap);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static pcap_t *open_at(const char *name, int to_ms)
{
	pcap_t *p = pcap_open_live(name, 65535, 0, to_ms, errbuf);

	if (!p) {
		printf("FAIL: pcap_open_live %s: %s\n", name, errbuf);
		exit(1);
	}
	return p;
}

static void filter(pcap_t *p, const char *text)
{
	struct bpf_program prog;
	int ret = pcap_compile(p, &prog, text, 1, PCAP_NETMASK_UNKNOWN);

	check(!ret, "compile '%s': %s", text, pcap_geterr(p));
	if (ret)
		return;
	check(!pcap_setfilter(p, &prog), "setfilter '%s': %s", text, pcap_geterr(p));
	pcap_freecode(&prog);
}

struct seen {
	int nr, break_at;
	pcap_t *p;
};

static void count(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct seen *s = (struct seen *)user;

	check(s, "a packet that nobody wants");
	if (!s)
		return;
	s->nr++;
	check(h->caplen <= h->len && h->len >= 14, "lengths %u %u", h->caplen, h->len);
	if (s->break_at && s->nr == s->break_at)
		pcap_breakloop(s->p);
}

/* ---- before and while it is activated ---- */

static void settings(void)
{
	pcap_t *p = pcap_create(device, errbuf);
	struct pcap_pkthdr *hdr;
	struct pcap_stat st;
	const u_char *data;
	int *list, n;

	check(p, "create: %s", errbuf);
	check(pcap_datalink(p) == PCAP_ERROR_NOT_ACTIVATED, "datalink before");
	check(pcap_snapshot(p) == PCAP_ERROR_NOT_ACTIVATED, "snapshot before");
	check(pcap_stats(p, &st) < 0, "stats before");
	check(pcap_next_ex(p, &hdr, &data) < 0 && *pcap_geterr(p), "next_ex before");
	check(!pcap_set_snaplen(p, 96) && !pcap_set_promisc(p, 1) && !pcap_set_timeout(p, 50) &&
	      !pcap_set_immediate_mode(p, 1) && !pcap_set_buffer_size(p, 1 << 22), "setters");
	check(!pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO), "nano");
	check(pcap_set_tstamp_precision(p, 17) == PCAP_ERROR_TSTAMP_PRECISION_NOTSUP, "17");
	check(pcap_get_tstamp_precision(p) == PCAP_TSTAMP_PRECISION_NANO, "precision is nano");
	n = pcap_list_tstamp_types(p, &list);
	check(n >= 0, "tstamp types %d", n);
	if (n > 0)
		pcap_free_tstamp_types(list);
	if (ours) {
		check(pcap_set_tstamp_type(p, PCAP_TSTAMP_ADAPTER) ==
		      PCAP_WARNING_TSTAMP_TYPE_NOTSUP, "adapter's stamps");
		check(pcap_set_rfmon(p, 1) == PCAP_ERROR_RFMON_NOTSUP, "monitor mode");
		check(pcap_set_protocol_linux(p, 0x800) < 0 && *pcap_geterr(p), "protocol");
	}
	check(pcap_can_set_rfmon(p) == 0, "can set rfmon");
	check(pcap_activate(p) >= 0, "activate: %s", pcap_geterr(p));
	check(pcap_activate(p) == PCAP_ERROR_ACTIVATED, "activate twice");
	check(pcap_set_snaplen(p, 100) == PCAP_ERROR_ACTIVATED, "snaplen after");
	check(pcap_set_promisc(p, 0) == PCAP_ERROR_ACTIVATED, "promisc after");
	check(pcap_set_timeout(p, 0) == PCAP_ERROR_ACTIVATED, "timeout after");
	check(pcap_set_buffer_size(p, 1) == PCAP_ERROR_ACTIVATED, "buffer after");
	check(pcap_set_immediate_mode(p, 1) == PCAP_ERROR_ACTIVATED, "immediate after");
	check(pcap_set_tstamp_precision(p, 0) == PCAP_ERROR_ACTIVATED, "precision after");
	check(pcap_snapshot(p) == 96, "snapshot %d", pcap_snapshot(p));
	filter(p, "udp");
	check(pcap_next_ex(p, &hdr, &data) == 1 && hdr->caplen <= 96 &&
	      hdr->ts.tv_usec < 1000000000, "a packet of 96 bytes");
	pcap_close(p);
}

static void what_it_is(pcap_t *p)
{
	int *list, n, have = 0;

	check(pcap_datalink(p) == DLT_EN10MB && pcap_datalink_ext(p) >= 0, "link type");
	n = pcap_list_datalinks(p, &list);
	for (int i = 0; i < n; i++)
		have |= list[i] == DLT_EN10MB ? 1 : list[i] == DLT_USER0 ? 2 : 0;
	check(have & 1, "datalinks have Ethernet");
	check(!ours || have & 2, "datalinks have USER0");
	pcap_free_datalinks(list);
	check(pcap_set_datalink(p, DLT_EN10MB) == 0, "set the same");
	check(pcap_set_datalink(p, 9999) < 0 && *pcap_geterr(p), "set nonsense");
	check(!strcmp(pcap_datalink_val_to_name(DLT_EN10MB), "EN10MB"), "its name");
	check(pcap_datalink_name_to_val("en10mb") == DLT_EN10MB, "its number");
	if (ours) {
		check(pcap_datalink_name_to_val("USER0") == DLT_USER0 &&
		      pcap_datalink_name_to_val("DLT_USER0") == DLT_USER0 &&
		      !strcmp(pcap_datalink_val_to_name(DLT_USER0), "USER0") &&
		      pcap_datalink_val_to_description(DLT_USER0), "names of USER0");
		check(!pcap_set_datalink(p, DLT_USER0) && pcap_datalink(p) == DLT_USER0, "USER0");
		check(!pcap_set_datalink(p, DLT_EN10MB), "and back");
	}
	check(pcap_is_swapped(p) == 0 && pcap_bufsize(p) >= 0 && !pcap_file(p), "odds and ends");
	check(pcap_get_required_select_timeout(p) == NULL ||
	      pcap_get_required_select_timeout(p)->tv_sec < 1, "select timeout");
}

/* ---- reading ---- */

static void reading(pcap_t *p)
{
	struct seen s = { .p = p };
	struct pcap_pkthdr hdr, *h;
	const u_char *data;
	struct timeval tv;
	int n;

	gettimeofday(&tv, NULL);
	check(pcap_next_ex(p, &h, &data) == 1 && labs(h->ts.tv_sec - tv.tv_sec) < 5, "next_ex");
	check((data = pcap_next(p, &hdr)) && data[12] == 8 && !data[13] && data[23] == 17, "next");
	n = pcap_dispatch(p, 3, count, (u_char *)&s);
	check(n > 0 && n <= 3 && n == s.nr, "dispatch(3): %d, %d", n, s.nr);
	s.nr = 0;
	n = pcap_dispatch(p, -1, count, (u_char *)&s);
	check(n > 0 && n == s.nr, "dispatch(-1): %d, %d", n, s.nr);
	s.nr = 0;
	check(pcap_loop(p, 5, count, (u_char *)&s) == 0 && s.nr == 5, "loop(5): %d", s.nr);
	s = (struct seen){ .p = p, .break_at = 3 };
	n = pcap_loop(p, -1, count, (u_char *)&s);
	check(n == PCAP_ERROR_BREAK && s.nr == 3, "breakloop in the callback: %d, %d", n, s.nr);
	s = (struct seen){ .p = p };
	check(pcap_loop(p, 2, count, (u_char *)&s) == 0 && s.nr == 2, "and on: %d", s.nr);
	pcap_breakloop(p);
	check(pcap_loop(p, 5, count, (u_char *)&s) == PCAP_ERROR_BREAK, "breakloop before loop");
}

static void filters(pcap_t *p)
{
	struct bpf_insn rubbish[] = { { 0xffff, 1, 2, 3 } };
	struct bpf_program prog = { 1, rubbish };
	struct pcap_pkthdr *h;
	const u_char *data;
	double from;
	int n;

	check(pcap_compile(p, &prog, "udp and and", 1, 0) < 0 && strstr(pcap_geterr(p), "syntax"),
	      "syntax error: %s", pcap_geterr(p));
	prog = (struct bpf_program){ 1, rubbish };
	check(pcap_setfilter(p, &prog) < 0 && *pcap_geterr(p), "rubbish for a filter");
	filter(p, "tcp port 9");
	from = now();
	n = 0;
	/* libpcap's ring of today waits without end when nothing comes */
	while (ours && (n = pcap_next_ex(p, &h, &data)) == 1 && now() - from < 5)
		;	/* what was under way */
	check(n == 0, "next_ex without a match: %d", n);
	from = now();
	n = ours ? pcap_next_ex(p, &h, &data) : 0;
	check(n == 0 && (!ours || (now() - from > 0.05 && now() - from < 1.5)),
	      "its timeout: %d, %.3f s", n, now() - from);
	from = now();
	check(!pcap_setnonblock(p, 1, errbuf) && pcap_getnonblock(p, errbuf) == 1, "nonblock");
	check(pcap_dispatch(p, -1, count, NULL) == 0 && now() - from < 0.3, "does not wait");
	check(!pcap_setnonblock(p, 0, errbuf) && pcap_getnonblock(p, errbuf) == 0, "blocks again");
}

static pcap_t *alarmed;
static struct pcap_stat at_alarm;

static void on_alarm(int sig)
{
	pcap_stats(alarmed, &at_alarm);
	pcap_breakloop(alarmed);
}

static void *break_soon(void *p)
{
	usleep(200000);
	pcap_breakloop(p);
	return NULL;
}

/* With a filter that nothing matches. */
static void breaking(pcap_t *p)
{
	struct itimerval in = { .it_value.tv_usec = 200000 };
	struct sigaction sa = { .sa_handler = on_alarm };
	pthread_t thread;
	double from;
	int n;

	sigaction(SIGALRM, &sa, NULL);
	alarmed = p;
	setitimer(ITIMER_REAL, &in, NULL);
	from = now();
	n = pcap_loop(p, -1, count, NULL);
	check(n == PCAP_ERROR_BREAK && now() - from < 2, "breakloop from a signal: %d, %.3f s", n,
	      now() - from);
	check(at_alarm.ps_recv < 1000000 && (!ours || at_alarm.ps_drop == 0), "stats from a signal: %u %u",
	      at_alarm.ps_recv, at_alarm.ps_drop);
	if (!ours)	/* pcap(3PCAP) warns of threads */
		return;
	pthread_create(&thread, NULL, break_soon, p);
	from = now();
	n = pcap_loop(p, -1, count, NULL);
	check(n == PCAP_ERROR_BREAK && now() - from < 2, "breakloop from a thread: %d", n);
	pthread_join(thread, NULL);
}

/* ---- descriptors ---- */

static void descriptors(pcap_t *p)
{
	int fd = pcap_get_selectable_fd(p), ep = epoll_create1(0), n, wakes = 0;
	struct epoll_event ev = { .events = EPOLLIN };
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct timeval tv = { .tv_sec = 2 };
	struct seen s = { .p = p };
	pcap_t *quiet;
	double from;
	fd_set set;

	check(fd >= 0 && pcap_fileno(p) >= 0, "descriptors");
	pcap_setnonblock(p, 1, errbuf);
	for (int i = 0; i < 10; i++) {
		check(poll(&pfd, 1, 2000) == 1, "poll");
		n = pcap_dispatch(p, 1, count, (u_char *)&s);
		check(n >= 0, "dispatch after poll: %d", n);
		FD_ZERO(&set);
		FD_SET(fd, &set);
		check(select(fd + 1, &set, NULL, NULL, &tv) == 1, "select");
		while (pcap_dispatch(p, -1, count, (u_char *)&s) > 0)
			;
	}
	check(s.nr >= 10, "packets by descriptor: %d", s.nr);
	for (int edge = 0; edge < 2; edge++) {
		ev.events = EPOLLIN | (edge ? EPOLLET : 0);
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
		for (int i = 0; i < 5; i++) {
			check(epoll_wait(ep, &ev, 1, 2000) == 1, "epoll, edge %d, %d", edge, i);
			while (pcap_dispatch(p, -1, count, (u_char *)&s) > 0)
				;
		}
		ev.events = EPOLLIN;
		epoll_ctl(ep, EPOLL_CTL_DEL, fd, &ev);
	}
	close(ep);
	pcap_setnonblock(p, 0, errbuf);

	quiet = open_at(idle, 100);
	pcap_setnonblock(quiet, 1, errbuf);
	pfd.fd = pcap_get_selectable_fd(quiet);
	while (pcap_dispatch(quiet, -1, count, (u_char *)&s) > 0)
		;
	for (from = now(); now() - from < 1; ) {
		wakes += poll(&pfd, 1, 100) == 1;
		pcap_dispatch(quiet, -1, count, (u_char *)&s);
	}
	check(wakes <= 30, "%d wake-ups for nothing in a second", wakes);
	pcap_close(quiet);
}

/* ---- out: files, the wire ---- */

static void dumping(pcap_t *p)
{
	pcap_dumper_t *d = pcap_dump_open(p, "api.pcap");
	pcap_t *back;
	struct pcap_pkthdr *h;
	const u_char *data;
	int n = 0;

	check(d, "dump_open: %s", pcap_geterr(p));
	check(pcap_loop(p, 10, pcap_dump, (u_char *)d) == 0, "dump");
	check(!pcap_dump_flush(d) && pcap_dump_ftell(d) > 24, "flush, ftell");
	pcap_dump_close(d);
	d = pcap_dump_open_append(p, "api.pcap");
	check(d, "dump_open_append: %s", pcap_geterr(p));
	if (d) {
		check(pcap_loop(p, 3, pcap_dump, (u_char *)d) == 0, "append");
		pcap_dump_close(d);
	}
	back = pcap_open_offline("api.pcap", errbuf);
	check(back, "open_offline: %s", errbuf);
	while (pcap_next_ex(back, &h, &data) == 1)
		n++;
	check(n == 13 && pcap_datalink(back) == DLT_EN10MB, "%d of 13 packets in the file", n);
	check(pcap_major_version(back) == 2 && pcap_file(back), "a savefile is libpcap's");
	pcap_close(back);
	check(!pcap_dump_open(p, "/nosuch/dir/file") && *pcap_geterr(p), "a file that cannot be");
}

static void dumping_nano(void)
{
	pcap_t *nano = pcap_create(device, errbuf);
	unsigned int magic = 0;
	pcap_dumper_t *d;
	FILE *f;

	pcap_set_timeout(nano, 100);
	pcap_set_tstamp_precision(nano, PCAP_TSTAMP_PRECISION_NANO);
	check(pcap_activate(nano) >= 0, "nano: %s", pcap_geterr(nano));
	f = fopen("nano.pcap", "w+");
	d = pcap_dump_fopen(nano, f);
	check(d, "dump_fopen");
	pcap_loop(nano, 2, pcap_dump, (u_char *)d);
	pcap_dump_flush(d);
	rewind(f);
	check(fread(&magic, 4, 1, f) == 1 && magic == 0xa1b23c4d, "nano magic %x", magic);
	pcap_dump_close(d);
	pcap_close(nano);
}

static void sending(pcap_t *p)
{
	unsigned char frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9,
				    0x88, 0xb6, 'x', 'c', 'a', 'p' };

	check(pcap_inject(p, frame, sizeof(frame)) == sizeof(frame), "inject: %s", pcap_geterr(p));
	check(pcap_sendpacket(p, frame, sizeof(frame)) == 0, "sendpacket: %s", pcap_geterr(p));
	check(pcap_inject(p, frame, 3) < 0 && *pcap_geterr(p), "three bytes are no frame");
}

static void directions(pcap_t *p)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	double from;
	int n, out = 0;

	check(!pcap_setdirection(p, PCAP_D_OUT), "setdirection: %s", pcap_geterr(p));
	while (pcap_dispatch(p, -1, count, (u_char *)&(struct seen){ .p = p }) > 0 && out++ < 50)
		;
	for (out = 0, from = now(); now() - from < 0.3; out += n == 1)
		n = pcap_next_ex(p, &h, &data);
	check(!out, "%d packets out, where all come in", out);
	check(!pcap_setdirection(p, PCAP_D_IN), "setdirection");
	check(pcap_next_ex(p, &h, &data) == 1, "in");
	pcap_setdirection(p, PCAP_D_INOUT);
}

/* ---- several, forks, threads ---- */

static void devices(void)
{
	bpf_u_int32 net, mask;
	pcap_if_t *all;
	int found = 0;

	check(!pcap_findalldevs(&all, errbuf), "findalldevs: %s", errbuf);
	for (pcap_if_t *d = all; d; d = d->next)
		found += !strcmp(d->name, "syscalls") && d->description && *d->description;
	check(found == (ours ? 1 : 0), "%d of our devices in the list", found);
	pcap_freealldevs(all);
	check(!pcap_lookupnet(device, &net, &mask, errbuf), "lookupnet: %s", errbuf);
	check(!ours || !pcap_lookupnet("syscalls", &net, &mask, errbuf), "lookupnet of calls");
	check(!pcap_open_live("nosuch0", 100, 0, 10, errbuf) && *errbuf, "no such device");
}

static void many(void)
{
	pcap_t *all[65];
	int n = 0;

	while (n < 65 && (all[n] = pcap_create(device, errbuf)))
		n++;
	check(n == 65 || *errbuf, "the %dth handle: no reason", n + 1);
	check(n >= 60, "only %d handles: %s", n, errbuf);
	while (n)
		pcap_close(all[--n]);
	all[0] = pcap_create(device, errbuf);
	check(all[0], "none is left after all were closed: %s", errbuf);
	pcap_close(all[0]);
}

static void forking(pcap_t *p)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int status = -1, got = 0;
	pid_t pid = fork();

	if (!pid) {
		for (double from = now(); now() - from < 5 && got < 20; )
			got += pcap_next_ex(p, &h, &data) == 1;
		pcap_close(p);
		_exit(got == 20 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	check(!status, "the child of a fork reads on: %d", status);
	for (double from = now(); now() - from < 5 && got < 20; )
		got += pcap_next_ex(p, &h, &data) == 1;
	check(got == 20, "and then the parent: %d", got);
}

static int ended_with;

static void *loop_on(void *p)
{
	ended_with = pcap_loop(p, -1, count, (u_char *)&(struct seen){ .p = p });
	return NULL;
}

static void closing(void)
{
	pthread_t thread;
	double from;

	for (int i = 0; i < 5; i++) {
		pcap_t *p = open_at(i & 1 ? device : idle, 100);

		pthread_create(&thread, NULL, loop_on, p);
		usleep(100000);
		from = now();
		pcap_close(p);
		pthread_join(thread, NULL);
		check(ended_with == PCAP_ERROR_BREAK && now() - from < 3,
		      "closed by another thread: %d, %.3f s", ended_with, now() - from);
	}
}

int main(int argc, char **argv)
{
	struct pcap_stat st;
	pcap_t *p;

	if (argc != 4)
		return 2;
	device = argv[1];
	idle = argv[2];
	ours = !strcmp(argv[3], "ours");
	settings();
	p = open_at(device, 100);
	what_it_is(p);
	reading(p);
	filter(p, "udp");
	descriptors(p);
	dumping(p);
	if (strncmp(device, "xsk:", 4))		/* one at a time has that */
		dumping_nano();
	sending(p);
	directions(p);
	if (ours)
		forking(p);
	check(!pcap_stats(p, &st), "stats: %s", pcap_geterr(p));
	check(st.ps_recv > 0, "nothing received, %u dropped", st.ps_drop);
	pcap_close(p);
	p = open_at(device, 100);	/* nobody has asked for its descriptor */
	filters(p);
	breaking(p);
	pcap_close(p);
	devices();
	many();
	if (ours)
		closing();
	printf("%d checks, %d failed\n", nr_checks, nr_bad);
	return nr_bad ? 1 : 0;
}
