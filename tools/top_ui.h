/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keys of xcap top act on. */
#ifndef TOP_UI_H
#define TOP_UI_H

#include "top.h"
#include "top_hosts.h"
#include "top_page.h"

enum top_mode { TOP_MODE_ROWS, TOP_MODE_HELP, TOP_MODE_PROMPT };

struct top_ui {
	struct top_run *run;
	struct top_look *look;
	enum top_mode mode;
	bool quit;
	bool stale;			/* what is on the screen is not right any more */
	struct top *frozen;		/* what is looked at while time stands still; or NULL */
	struct top_hosts *hosts;
	bool names;
	unsigned int answers;		/* of the resolver, when it was drawn last */
	/* the line that is typed */
	const char *question;
	void (*answered)(struct top_ui *ui, const char *text);
	char text[1024];
	size_t len;
};

/* One key, or one row of the help. */
struct top_key_row {
	const char *shown;	/* as help and manual call it: "Enter" */
	const char *help;
	int codes[4];		/* as ncurses has them; 0: no more */
	void (*act)(struct top_ui *ui, int code);
};

extern const struct top_key_row top_keys[];	/* shown NULL ends it */

/* A key was pressed. */
void top_key(struct top_ui *ui, int code);

/* What is drawn. */
struct top *top_ui_model(const struct top_ui *ui);
void top_ui_names(struct top_ui *ui, bool on);

#endif
