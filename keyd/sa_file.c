/* Opening and changing the secrets file for secrets-admin. */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "log.h"
#include "passphrase.h"
#include "sa.h"

#define NS_PER_DAY	(24ULL * 60 * 60 * 1000000000)

static int	strong_enough(const struct sa *, const struct isec_header *);
static int	open_or_create(struct sa *, const struct secrets_txn *,
		    const struct sa_edit *, const struct secret *,
		    struct isec_header *, struct isec_plain *);
static int	seal_and_commit(struct secrets_txn *, struct isec_header *,
		    const struct secret *, const struct isec_plain *);

bool
sa_exists(const struct sa *sa)
{
	struct stat	 st;

	return lstat(sa->path, &st) == 0 || errno != ENOENT;
}

uint64_t
sa_age_days(const struct isec_header *h)
{
	uint64_t	 now = isec_now();

	return now > h->rotated_ns ? (now - h->rotated_ns) / NS_PER_DAY : 0;
}

int
sa_write(const void *data, size_t len)
{
	const uint8_t	*p = data;
	ssize_t		 n;

	while (len > 0) {
		n = write(STDOUT_FILENO, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			log_warn("standard output");
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

void
sa_escape(const char *s, size_t len, char *out)
{
	const char	*hex = "0123456789abcdef";
	size_t		 i, at = 0;
	uint8_t		 c;

	/* U+0080 to U+009F are control characters too: c2 80 to c2 9f. */
	for (i = 0; i < len; i++) {
		c = (uint8_t)s[i];
		if (c < 0x20 || c == 0x7f || c == '\\' || (c == 0xc2 &&
		    i + 1 < len && (uint8_t)s[i + 1] < 0xa0) ||
		    (c >= 0x80 && c < 0xa0 && i > 0 &&
		    (uint8_t)s[i - 1] == 0xc2)) {
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = hex[c >> 4];
			out[at++] = hex[c & 15];
		} else
			out[at++] = (char)c;
	}
	out[at] = '\0';
}

/* DESIGN 4's floor for mainnet. */
static int
strong_enough(const struct sa *sa, const struct isec_header *h)
{
	if (sa->net != KASPA_MAINNET || isec_params_strong(h))
		return SA_OK;
	log_warnx("%s: Argon2 of %u KiB and %u passes is less than mainnet's "
	    "65536 and 3; rotate-passphrase --argon2 65536,3,4 changes it",
	    sa->path, h->m, h->t);
	return SA_FAIL;
}

int
sa_decrypt(const struct sa *sa, const struct secrets_file *f,
    const struct secret *pass, struct isec_header *h, struct isec_plain *p)
{
	const char	*errstr;
	uint8_t		 key[ISEC_KEY_LEN];
	int		 r;

	r = isec_derive(h, (const uint8_t *)pass->p, pass->len, key, &errstr);
	if (r == 0)
		r = isec_plain_open(p, f->data, f->len, key, &errstr);
	sodium_memzero(key, sizeof(key));
	if (r == -1) {
		log_warnx("%s: %s", sa->path, errstr);
		return SA_FAIL;
	}
	return SA_OK;
}

int
sa_read(const struct sa *sa, struct secrets_file *f, struct isec_header *h)
{
	const char	*errstr;
	char		 err[512];

	if (secrets_file_read(sa->path, 0, f, err, sizeof(err)) == -1) {
		log_warnx("%s", err);
		return SA_FAIL;
	}
	if (isec_parse_header(f->data, f->len, h, &errstr) == 0)
		return SA_OK;
	log_warnx("%s: %s", sa->path, errstr);
	secrets_file_free(f);
	return SA_FAIL;
}

int
sa_precheck(const struct sa *sa)
{
	struct secrets_file	 f;
	struct isec_header	 h;
	int			 r;

	if ((r = sa_read(sa, &f, &h)) != SA_OK)
		return r;
	secrets_file_free(&f);
	return strong_enough(sa, &h);
}

int
sa_load(struct sa *sa, struct isec_header *h, struct isec_plain *p)
{
	struct secrets_file	 f;
	struct secret		 pass = { 0 };
	int			 r;

	if ((r = sa_read(sa, &f, h)) != SA_OK)
		return r;
	if ((r = strong_enough(sa, h)) == SA_OK && (r = sa_pass_open(sa,
	    &sa->pass, NULL, "Secrets file passphrase: ", &pass)) == SA_OK &&
	    (r = sa_decrypt(sa, &f, &pass, h, p)) == SA_OK)
		sa_pass_advise(sa, &pass);
	secret_free(&pass);
	secrets_file_free(&f);
	return r;
}

static int
open_or_create(struct sa *sa, const struct secrets_txn *t,
    const struct sa_edit *e, const struct secret *pass,
    struct isec_header *h, struct isec_plain *p)
{
	const char	*errstr;
	int		 r;

	if (!t->exists) {
		if (isec_header_init(h, sa->argon2 ? sa->m : ISEC_DEFAULT_M,
		    sa->argon2 ? sa->t : ISEC_DEFAULT_T,
		    sa->argon2 ? sa->p : ISEC_DEFAULT_P, &errstr) == -1 ||
		    isec_plain_init(p) == -1) {
			log_warnx("out of memory");
			return SA_FAIL;
		}
		return strong_enough(sa, h);
	}
	if (e->create && e->change == NULL) {
		log_warnx("%s: secrets file already exists", sa->path);
		return SA_FAIL;
	}
	if (isec_parse_header(t->old.data, t->old.len, h, &errstr) == -1) {
		log_warnx("%s: %s", sa->path, errstr);
		return SA_FAIL;
	}
	/* A rotation is the way to more: only what it writes must be strong. */
	if (!e->rotate && (r = strong_enough(sa, h)) != SA_OK)
		return r;
	return sa_decrypt(sa, &t->old, pass, h, p);
}

static int
seal_and_commit(struct secrets_txn *t, struct isec_header *h,
    const struct secret *pass, const struct isec_plain *p)
{
	const char	*errstr;
	char		 err[512];
	uint8_t		*file;
	size_t		 len;
	int		 r;

	if (isec_seal_pass(h, (const uint8_t *)pass->p, pass->len, p, &file,
	    &len, &errstr) == -1) {
		log_warnx("%s: %s", t->path, errstr);
		return SA_FAIL;
	}
	if ((r = secrets_commit(t, file, len, err, sizeof(err))) == -1)
		log_warnx("%s", err);
	free(file);
	return r == 0 ? SA_OK : SA_FAIL;
}

int
sa_edit(struct sa *sa, struct sa_edit *e, const struct secret *pass)
{
	struct secrets_txn	 t;
	struct isec_header	 h;
	struct isec_plain	 p;
	uint64_t		 now;
	char			 err[512];
	int			 r;

	memset(&p, 0, sizeof(p));
	if (secrets_begin(&t, sa->path, e->create ? SECRETS_CREATE : 0, err,
	    sizeof(err)) == -1) {
		log_warnx("%s", err);
		return SA_FAIL;
	}
	if ((r = open_or_create(sa, &t, e, pass, &h, &p)) != SA_OK)
		goto out;
	if (e->change != NULL && (r = e->change(sa, &p, e->arg)) != SA_OK)
		goto out;
	if (e->rotate) {
		e->age_days = sa_age_days(&h);
		now = isec_now();
		h.rotated_ns = now > h.created_ns ? now : h.created_ns;
		if (sa->argon2) {
			h.m = sa->m;
			h.t = sa->t;
			h.p = sa->p;
		}
		if ((r = strong_enough(sa, &h)) != SA_OK)
			goto out;
	}
	r = seal_and_commit(&t, &h, e->rotate ? &e->newpass : pass, &p);
out:
	isec_plain_free(&p);
	secrets_end(&t);
	return r;
}
