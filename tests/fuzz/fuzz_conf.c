/*
 * The config.  Input: a byte of options, then the text.  What is taken prints
 * canonically, and that reads as the same config.
 */
#include <string.h>

#include "conf.h"

#include "fuzz.h"

#define OPT_ROOT	0x01
#define OPT_PROFILE	0x02

#define MASKED		"token = \"********\""
#define UNMASKED	"token = \"0123456789abcdef\""

static const char	*const path = "igra.toml";

static struct conf	*parse(const char *, size_t, const char *, uid_t);
static struct conf	*parse_again(const struct conf *, uid_t);

static struct conf *
parse(const char *text, size_t len, const char *profile, uid_t euid)
{
	struct conf	*c;
	char		 err[1024];

	if ((c = conf_parse(text, len, path, profile, euid, err,
	    sizeof(err))) == NULL)
		CHECK(err[0] != '\0' && strchr(err, '\n') == NULL);
	return c;
}

/* A token that stands masked there is given one, or it would be refused. */
static struct conf *
parse_again(const struct conf *c, uid_t euid)
{
	const char	*text = c->canonical, *at;
	struct conf	*again;
	FILE		*f;
	char		*unmasked;
	size_t		 len;

	if ((at = strstr(text, MASKED)) == NULL)
		return parse(text, strlen(text), NULL, euid);
	CHECK((f = open_memstream(&unmasked, &len)) != NULL);
	(void)fprintf(f, "%.*s%s%s", (int)(at - text), text, UNMASKED,
	    at + strlen(MASKED));
	CHECK(fclose(f) == 0);
	again = parse(unmasked, len, NULL, euid);
	free(unmasked);
	return again;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf	*c, *again;
	uid_t		 euid;

	if (size < 1)
		return 0;
	euid = data[0] & OPT_ROOT ? 0 : 1000;
	c = parse((const char *)data + 1, size - 1,
	    data[0] & OPT_PROFILE ? "signer-02" : NULL, euid);
	if (c == NULL)
		return 0;
	CHECK(conf_profile_index(c->active_profile) > 0);
	CHECK(c->canonical != NULL);
	CHECK((strstr(c->canonical, MASKED) != NULL) == c->token_set);
	CHECK((again = parse_again(c, euid)) != NULL);
	CHECK(strcmp(again->canonical, c->canonical) == 0);
	CHECK(again->group_present == c->group_present);
	CHECK(again->token_set == c->token_set);
	/* A reload to what is in force already changes nothing frozen. */
	CHECK(conf_frozen_change(c, again) == NULL);
	conf_free(again);
	conf_free(c);
	return 0;
}
