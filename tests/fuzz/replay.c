/* Runs a fuzz target on the files it is given, and on those in directories. */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <string.h>

#include "fuzz.h"

static unsigned	replay(const char *);
static unsigned	replay_dir(const char *);
static void	replay_file(const char *, size_t);

static void
replay_file(const char *path, size_t size)
{
	uint8_t	*data;
	FILE	*f;

	if ((f = fopen(path, "rb")) == NULL)
		err(2, "%s", path);
	/* An empty input is a pointer to no byte, not NULL. */
	if ((data = malloc(size == 0 ? 1 : size)) == NULL)
		err(2, NULL);
	if (fread(data, 1, size, f) != size)
		errx(2, "%s: short read", path);
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static unsigned
replay_dir(const char *path)
{
	struct dirent	*e;
	unsigned	 n = 0;
	char		 sub[4096];
	DIR		*d;

	if ((d = opendir(path)) == NULL)
		err(2, "%s", path);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) >=
		    (int)sizeof(sub))
			errx(2, "%s/%s: path too long", path, e->d_name);
		n += replay(sub);
	}
	(void)closedir(d);
	return n;
}

static unsigned
replay(const char *path)
{
	struct stat	 st;

	if (stat(path, &st) == -1)
		err(2, "%s", path);
	if (S_ISDIR(st.st_mode))
		return replay_dir(path);
	replay_file(path, (size_t)st.st_size);
	return 1;
}

int
main(int argc, char **argv)
{
	unsigned	 n = 0;
	int		 i;

	for (i = 1; i < argc; i++)
		n += replay(argv[i]);
	if (n == 0)
		errx(2, "no input");
	printf("%u\n", n);
	return 0;
}
