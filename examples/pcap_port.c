// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a device as the first argument, a filter as the second; packets from libpcap.
 * Out:  one line for each of ten packets.
 * Owns: the handle.
 * Runs on: one thread.
 *
 * An ordinary libpcap program with one include changed: it was <pcap.h>. Now the device can
 * be "syscalls", "eth0+syscalls" or "xsk:eth0" as well.
 */
#include <stdio.h>
#include <xcap_pcap.h>

static void print(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	printf("%ld.%06ld %u of %u bytes\n", (long)h->ts.tv_sec, (long)h->ts.tv_usec, h->caplen,
	       h->len);
}

int main(int argc, char **argv)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	struct bpf_program filter;
	pcap_t *p;

	p = pcap_open_live(argc > 1 ? argv[1] : "lo", 65535, 0, 100, errbuf);
	if (!p) {
		fprintf(stderr, "%s\n", errbuf);
		return 1;
	}
	if (pcap_compile(p, &filter, argc > 2 ? argv[2] : "", 1, PCAP_NETMASK_UNKNOWN) ||
	    pcap_setfilter(p, &filter) || pcap_loop(p, 10, print, NULL) == PCAP_ERROR) {
		fprintf(stderr, "%s\n", pcap_geterr(p));
		return 1;
	}
	pcap_freecode(&filter);
	pcap_close(p);
	return 0;
}
