/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands: each in the file of its name, each one row in xcap.c. */
#ifndef CMD_H
#define CMD_H

#include "options.h"

/* Exit codes of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LOSSY = 3 };

extern const struct command balance_command;
extern const struct command bounce_command;
extern const struct command count_command;
extern const struct command doctor_command;
extern const struct command dump_command;
extern const struct command extcap_command;
extern const struct command iface_command;
extern const struct command list_command;
extern const struct command pipe_command;
extern const struct command probe_command;
extern const struct command run_command;
extern const struct command top_command;

#endif
