#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/record.h"

#include "auditd/ia_cmd.h"
#include "auditd/ia_filter.h"

#define EVENTS_HELP	"not an event of igra-audit-log(5)"

static int	 ago(const char *, char [IA_TIME + 1]);
static int	 set_event(struct ia_filter *, const char *);
static int	 set_seq(struct ia_filter *, const char *);
static bool	 contains(const char *, size_t, const char *);
static bool	 plain(const char *);

static int
ago(const char *text, char out[IA_TIME + 1])
{
	static const struct { char unit; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }
	};
	unsigned long	 n;
	struct tm	 tm;
	time_t		 t;
	size_t		 i;
	char		*end;

	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || end - text > 7 || end[0] == '\0' || end[1] != '\0')
		return -1;
	for (i = 0; units[i].unit != *end; i++)
		if (i + 1 == sizeof(units) / sizeof(units[0]))
			return -1;
	t = time(NULL) - (time_t)((int64_t)n * units[i].seconds);
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900)
		return -1;
	return strftime(out, IA_TIME + 1, "%Y-%m-%dT%H:%M:%S.000000000Z",
	    &tm) == IA_TIME ? 0 : -1;
}

int
ia_time_parse(const char *text, char out[IA_TIME + 1])
{
	static const char	 whole[] = "0000-00-00T00:00:00.000000000Z";
	static const char	 form[] = "dddd-dd-ddTdd:dd:dd.ddddddddd";
	size_t			 i, len = strlen(text);

	if (ago(text, out) == 0)
		return 0;
	if (len > 0 && text[len - 1] == 'Z')
		len--;
	if (len != 10 && len != 16 && len != 19 && (len < 21 || len > 29))
		return -1;
	memcpy(out, whole, IA_TIME + 1);
	for (i = 0; i < len; i++) {
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' :
		    text[i] != form[i] && !(form[i] == 'T' && text[i] == ' '))
			return -1;
		if (form[i] == 'd')
			out[i] = text[i];
	}
	/* Only compared, so a 31 February does no harm; a 13th month does. */
	return memcmp(out + 5, "12", 2) <= 0 && memcmp(out + 8, "31", 2) <= 0 &&
	    memcmp(out + 11, "23", 2) <= 0 ? 0 : -1;
}

static int
set_event(struct ia_filter *f, const char *name)
{
	unsigned	 i;

	if (f->nevents == IA_EVENTS_MAX)
		return -1;
	for (i = 0; i < EV_MAX; i++)
		if (strcasecmp(name, audit_event_name(i)) == 0) {
			f->event[f->nevents++] = audit_event_name(i);
			return 0;
		}
	return -1;
}

/* N, N- or N-M */
static int
set_seq(struct ia_filter *f, const char *text)
{
	char	*end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	f->seq_first = f->seq_last = strtoull(text, &end, 10);
	if (*end == '-') {
		text = end + 1;
		f->seq_last = UINT64_MAX;
		if (*text >= '0' && *text <= '9')
			f->seq_last = strtoull(text, &end, 10);
		else
			end++;
	}
	return errno == 0 && *end == '\0' && f->seq_first > 0 &&
	    f->seq_last >= f->seq_first ? 0 : -1;
}

int
ia_filter_option(struct ia_filter *f, int opt, const char *arg)
{
	switch (opt) {
	case IA_O_SINCE:
		if (ia_time_parse(arg, f->since) == -1)
			return ia_bad_option("since", "not a time");
		return IA_OK;
	case IA_O_UNTIL:
		if (ia_time_parse(arg, f->until) == -1)
			return ia_bad_option("until", "not a time");
		return IA_OK;
	case IA_O_SEQ:
		if (set_seq(f, arg) == -1)
			return ia_bad_option("seq", "not a number or range");
		return IA_OK;
	case IA_O_EVENT:
		if (set_event(f, arg) == -1)
			return ia_bad_option("event", EVENTS_HELP);
		return IA_OK;
	case IA_O_KEY:
		f->key = arg;
		return IA_OK;
	case IA_O_RESULT:
		f->result = strcasecmp(arg, "success") == 0 ? "Success" :
		    strcasecmp(arg, "failure") == 0 ? "Failure" : NULL;
		if (f->result == NULL)
			return ia_bad_option("result", "Success or Failure");
		return IA_OK;
	case IA_O_REQUEST:
		f->request_id = arg;
		return IA_OK;
	case IA_O_TX:
		f->tx_id = arg;
		return IA_OK;
	}
	return -1;
}

bool
ia_filter_head(const struct ia_filter *f, const struct ia_head *h)
{
	size_t	 i;

	if (f->seq_first != 0 &&
	    (h->seq < f->seq_first || h->seq > f->seq_last))
		return false;
	if (f->since[0] != '\0' && memcmp(h->time, f->since, IA_TIME) < 0)
		return false;
	if (f->until[0] != '\0' && memcmp(h->time, f->until, IA_TIME) >= 0)
		return false;
	for (i = 0; i < f->nevents; i++)
		if (ia_event_is(h, f->event[i]))
			break;
	return f->nevents == 0 || i < f->nevents;
}

/* Written in JSON as it is, by whatever writer? */
static bool
plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (!(*text >= '0' && *text <= '9') &&
		    !(*text >= 'a' && *text <= 'z') &&
		    !(*text >= 'A' && *text <= 'Z') &&
		    strchr("._-", *text) == NULL)
			return false;
	return true;
}

static bool
contains(const char *line, size_t len, const char *text)
{
	return text == NULL || !plain(text) ||
	    memmem(line, len, text, strlen(text)) != NULL;
}

bool
ia_filter_text(const struct ia_filter *f, const char *line, size_t len)
{
	return contains(line, len, f->key) &&
	    contains(line, len, f->request_id) && contains(line, len, f->tx_id);
}

bool
ia_filter_json(const struct ia_filter *f, const struct json *root)
{
	if (f->key != NULL &&
	    !json_is_string(json_get(root, "key_ref"), f->key) &&
	    !json_is_string(json_get(root, "secret_name"), f->key))
		return false;
	if (f->result != NULL &&
	    !json_is_string(json_get(root, "result"), f->result))
		return false;
	if (f->request_id != NULL &&
	    !json_is_string(json_get(root, "request_id"), f->request_id))
		return false;
	return f->tx_id == NULL ||
	    json_is_string(json_get(root, "tx_id"), f->tx_id);
}
