// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an interface, "all" or "ip", a text, how many syslog messages with it to wait for, and
 *       how long (seconds).
 * Out:  each message with it in a line; exit 0 when all came, 1 when time was up.
 * Owns: a packet socket.
 * Runs on: CAP_NET_RAW. Linked statically: no library of ours or libpcap's can help it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define HEADERS 42		/* Ethernet, IPv4 without options, UDP */
#define SYSLOG 514

static int is_syslog(const unsigned char *p, long len)
{
	return len > HEADERS && p[12] == 8 && p[13] == 0 && p[14] == 0x45 && p[23] == 17 &&
	       (p[36] << 8 | p[37]) == SYSLOG;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	static unsigned char frame[65536];
	int fd, protocol, left, seconds, room = 16 << 20;
	time_t end;
	long len;

	if (argc != 6)
		errx(2, "usage: static_sniffer INTERFACE all|ip TEXT COUNT SECONDS");
	protocol = htons(!strcmp(argv[2], "ip") ? ETH_P_IP : ETH_P_ALL);
	left = atoi(argv[4]);
	seconds = atoi(argv[5]);
	to.sll_protocol = protocol;
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, protocol);
	if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s", argv[1]);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	fprintf(stderr, "listening\n");
	end = time(NULL) + seconds;
	while (left > 0 && time(NULL) < end) {
		struct pollfd in = { .fd = fd, .events = POLLIN };

		if (poll(&in, 1, 1000) <= 0)
			continue;
		len = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (!is_syslog(frame, len) ||
		    !memmem(frame + HEADERS, len - HEADERS, argv[3], strlen(argv[3])))
			continue;
		printf("%.*s\n", (int)(len - HEADERS), (char *)frame + HEADERS);
		left--;
	}
	return left > 0;
}
