// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   source specs, good and bad.
 * Out:  that the grammar reads them as documented and refuses with a sentence.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "source.h"

/* "scheme|name|key=value key=value;..." of a whole list, or "!" and the code. */
static const char *read_list(const char *list)
{
	static char out[32768];
	struct error err = { "" };
	struct spec s;
	int ret;

	out[0] = '\0';
	while ((ret = spec_next(&list, &s, &err)) > 0) {
		char *o = out + strlen(out);

		o += sprintf(o, "%s|%s|", s.scheme, s.name);
		for (int i = 0; i < s.nr_options; i++)
			o += sprintf(o, "%s%s=%s", i ? " " : "", s.options[i].key,
				     s.options[i].value);
		strcpy(o, ";");
	}
	if (ret < 0) {
		assert_true(err.text[0]);
		sprintf(out, "!%d", ret);
	} else {
		assert_string_equal(list, "");
	}
	return out;
}

static void good_specs(void **state)
{
	assert_string_equal(read_list(""), "");
	assert_string_equal(read_list("eth0"), "|eth0|;");
	assert_string_equal(read_list("xsk:eth0"), "xsk|eth0|;");
	assert_string_equal(read_list("tap:eth0,syscalls"), "tap|eth0|;|syscalls|;");
	assert_string_equal(read_list("eth0?queues=0-3&snaplen=128"),
			    "|eth0|queues=0-3 snaplen=128;");
	assert_string_equal(read_list("-"), "|-|;");
	assert_string_equal(read_list("file:a:b.pcapng"), "file|a:b.pcapng|;");
	assert_string_equal(read_list("file:a\\,b\\?c\\\\d=e.pcap,lo"), "file|a,b?c\\d=e.pcap|;|lo|;");
	assert_string_equal(read_list("tcp://host:99"), "tcp|//host:99|;");
	assert_string_equal(read_list("eth0.100"), "|eth0.100|;");
	assert_string_equal(read_list("xcap:99@0"), "xcap|99@0|;");
}

/* A comma inside only= goes on with the list as long as syscalls follow. */
static void lists_of_syscalls(void **state)
{
	assert_string_equal(read_list("syscalls?only=connect,accept4,sendto,eth0"),
			    "|syscalls|only=connect,accept4,sendto;|eth0|;");
	assert_string_equal(read_list("syscalls?only=read,switch&self=on,tap:lo"),
			    "|syscalls|only=read,switch self=on;tap|lo|;");
	assert_string_equal(read_list("syscalls?only=read,waitpid,tap:lo"),
			    "|syscalls|only=read,waitpid;tap|lo|;");
	assert_string_equal(read_list("tap:eth0?snaplen=64,read"), "tap|eth0|snaplen=64;|read|;");
	assert_string_equal(read_list("syscalls?without=12,345,lo,6"),
			    "|syscalls|without=12,345;|lo|;|6|;");
	assert_string_equal(read_list("syscalls?without=1,2&only=read,3"),
			    "|syscalls|without=1,2 only=read;|3|;");
}

static void bad_specs(void **state)
{
	static char long_name[5000];
	const char *const bad[] = {
		",", ",eth0", "eth0,", "eth0,,lo", "eth0?snaplen", "eth0?=1", "eth0?snaplen=1&",
		"eth0?a=1&a=2", "eth0?", "abcdefghijklmnopqrstuvwxyz:x",
		long_name,
	};

	memset(long_name, 'x', sizeof(long_name) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(read_list(bad[i]), "!-22"))
			fail_msg("'%s' is taken: %s", bad[i], read_list(bad[i]));
}

static int number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	struct spec s = { .nr_options = 1, .options = { { "n", "" } } };
	struct error err;

	snprintf(s.options[0].value, sizeof(s.options[0].value), "%s", text);
	return spec_number(&s, "n", min, max, out, &err);
}

static void numbers(void **state)
{
	static const char *const bad[] = { "", "x", "-1", " 1", "1x", "1KK", "3", "1025", "1M",
					   "99999999999999999999", "18446744073709551615G" };
	uint64_t v = 77;

	assert_int_equal(number("4", 4, 1024, &v), 0);
	assert_int_equal(v, 4);
	assert_int_equal(number("1K", 4, 1024, &v), 0);
	assert_int_equal(v, 1024);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(number(bad[i], 4, 1024, &v), -EINVAL);
		assert_int_equal(v, 1024);
	}
}

static void bad_sources_are_refused_with_what_there_is(void **state)
{
	static const char *const bad[][2] = {
		{ "nosuch:eth0", "tap" }, { "syscalls?onyl=read", "only" },
		{ "syscalls?only=raed", "raed" }, { "tap:lo?hook=foo", "hook" },
		{ "syscalls?ring=5000", "power of two" },
		{ "syscalls?data=64K&ring=4K", "too much for a ring of 4 KiB" },
		{ "syscalls?data=65537", "no number from 0 to 65536" }, { "syscalls?args=maybe", "neither on nor off" },
		{ "syscalls?self=maybe", "self" },
		{ "syscalls?without=", "numbers" }, { "syscalls?without=self", "numbers" },
		{ "syscalls?without=0", "numbers" }, { "syscalls?without=1x", "numbers" },
		{ "syscalls?without=99999999999", "numbers" }, { "syscalls?without=-1", "numbers" },
		{ "syscalls?without=1,2,3,4,5,6,7,8,9", "8 processes" },
	};
	struct source_conf conf = { .ring_bytes = 4096, .snaplen = 100 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = { "" };
		struct source s = { .conf = &conf, .err = &err };
		const char *list = bad[i][0];
		struct spec spec;

		assert_int_equal(spec_next(&list, &spec, &err), 1);
		assert_int_equal(source_open(&s, &spec), -EINVAL);
		if (!strstr(err.text, bad[i][1]))
			fail_msg("%s: '%s' does not name %s", bad[i][0], err.text, bad[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_specs),
		cmocka_unit_test(lists_of_syscalls),
		cmocka_unit_test(bad_specs),
		cmocka_unit_test(numbers),
		cmocka_unit_test(bad_sources_are_refused_with_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
