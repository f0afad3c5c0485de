// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the forms of arguments.
 * Out:  their names as Lua, for xcap.lua: what is no structure and needs no code of its own.
 * Owns: nothing.
 * Runs on: the machine that builds.
 */
#include <stdio.h>
#include "arg_forms.h"

static const struct { const char *name; const struct arg_form *form; } forms[] = {
#define FORM(name) { #name, &arg_form_##name },
#include "arg_forms.list"
#undef FORM
};

/* { "O_WRONLY", 1, 3 }: value and mask; of an enumeration the value alone. */
static void put_name(const struct arg_name *n, bool flags)
{
	if (!flags)
		printf(" { \"%s\", %d },", n->name, (__s32)n->value);
	else if (n->value <= UINT32_MAX && (n->value || n->mask))
		printf(" { \"%s\", %u, %u },", n->name, (__u32)n->value,
		       (__u32)(n->mask ?: n->value));
}

int main(void)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct arg_form *f = forms[i].form;
		bool flags = f->put == arg_put_flags;

		if (!flags && f->put != arg_put_enum)
			continue;
		printf("\t%s = { flags = %s,", forms[i].name, flags ? "true" : "false");
		for (const struct arg_name *n = f->names; n->name; n++)
			put_name(n, flags);
		printf(" },\n");
	}
	return 0;
}
