/*
 * Writes a secrets file as no tool of ours would: with an old passphrase, or
 * secrets that are refused when they are set.
 *
 * mkisec [-d days] [-p m,t,p] FILE PASSPHRASE-FILE <LINES
 *
 * Each line is a name and, after a blank, the value; a value that begins with
 * "hex:" is so written.  -d is the age of the passphrase.
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keyd/isec.h"

#define DAY_NS	(UINT64_C(86400) * 1000000000)

static void	add(struct isec_plain *, char *);
static void	save(const char *, const uint8_t *, size_t);

static void
add(struct isec_plain *p, char *line)
{
	char		*value;
	const char	*errstr;
	uint8_t		 bin[2048];
	size_t		 len;

	line[strcspn(line, "\n")] = '\0';
	if ((value = strchr(line, ' ')) == NULL)
		errx(1, "%s: no value", line);
	*value++ = '\0';
	if (strncmp(value, "hex:", 4) == 0) {
		value += 4;
		if (sodium_hex2bin(bin, sizeof(bin), value, strlen(value),
		    NULL, &len, NULL) != 0)
			errx(1, "%s: not hex", line);
	} else
		len = strlcpy((char *)bin, value, sizeof(bin));
	if (isec_put(p, line, bin, len, &errstr) == -1)
		errx(1, "%s: %s", line, errstr);
}

static void
save(const char *path, const uint8_t *data, size_t len)
{
	int	 fd;

	(void)unlink(path);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) == -1 ||
	    write(fd, data, len) != (ssize_t)len || close(fd) == -1)
		err(1, "%s", path);
}

int
main(int argc, char **argv)
{
	struct isec_header	 h;
	struct isec_plain	 p;
	unsigned		 m = 8192, t = 1, lanes = 1;
	uint64_t		 days = 0;
	const char		*errstr;
	char			 line[4096], pass[1024];
	uint8_t			*file;
	size_t			 len;
	FILE			*f;
	int			 ch;

	while ((ch = getopt(argc, argv, "d:p:")) != -1)
		if (ch == 'd')
			days = strtoull(optarg, NULL, 10);
		else if (ch != 'p' || sscanf(optarg, "%u,%u,%u", &m, &t,
		    &lanes) != 3)
			errx(2, "usage: mkisec [-d days] [-p m,t,p] file "
			    "passphrase-file");
	if (argc - optind != 2 || sodium_init() == -1)
		errx(2, "usage: mkisec [-d days] [-p m,t,p] file "
		    "passphrase-file");
	if ((f = fopen(argv[optind + 1], "r")) == NULL ||
	    fgets(pass, sizeof(pass), f) == NULL)
		err(1, "%s", argv[optind + 1]);
	fclose(f);
	pass[strcspn(pass, "\n")] = '\0';
	if (isec_plain_init(&p) == -1 ||
	    isec_header_init(&h, m, t, lanes, &errstr) == -1)
		errx(1, "cannot begin a file");
	h.created_ns -= days * DAY_NS;
	h.rotated_ns -= days * DAY_NS;
	while (fgets(line, sizeof(line), stdin) != NULL)
		add(&p, line);
	if (isec_seal_pass(&h, (const uint8_t *)pass, strlen(pass), &p, &file,
	    &len, &errstr) == -1)
		errx(1, "%s", errstr);
	save(argv[optind], file, len);
	free(file);
	isec_plain_free(&p);
	return 0;
}
