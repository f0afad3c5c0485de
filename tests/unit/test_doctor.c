// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a NIC that answers as drivers do: its hash, its key, its table.
 * Out:  what xcap doctor says of how flows are spread.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <cmocka.h>
#include "doctor.h"

/* The NIC; ethtool's ioctl ends here: the linker wraps it. */
static struct {
	uint32_t nr_table, nr_queues, nr_key;
	uint8_t hfunc, xfrm, key[2];
} nic;

int __wrap_ioctl(int fd, unsigned long request, struct ifreq *ifr);
int __wrap_ioctl(int fd, unsigned long request, struct ifreq *ifr)
{
	struct ethtool_rxfh *rss = (void *)ifr->ifr_data;
	uint8_t *key = (uint8_t *)&rss->rss_config[nic.nr_table];
	bool ask = !rss->indir_size && !rss->key_size;

	assert_int_equal(request, SIOCETHTOOL);
	if (rss->cmd != ETHTOOL_GRSSH)
		return -1;
	rss->indir_size = nic.nr_table;
	rss->key_size = nic.nr_key;
	rss->hfunc = nic.hfunc;
	rss->rsvd8[0] = nic.xfrm;
	for (uint32_t i = 0; i < nic.nr_table && !ask; i++)
		rss->rss_config[i] = i % nic.nr_queues;
	for (uint32_t i = 0; i < nic.nr_key && !ask; i++)
		key[i] = nic.key[i % 2];
	return 0;
}

/* What is found of the hash. */
static const struct finding *found(struct doctor *d)
{
	const struct check *c = nic_checks;

	while (strcmp(c->name, "rss"))
		c++;
	free(d->findings);
	*d = (struct doctor){ .sys = -1, .proc = -1, .sock = 0, .on.name = "eth1" };
	c->look(d, c);
	assert_int_equal(d->nr_findings, 1);
	return d->findings;
}

static void tables_are_longer_than_a_byte_counts(void **state)
{
	static const uint32_t tables[] = { 1, 128, 256, 257, 512, 2048, 65536 };
	static const uint32_t queues[] = { 2, 3, 4, 7, 64 };
	struct doctor d = { 0 };
	char want[64];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (size_t q = 0; q < sizeof(queues) / sizeof(queues[0]); q++) {
			uint32_t nr = queues[q] < tables[i] ? queues[q] : tables[i];

			nic = (typeof(nic)){ tables[i], queues[q], 40, 1, 0, { 0x6d, 0x5a } };
			snprintf(want, sizeof(want), nr == 1 ? "everything goes to one queue" :
				 "symmetric (the key repeats), over %u queues", nr);
			assert_string_equal(found(&d)->is, want);
		}
	nic = (typeof(nic)){ 512, 1, 40, 1, 0, { 1, 2 } };
	assert_string_equal(found(&d)->is, "everything goes to one queue");
	free(d.findings);
}

static void only_toeplitz_asks_for_a_key(void **state)
{
	struct doctor d = { 0 };

	nic = (typeof(nic)){ 128, 4, 41, 1, 0, { 0, 0 } };
	assert_int_equal(found(&d)->level, LEVEL_WARN);
	assert_non_null(strstr(d.findings->is, "the key is zero"));
	nic = (typeof(nic)){ 128, 4, 40, 2, 0, { 1, 2 } };	/* xor */
	assert_string_equal(found(&d)->is, "symmetric (xor), over 4 queues");
	nic = (typeof(nic)){ 128, 4, 40, 1, 1, { 1, 2 } };
	assert_string_equal(found(&d)->is, "symmetric (xor), over 4 queues");
	nic = (typeof(nic)){ 128, 4, 40, 4, 0, { 1, 1 } };	/* CRC32 */
	assert_int_equal(found(&d)->level, LEVEL_NOTE);
	assert_string_equal(d.findings->command, "");
	nic = (typeof(nic)){ 0, 1, 40, 1, 0, { 1, 2 } };	/* no table */
	assert_string_equal(found(&d)->is, "symmetric (the key repeats)");
	nic = (typeof(nic)){ 128, 4, 0, 1, 0, { 0, 0 } };
	assert_string_equal(found(&d)->is, "by a key that the driver does not show, over 4 queues");
	free(d.findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_longer_than_a_byte_counts),
		cmocka_unit_test(only_toeplitz_asks_for_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
