/* SPDX-License-Identifier: BSD-2-Clause */
/* A program file, looked at before it is started: will it load a library of ours? */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>

#define PROGRAM_WHY_SIZE 512

/*
 * Find it as execvp() would. Return: 0, path filled; -ENOENT and the like.
 */
int program_find(const char *name, char *path, size_t size);

/* Return: 0 it will; -ENOEXEC it will not, and why says why and what to do instead. */
int program_check(const char *path, char why[PROGRAM_WHY_SIZE]);

#endif
