/* What is in force, in words: written by the systems, read by the metrics. */
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"

const char *const	 sandbox_features[] = {
#ifdef __OpenBSD__
	"chroot", "pledge", "unveil",
#else
	"chroot", "seccomp", "landlock", "mdwe", "no_new_privs",
#endif
	NULL
};

void
sandbox_has(struct sandbox *s, const char *what)
{
	if (s->text[0] != '\0')
		(void)strlcat(s->text, ", ", sizeof(s->text));
	(void)strlcat(s->text, what, sizeof(s->text));
}

void
sandbox_lacks(struct sandbox *s, const char *what, const char *why)
{
	if (s->missing[0] != '\0')
		(void)strlcat(s->missing, ", ", sizeof(s->missing));
	(void)strlcat(s->missing, what, sizeof(s->missing));
	(void)strlcat(s->missing, " (", sizeof(s->missing));
	(void)strlcat(s->missing, why, sizeof(s->missing));
	(void)strlcat(s->missing, ")", sizeof(s->missing));
}

unsigned
sandbox_feature(const char *text, const char *feature)
{
	size_t	 len = strlen(feature), end;

	while (*text != '\0') {
		end = strcspn(text, ",");
		if (strncmp(text, feature, len) == 0 &&
		    (end == len || text[len] == ' '))
			return end == len ? 1 :
			    (unsigned)strtoul(text + len + 1, NULL, 10);
		text += end;
		text += strspn(text, ", ");
	}
	return 0;
}
