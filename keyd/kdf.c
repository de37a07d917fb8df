#include <sys/mman.h>

#include <errno.h>
#include <string.h>

#include <argon2.h>
#include <sodium.h>

#include "curve.h"
#include "kdf.h"

static int	kdf_map(uint8_t **, size_t);
static void	kdf_unmap(uint8_t *, size_t);

int
kdf_check(uint32_t m, uint32_t t, uint32_t p, const char **errstr)
{
	if (p < 1)
		*errstr = "Argon2 parallelism is 0";
	else if (p > KDF_MAX_LANES)
		*errstr = "Argon2 parallelism is above 16";
	else if (t < 1)
		*errstr = "Argon2 time cost is 0";
	else if (t > KDF_MAX_TIME)
		*errstr = "Argon2 time cost is above 16";
	else if (m > KDF_MAX_MEMORY)
		*errstr = "Argon2 memory is above 1 GiB";
	else if (m < 8 * p)
		*errstr = "Argon2 memory is below 8 KiB per lane";
	else
		return 0;
	return -1;
}

/*
 * The lanes hold what the password can be tested against: not in a core file,
 * not in a child, and locked where the limit allows it.  libargon2 wipes them
 * before it frees, and unmapped pages are zeroed before anyone sees them.
 */
static int
kdf_map(uint8_t **mem, size_t len)
{
	void	*p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
	    -1, 0);
	if (p == MAP_FAILED) {
		*mem = NULL;
		return ARGON2_MEMORY_ALLOCATION_ERROR;
	}
#ifdef MADV_DONTDUMP
	(void)madvise(p, len, MADV_DONTDUMP);
#endif
#ifdef MADV_DONTFORK
	(void)madvise(p, len, MADV_DONTFORK);
#endif
	(void)mlock(p, len);
	*mem = p;
	return ARGON2_OK;
}

static void
kdf_unmap(uint8_t *mem, size_t len)
{
	if (mem != NULL)
		(void)munmap(mem, len);
}

int
kdf_argon2id(const uint8_t *pass, size_t passlen, const uint8_t *salt,
    size_t saltlen, uint32_t m, uint32_t t, uint32_t p, uint8_t out[32],
    const char **errstr)
{
	argon2_context	 c;
	int		 r;

	memset(out, 0, 32);
	if (kdf_check(m, t, p, errstr) == -1)
		return -1;
	if (passlen > UINT32_MAX || saltlen > UINT32_MAX) {
		*errstr = "passphrase is too long";
		return -1;
	}
	memset(&c, 0, sizeof(c));
	c.out = out;
	c.outlen = 32;
	/* The library writes to neither unless a flag asks for it. */
	c.pwd = (uint8_t *)(uintptr_t)pass;
	c.pwdlen = (uint32_t)passlen;
	c.salt = (uint8_t *)(uintptr_t)salt;
	c.saltlen = (uint32_t)saltlen;
	c.m_cost = m;
	c.t_cost = t;
	c.lanes = p;
	c.threads = 1;
	c.version = ARGON2_VERSION_13;
	c.allocate_cbk = kdf_map;
	c.free_cbk = kdf_unmap;
	c.flags = ARGON2_DEFAULT_FLAGS;
	r = argon2id_ctx(&c);
	stack_scrub();
	if (r == ARGON2_OK)
		return 0;
	sodium_memzero(out, 32);
	*errstr = r == ARGON2_MEMORY_ALLOCATION_ERROR ?
	    "not enough memory for Argon2" : argon2_error_message(r);
	return -1;
}
