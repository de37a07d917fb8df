/*
 * What the fuzz targets share.  A target is one file, fuzz_NAME.c, whose
 * LLVMFuzzerTestOneInput reads one input and aborts when an invariant does not
 * hold.  Linked with clang's libFuzzer it is a fuzzer; linked with replay.c
 * it runs the inputs that it is given (corpus/NAME), in every build.
 */
#ifndef IGRA_FUZZ_H
#define IGRA_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* data is a block of exactly size bytes, so that a read past it is seen. */
int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must be there whatever the build. */
#define CHECK(cond) do {						\
	if (!(cond)) {							\
		(void)fprintf(stderr, "%s:%d: does not hold: %s\n",	\
		    __FILE__, __LINE__, #cond);				\
		abort();						\
	}								\
} while (0)

/*
 * A second opinion on JSON, by hand from RFC 8259: one value, UTF-8, no lone
 * surrogates, nothing before or after but white space.  It does not look at
 * members that are there twice.  Nesting deeper than 256 is refused.
 */
bool	json_strict(const void *, size_t);

#endif
