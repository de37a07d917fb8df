/* secrets-admin: init, list, get, set, remove, rotate-passphrase, info. */
#include <sys/types.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "log.h"
#include "names.h"
#include "sa.h"
#include "sa_audit.h"
#include "sa_value.h"
#include "utf8.h"

struct put {
	const char	*name;
	struct secret	 value;
	bool		 replaced;
};

static int	cmp_entry(const void *, const void *);
static int	print_value(const struct sa *, const uint8_t *, size_t);
static int	change_put(struct sa *, struct isec_plain *, void *);
static int	change_del(struct sa *, struct isec_plain *, void *);
static void	print_date(const char *, uint64_t);
static void	warn_age(const struct sa *, uint64_t);

/* Bounds of a new file are checked before anyone types anything. */
int
sa_init(struct sa *sa)
{
	struct sa_edit	 e = { .create = true };
	struct secret	 pass = { 0 };
	int		 r;

	if (sa_exists(sa)) {
		log_warnx("%s: secrets file already exists", sa->path);
		return SA_FAIL;
	}
	if (sa->argon2 && sa->net == KASPA_MAINNET &&
	    (sa->m < ISEC_DEFAULT_M || sa->t < ISEC_DEFAULT_T)) {
		log_warnx("mainnet needs --argon2 of at least 65536 KiB and 3 "
		    "passes");
		return SA_FAIL;
	}
	(void)printf("Creating secrets file: %s\n", sa->path);
	r = sa_pass_new(sa, &sa->pass, "New secrets file passphrase: ", &pass);
	if (r == SA_OK)
		r = sa_edit(sa, &e, &pass);
	secret_free(&pass);
	if (r != SA_OK)
		return r;
	if (isatty(STDOUT_FILENO))
		(void)printf("✓ Secrets file created successfully\n");
	else
		(void)printf("created secrets file path=%s\n", sa->path);
	return SA_OK;
}

static int
cmp_entry(const void *a, const void *b)
{
	const struct isec_entry	*x = a, *y = b;
	size_t			 n;
	int			 c;

	n = x->namelen < y->namelen ? x->namelen : y->namelen;
	if ((c = memcmp(x->name, y->name, n)) != 0)
		return c;
	return x->namelen < y->namelen ? -1 : x->namelen > y->namelen;
}

/* Names only, sorted, one a line. */
int
sa_list(struct sa *sa)
{
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	struct isec_entry	*v = NULL, e;
	char			 name[4 * ISEC_NAME_MAX + 1];
	size_t			 i, n = 0, pos = 0;
	int			 r;

	if ((r = sa_load(sa, &h, &p)) != SA_OK)
		return r;
	v = calloc((size_t)isec_count(p.buf, p.len) + 1, sizeof(*v));
	if (v == NULL) {
		log_warnx("out of memory");
		r = SA_FAIL;
		goto out;
	}
	while (isec_next(p.buf, p.len, &pos, &e))
		v[n++] = e;
	qsort(v, n, sizeof(*v), cmp_entry);
	for (i = 0; i < n; i++) {
		sa_escape(v[i].name, v[i].namelen, name);
		(void)printf("%s\n", name);
	}
	if (fflush(stdout) != 0) {
		log_warn("standard output");
		r = SA_FAIL;
	}
out:
	free(v);
	isec_plain_free(&p);
	return r;
}

/* In one write, from memory that is wiped: stdio would keep a copy. */
static int
print_value(const struct sa *sa, const uint8_t *val, size_t len)
{
	struct secret	 out = { 0 };
	size_t		 n;
	int		 r;

	if (secret_alloc(&out, 2 * len + 16) == -1) {
		log_warnx("out of memory");
		return SA_FAIL;
	}
	switch (sa->out) {
	case SA_HEX:
		out.p[0] = '0';
		out.p[1] = 'x';
		(void)sodium_bin2hex(out.p + 2, out.cap - 2, val, len);
		n = strlen(out.p);
		break;
	case SA_BASE64:
		(void)sodium_bin2base64(out.p, out.cap, val, len,
		    sodium_base64_VARIANT_ORIGINAL);
		n = strlen(out.p);
		break;
	case SA_TEXT:
	case SA_RAW:
		if (!utf8_valid(val, len)) {
			log_warnx("%s is not UTF-8 text: take --encoding hex or "
			    "base64", sa->name);
			secret_free(&out);
			return SA_FAIL;
		}
		memcpy(out.p, val, len);
		n = len;
		break;
	default:
		n = 0;
	}
	out.p[n++] = '\n';
	r = sa_write(out.p, n);
	secret_free(&out);
	return r == 0 ? SA_OK : SA_FAIL;
}

int
sa_get(struct sa *sa)
{
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	const uint8_t		*val;
	size_t			 len;
	int			 r;

	if ((r = sa_load(sa, &h, &p)) != SA_OK)
		return r;
	if (!isec_find(p.buf, p.len, sa->name, &val, &len)) {
		log_warnx("%s: there is no secret %s", sa->path, sa->name);
		r = SA_FAIL;
	} else if (!sa->unsafe_print)
		(void)printf("%s: [REDACTED %zu bytes]\n", sa->name, len);
	else
		r = print_value(sa, val, len);
	isec_plain_free(&p);
	return r;
}

static int
change_put(struct sa *sa, struct isec_plain *p, void *arg)
{
	struct put	*put = arg;
	const uint8_t	*old;
	const char	*errstr;
	size_t		 len;

	put->replaced = isec_find(p->buf, p->len, put->name, &old, &len);
	if (isec_put(p, put->name, (const uint8_t *)put->value.p,
	    put->value.len, &errstr) == -1) {
		log_warnx("%s: %s", sa->path, errstr);
		return SA_FAIL;
	}
	return SA_OK;
}

int
sa_store(struct sa *sa, const char *name, struct secret *value,
    const struct secret *pass)
{
	struct put		 put = { .name = name };
	struct sa_edit		 e = { .create = true, .change = change_put,
				    .arg = &put };
	struct audit_change	 c = { .name = name };
	int			 r;

	put.value = *value;
	if ((r = sa_edit(sa, &e, pass)) != SA_OK)
		return r;
	c.replaced = put.replaced;
	(void)audit_report(sa->conf, &c, 1);
	return SA_OK;
}

int
sa_pass_store(struct sa *sa, struct secret *pass)
{
	int	 r;

	if (sa_exists(sa)) {
		if ((r = sa_precheck(sa)) != SA_OK)
			return r;
		return sa_pass_open(sa, &sa->pass, NULL,
		    "Secrets file passphrase: ", pass);
	}
	(void)printf("Creating secrets file: %s\n", sa->path);
	return sa_pass_new(sa, &sa->pass, "New secrets file passphrase: ",
	    pass);
}

int
sa_set(struct sa *sa)
{
	struct secret	 pass = { 0 }, value = { 0 };
	char		 prompt[NAME_BUF + 16];
	int		 r;

	if (!secret_name_valid(sa->name, strlen(sa->name))) {
		log_warnx("a name is 1 to 256 bytes of UTF-8 without blanks "
		    "and control characters");
		return SA_FAIL;
	}
	(void)snprintf(prompt, sizeof(prompt), "Value of %s: ", sa->name);
	if ((r = sa_pass_store(sa, &pass)) == SA_OK &&
	    (r = sa_value(sa, prompt, &value)) == SA_OK &&
	    (r = sa_value_check(sa, sa->name, &value)) == SA_OK)
		r = sa_store(sa, sa->name, &value, &pass);
	if (r == SA_OK)
		(void)printf("set secret name=%s\n", sa->name);
	secret_free(&pass);
	secret_free(&value);
	return r;
}

static int
change_del(struct sa *sa, struct isec_plain *p, void *arg)
{
	const char	*errstr;

	(void)arg;
	if (isec_del(p, sa->name, &errstr) == -1) {
		log_warnx("%s: there is no secret %s", sa->path, sa->name);
		return SA_FAIL;
	}
	return SA_OK;
}

int
sa_remove(struct sa *sa)
{
	struct sa_edit		 e = { .change = change_del };
	struct audit_change	 c = { .name = sa->name, .removed = true };
	struct secret		 pass = { 0 };
	int			 r;

	if ((r = sa_precheck(sa)) == SA_OK && (r = sa_pass_open(sa, &sa->pass,
	    NULL, "Secrets file passphrase: ", &pass)) == SA_OK)
		r = sa_edit(sa, &e, &pass);
	secret_free(&pass);
	if (r != SA_OK)
		return r;
	(void)audit_report(sa->conf, &c, 1);
	(void)printf("removed secret name=%s\n", sa->name);
	return SA_OK;
}

int
sa_rotate(struct sa *sa)
{
	struct sa_edit		 e = { .rotate = true };
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	struct secrets_file	 f;
	struct secret		 pass = { 0 };
	int			 r;

	if ((r = sa_read(sa, &f, &h)) != SA_OK)
		return r;
	/* The old one is tried before a new one is asked for. */
	if ((r = sa_pass_open(sa, &sa->oldpass, &sa->pass,
	    "Old secrets file passphrase: ", &pass)) != SA_OK ||
	    (r = sa_decrypt(sa, &f, &pass, &h, &p)) != SA_OK ||
	    (r = sa_pass_new(sa, &sa->newpass,
	    "New secrets file passphrase: ", &e.newpass)) != SA_OK)
		goto out;
	if (pass.len == e.newpass.len &&
	    sodium_memcmp(pass.p, e.newpass.p, pass.len) == 0) {
		log_warnx("the new passphrase is the old one");
		r = SA_FAIL;
		goto out;
	}
	if ((r = sa_edit(sa, &e, &pass)) == SA_OK)
		(void)printf("rotated passphrase secrets_file=%s "
		    "age_before_days=%" PRIu64 "\n", sa->path, e.age_days);
out:
	isec_plain_free(&p);
	secret_free(&pass);
	secret_free(&e.newpass);
	secrets_file_free(&f);
	return r;
}

static void
print_date(const char *what, uint64_t ns)
{
	time_t		 t = (time_t)(ns / 1000000000);
	struct tm	 tm;
	char		 buf[64];

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(buf, sizeof(buf), "%" PRIu64 " ns", ns);
	(void)printf("%s: %s\n", what, buf);
}

/* DESIGN 9, "passphrase age in days". */
static void
warn_age(const struct sa *sa, uint64_t days)
{
	uint64_t	 warn = 0, refuse = 0;

	if (sa->net == KASPA_MAINNET) {
		warn = 60;
		refuse = 90;
	} else if (sa->net == KASPA_TESTNET)
		warn = 90;
	if (sa->conf != NULL && sa->conf->passphrase_rotation_warn_days.set)
		warn = sa->conf->passphrase_rotation_warn_days.v;
	if (sa->conf != NULL && sa->conf->passphrase_rotation_error_days.set)
		refuse = sa->conf->passphrase_rotation_error_days.v;
	if (sa->conf != NULL && !sa->conf->passphrase_rotation_enabled)
		return;
	if (refuse != 0 && days >= refuse)
		log_warning("the passphrase is %" PRIu64 " days old and will "
		    "be refused at unlock (%" PRIu64 " days): "
		    "rotate-passphrase", days, refuse);
	else if (warn != 0 && days >= warn)
		log_warning("the passphrase is %" PRIu64 " days old: "
		    "rotate-passphrase soon", days);
}

/* The header is not secret: nobody is asked for a passphrase. */
int
sa_info(struct sa *sa)
{
	struct secrets_file	 f;
	struct isec_header	 h;
	struct isec_plain	 p = { 0 };
	struct secret		 pass = { 0 };
	int			 r;

	if ((r = sa_read(sa, &f, &h)) != SA_OK)
		return r;
	(void)printf("path: %s\nformat: ISEC version 1\nbytes: %zu\n"
	    "argon2id: m=%u t=%u p=%u\n", sa->path, f.len, h.m, h.t, h.p);
	print_date("created", h.created_ns);
	print_date("passphrase_rotated", h.rotated_ns);
	(void)printf("passphrase_age_days: %" PRIu64 "\n", sa_age_days(&h));
	if (sa_pass_given(sa) && (r = sa_pass_open(sa, &sa->pass, NULL, "",
	    &pass)) == SA_OK && (r = sa_decrypt(sa, &f, &pass, &h, &p)) ==
	    SA_OK)
		(void)printf("secrets: %" PRIu64 "\n",
		    isec_count(p.buf, p.len));
	warn_age(sa, sa_age_days(&h));
	if (sa->net == KASPA_MAINNET && !isec_params_strong(&h))
		log_warning("mainnet refuses a file with less than 64 MiB "
		    "and 3 passes of Argon2");
	isec_plain_free(&p);
	secret_free(&pass);
	secrets_file_free(&f);
	return r;
}
