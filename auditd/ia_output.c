#include <sys/ioctl.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "auditd/ia_output.h"
#include "auditd/ia_text.h"

#define ROW_MAX		8192
#define COLUMNS_MIN	80

struct row {
	char	 text[ROW_MAX];
	size_t	 at;
};

/* What follows the columns, where it is there. */
static const char *const	 details[] = {
	"error", "alert", "check", "limit", "value", "outflow_sompi",
	"fee_sompi", "tx_id", "operation", "cached", "reason", "expected",
	"actual", "path", "bytes", "method", "code", "socket", "program",
	"version", "network", "operator", "interactive", "peer_uid",
	"peer_pid", "suppressed", "inputs", "duration_ms", "policy",
	"covered_seq", "key", "last_kseq", "reservation",
	"kseq"
};

static void	 put(struct row *, const char *, size_t, size_t);
static void	 put_member(struct row *, const struct json *, size_t);
static void	 put_quoted(struct row *, const char *, size_t);
static void	 put_details(struct row *, const struct json *);
static void	 table_row(struct ia_output *, const struct ia_head *,
		    const struct json *);

unsigned
ia_columns(void)
{
	struct winsize	 ws;

	if (isatty(STDOUT_FILENO) != 1)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1 ||
	    ws.ws_col < COLUMNS_MIN)
		return COLUMNS_MIN;
	return ws.ws_col;
}

void
ia_output_init(struct ia_output *o, enum ia_form form)
{
	memset(o, 0, sizeof(*o));
	o->terminal = isatty(STDOUT_FILENO) == 1;
	o->form = form;
	if (form == IA_FORM_AUTO)
		o->form = o->terminal ? IA_FORM_TABLE : IA_FORM_JSON;
}

/* Escaped, filled up or cut to the column's width (0: as long as it is). */
static void
put(struct row *r, const char *text, size_t len, size_t width)
{
	size_t	 start = r->at, max = sizeof(r->text);

	if (width != 0 && start + width + 1 < max)
		max = start + width + 1;
	ia_escape(r->text, max, &r->at, text, len);
	if (width != 0 && r->at == max - 1 && len > width)
		r->text[r->at - 1] = '~';
	while (width != 0 && r->at < start + width + 2 &&
	    r->at + 1 < sizeof(r->text))
		r->text[r->at++] = ' ';
	r->text[r->at] = '\0';
}

static void
put_member(struct row *r, const struct json *v, size_t width)
{
	if (v == NULL || (v->type != JSON_STRING && v->type != JSON_NUMBER))
		put(r, "-", 1, width);
	else
		put(r, (const char *)v->text.p, v->text.len, width);
}

/* So that a text ends where it ends, whatever a client has put into it. */
static void
put_quoted(struct row *r, const char *text, size_t len)
{
	const char	*quote;
	size_t		 n;

	put(r, "\"", 1, 0);
	for (; len > 0; text += n, len -= n) {
		quote = memchr(text, '"', len);
		n = quote == NULL ? len : (size_t)(quote - text);
		put(r, text, n, 0);
		if (quote == NULL)
			break;
		/* Not by put, which would double it. */
		if (r->at + 2 < sizeof(r->text)) {
			r->text[r->at++] = '\\';
			r->text[r->at++] = '"';
			r->text[r->at] = '\0';
		}
		n++;
	}
	put(r, "\"", 1, 0);
}

static void
put_details(struct row *r, const struct json *root)
{
	const struct json	*v;
	size_t			 i;
	bool			 first = true;

	for (i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		if ((v = json_get(root, details[i])) == NULL)
			continue;
		if (!first)
			put(r, " ", 1, 0);
		first = false;
		put(r, details[i], strlen(details[i]), 0);
		put(r, "=", 1, 0);
		if (v->type == JSON_BOOL)
			put(r, v->truth ? "true" : "false", v->truth ? 4 : 5, 0);
		else if (v->type == JSON_STRING && v->text.len > 0 &&
		    (memchr(v->text.p, ' ', v->text.len) != NULL ||
		    memchr(v->text.p, '"', v->text.len) != NULL))
			put_quoted(r, (const char *)v->text.p, v->text.len);
		else
			put_member(r, v, 0);
	}
}

static void
table_row(struct ia_output *o, const struct ia_head *h,
    const struct json *root)
{
	const struct json	*key;
	struct row		 r;
	char			 text[32];
	int			 n;

	if (!o->titled)
		printf("%-23s  %-10s  %-15s  %-7s  %-33s  %-20s  %s\n",
		    "TIME (UTC)", "SEQ", "EVENT", "RESULT", "KEY", "REQUEST",
		    "DETAILS");
	o->titled = true;
	r.at = 0;
	put(&r, h->time, 10, 10);
	r.at--;
	put(&r, h->time + 11, 12, 12);
	n = snprintf(text, sizeof(text), "%" PRIu64, h->seq);
	put(&r, text, (size_t)n, (size_t)n > 10 ? (size_t)n : 10);
	put(&r, h->event, h->event_len, 15);
	put_member(&r, json_get(root, "result"), 7);
	if ((key = json_get(root, "key_ref")) == NULL)
		key = json_get(root, "secret_name");
	put_member(&r, key, 33);
	put_member(&r, json_get(root, "request_id"), 20);
	put_details(&r, root);
	puts(r.text);
}

void
ia_output_record(struct ia_output *o, const struct ia_head *h,
    const char *line, size_t len, const struct json *root)
{
	if (o->form == IA_FORM_TABLE) {
		table_row(o, h, root);
		return;
	}
	ia_put_json(stdout, line, len - 1, o->terminal);
	putchar('\n');
}
