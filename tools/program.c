// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the name of a program.
 * Out:  its path, and whether the loader will put a library before its own.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * ld.so(8): a static program has no loader; one that runs with more rights than who starts
 * it (AT_SECURE) ignores LD_PRELOAD; one of another word size cannot have it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "program.h"

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

int program_find(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin", *end;

	if (strchr(name, '/')) {
		if ((size_t)snprintf(path, size, "%s", name) >= size)
			return -ENAMETOOLONG;
		return access(path, F_OK) ? -errno : is_program(path) ? 0 : -EACCES;
	}
	for (;; dirs = end + 1) {
		end = strchrnul(dirs, ':');
		if ((size_t)snprintf(path, size, "%.*s/%s", end > dirs ? (int)(end - dirs) : 1,
				     end > dirs ? dirs : ".", name) < size && is_program(path))
			return 0;
		if (!*end)
			return -ENOENT;
	}
}

/* Does the kernel give it more than we have? Root has all. */
static bool gains_rights(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (st.st_mode & S_ISUID && st.st_uid != geteuid())
		return true;
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getegid())
		return true;
	return geteuid() && getxattr(path, "security.capability", NULL, 0) > 0;
}

static bool has_loader(int fd, const Elf64_Ehdr *head)
{
	Elf64_Phdr ph;

	for (int i = 0; i < head->e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), head->e_phoff + i * sizeof(ph)) != sizeof(ph))
			return false;
		if (ph.p_type == PT_INTERP)
			return true;
	}
	return false;
}

/* Return: NULL: it has, or is no ELF file (a script: what runs it is the system's). */
static const char *no_preload(int fd)
{
	Elf64_Ehdr head;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG))
		return NULL;
	if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return "is a program of another word size";
	return has_loader(fd, &head) ? NULL : "is linked statically";
}

int program_check(const char *path, char why[PROGRAM_WHY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *is = fd < 0 ? NULL : no_preload(fd);

	if (fd >= 0)
		close(fd);
	if (!is && gains_rights(path))
		is = "runs with more rights than its caller";
	if (!is)
		return 0;
	snprintf(why, PROGRAM_WHY_SIZE, "%.200s %s, so no library can be put before its own; make "
		 "it an interface instead, xcap iface syscalls, and capture from that", path, is);
	return -ENOEXEC;
}
