/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   nothing.
 * Out:  frames of every kind that a filter may meet, and some that nobody sends.
 * Owns: the table of them.
 * Runs on: one thread.
 */
#ifndef CBPF_FRAMES_H
#define CBPF_FRAMES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cbpf_kernel.h"

#define MAX_FRAMES 160

static struct frame {
	char name[40];
	uint8_t *bytes;
	unsigned int len;
} frames[MAX_FRAMES];
static int nr_frames;
static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static const uint8_t macs[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

static void put16(uint8_t *to, unsigned int v)
{
	to[0] = v >> 8;
	to[1] = v;
}

static void keep(const char *name, const uint8_t *bytes, unsigned int len)
{
	struct frame *f = &frames[nr_frames++];

	if (nr_frames == MAX_FRAMES)
		abort();
	snprintf(f->name, sizeof(f->name), "%s, %u", name, len);
	f->bytes = malloc(len);
	memcpy(f->bytes, bytes, len);
	f->len = len;
}

/* Addresses, tags (protocols in front of numbers, 0 ends), ethertype. Return: length. */
static unsigned int ethernet(uint8_t *f, const uint16_t *tags, unsigned int proto)
{
	unsigned int n = sizeof(macs);

	memcpy(f, macs, n);
	for (; tags && *tags; tags += 2, n += 4) {
		put16(f + n, tags[0]);
		put16(f + n + 2, tags[1]);
	}
	put16(f + n, proto);
	return n + 2;
}

/* Ports, some flags, and noise up to size. */
static void transport(uint8_t *p, unsigned int proto, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		p[i] = rnd(256);
	if (proto == 1 || proto == 58) {
		p[0] = proto == 1 ? 8 : 135;
		return;
	}
	put16(p, proto == 6 ? 80 : 7777);
	put16(p + 2, proto == 6 ? 40000 : 53);
	if (proto == 6) {
		p[12] = 0x50;
		p[13] = 0x12;
	} else {
		put16(p + 4, size);
		memcpy(p + 8, "xcap", 4);
	}
}

static void ipv4(const char *name, const uint16_t *tags, unsigned int proto, unsigned int size,
		 unsigned int fragment, unsigned int options)
{
	static uint8_t f[FRAME_MAX];
	unsigned int n = ethernet(f, tags, 0x0800), header = 20 + options;

	memset(f + n, 0, header);
	f[n] = 0x40 | header / 4;
	put16(f + n + 2, size - n);
	put16(f + n + 4, rnd(65536));
	put16(f + n + 6, fragment);
	f[n + 8] = 64;
	f[n + 9] = proto;
	put16(f + n + 10, rnd(65536));
	memcpy(f + n + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
	transport(f + n + header, proto, size - n - header);
	keep(name, f, size);
}

static void ipv6(const char *name, const uint16_t *tags, unsigned int proto, unsigned int size)
{
	static const uint8_t from[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, to[16] = { 0xfe, 0x80,
		[15] = 1 };
	static uint8_t f[FRAME_MAX];
	unsigned int n = ethernet(f, tags, 0x86dd);

	memset(f + n, 0, 40);
	f[n] = 0x60;
	put16(f + n + 4, size - n - 40);
	f[n + 6] = proto;
	f[n + 7] = 255;
	memcpy(f + n + 8, from, 16);
	memcpy(f + n + 24, to, 16);
	transport(f + n + 40, proto == 44 ? 17 : proto, size - n - 40);
	if (proto == 44)
		f[n + 40] = 17;
	keep(name, f, size);
}

/* Any ethertype or LLC length, with bytes of our choice behind it and noise behind those. */
static void other(const char *name, unsigned int proto, const char *bytes, unsigned int nr,
		  unsigned int size)
{
	static uint8_t f[FRAME_MAX];
	unsigned int n = ethernet(f, NULL, proto);

	for (unsigned int i = n; i < size; i++)
		f[i] = i - n < nr ? (uint8_t)bytes[i - n] : rnd(256);
	if (proto == 0x0806)
		memset(f, 0xff, 6);
	keep(name, f, size);
}

static void noise(void)
{
	static uint8_t f[FRAME_MAX];
	unsigned int size;

	for (int i = 0; i < 24; i++) {
		size = 14 + rnd(i < 16 ? 100 : 3000);
		for (unsigned int k = 0; k < size; k++)
			f[k] = rnd(256);
		if (i % 3 == 0)
			put16(f + 12, 0x8100);
		keep("noise", f, size);
	}
}

static void make_frames(void)
{
	static const uint16_t one[] = { 0x8100, 7, 0 }, two[] = { 0x88a8, 5, 0x8100, 7, 0 },
		three[] = { 0x8100, 5, 0x8100, 7, 0x8100, 9, 0 };
	static const unsigned int protos[] = { 1, 6, 17, 2, 50, 132 };
	static const unsigned int jumbo[] = { 3399, 3400, 3401, 3600, 4096, 8192, 9014, 15000 };

	for (int i = 0; i < 6; i++) {
		ipv4("IPv4", NULL, protos[i], 60 + 10 * i, 0, 0);
		ipv4("IPv4, options", NULL, protos[i], 120, 0, 24);
		ipv4("IPv4, tagged", one, protos[i], 64, 0, 0);
		ipv4("IPv4, two tags", two, protos[i], 1522, 0, 4);
		ipv6("IPv6", NULL, i ? protos[i] : 58, 90 + i);
		ipv6("IPv6, tagged", one, i ? protos[i] : 58, 590);
	}
	ipv4("first fragment", NULL, 17, 600, 0x2000, 0);
	ipv4("later fragment", NULL, 17, 600, 0x2010, 0);
	ipv4("last fragment", NULL, 6, 100, 0x0100, 0);
	ipv4("three tags", three, 6, 128, 0, 0);
	ipv6("IPv6 fragment", NULL, 44, 100);
	ipv6("IPv6, two tags", two, 6, 100);
	for (int i = 0; i < 8; i++) {
		ipv4("jumbo", i % 2 ? one : NULL, i % 3 ? 6 : 17, jumbo[i], 0, 0);
		ipv6("jumbo", i % 2 ? NULL : two, 17, jumbo[i]);
	}
	other("ARP", 0x0806, "\0\1\x08\0\6\4\0\1", 8, 42);
	other("RARP", 0x8035, "\0\1\x08\0\6\4\0\3", 8, 60);
	other("MPLS", 0x8847, "\0\6\x41\x40\x45\0\0\x20", 8, 80);
	other("MPLS, two", 0x8847, "\0\6\x40\x40\0\x0c\x81\x40\x45\0\0\x20", 12, 80);
	other("PPPoE", 0x8864, "\x11\0\0\1\0\x40\0\x21\x45\0", 10, 100);
	other("PPPoE discovery", 0x8863, "\x11\x09\0\0\0\4", 6, 60);
	other("LLC", 60, "\x42\x42\3\0\0", 5, 74);
	other("SNAP", 80, "\xaa\xaa\3\0\0\0\x80\x9b", 8, 94);
	other("mirror", 0x88b5, "", 0, 60);
	for (unsigned int cut = 14; cut < 60; cut += 3) {
		other("cut IPv4", 0x0800, "\x45\0\0\x30\1\2\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2\0P", 22,
		      cut);
		other("cut tag", 0x8100, "\0\7\x08\0\x45\0\0\x30\1\2\0\0\x40\x11", 14, cut);
	}
	noise();
}

#endif
