// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   /proc/net: softnet_stat, snmp, snmp6, netstat, nfnetlink_queue, stat/nf_conntrack.
 * Out:  rows of drops of the stack, which are this namespace's but for softnet's.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drops_rows.h"

/* ---- softnet: a line for each CPU, of hexadecimal numbers ---- */

static const struct drops_means
	backlog = { "a CPU's backlog was full, on the whole host",
		    "net.core.netdev_max_backlog; RPS to more CPUs; GRO",
		    DROPS_WITHIN | DROPS_32BIT },
	flow_limit = { "one flow filled half of a CPU's backlog",
		       "net.core.flow_limit_cpu_bitmap; RPS", DROPS_WITHIN | DROPS_32BIT },
	squeeze = { "a round of NAPI ended with work left", "net.core.netdev_budget, _usecs",
		    DROPS_SIGN | DROPS_32BIT };

void drops_softnet(struct drops_set *set)
{
	char *text = drops_text(set, "/proc/net/softnet_stat"), *save = NULL, *line;
	int nr = 0;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned int c[13] = { 0 };
		char cpu[16];
		int n = 0;

		for (char *at = line; n < 13; n++) {
			char *end;

			c[n] = strtoul(at, &end, 16);
			if (end == at)
				break;
			at = end;
		}
		snprintf(cpu, sizeof(cpu), "cpu %u", n == 13 ? c[12] : (unsigned int)nr);
		nr++;
		drops_add(set, DROPS_SOFTNET, cpu, "dropped", c[1], &backlog);
		drops_add(set, DROPS_SOFTNET, cpu, "flow_limit_count", c[10], &flow_limit);
		drops_add(set, DROPS_SOFTNET, cpu, "time_squeeze", c[2], &squeeze);
	}
	free(text);
}

/* ---- counters of protocols ---- */

static const struct drops_means
	header = { "a header that is none, a hop limit that is spent, a bad option",
		   "ip route; a loop?", 0 },
	address = { "an address that nobody has here and that is not forwarded",
		    "ip addr; ip route", 0 },
	protocol = { "no protocol here takes it", NULL, 0 },
	no_memory = { "no memory, or refused: netfilter, a BPF program, the qdisc above",
		      "nft list ruleset; bpftool cgroup tree; tc -s qdisc", 0 },
	no_route = { "no route to where it is to go", "ip route", 0 },
	reassembly = { "fragments that did not come together in time",
		       "a larger net.ipv4.ipfrag_high_thresh; no fragments", 0 },
	fragmentation = { "too large, and may not be fragmented",
			  "MTU on the way; path MTU discovery", 0 },
	truncated = { "shorter than its header says", NULL, 0 },
	checksum = { "a wrong checksum",
		     "whose? capture at both ends; ethtool -K rx off to compare", 0 },
	reverse = { "the way back is another one: reverse path filter",
		    "net.ipv4.conf.*.rp_filter=2; routes", 0 },
	no_port = { "no socket at that port", "is the server there? ss -ulpn", 0 },
	receive_buffer = { "the socket's receive buffer was full: its program reads too slowly",
			   "larger SO_RCVBUF, net.core.rmem_max; ss -uampn names it", 0 },
	send_buffer = { "no room to send it: the socket's buffer, or the qdisc above was full",
			"larger SO_SNDBUF, net.core.wmem_max; tc -s qdisc", 0 },
	udp_memory = { "all UDP sockets together had too much", "net.ipv4.udp_mem", 0 },
	accept_queue = { "the listener's accept queue was full: it accepts too slowly",
			 "a larger listen() backlog and net.core.somaxconn; ss -ltn shows it", 0 },
	listen_other = { "a SYN or its last ACK refused for another reason",
			 "memory? nstat -az | grep -i listen", 0 },
	syn_queue = { "too many half-open connections",
		      "net.ipv4.tcp_max_syn_backlog, tcp_syncookies", 0 },
	tcp_backlog = { "a socket in use had too much in its backlog",
			"larger SO_RCVBUF, net.ipv4.tcp_rmem", 0 },
	tcp_buffer = { "the receive buffer was full",
		       "net.ipv4.tcp_rmem, tcp_mem; is the program slow?", 0 },
	tcp_queue = { "no memory for what came in order", "net.ipv4.tcp_mem", 0 },
	tcp_disorder = { "out of order, and no room for that", "net.ipv4.tcp_rmem", 0 },
	tcp_window = { "sent although the window was shut", NULL, 0 },
	tcp_pruned = { "thrown away again to save memory", "net.ipv4.tcp_rmem, tcp_mem", 0 },
	tcp_ttl = { "a hop limit below the socket's minimum", NULL, 0 },
	tcp_defer = { "waited for data of a connection (TCP_DEFER_ACCEPT)", NULL, DROPS_SIGN },
	tcp_time_wait = { "too many in TIME_WAIT", "net.ipv4.tcp_max_tw_buckets", DROPS_SIGN },
	tcp_key = { "a wrong or missing signature (MD5, AO)", "keys of both ends", 0 },
	tcp_send = { "more written than may wait for sending", "net.ipv4.tcp_wmem", DROPS_SIGN },
	memory_reserve = { "memory was short: only who frees memory may receive",
			   "vm.min_free_kbytes", 0 },
	backlog_zero = { "a message for no open connection", NULL, DROPS_SIGN };

static const struct counter {
	const char *group, *name;
	enum drops_layer layer;
	const struct drops_means *means;
	const char *less;	/* a counter of the same group that is told by itself */
} counters[] = {
	{ "Ip", "InHdrErrors", DROPS_IP, &header, NULL },
	{ "Ip", "InAddrErrors", DROPS_IP, &address, NULL },
	{ "Ip", "InUnknownProtos", DROPS_IP, &protocol, NULL },
	{ "Ip", "InDiscards", DROPS_IP, &no_memory, NULL },
	{ "Ip", "OutDiscards", DROPS_IP, &no_memory, NULL },
	{ "Ip", "OutNoRoutes", DROPS_IP, &no_route, NULL },
	{ "Ip", "ReasmFails", DROPS_IP, &reassembly, NULL },
	{ "Ip", "FragFails", DROPS_IP, &fragmentation, NULL },
	{ "IpExt", "InNoRoutes", DROPS_IP, &no_route, NULL },
	{ "IpExt", "InTruncatedPkts", DROPS_IP, &truncated, NULL },
	{ "IpExt", "InCsumErrors", DROPS_IP, &checksum, NULL },
	{ "TcpExt", "IPReversePathFilter", DROPS_IP, &reverse, NULL },
	{ "Ip6", "InHdrErrors", DROPS_IP, &header, NULL },
	{ "Ip6", "InTooBigErrors", DROPS_IP, &fragmentation, NULL },
	{ "Ip6", "InNoRoutes", DROPS_IP, &no_route, NULL },
	{ "Ip6", "InAddrErrors", DROPS_IP, &address, NULL },
	{ "Ip6", "InUnknownProtos", DROPS_IP, &protocol, NULL },
	{ "Ip6", "InTruncatedPkts", DROPS_IP, &truncated, NULL },
	{ "Ip6", "InDiscards", DROPS_IP, &no_memory, NULL },
	{ "Ip6", "OutDiscards", DROPS_IP, &no_memory, NULL },
	{ "Ip6", "OutNoRoutes", DROPS_IP, &no_route, NULL },
	{ "Ip6", "ReasmFails", DROPS_IP, &reassembly, NULL },
	{ "Ip6", "FragFails", DROPS_IP, &fragmentation, NULL },
	{ "Udp", "NoPorts", DROPS_UDP, &no_port, NULL },
	{ "Udp", "InCsumErrors", DROPS_UDP, &checksum, NULL },
	{ "Udp", "RcvbufErrors", DROPS_UDP, &receive_buffer, NULL },
	{ "Udp", "SndbufErrors", DROPS_UDP, &send_buffer, NULL },
	{ "Udp", "MemErrors", DROPS_UDP, &udp_memory, NULL },
	{ "UdpLite", "RcvbufErrors", DROPS_UDP, &receive_buffer, NULL },
	{ "Udp6", "NoPorts", DROPS_UDP, &no_port, NULL },
	{ "Udp6", "InCsumErrors", DROPS_UDP, &checksum, NULL },
	{ "Udp6", "RcvbufErrors", DROPS_UDP, &receive_buffer, NULL },
	{ "Udp6", "SndbufErrors", DROPS_UDP, &send_buffer, NULL },
	{ "Udp6", "MemErrors", DROPS_UDP, &udp_memory, NULL },
	{ "Tcp", "InCsumErrors", DROPS_TCP, &checksum, NULL },
	{ "TcpExt", "ListenOverflows", DROPS_TCP, &accept_queue, NULL },
	{ "TcpExt", "ListenDrops", DROPS_TCP, &listen_other, "ListenOverflows" },
	{ "TcpExt", "TCPReqQFullDrop", DROPS_TCP, &syn_queue, NULL },
	{ "TcpExt", "TCPBacklogDrop", DROPS_TCP, &tcp_backlog, NULL },
	{ "TcpExt", "TCPRcvQDrop", DROPS_TCP, &tcp_queue, NULL },
	{ "TcpExt", "TCPOFODrop", DROPS_TCP, &tcp_disorder, NULL },
	{ "TcpExt", "TCPZeroWindowDrop", DROPS_TCP, &tcp_window, NULL },
	{ "TcpExt", "RcvPruned", DROPS_TCP, &tcp_buffer, NULL },
	{ "TcpExt", "OfoPruned", DROPS_TCP, &tcp_pruned, NULL },
	{ "TcpExt", "TCPMinTTLDrop", DROPS_TCP, &tcp_ttl, NULL },
	{ "TcpExt", "TCPDeferAcceptDrop", DROPS_TCP, &tcp_defer, NULL },
	{ "TcpExt", "TCPTimeWaitOverflow", DROPS_TCP, &tcp_time_wait, NULL },
	{ "TcpExt", "TCPMD5NotFound", DROPS_TCP, &tcp_key, NULL },
	{ "TcpExt", "TCPMD5Unexpected", DROPS_TCP, &tcp_key, NULL },
	{ "TcpExt", "TCPMD5Failure", DROPS_TCP, &tcp_key, NULL },
	{ "TcpExt", "TCPAOBad", DROPS_TCP, &tcp_key, NULL },
	{ "TcpExt", "TCPAOKeyNotFound", DROPS_TCP, &tcp_key, NULL },
	{ "TcpExt", "TCPWqueueTooBig", DROPS_TCP, &tcp_send, NULL },
	{ "TcpExt", "PFMemallocDrop", DROPS_TCP, &memory_reserve, NULL },
	{ "TcpExt", "OutOfWindowIcmps", DROPS_TCP, &backlog_zero, NULL },
	{ "TcpExt", "LockDroppedIcmps", DROPS_TCP, &tcp_backlog, NULL },
};
#define NR_COUNTERS (sizeof(counters) / sizeof(counters[0]))

struct values {
	uint64_t n[NR_COUNTERS];
	bool there[NR_COUNTERS];
};

static void note(struct values *v, const char *group, size_t group_len, const char *name,
		 uint64_t n)
{
	for (size_t i = 0; i < NR_COUNTERS; i++)
		if (strlen(counters[i].group) == group_len &&
		    !strncmp(counters[i].group, group, group_len) &&
		    !strcmp(counters[i].name, name)) {
			v->n[i] = n;
			v->there[i] = true;
		}
}

/* Two lines, "Udp: InDatagrams NoPorts" and "Udp: 7 0": names, then their values. */
static void parse_pairs(struct values *v, char *text)
{
	char *lines, *names = text ? strtok_r(text, "\n", &lines) : NULL;
	char *numbers = names ? strtok_r(NULL, "\n", &lines) : NULL;

	while (numbers) {
		char *a = NULL, *b = NULL, *group = strtok_r(names, " ", &a), *name, *number;

		strtok_r(numbers, " ", &b);
		do {
			name = strtok_r(NULL, " ", &a);
			number = strtok_r(NULL, " ", &b);
			if (group && name && number)
				note(v, group, strcspn(group, ":"), name,
				     strtoull(number, NULL, 10));
		} while (name && number);
		names = strtok_r(NULL, "\n", &lines);
		numbers = names ? strtok_r(NULL, "\n", &lines) : NULL;
	}
}

/* "Ip6InReceives          7". */
static void parse_lines(struct values *v, char *text)
{
	char *lines = NULL, *line = text ? strtok_r(text, "\n", &lines) : NULL;

	for (; line; line = strtok_r(NULL, "\n", &lines)) {
		char name[64];
		unsigned long long n;
		const char *digit;

		if (sscanf(line, "%63s %llu", name, &n) != 2)
			continue;
		digit = strpbrk(name, "6");
		if (digit)
			note(v, name, digit + 1 - name, digit + 1, n);
	}
}

static uint64_t value_of(const struct values *v, const char *group, const char *name)
{
	for (size_t i = 0; i < NR_COUNTERS; i++)
		if (!strcmp(counters[i].group, group) && !strcmp(counters[i].name, name))
			return v->n[i];
	return 0;
}

void drops_protocols(struct drops_set *set)
{
	static const char *const pairs[] = { "/proc/net/snmp", "/proc/net/netstat" };
	struct values v = { 0 };
	char *text;

	for (int i = 0; i < 2; i++) {
		text = drops_text(set, pairs[i]);
		parse_pairs(&v, text);
		free(text);
	}
	text = drops_text(set, "/proc/net/snmp6");
	parse_lines(&v, text);
	free(text);
	for (size_t i = 0; i < NR_COUNTERS; i++) {
		const struct counter *c = &counters[i];
		uint64_t less = c->less ? value_of(&v, c->group, c->less) : 0;

		struct drops_row *row = !v.there[i] ? NULL :
			drops_add(set, c->layer, c->group, c->name,
				  v.n[i] > less ? v.n[i] - less : 0, c->means);

		if (row && less)
			row->flags |= DROPS_REST;
	}
}

/* ---- netfilter ---- */

static const struct drops_means
	queue_full = { "a queue to user space was full (NFQUEUE)",
		       "who reads it is slow: a longer queue, fail-open", 0 },
	queue_reader = { "who reads the queue could not take it (NFQUEUE)",
			 "a larger netlink receive buffer", 0 },
	table_full = { "the table of connections was full",
		       "net.netfilter.nf_conntrack_max; notrack for what needs none", 0 },
	conntrack = { "no connection could be entered for it, or it fits none",
		      "conntrack -S; dmesg", 0 },
	early = { "an idle connection made room: the table is full",
		  "net.netfilter.nf_conntrack_max", DROPS_SIGN };

static void queues(struct drops_set *set)
{
	char *text = drops_text(set, "/proc/net/netfilter/nfnetlink_queue"), *save = NULL, *line;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned int number, full, reader;
		char where[32];

		if (sscanf(line, "%u %*u %*u %*u %*u %u %u", &number, &full, &reader) != 3)
			continue;
		snprintf(where, sizeof(where), "queue %u", number);
		drops_add(set, DROPS_NETFILTER, where, "queue_dropped", full, &queue_full);
		drops_add(set, DROPS_NETFILTER, where, "user_dropped", reader, &queue_reader);
	}
	free(text);
}

/* A line of names, then one of hexadecimal numbers for each CPU. */
static uint64_t column(const char *text, const char *name)
{
	const char *line = strchr(text, '\n'), *at = text;
	size_t len = strlen(name);
	uint64_t sum = 0;
	int index = 0;

	for (;; index++) {
		at += strspn(at, " ");
		if (!line || at >= line)
			return 0;
		if (!strncmp(at, name, len) && strchr(" \n", at[len]))
			break;
		at += strcspn(at, " \n");
	}
	for (; line && *++line; line = strchr(line, '\n')) {
		at = line;
		for (int i = 0; i < index; i++) {
			at += strspn(at, " ");
			at += strcspn(at, " \n");
		}
		sum += strtoull(at, NULL, 16);
	}
	return sum;
}

void drops_netfilter(struct drops_set *set)
{
	char *text = drops_text(set, "/proc/net/stat/nf_conntrack");

	if (text) {
		drops_add(set, DROPS_NETFILTER, "conntrack", "drop", column(text, "drop"),
			  &table_full);
		drops_add(set, DROPS_NETFILTER, "conntrack", "insert_failed",
			  column(text, "insert_failed"), &conntrack);
		drops_add(set, DROPS_NETFILTER, "conntrack", "early_drop",
			  column(text, "early_drop"), &early);
	}
	free(text);
	queues(set);
}
