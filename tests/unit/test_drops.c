// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   files as /proc/net has them, names as drivers have them, counters that wrap.
 * Out:  that each is told at its layer with its number, and what is no drop is not.
 * Owns: a directory with a /proc of its own.
 * Runs on: no root, no kernel state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "drops_rows.h"

static char root[64];
static struct drops_set set;
static const struct drops_means some = { "something", NULL, 0 };

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/net/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "", "/proc", "/proc/net", "/proc/net/stat",
					    "/proc/net/netfilter" };
	char path[128];

	snprintf(root, sizeof(root), "/tmp/test_drops.XXXXXX");
	assert_non_null(mkdtemp(root));
	for (int i = 1; i < 5; i++) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static int begin(void **state)
{
	free(set.rows);
	set = (struct drops_set){ .root = root };
	return 0;
}

/* Exactly one row, with this number. */
static const struct drops_row *is(enum drops_layer layer, const char *where, const char *name,
				  uint64_t total)
{
	const struct drops_row *found = NULL;

	for (int i = 0; i < set.nr; i++) {
		const struct drops_row *row = &set.rows[i];

		if (row->layer != layer || strcmp(row->where, where) || strcmp(row->name, name))
			continue;
		assert_null(found);
		found = row;
	}
	if (!found)
		fail_msg("no row %s %s", where, name);
	assert_int_equal(found->total, total);
	return found;
}

static void softnet_is_hexadecimal(void **state)
{
	put("softnet_stat",
	    "0000ffff 0000001f 00000011 00000000 00000000 00000000 00000000 00000000 00000000 "
	    "00000000 00000007 00000000 00000000 00000000 00000000\n"
	    "0000ffff 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
	    "00000000 00000000 00000000 00000001 00000000 00000000\n"
	    "0000ffff 000003f1 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
	    "00000000 00000000 00000000 00000009 00000000 00000000\n");
	drops_softnet(&set);
	assert_int_equal(set.nr, 4);
	is(DROPS_SOFTNET, "cpu 0", "dropped", 31);
	assert_true(is(DROPS_SOFTNET, "cpu 0", "time_squeeze", 17)->flags & DROPS_SIGN);
	is(DROPS_SOFTNET, "cpu 0", "flow_limit_count", 7);
	is(DROPS_SOFTNET, "cpu 9", "dropped", 1009);
}

static void protocols_are_told_once(void **state)
{
	put("snmp", "Ip: Forwarding InHdrErrors InDiscards\nIp: 1 3 5\n"
	    "Udp: InDatagrams NoPorts InErrors RcvbufErrors SndbufErrors InCsumErrors\n"
	    "Udp: 100 7 999 11 0 13\n");
	put("netstat", "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPBacklogDrop New\n"
	    "TcpExt: 5 17 19 23 4\nIpExt: InNoRoutes InCsumErrors\nIpExt: 29 0\n");
	put("snmp6", "Ip6InReceives   \t9\nIp6InDiscards  \t31\nUdp6RcvbufErrors\t37\n"
	    "Icmp6InMsgs\t9\nUdpLite6RcvbufErrors\t3\n");
	drops_protocols(&set);
	assert_int_equal(set.nr, 11);
	is(DROPS_IP, "Ip", "InHdrErrors", 3);
	is(DROPS_IP, "Ip", "InDiscards", 5);
	is(DROPS_UDP, "Udp", "NoPorts", 7);
	is(DROPS_UDP, "Udp", "RcvbufErrors", 11);
	is(DROPS_UDP, "Udp", "InCsumErrors", 13);
	is(DROPS_TCP, "TcpExt", "ListenOverflows", 17);
	is(DROPS_TCP, "TcpExt", "ListenDrops", 2);	/* the others of them */
	is(DROPS_TCP, "TcpExt", "TCPBacklogDrop", 23);
	is(DROPS_IP, "IpExt", "InNoRoutes", 29);
	is(DROPS_IP, "Ip6", "InDiscards", 31);
	is(DROPS_UDP, "Udp6", "RcvbufErrors", 37);
}

static void files_that_are_none_say_nothing(void **state)
{
	static const char *const texts[] = {
		"", "\n", "\n\n\n", "Udp:", "Udp:\n", "Udp: NoPorts\n", "Udp: NoPorts\nUdp:\n",
		"Udp: NoPorts NoPorts\nUdp: x y\n", "   \n   \n", "a b c d e f g h i j k l m n o p",
		"\x1b[2J \xff\xfe\n\x1b \xff", "6 6\n6 6\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		static const char *const names[] = { "snmp", "netstat", "snmp6", "udp", "udp6",
						     "raw", "stat/nf_conntrack",
						     "netfilter/nfnetlink_queue" };

		for (int n = 0; n < 8; n++)
			put(names[n], texts[i]);
		drops_protocols(&set);
		drops_netfilter(&set);
		drops_sockets(&set);
		assert_int_equal(set.nr, 0);
	}
}

static void sockets_have_addresses(void **state)
{
	put("udp", "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
	    "uid  timeout inode ref pointer drops\n"
	    "  218: 0100007F:1E61 00000000:0000 07 00000000:00000000 00:00000000 00000000     0   "
	    "     0 4242 2 00000000f3a5a2bc 1009\n"
	    "  219: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0   "
	    "     0 4243 2 00000000f3a5a2bc 0\n");
	put("udp6", "head\n  1: B80D0120000000000000000001000000:01BB "
	    "00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 "
	    "4244 2 0000000000000000 7\n");
	put("raw", "head\n");
	drops_sockets(&set);
	assert_int_equal(is(DROPS_SOCKET, "127.0.0.1:7777", "udp", 1009)->id, 4242);
	assert_true(is(DROPS_SOCKET, "[2001:db8::1]:443", "udp", 7)->flags & DROPS_WITHIN);
}

static void netfilter_has_tables_and_queues(void **state)
{
	put("stat/nf_conntrack",
	    "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop "
	    "early_drop icmp_error  expect_new expect_create expect_delete search_restart\n"
	    "00000005  00000000 00000001 00000000 00000007 00000000 00000000 00000000 00000000 "
	    "00000003 0000001f 00000002 00000000  00000000 00000000 00000000 00000000\n"
	    "00000005  00000000 00000001 00000000 00000007 00000000 00000000 00000000 00000000 "
	    "00000004 00000010 00000000 00000000  00000000 00000000 00000000 00000000\n");
	put("netfilter/nfnetlink_queue", "    5  31337     0 2 65531     13    17        0  1\n");
	drops_netfilter(&set);
	assert_int_equal(set.nr, 5);
	is(DROPS_NETFILTER, "conntrack", "drop", 47);
	is(DROPS_NETFILTER, "conntrack", "insert_failed", 7);
	is(DROPS_NETFILTER, "conntrack", "early_drop", 2);
	is(DROPS_NETFILTER, "queue 5", "queue_dropped", 13);
	is(DROPS_NETFILTER, "queue 5", "user_dropped", 17);
}

/* Names of real drivers. what: how the meaning begins; NULL: it is no drop. */
static void drivers_names_have_meanings(void **state)
{
	static const struct { const char *driver, *name, *what; } cases[] = {
		{ "igb", "rx_no_buffer_count", "no receive buffer" },
		{ "igb", "rx_missed_errors", "no receive buffer" },
		{ "igb", "rx_queue_3_drops", "the driver had no memory" },
		{ "igb", "rx_crc_errors", "a damaged" },
		{ "igb", "tx_flow_control_xoff", "flow control" },
		{ "igb", "rx_packets", NULL },
		{ "igb", "rx_errors", NULL },
		{ "ixgbe", "rx_no_dma_resources", "no receive buffer" },
		{ "ixgbe", "alloc_rx_page_failed", "no memory" },
		{ "ixgbe", "rx_csum_offload_errors", "a wrong checksum" },
		{ "ixgbe", "fdir_miss", "the driver's own" },
		{ "i40e", "port.rx_dropped", "the NIC's own memory" },
		{ "i40e", "rx-0.packets", NULL },
		{ "ice", "rx_dropped.nic", "the driver had no memory" },
		{ "mlx5_core", "rx_out_of_buffer", "no receive buffer" },
		{ "mlx5_core", "rx_discards_phy", "the NIC's own memory" },
		{ "mlx5_core", "rx3_xdp_drop", "an XDP program dropped" },
		{ "mlx5_core", "rx_steer_missed_packets", "not for this host" },
		{ "mlx5_core", "rx_prio0_pause", "flow control" },
		{ "mlx5_core", "tx_queue_dropped", "not sent" },
		{ "mlx5_core", "rx_symbol_err_phy", "a damaged" },
		{ "bnxt_en", "rx_discard_pkts", "the NIC's own memory" },
		{ "ena", "rx_drops", "the driver had no memory" },
		{ "ena", "queue_0_rx_page_alloc_fail", "no memory" },
		{ "veth", "rx_queue_0_xdp_drops", "an XDP program dropped" },
		{ "veth", "rx_queue_0_drops", "no memory for it" },
		{ "veth", "rx_queue_0_xdp_tx_errors", "an XDP program failed" },
		{ "veth", "peer_ifindex", NULL },
		{ "virtio_net", "rx0_drops", "an XDP program dropped it, or" },
		{ "virtio_net", "rx0_xdp_drops", "an XDP program dropped it" },
		{ "virtio_net", "rx0_kicks", NULL },
		{ "tg3", "rx_discards", "the NIC's own memory" },
		{ "r8169", "rx_missed", "no receive buffer" },
		{ "gve", "rx_drops_packet_over_mru[0]", "the driver had no memory" },
		{ "tun", "", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct drops_means *m = drops_nic_means(cases[i].driver, cases[i].name);

		if (!!m != !!cases[i].what ||
		    (m && strncmp(m->what, cases[i].what, strlen(cases[i].what))))
			fail_msg("%s: %s", cases[i].name, m ? m->what : "nothing");
		if (m)
			assert_true(strlen(m->what) <= 69 && (!m->todo || strlen(m->todo) <= 69));
	}
	assert_string_equal(drops_nic_same("igb", "rx_missed_errors"), "rx_missed_errors");
	assert_string_equal(drops_nic_same("veth", "rx_queue_0_drops"), "rx_dropped");
	assert_null(drops_nic_same("veth", "rx_queue_0_xdp_drops"));
}

/* All texts fit beside their margin: here all that this kernel has. */
static void texts_are_short(void **state)
{
	set.all = true;
	set.root = "";
	drops_softnet(&set);
	drops_protocols(&set);
	drops_netfilter(&set);
	drops_interfaces(&set);
	assert_true(set.nr > 40);
	for (int i = 0; i < set.nr; i++) {
		const struct drops_means *m = set.rows[i].means;
		int also = m->flags & DROPS_SIGN ? 20 : m->flags & DROPS_WITHIN ? 24 : 0;

		if (strlen(m->what) + also > 70 || (m->todo && strlen(m->todo) > 70))
			fail_msg("%s; %s", m->what, m->todo);
	}
}

static void step(struct drops_set *before, const char *name, uint64_t total, unsigned int flags)
{
	struct drops_row *row;
	bool is_start = !before->nr && !set.nr;

	free(before->rows);
	*before = set;
	set = (struct drops_set){ .all = true, .root = "" };
	row = drops_add(&set, DROPS_NIC, "eth0", name, total, &some);
	assert_non_null(row);
	row->flags |= flags;
	drops_compare(&set, before, is_start);
}

static uint64_t grown(void)
{
	return set.rows[0].total - set.rows[0].first;
}

static void what_is_new_survives_wraps_and_resets(void **state)
{
	struct drops_set before = { 0 };

	step(&before, "a", 4294967290, DROPS_32BIT);
	assert_int_equal(grown(), 0);
	step(&before, "a", 3, DROPS_32BIT);
	assert_int_equal(drops_since(&set.rows[0], set.rows[0].before), 9);
	assert_int_equal(grown(), 9);
	step(&before, "a", 14, DROPS_32BIT);
	assert_int_equal(grown(), 20);
	step(&before, "a", 2, DROPS_32BIT);	/* set to zero by somebody, who cannot wrap it so soon */
	assert_int_equal(grown(), 22);
	step(&before, "a", 1009, 0);
	step(&before, "a", 7, 0);
	assert_int_equal(drops_since(&set.rows[0], set.rows[0].before), 7);
	assert_int_equal(grown(), 22 + 1007 + 7);
	/* the rest of two counters, read one after the other: it has not begun anew */
	step(&before, "rest", 1009, 0);
	step(&before, "rest", 1000, DROPS_REST);
	assert_int_equal(grown(), 1009);
	assert_int_equal(drops_since(&set.rows[0], set.rows[0].before), 0);
	step(&before, "rest", 1012, DROPS_REST);
	assert_int_equal(grown(), 1012);
	step(&before, "rest", 5, DROPS_REST);	/* but now it has */
	assert_int_equal(grown(), 1017);
	step(&before, "b", 11, 0);		/* another: it was zero before */
	assert_int_equal(grown(), 11);
	free(before.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(softnet_is_hexadecimal, begin),
		cmocka_unit_test_setup(protocols_are_told_once, begin),
		cmocka_unit_test_setup(files_that_are_none_say_nothing, begin),
		cmocka_unit_test_setup(sockets_have_addresses, begin),
		cmocka_unit_test_setup(netfilter_has_tables_and_queues, begin),
		cmocka_unit_test_setup(drivers_names_have_meanings, begin),
		cmocka_unit_test_setup(texts_are_short, begin),
		cmocka_unit_test_setup(what_is_new_survives_wraps_and_resets, begin),
	};
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);

	free(set.rows);
	return failed;
}
