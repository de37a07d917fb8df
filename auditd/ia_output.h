/* Records as JSON lines, or as a table for people. */
#ifndef IGRA_IA_OUTPUT_H
#define IGRA_IA_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/json.h"

#include "auditd/ia_line.h"

enum ia_form { IA_FORM_AUTO, IA_FORM_JSON, IA_FORM_TABLE };

struct ia_output {
	enum ia_form	 form;
	bool		 terminal;
	bool		 titled;
};

/* To standard output; by itself a table on a terminal, else JSON. */
void	ia_output_init(struct ia_output *, enum ia_form);
/* One record: its line with the newline, and the same parsed. */
void	ia_output_record(struct ia_output *, const struct ia_head *,
	    const char *line, size_t len, const struct json *);
/* Columns of the terminal on standard output; 0: it is none. */
unsigned ia_columns(void);

#endif
