/* What the tests of signd/pskt share: a document, and how to read one. */
#ifndef IGRA_PSKT_DOC_H
#define IGRA_PSKT_DOC_H

#include "signd/pskt.h"

#define KEY_A	"0720a8b564d1d025563ea876661e3236c713c50d93e5244ba84b91ec4f9cd2e4"
#define KEY_B	"0cb1b7c079ba61f0eead7a68411634a8d1ee0e479351338a92ea0dcc15f2dfb8"
#define TXID_1	"ab8176564dc757fa907b5681cb92bc7aecbfcd023a3205dd6e6cc0db4b5b07e3"
#define TXID_2	"5bcebc67ec31a4fbf10b597f4e483e17697de1d820d424f4d0cd4cb489f3bba1"
#define SPK_A	"000020" KEY_A "ac"
#define SIG_1	"4fa6e142a43f220a9729b35017c5ba5c9fbd75e1eb1de8d66dbf6e2b2fa9cbe0" \
		"a30ac5a8aa13ff3acd9249ab07ac8de220140f0ed44f8d054b9f0d3cc4642599"
#define DER	"3006020101020101"
#define SOURCE	"{\"keyFingerprint\":\"A1b2c3d4\",\"derivationPath\":" \
		"\"m/45'/111111'/0'/0/0/3\"}"

/* Two inputs and two outputs; odd spacing and order, unknown members. */
extern const char		 pt_base[];
extern const size_t		 pt_base_len;

/* Of the test that runs. */
extern struct pool		 pt_pool;
extern struct pskt_doc		 pt_doc;
extern struct pskt_error	 pt_err;

void	 pt_setup(void);
void	 pt_teardown(void);
/*
 * Reads src into doc from a heap block of its exact size, so that a read past
 * the end is seen; the block lives until the next call.  0, or -1 with e.
 */
int	 pt_parse_ctx(const struct pskt_context *, const char *src, size_t);
int	 pt_parse(const char *src);
void	 pt_unhex(const char *hex, uint8_t *out);
/* "PREFIX<hex>" as a JSON string, malloc'd. */
char	*pt_frame(const char *prefix, const char *src, size_t len);
/* base with the first from replaced by to, malloc'd. */
char	*pt_change(const char *from, const char *to);
/* Seconds that this process has had of the processor. */
double	 pt_now(void);

#endif
