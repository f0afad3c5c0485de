// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a terminal.
 * Out:  the same with ncurses in charge, and later as it was, however the process ends.
 * Owns: the terminal in between.
 * Runs on: the tool's first thread, and signal handlers that put the terminal back.
 */
#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include "top_terminal.h"

#define ESCAPE_MS 25		/* what comes later behind an Escape is another key */

static struct termios before;
static char put_back[128];	/* what leaves the screen as it was */
static SCREEN *screen;
static int keys = STDIN_FILENO;
static FILE *input;

bool top_terminal_possible(void)
{
	int err;

	if (!isatty(STDOUT_FILENO) || !getenv("TERM") ||
	    setupterm(NULL, STDOUT_FILENO, &err) != OK)
		return false;
	del_curterm(cur_term);
	if (!isatty(keys))
		keys = open("/dev/tty", O_RDWR | O_CLOEXEC);
	return keys >= 0;
}

int top_terminal_keys(void)
{
	return keys;
}

/* For signal handlers: no ncurses, which may be in the midst of something. */
void top_terminal_restore(void)
{
	ssize_t n = write(STDOUT_FILENO, put_back, strlen(put_back));

	(void)n;
	tcsetattr(keys, TCSANOW, &before);
}

/* A fault of ours: the terminal first, then what happens without us. */
static void on_fault(int signal)
{
	top_terminal_restore();
	raise(signal);
}

static void remember(const char *capability)
{
	const char *text = tigetstr((char *)capability);

	if (text && text != (char *)-1 && strlen(put_back) + strlen(text) < sizeof(put_back))
		strcat(put_back, text);
}

int top_terminal_open(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_RESETHAND | SA_NODEFER };

	input = keys == STDIN_FILENO ? stdin : fdopen(keys, "r");
	if (!input || tcgetattr(keys, &before))
		return -errno;
	screen = newterm(NULL, stdout, input);
	if (!screen)
		return -ENODEV;
	remember("sgr0");
	remember("rmkx");
	remember("cnorm");
	remember("rmcup");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &sa, NULL);
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	if (has_colors() && start_color() == OK && use_default_colors() == OK)
		init_pair(1, COLOR_RED, -1);
	return 0;
}

void top_terminal_close(void)
{
	endwin();
	delscreen(screen);
	if (input != stdin)
		fclose(input);
}
