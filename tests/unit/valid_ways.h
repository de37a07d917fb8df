/* Ways to spoil what is not in the config: for valid_rows.c alone. */
#ifndef IGRA_VALID_WAYS_H
#define IGRA_VALID_WAYS_H

#include <sys/resource.h>
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "valid.h"

#define SECRET	VALID_SECRET

static void
env_secret(struct valid *f)
{
	(void)f;
	setenv("IGRA_SECRET__igra_signer__private_key_signer_01", SECRET, 1);
}

static void
env_empty(struct valid *f)
{
	(void)f;
	setenv("IGRA_SECRET__", "", 1);
}

static void
env_wallet(struct valid *f)
{
	(void)f;
	setenv("KASPA_IGRA_WALLET_SECRET", SECRET, 1);
}

static void
env_other(struct valid *f)
{
	(void)f;
	setenv("IGRA_SECRET_x", SECRET, 1);
	setenv("XIGRA_SECRET__x", SECRET, 1);
	setenv("KASPA_IGRA_WALLET_SECRET2", SECRET, 1);
	setenv("KASPA_IGRA_WALLET", SECRET, 1);
	setenv("IGRA_SECRETS_PASSPHRASE_FILE", SECRET, 1);
}

static void
env_pass(struct valid *f)
{
	(void)f;
	setenv("IGRA_SECRETS_PASSPHRASE", SECRET, 1);
}

static void
open_error(struct valid *f)
{
	f->v.open_error = "wrong passphrase or damaged file";
}

static void
two_phrases(struct valid *f)
{
	f->v.secrets.two_phrases = true;
}

static void
pay_none(struct valid *f)
{
	f->v.secrets.payment_there = false;
	f->v.secrets.payment_chars = 0;
}

static void
pay_empty(struct valid *f)
{
	f->v.secrets.payment_chars = 0;
}

static void
pay_11(struct valid *f)
{
	f->v.secrets.payment_chars = 11;
}

static void
pay_binary(struct valid *f)
{
	f->v.secrets.payment_utf8 = false;
	f->v.secrets.payment_chars = 0;
}

static void
pay_raw(struct valid *f)
{
	pay_none(f);
	f->v.secrets.phrase = false;
}

static void
facts_unknown(struct valid *f)
{
	memset(&f->v.secrets, 0, sizeof(f->v.secrets));
	f->v.unchecked = "--offline";
}

static void
no_phrase(struct valid *f)
{
	f->v.secrets.phrase = false;
}

static void
xpub_listed(struct valid *f)
{
	f->v.secrets.has_account = f->v.secrets.xpub_listed = true;
}

static void
xpub_missing(struct valid *f)
{
	f->v.secrets.has_account = true;
}

static void
own_error(struct valid *f)
{
	f->v.own_error = "service.hd.xpubs has a key twice";
}

static void
judge(struct valid *f, const char *pass)
{
	f->v.secrets.pass = passphrase_check(f->v.network, pass, strlen(pass),
	    NULL, f->v.secrets.pass_msg, sizeof(f->v.secrets.pass_msg));
	f->v.secrets.wallet = f->v.secrets.pass;
	memcpy(f->v.secrets.wallet_msg, f->v.secrets.pass_msg,
	    sizeof(f->v.secrets.wallet_msg));
}

static void
pass_short(struct valid *f)
{
	judge(f, "password123");
}

static void
pass_common(struct valid *f)
{
	judge(f, "passwordpassword");
}

static void
pass_strong(struct valid *f)
{
	judge(f, "CorrectHorseBatteryStaple2024!");
}

static void	age(struct valid *f, uint64_t n) { f->v.age_days = n; }
static void	age_10(struct valid *f) { age(f, 10); }
static void	age_20(struct valid *f) { age(f, 20); }
static void	age_59(struct valid *f) { age(f, 59); }
static void	age_60(struct valid *f) { age(f, 60); }
static void	age_89(struct valid *f) { age(f, 89); }
static void	age_90(struct valid *f) { age(f, 90); }
static void	age_max(struct valid *f) { age(f, UINT64_MAX); }
static void	age_unknown(struct valid *f) { f->v.age_known = false; }

static void	pub_2(struct valid *f) { valid_pub(1, f->v.secrets.pub); }
static void	pub_4(struct valid *f) { valid_pub(3, f->v.secrets.pub); }

static void
spoil(const char *path, mode_t mode)
{
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void	conf_0640(struct valid *f) { spoil(f->conf_path, 0640); }
static void	conf_0604(struct valid *f) { spoil(f->conf_path, 0604); }
static void	conf_0400(struct valid *f) { spoil(f->conf_path, 0400); }

/* A service manager's copy, which root or the user has, and a group may. */
static void
credential_0440(struct valid *f)
{
	f->v.credential = true;
	spoil(f->conf_path, 0440);
}

static void
credential_0444(struct valid *f)
{
	f->v.credential = true;
	spoil(f->conf_path, 0444);
}

static void	secrets_0660(struct valid *f) { spoil(f->secrets, 0660); }
static void	secrets_4600(struct valid *f) { spoil(f->secrets, 04600); }
static void	secrets_0400(struct valid *f) { spoil(f->secrets, 0400); }
static void	log_0644(struct valid *f) { spoil(f->log, 0644); }
static void	data_0750(struct valid *f) { spoil(f->data, 0750); }
static void	log_dir_0755(struct valid *f) { spoil(f->log_dir, 0755); }
static void	keyd_0702(struct valid *f) { spoil(f->keyd, 0702); }
static void	data_0500(struct valid *f) { spoil(f->data, 0500); }

static void
no_secrets(struct valid *f)
{
	ck_assert_int_eq(unlink(f->secrets), 0);
}

static void
link_secrets(struct valid *f)
{
	no_secrets(f);
	ck_assert_int_eq(symlink(f->log, f->secrets), 0);
}

static void	log_gone(struct valid *f) { ck_assert_int_eq(unlink(f->log), 0); }

static void
log_dir_gone(struct valid *f)
{
	log_gone(f);
	ck_assert_int_eq(rmdir(f->log_dir), 0);
}

static void
log_link(struct valid *f)
{
	log_gone(f);
	ck_assert_int_eq(symlink(f->conf_path, f->log), 0);
}

static void
keyd_gone(struct valid *f)
{
	ck_assert_int_eq(rmdir(f->keyd), 0);
}

static void
keyd_file(struct valid *f)
{
	int	 fd;

	keyd_gone(f);
	ck_assert_int_ne(fd = open(f->keyd, O_CREAT | O_WRONLY, 0600), -1);
	close(fd);
}

/* Only root can give files away; without it these rows are not run. */
static void
give(struct valid *f, const char *path)
{
	f->skip = geteuid() != 0;
	ck_assert(f->skip || chown(path, 64009, 64009) == 0);
}

static void	conf_given(struct valid *f) { give(f, f->conf_path); }
static void	secrets_given(struct valid *f) { give(f, f->secrets); }
static void	log_given(struct valid *f) { give(f, f->log); }
static void	data_given(struct valid *f) { give(f, f->data); }
static void	log_dir_given(struct valid *f) { give(f, f->log_dir); }

static void	debug(struct valid *f) { f->v.debug = true; }
static void	root_user(struct valid *f) { f->v.uid[1] = 0; }
static void	one_role(struct valid *f) { f->v.separated = false; }
static void	cores(struct valid *f) { f->v.core_dumps = true; }
static void	unlocked(struct valid *f) { f->v.memory_locked = false; }
static void	no_sandbox(struct valid *f) { f->v.sandboxed = false; }

static void
no_users(struct valid *f)
{
	f->v.users_known = false;
	f->v.users_error = "no user _igra_keyd";
}

static void
no_users_elsewhere(struct valid *f)
{
	f->v.users_known = false;
	f->v.elsewhere = true;
	f->v.users_error = "no user _igra_keyd";
}

static void
no_arena(struct valid *f)
{
	f->v.has_arena = f->v.memory_locked = false;
}

static void
files(rlim_t soft, rlim_t hard)
{
	struct rlimit	 rl = { soft, hard };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
}

static void	files_4095(struct valid *f) { (void)f; files(4095, 4095); }
static void	files_4096(struct valid *f) { (void)f; files(4096, 4096); }
static void	files_soft(struct valid *f) { (void)f; files(64, 4096); }

#endif
