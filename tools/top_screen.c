// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a stream, keys.
 * Out:  the screen of a terminal.
 * Owns: nothing.
 * Runs on: the tool's first thread.
 *
 * All cells are written each time, and ncurses sends those that have changed: nothing flickers.
 */
#include <ncurses.h>
#include <string.h>
#include "top_loop.h"
#include "top_screen.h"
#include "top_terminal.h"
#include "top_ui.h"

#define AGAIN_NS 300000000LL
#define MESSAGE_LINES 3

/* ---- drawing ---- */

static void put_line(void *user, int y, const struct top_line *l, enum top_style style)
{
	static const chtype styles[] = {
		[TOP_PLAIN] = A_NORMAL, [TOP_BOLD] = A_BOLD, [TOP_REVERSE] = A_REVERSE,
		[TOP_ALARM] = A_BOLD | COLOR_PAIR(1),
	};

	if (y >= LINES)
		return;
	attrset(styles[style]);
	mvaddnstr(y, 0, l->text, l->len);
	attrset(A_NORMAL);
	if (l->at < COLS)
		clrtoeol();
}

static void blank_from(int y)
{
	move(y, 0);
	if (y < LINES)
		clrtobot();
}

static void draw_help(struct top_ui *ui)
{
	struct top_line l;
	int y = 0;

	top_line_start(&l, COLS, ui->look->utf8);
	top_line_put(&l, "xcap top: keys");
	put_line(NULL, y++, &l, TOP_BOLD);
	for (const struct top_key_row *row = top_keys; row->shown; row++) {
		top_line_start(&l, COLS, ui->look->utf8);
		top_line_print(&l, "  %-10s %s", row->shown, row->help);
		put_line(NULL, y++, &l, TOP_PLAIN);
	}
	blank_from(y);
	top_line_start(&l, COLS, ui->look->utf8);
	top_line_put(&l, "any key leads back");
	put_line(NULL, LINES - 1, &l, TOP_BOLD);
}

/* How many bytes of it stand in a line, whole words if there are some. */
static size_t bytes_of_line(const char *text)
{
	size_t at = COLS;

	if (strlen(text) <= at)
		return strlen(text);
	while (at && text[at] != ' ')
		at--;
	return at ? at : strlen(text);
}

/* In the last line; what is longer in some above it, too. */
static void draw_message(struct top_ui *ui, const char *text)
{
	const char *lines[MESSAGE_LINES];
	struct top_line l;
	int nr = 0;

	while (nr < MESSAGE_LINES && *text) {
		lines[nr++] = text;
		text += bytes_of_line(text);
		text += *text == ' ';
	}
	for (int i = 0; i < nr; i++) {
		bool last = i == MESSAGE_LINES - 1;

		top_line_start(&l, COLS, ui->look->utf8);
		top_line_some(&l, lines[i], last ? strlen(lines[i]) : bytes_of_line(lines[i]),
			      COLS);
		if (LINES - nr + i >= 0)
			put_line(NULL, LINES - nr + i, &l, TOP_BOLD);
	}
}

/* The last line: what is typed, what there is to say, or what one can do. */
static void draw_foot(struct top_ui *ui)
{
	struct top_run *r = ui->run;
	struct top_line l;
	size_t skip = 0;

	top_line_start(&l, COLS, ui->look->utf8);
	if (ui->mode == TOP_MODE_PROMPT) {
		top_line_put(&l, ui->question);
		/* its end, where something happens */
		if (ui->len + l.at + 1 > (size_t)COLS)
			skip = ui->len + l.at + 1 - COLS;
		top_line_some(&l, ui->text + skip, ui->len - skip, COLS - l.at - 1);
		put_line(NULL, LINES - 1, &l, TOP_BOLD);
		move(LINES - 1, l.at);
		return;
	}
	if (r->message[0])
		return draw_message(ui, r->message);
	if (r->sink) {
		top_line_print(&l, "recording, %llu records: ",
			       (unsigned long long)r->nr_recorded);
		top_line_some(&l, r->path, strlen(r->path), COLS - l.at);
	} else {
		top_line_put(&l, "1-8 view  Enter into  Backspace back  s sort  f filter  "
			     "w record  h help");
	}
	put_line(NULL, LINES - 1, &l, r->sink ? TOP_BOLD : TOP_PLAIN);
}

static void draw_rows(struct top_ui *ui)
{
	struct top_run *r = ui->run;
	struct top_head head = {
		.model = top_ui_model(ui), .filter = r->filter, .stats.sz = sizeof(head.stats),
		.told = top_sum(r->levels[0].model)->total[TOP_LOST],
		.state = ui->frozen ? "frozen" : r->ended ? "ended" : "",
	};
	int64_t end = top_interval_end(head.model);

	if (end != INT64_MIN)
		head.seconds = (end - top_interval_ns(head.model) - r->first_ns) / 1e9;
	xcap_stats(r->c.x, -1, &head.stats);
	top_run_crumbs(r, head.crumbs, sizeof(head.crumbs));
	blank_from(top_page(ui->look, &head, put_line, NULL));
}

static const char *host_name(void *user, int family, const uint8_t *address)
{
	return top_hosts_name(user, family, address);
}

static void draw(struct top_ui *ui)
{
	struct top_resolver resolver = { host_name, ui->hosts };

	ui->look->columns = COLS;
	ui->look->lines = LINES;
	ui->look->resolver = ui->names ? &resolver : NULL;
	ui->answers = ui->names ? top_hosts_answers(ui->hosts) : 0;
	if (ui->mode == TOP_MODE_HELP) {
		draw_help(ui);
	} else {
		draw_rows(ui);
		draw_foot(ui);
	}
	curs_set(ui->mode == TOP_MODE_PROMPT);
	refresh();
	ui->look->resolver = NULL;
	ui->stale = false;
}

/* ---- the loop ---- */

/* Return: false: the terminal is gone. */
static bool read_keys(struct top_ui *ui, int events)
{
	int code;

	while ((code = getch()) != ERR)
		if (code == KEY_RESIZE || code == ('l' & 31)) {
			clearok(curscr, TRUE);
			ui->stale = true;
		} else {
			top_key(ui, code);
		}
	return !(events & (POLLHUP | POLLERR | POLLNVAL));
}

static void tick(struct top_run *r)
{
	if (r->guest && r->guest->tick)
		r->guest->tick(r->guest, r->levels[0].model);
}

static void loop(struct top_ui *ui)
{
	struct top_run *r = ui->run;
	int64_t date = top_loop_date(r);
	bool ended = false;

	while (!ui->quit && !top_loop_over(r)) {
		int events = top_loop_step(r, top_terminal_keys(), ui->stale ? 0 : date);

		if (!read_keys(ui, events))
			break;
		if (top_mono_ns() >= date) {
			top_loop_time(r);
			tick(r);
			ui->stale = true;
		}
		ui->stale |= ended != r->ended ||
			     (ui->names && ui->answers != top_hosts_answers(ui->hosts));
		ended = r->ended;
		if (r->again && top_mono_ns() - r->again_ns < AGAIN_NS)
			continue;	/* soon there is more to see */
		if (!ui->stale)
			date = date == INT64_MAX ? top_loop_date(r) : date;
		if (!ui->stale)
			continue;
		draw(ui);
		date = top_loop_date(r);
	}
}

void top_screen_run(struct top_run *r, struct top_look *look, bool names)
{
	struct top_ui ui = { .run = r, .look = look, .stale = true };
	int err = top_terminal_open();

	if (err) {
		snprintf(r->failure, sizeof(r->failure), "the terminal cannot be used: %s",
			 strerror(-err));
		r->c.failed = true;
		return;
	}
	capture_at_kill(top_terminal_restore);
	top_ui_names(&ui, names);
	loop(&ui);
	capture_at_kill(NULL);
	top_terminal_close();
	top_free(ui.frozen);
	top_hosts_free(ui.hosts);
}
