#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "coord_file.h"
#include "coord_witness.h"
#include "json.h"
#include "pskt.h"

#define VERSION		1
#define LOCK_TRIES	50		/* of a tenth of a second */

static int	 fail(char *, size_t, const char *, const char *);
static int	 open_checked(const char *, char *, size_t);
static int	 read_file(struct witness *, char *, size_t);
static int	 parse(struct witness *, const char *, size_t, char *, size_t);
static int	 parse_signer(const struct json *, struct witness_head *);
static int	 read_hex(struct bytes, uint8_t [32]);
static int	 write_file(const struct witness *, char *, size_t);
static int	 lock(const char *, char *, size_t);
static int	 merge(struct witness *, const struct witness_head *,
		    enum witness_verdict *, bool *);

static int
fail(char *err, size_t errlen, const char *path, const char *why)
{
	(void)snprintf(err, errlen, "%s: %s", path, why);
	return -1;
}

/* -1 with err empty: there is none. */
static int
open_checked(const char *path, char *err, size_t errlen)
{
	struct stat	 st;
	int		 fd;

	err[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1) {
		if (errno != ENOENT)
			(void)fail(err, errlen, path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == -1)
		(void)fail(err, errlen, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		(void)fail(err, errlen, path, "not a regular file");
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		(void)fail(err, errlen, path, "belongs to another user");
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		(void)fail(err, errlen, path, "others can write it");
	else
		return fd;
	close(fd);
	return -1;
}

static int
read_hex(struct bytes text, uint8_t out[32])
{
	return text.len == 64 ? pskt_unhex(text.p, text.len, out) : -1;
}

static int
parse_signer(const struct json *v, struct witness_head *h)
{
	const struct json	*head = json_get(v, "head");

	if (v->type != JSON_OBJECT || v->n != 2 || head == NULL ||
	    head->type != JSON_STRING || read_hex(v->key, h->key) == -1 ||
	    read_hex(head->text, h->head) == -1 ||
	    json_u64(json_get(v, "seq"), UINT64_MAX, &h->seq) == -1)
		return -1;
	return 0;
}

static int
parse(struct witness *w, const char *text, size_t len, char *err,
    size_t errlen)
{
	struct pool		 pool;
	const struct json	*root, *signers, *v;
	uint64_t		 version;
	char			 why[256];
	int			 rc = -1;

	pool_init(&pool, 0);
	if ((root = json_parse(&pool, text, len, why, sizeof(why))) == NULL) {
		(void)fail(err, errlen, w->path, why);
		goto out;
	}
	signers = json_get(root, "signers");
	if (root->type != JSON_OBJECT || root->n != 2 || json_u64(
	    json_get(root, "version"), UINT64_MAX, &version) == -1 ||
	    version != VERSION || signers == NULL ||
	    signers->type != JSON_OBJECT ||
	    signers->n > WITNESS_MAX_SIGNERS) {
		(void)fail(err, errlen, w->path,
		    "not a witness of version 1");
		goto out;
	}
	w->head = calloc((size_t)signers->n + 1, sizeof(*w->head));
	if (w->head == NULL) {
		(void)fail(err, errlen, w->path, "out of memory");
		goto out;
	}
	for (v = signers->first; v != NULL; v = v->next) {
		if (parse_signer(v, &w->head[w->n]) == -1 ||
		    witness_find(w, w->head[w->n].key) != NULL) {
			(void)snprintf(err, errlen,
			    "%s: signers: entry %u is not valid", w->path,
			    v->index);
			goto out;
		}
		w->n++;
	}
	rc = 0;
out:
	pool_free(&pool);
	return rc;
}

static int
read_file(struct witness *w, char *err, size_t errlen)
{
	char	*text;
	size_t	 len;
	int	 fd, rc;

	free(w->head);
	w->head = NULL;
	w->n = 0;
	if ((fd = open_checked(w->path, err, errlen)) == -1)
		return err[0] == '\0' ? 0 : -1;
	text = file_read_fd(fd, w->path, WITNESS_MAX_FILE, &len, err, errlen);
	close(fd);
	if (text == NULL)
		return -1;
	rc = parse(w, text, len, err, errlen);
	free(text);
	return rc;
}

int
witness_load(struct witness *w, const char *path, char *err, size_t errlen)
{
	memset(w, 0, sizeof(*w));
	if ((w->path = strdup(path)) == NULL)
		return fail(err, errlen, path, "out of memory");
	if (read_file(w, err, errlen) == -1) {
		witness_free(w);
		return -1;
	}
	return 0;
}

void
witness_free(struct witness *w)
{
	free(w->path);
	free(w->head);
	memset(w, 0, sizeof(*w));
}

const struct witness_head *
witness_find(const struct witness *w, const uint8_t key[32])
{
	size_t	 i;

	for (i = 0; i < w->n; i++)
		if (memcmp(w->head[i].key, key, 32) == 0)
			return &w->head[i];
	return NULL;
}

enum witness_verdict
witness_judge(const struct witness_head *known, const struct witness_head *now)
{
	if (known == NULL || now->seq > known->seq)
		return WITNESS_OK;
	if (now->seq < known->seq)
		return WITNESS_BACK;
	return memcmp(known->head, now->head, sizeof(now->head)) == 0 ?
	    WITNESS_OK : WITNESS_OTHER_HEAD;
}

static int
write_file(const struct witness *w, char *err, size_t errlen)
{
	struct json_out	 o;
	char		 key[65];
	const char	*text;
	size_t		 i, len;
	int		 rc;

	if (json_out_init(&o, WITNESS_MAX_FILE) == -1)
		return fail(err, errlen, w->path, "out of memory");
	json_out_begin_object(&o);
	json_put_u64(&o, "version", VERSION);
	json_out_key(&o, "signers");
	json_out_begin_object(&o);
	for (i = 0; i < w->n; i++) {
		pskt_hex(w->head[i].key, 32, key);
		key[64] = '\0';
		json_out_key(&o, key);
		json_out_begin_object(&o);
		json_put_u64(&o, "seq", w->head[i].seq);
		json_put_hex(&o, "head", w->head[i].head, 32);
		json_out_end_object(&o);
	}
	json_out_end_object(&o);
	json_out_end_object(&o);
	if ((text = json_out_text(&o, &len)) == NULL)
		rc = fail(err, errlen, w->path, "out of memory");
	else
		rc = file_replace(w->path, text, len, 0600, err, errlen);
	json_out_free(&o);
	return rc;
}

/* Whoever holds it writes one small file: no need to wait for long. */
static int
lock(const char *path, char *err, size_t errlen)
{
	const struct timespec	 tenth = { 0, 100000000 };
	char			 name[PATH_MAX];
	int			 fd, i, n;

	n = snprintf(name, sizeof(name), "%s.lock", path);
	if (n < 0 || (size_t)n >= sizeof(name))
		return fail(err, errlen, path, strerror(ENAMETOOLONG));
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return fail(err, errlen, name, strerror(errno));
	for (i = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; i++) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || i == LOCK_TRIES) {
			(void)fail(err, errlen, name, strerror(errno));
			close(fd);
			return -1;
		}
		(void)nanosleep(&tenth, NULL);
	}
	return fd;
}

/* -1: no room. */
static int
merge(struct witness *w, const struct witness_head *now,
    enum witness_verdict *verdict, bool *changed)
{
	struct witness_head	*known, *p;

	*changed = false;
	*verdict = WITNESS_OK;
	known = (struct witness_head *)witness_find(w, now->key);
	if (known != NULL) {
		if (now->seq > known->seq) {
			*known = *now;
			*changed = true;
		} else if (now->seq == known->seq)
			*verdict = witness_judge(known, now);
		return 0;
	}
	if (w->n >= WITNESS_MAX_SIGNERS || (p = reallocarray(w->head,
	    w->n + 1, sizeof(*p))) == NULL)
		return -1;
	w->head = p;
	p[w->n++] = *now;
	*changed = true;
	return 0;
}

int
witness_keep(struct witness *w, const struct witness_head *now,
    enum witness_verdict *verdict, char *err, size_t errlen)
{
	bool	 changed;
	int	 fd, rc = -1;

	*verdict = WITNESS_OK;
	if ((fd = lock(w->path, err, errlen)) == -1)
		return -1;
	if (read_file(w, err, errlen) == -1)
		goto out;
	if (merge(w, now, verdict, &changed) == -1) {
		(void)fail(err, errlen, w->path, "no room for another signer");
		goto out;
	}
	rc = changed ? write_file(w, err, errlen) : 0;
out:
	close(fd);
	return rc;
}
