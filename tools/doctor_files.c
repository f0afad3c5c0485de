// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   files of /sys and /proc, or of the directory that XCAP_DOCTOR_ROOT names.
 * Out:  lines, numbers, names and sets of CPUs.
 * Owns: both directories.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "doctor.h"

#define TEXT_MAX (1 << 20)

/*
 * /sys shows the interfaces of the namespace that mounted it, which need not be ours, and they
 * can have the names of ours. So we take one of our own, mounted nowhere.
 */
static int own_sys(void)
{
	int fs = syscall(SYS_fsopen, "sysfs", FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -1;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return fd;
}

static int open_below(const char *root, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int doctor_files_open(struct doctor *d)
{
	const char *root = getenv("XCAP_DOCTOR_ROOT");

	d->fixture = root && *root;
	d->sys = d->fixture ? -1 : own_sys();
	if (d->sys < 0)
		d->sys = open_below(d->fixture ? root : "", "sys");
	d->sys_always = d->sys;
	d->proc = open_below(d->fixture ? root : "", "proc");
	return d->sys < 0 || d->proc < 0 ? -errno : 0;
}

void doctor_files_close(struct doctor *d)
{
	if (d->sys_always >= 0)
		close(d->sys_always);
	if (d->proc >= 0)
		close(d->proc);
}

/* Return: bytes, a NUL behind them; -errno. */
static ssize_t read_file(int dir, const char *path, char *out, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, out + len, size - 1 - len);
		if (n > 0)
			len += n;
	} while (n > 0 && len < size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	out[len] = '\0';
	return n < 0 ? n : (ssize_t)len;
}

static int line_of(int dir, char *out, size_t size, const char *fmt, va_list ap)
{
	char path[PATH_MAX];
	ssize_t n;

	if (vsnprintf(path, sizeof(path), fmt, ap) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	n = read_file(dir, path, out, size);
	if (n < 0)
		return n;
	out[strcspn(out, "\n")] = '\0';
	return strlen(out);
}

int doctor_line(int dir, char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = line_of(dir, out, size, fmt, ap);
	va_end(ap);
	return n;
}

bool doctor_number(int dir, uint64_t *out, const char *fmt, ...)
{
	char line[64], *end;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = line_of(dir, line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n <= 0 || line[0] < '0' || line[0] > '9')
		return false;
	*out = strtoull(line, &end, 0);
	return true;
}

char *doctor_text(int dir, const char *path)
{
	char *text = malloc(TEXT_MAX);

	if (text && read_file(dir, path, text, TEXT_MAX) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

int doctor_write(int dir, const char *path, const char *value)
{
	int fd = openat(dir, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	char line[SETTING_VALUE + 1];
	int n, err = 0;

	if (fd < 0)
		return -errno;
	n = snprintf(line, sizeof(line), "%s\n", value);
	if (write(fd, line, n) != n)
		err = -errno;
	close(fd);
	return err;
}

int doctor_names(int dir, const char *path, void (*name)(void *user, const char *name), void *user)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), nr = 0;
	struct dirent *entry;
	DIR *names;

	if (fd < 0)
		return -errno;
	names = fdopendir(fd);
	if (!names) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(names))) {
		if (entry->d_name[0] == '.')
			continue;
		name(user, entry->d_name);
		nr++;
	}
	closedir(names);
	return nr;
}

int doctor_cpus(const char *text, cpu_set_t *out)
{
	unsigned long from, to;
	char *end;

	CPU_ZERO(out);
	while (*text >= '0' && *text <= '9') {
		from = to = strtoul(text, &end, 10);
		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (; from <= to && from < CPU_SETSIZE; from++)
			CPU_SET(from, out);
		text = *end == ',' ? end + 1 : end;
	}
	return CPU_COUNT(out);
}

int doctor_online(struct doctor *d, cpu_set_t *out)
{
	char line[1024];

	if (doctor_line(d->sys, line, sizeof(line), "devices/system/cpu/online") < 0)
		return 0;
	return doctor_cpus(line, out);
}

/* A virtio device is one on top of the bus's. */
int doctor_bus_line(struct doctor *d, const char *file, char *out, size_t size)
{
	int n = doctor_line(d->sys, out, size, "class/net/%s/device/%s", d->on.name, file);

	return n > 0 ? n : doctor_line(d->sys, out, size, "class/net/%s/device/../%s", d->on.name,
				       file);
}
