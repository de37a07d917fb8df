/* Keeps an encrypted secrets file: secrets-admin(1). */
#include <sys/types.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "curve.h"
#include "log.h"
#include "sa.h"

static void	sa_free(struct sa *);

void
sa_usage(void)
{
	(void)printf(
"usage: secrets-admin [options] command [arguments]\n"
"\n"
"  init [FILE]                            a new secrets file\n"
"  list [FILE [PASSPHRASE]]               names of the secrets\n"
"  get NAME | FILE [PASSPHRASE] NAME      [--unsafe-print]\n"
"                                         [--encoding hex|utf8|base64]\n"
"  set NAME [VALUE]                       [--hex|--base64|--raw] [--stdin|\n"
"  set FILE PASSPHRASE NAME VALUE         --value-file F|--value-fd N]\n"
"  remove NAME | FILE [PASSPHRASE] NAME\n"
"  import-mnemonic --profile P            [--stdin|--phrase PHRASE]\n"
"  encrypt-mnemonic [--profile P]         [--stdin|--phrase PHRASE]\n"
"                                         the config line of a phrase\n"
"  verify-mnemonic --profile P\n"
"  pubkey --profile P                     [--derivation-path PATH]\n"
"                                         [--key-type TYPE]\n"
"  xpub --profile P                       likewise, for service.hd.xpubs\n"
"  rename-profile [FILE] OLD NEW\n"
"  rotate-passphrase                      [--old-passphrase[-file|-fd] X]\n"
"                                         [--new-passphrase[-file|-fd] X]\n"
"  info [FILE]                            header, no passphrase needed\n"
"  check-passphrase [FILE]                [--profile P]\n"
"                                         would each line of standard input\n"
"                                         do as FILE's passphrase?\n"
"\n"
"  --network mainnet|testnet|devnet   which rules apply (default: what\n"
"                                     the config says, else mainnet)\n"
"  --path FILE, --secrets-file FILE   default ./secrets.bin\n"
"  --passphrase-file F                \"-\" is standard input\n"
"  --passphrase-fd N\n"
"  --passphrase P                     not on mainnet\n"
"  --argon2 M,T,P                     init, rotate-passphrase, and set and\n"
"                                     import-mnemonic when they make a file\n"
"  -f FILE, --config FILE             default " SA_CONFIG "\n"
"\n"
"Passphrases and values are asked for without echo when no source is given.\n"
	);
}

static void
sa_free(struct sa *sa)
{
	secret_free(&sa->pass.arg);
	secret_free(&sa->oldpass.arg);
	secret_free(&sa->newpass.arg);
	secret_free(&sa->value.arg);
	secret_free(&sa->env);
	conf_free(sa->conf);
}

int
main(int argc, char **argv)
{
	struct sa	 sa;
	bool		 done;
	int		 r;

	log_init("secrets-admin", 0);
	readpass_init();
	if (sodium_init() == -1)
		fatalx("libsodium cannot be set up");
	memset(&sa, 0, sizeof(sa));
	r = sa_parse(&sa, argc, argv, &done);
	if (r == SA_OK && !done) {
		/* Before the first secret, so that none is on its way. */
		if (curve_init() == -1)
			fatalx("secp256k1 cannot be set up");
		r = sa.cmd->run(&sa);
		curve_free();
	}
	sa_free(&sa);
	if (fflush(stdout) != 0 && r == SA_OK)
		r = SA_FAIL;
	return r;
}
