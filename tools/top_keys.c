// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   keys.
 * Out:  what is looked at, changed.
 * Owns: the frozen model and the resolver of the screen.
 * Runs on: the tool's first thread.
 */
#include <errno.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "top_ui.h"

#define KEY_CTRL(c) ((c) & 31)
#define ESCAPE 27

struct top *top_ui_model(const struct top_ui *ui)
{
	return ui->frozen ? ui->frozen : top_run_model(ui->run);
}

static void thaw(struct top_ui *ui)
{
	top_free(ui->frozen);
	ui->frozen = NULL;
}

/* What one asked for moves again: who froze it is told. */
static void go_on(struct top_ui *ui)
{
	char *said = ui->run->message;
	size_t len = strlen(said);

	if (ui->frozen)
		snprintf(said + len, TOP_MESSAGE - len, "%stime goes on", len ? "; " : "");
	thaw(ui);
}

/* ---- what is shown ---- */

static void first_row(struct top_ui *ui)
{
	ui->look->cursor = ui->look->offset = 0;
	ui->look->follow = false;
}

static void show_view(struct top_ui *ui, int view)
{
	ui->look->view = view;
	first_row(ui);
}

static void number(struct top_ui *ui, int code)
{
	show_view(ui, code - '1');
}

static void next_view(struct top_ui *ui, int code)
{
	show_view(ui, (ui->look->view + 1) % TOP_VIEWS);
}

static void previous_view(struct top_ui *ui, int code)
{
	show_view(ui, (ui->look->view + TOP_VIEWS - 1) % TOP_VIEWS);
}

static void sort_by(struct top_ui *ui, int step)
{
	struct top_look *look = ui->look;
	const struct top_column *const *columns = top_columns(look->view)->columns;
	int nr = 0;

	while (columns[nr])
		nr++;
	look->sort[look->view] = (look->sort[look->view] + nr + step) % nr;
}

static void sort_right(struct top_ui *ui, int code)
{
	sort_by(ui, 1);
}

static void sort_left(struct top_ui *ui, int code)
{
	sort_by(ui, -1);
}

static void reverse(struct top_ui *ui, int code)
{
	ui->look->reverse[ui->look->view] ^= true;
}

/* ---- which row ---- */

/* From now on it is this row that is chosen, wherever it goes. */
static void hold_row(struct top_ui *ui)
{
	struct top_look *look = ui->look;

	top_look_pick(look, top_ui_model(ui));
	look->follow = look->cursor < look->nr_rows;
	if (look->follow)
		look->chosen = look->rows[look->cursor]->key;
}

static void choose(struct top_ui *ui, int64_t step)
{
	struct top_look *look = ui->look;
	int64_t to = look->cursor + step;

	look->follow = false;
	look->cursor = to < 0 ? 0 : to > UINT32_MAX ? UINT32_MAX : to;
	hold_row(ui);
}

static void rows_down(struct top_ui *ui, int code)
{
	choose(ui, 1);
}

static void rows_up(struct top_ui *ui, int code)
{
	choose(ui, -1);
}

static void page_down(struct top_ui *ui, int code)
{
	choose(ui, ui->look->lines - TOP_HEAD_LINES - TOP_FOOT_LINES);
}

static void page_up(struct top_ui *ui, int code)
{
	choose(ui, -(ui->look->lines - TOP_HEAD_LINES - TOP_FOOT_LINES));
}

static void to_first(struct top_ui *ui, int code)
{
	first_row(ui);
}

static void to_last(struct top_ui *ui, int code)
{
	choose(ui, UINT32_MAX);
}

/* ---- into it and back ---- */

/* What one wants to know of a row first. */
static enum top_view view_inside(enum top_view view, const struct top_row *row)
{
	const uint64_t *n = row->total;

	switch (view) {
	case TOP_CONTAINER:
	case TOP_FLOW:
	case TOP_SYSCALL:
	case TOP_FILE:
		return TOP_PROCESS;
	default:
		return n[TOP_PACKETS_IN] + n[TOP_PACKETS_OUT] ? TOP_FLOW : TOP_SYSCALL;
	}
}

static void enter(struct top_ui *ui, int code)
{
	struct top_look *look = ui->look;
	enum top_view view = look->view, inside;

	top_look_pick(look, top_ui_model(ui));
	if (look->cursor >= look->nr_rows) {
		top_run_say(ui->run, "there is no row to look into");
		return;
	}
	inside = view_inside(view, look->rows[look->cursor]);
	if (top_run_enter(ui->run, view, look->rows[look->cursor]))
		return;
	go_on(ui);
	show_view(ui, inside);
}

static void back(struct top_ui *ui, int code)
{
	enum top_view view;

	if (ui->run->nr_levels == 1) {
		top_run_say(ui->run, "this is all there is");
		return;
	}
	view = ui->run->levels[ui->run->nr_levels - 1].condition.view;
	ui->look->chosen = ui->run->levels[ui->run->nr_levels - 1].condition.key;
	go_on(ui);
	top_run_back(ui->run);
	show_view(ui, view);
	ui->look->follow = true;
}

static void freeze(struct top_ui *ui, int code)
{
	if (ui->frozen)
		thaw(ui);
	else if (top_copy(&ui->frozen, top_run_model(ui->run)))
		top_run_say(ui->run, "no memory to keep all this");
}

static void to_end(struct top_ui *ui, int code)
{
	if (ui->run->clock != TOP_CLOCK_FILE)
		top_run_say(ui->run, "only a file has an end that can be gone to");
	ui->run->fast = true;
}

/* ---- what is typed ---- */

static void prompt(struct top_ui *ui, const char *question, const char *text,
		   void (*answered)(struct top_ui *, const char *))
{
	ui->mode = TOP_MODE_PROMPT;
	ui->question = question;
	ui->answered = answered;
	snprintf(ui->text, sizeof(ui->text), "%s", text);
	ui->len = strlen(ui->text);
}

static void set_filter(struct top_ui *ui, const char *text)
{
	if (top_run_filter(ui->run, text))
		return;
	go_on(ui);
	first_row(ui);
}

static void ask_filter(struct top_ui *ui, int code)
{
	prompt(ui, ui->run->filter ? "filter (C-u empties it): " : "filter: ",
	       ui->run->filter ? ui->run->filter : "", set_filter);
}

static void record_to(struct top_ui *ui, const char *text)
{
	if (*text && top_run_record(ui->run, text) && ui->run->clock == TOP_CLOCK_FILE)
		ui->stale = true;
}

static void record(struct top_ui *ui, int code)
{
	time_t now = time(NULL);
	struct tm tm;
	char name[64];

	if (ui->run->sink) {
		top_run_record_end(ui->run);
		return;
	}
	if (!localtime_r(&now, &tm) ||
	    !strftime(name, sizeof(name), "xcap-top-%Y%m%d-%H%M%S.pcapng", &tm))
		strcpy(name, "xcap-top.pcapng");
	prompt(ui, "record to: ", name, record_to);
}

static void prompt_key(struct top_ui *ui, int code)
{
	switch (code) {
	case '\n':
	case '\r':
	case KEY_ENTER:
		ui->mode = TOP_MODE_ROWS;
		ui->answered(ui, ui->text);
		return;
	case ESCAPE:
	case KEY_CTRL('g'):
		ui->mode = TOP_MODE_ROWS;
		return;
	case KEY_CTRL('u'):
		ui->len = 0;
		break;
	case KEY_BACKSPACE:
	case 127:
	case '\b':
		/* a character may be of several bytes */
		while (ui->len && ((unsigned char)ui->text[--ui->len] & 0xc0) == 0x80)
			;
		break;
	default:
		if (code >= ' ' && code < 256 && ui->len < sizeof(ui->text) - 1)
			ui->text[ui->len++] = code;
	}
	ui->text[ui->len] = '\0';
}

/* ---- the rest ---- */

void top_ui_names(struct top_ui *ui, bool on)
{
	if (on && !ui->hosts && top_hosts_new(&ui->hosts)) {
		top_run_say(ui->run, "there can be no thread that asks for names");
		on = false;
	}
	ui->names = on;
}

static void names(struct top_ui *ui, int code)
{
	top_ui_names(ui, !ui->names);
}

static void help(struct top_ui *ui, int code)
{
	ui->mode = TOP_MODE_HELP;
}

static void quit(struct top_ui *ui, int code)
{
	ui->quit = true;
}

const struct top_key_row top_keys[] = {
	{ "1-8", "process, container, flow, interface, syscall, file, port, host",
	  { 0 }, number },
	{ "Tab", "the next view; also Right", { '\t', KEY_RIGHT }, next_view },
	{ "Shift-Tab", "the view before; also Left", { KEY_BTAB, KEY_LEFT }, previous_view },
	{ "Down", "the next row; also j, Page Down and End for more",
	  { KEY_DOWN, 'j' }, rows_down },
	{ "Up", "the row before; also k, Page Up and Home for more", { KEY_UP, 'k' }, rows_up },
	{ "Enter", "what is in the row: a process's flows, files and calls, ...",
	  { '\n', '\r', KEY_ENTER }, enter },
	{ "Backspace", "back out of it", { KEY_BACKSPACE, 127, '\b' }, back },
	{ "s", "sort by the next column; also >", { 's', '>' }, sort_right },
	{ "S", "sort by the column before; also <", { 'S', '<' }, sort_left },
	{ "r", "the smallest first, or the largest", { 'r' }, reverse },
	{ "f", "a filter, as behind -f; also /; none: all; C-u empties the line",
	  { 'f', '/' }, ask_filter },
	{ "p", "time stands still, or goes on; also Space", { 'p', ' ' }, freeze },
	{ "w", "record what is looked at to a file, or end that", { 'w' }, record },
	{ "n", "names of hosts or addresses: asking makes packets", { 'n' }, names },
	{ "e", "read the file to its end at once", { 'e' }, to_end },
	{ "h", "this help; also ?", { 'h', '?' }, help },
	{ "q", "quit", { 'q' }, quit },
	{ 0 }
};

/* Keys that are told beside others. */
static const struct { int code; void (*act)(struct top_ui *ui, int code); } more_keys[] = {
	{ KEY_NPAGE, page_down }, { KEY_PPAGE, page_up },
	{ KEY_HOME, to_first }, { KEY_END, to_last },
};

static void rows_key(struct top_ui *ui, int code)
{
	for (size_t i = 0; i < sizeof(more_keys) / sizeof(more_keys[0]); i++)
		if (more_keys[i].code == code)
			return more_keys[i].act(ui, code);
	if (code >= '1' && code < '1' + TOP_VIEWS)
		return number(ui, code);
	for (const struct top_key_row *row = top_keys; row->shown; row++)
		for (int i = 0; i < 4 && row->codes[i]; i++)
			if (row->codes[i] == code)
				return row->act(ui, code);
}

void top_key(struct top_ui *ui, int code)
{
	ui->stale = true;
	if (ui->mode == TOP_MODE_PROMPT)
		return prompt_key(ui, code);
	ui->run->message[0] = '\0';
	if (ui->mode == TOP_MODE_HELP)
		ui->mode = TOP_MODE_ROWS;
	else
		rows_key(ui, code);
}
