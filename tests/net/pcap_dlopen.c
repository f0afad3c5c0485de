// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   DEVICE.
 * Out:  exit 0: libpcap, opened at run time by its soname, gives ten packets.
 * Owns: the handle.
 * Runs on: a program that is not linked with libpcap, as interpreters' bindings are.
 */
#include <dlfcn.h>
#include <pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *lib = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
	char errbuf[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p;
	int n = 0;

	if (!lib || argc != 2) {
		fprintf(stderr, "%s\n", lib ? "usage: pcap_dlopen DEVICE" : dlerror());
		return 2;
	}
	pcap_t *(*open_live)(const char *, int, int, int, char *) = dlsym(lib, "pcap_open_live");
	int (*next_ex)(pcap_t *, struct pcap_pkthdr **, const u_char **) =
		dlsym(lib, "pcap_next_ex");
	void (*close_it)(pcap_t *) = dlsym(lib, "pcap_close");

	p = open_live(argv[1], 65535, 0, 1000, errbuf);
	if (!p) {
		fprintf(stderr, "%s\n", errbuf);
		return 1;
	}
	while (n < 10 && next_ex(p, &h, &data) == 1)
		n++;
	close_it(p);
	return n == 10 ? 0 : 1;
}
