/*
 * Between the lexer, the grammar and the tree of toml.h; nobody else's.
 */
#ifndef IGRA_TOML_INT_H
#define IGRA_TOML_INT_H

#include "toml.h"

enum toml_tok {
	TOK_EOF,
	TOK_BAD,			/* the lexer has set the error */
	TOK_NEWLINE,
	TOK_KEY,			/* bare or quoted, in key position */
	TOK_SCALAR,			/* a value but for arrays and tables */
	TOK_DOT,
	TOK_EQUALS,
	TOK_COMMA,
	TOK_HEADER_OPEN,		/* [ at the start of a line */
	TOK_HEADER_CLOSE,
	TOK_ARRAYS_OPEN,		/* [[ at the start of a line */
	TOK_ARRAYS_CLOSE,
	TOK_ARRAY_OPEN,
	TOK_ARRAY_CLOSE,
	TOK_INLINE_OPEN,
	TOK_INLINE_CLOSE
};

struct toml_key {			/* one part of a dotted key */
	struct toml_key		*next;
	struct toml_str		 name;
	unsigned		 line;
};

struct toml_path {
	struct toml_key		*first, *last;
	unsigned		 n;
};

/* What a token carries. */
struct toml_lexeme {
	unsigned		 line;
	struct toml_key		*key;
	struct toml_value	*value;
};

/* Where the lexer is: bare words are keys in some places, values in others. */
enum toml_mode { MODE_KEY, MODE_HEADER, MODE_VALUE, MODE_AFTER };

struct toml_parser {
	struct toml		*doc;
	const char		*path;
	char			*err;
	size_t			 errlen;
	bool			 failed;

	/* Lexer. */
	const char		*text, *p, *end;
	unsigned		 line;
	enum toml_mode		 mode;
	bool			 line_start;
	bool			 header_double;
	char			 nest[TOML_MAX_DEPTH];	/* '[' or '{' */
	unsigned		 depth;
	enum toml_tok		 tok, prev;		/* for messages */
	unsigned		 tok_line;

	/* Tables that keys go to: [0] the section, then inline tables. */
	struct toml_table	*tables[TOML_MAX_DEPTH + 1];
	unsigned		 ntables;
	struct toml_array	*arrays[TOML_MAX_DEPTH];
	unsigned		 narrays;
};

/* toml_tree.c; all return NULL or -1 once the error is set. */
int	 toml_error(struct toml_parser *, unsigned line, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
void	*toml_alloc(struct toml_parser *, size_t);
struct toml_value *toml_new(struct toml_parser *, enum toml_type, unsigned line);
/* A key for messages: printable, cut short.  buf: TOML_KEYBUF bytes. */
#define TOML_KEYBUF	72
const char *toml_keyname(const struct toml_str *, char *buf);

/* toml_build.c: the rules of what may be defined where. */
int	 toml_path_add(struct toml_parser *, struct toml_path *, struct toml_key *);
int	 toml_open_section(struct toml_parser *, const struct toml_path *);
int	 toml_open_element(struct toml_parser *, const struct toml_path *);
int	 toml_assign(struct toml_parser *, const struct toml_path *,
	    struct toml_value *);
struct toml_value *toml_inline_begin(struct toml_parser *, unsigned line);
struct toml_value *toml_array_begin(struct toml_parser *, unsigned line);
int	 toml_array_add(struct toml_parser *, struct toml_value *);
struct toml_entry *toml_lookup(const struct toml_table *,
	    const struct toml_str *);
void	 toml_table_init(struct toml_table *, enum toml_origin, unsigned depth);

/* toml_lex.c */
enum toml_tok toml_lex(struct toml_parser *, struct toml_lexeme *);
/* toml_text.c: quoted strings; p stands on the first quote. */
int	 toml_lex_string(struct toml_parser *, bool multiline_ok,
	    struct toml_str *);
/* toml_num.c: everything that is not quoted; -1 with the error set. */
int	 toml_lex_bare(struct toml_parser *, struct toml_value *);
/* Kind of date or time that exactly fills the text, or -1 with *why set. */
int	 toml_date(const char *, size_t, enum toml_type *, const char **why);

/* toml.y */
int	 toml_yyparse(struct toml_parser *);

#endif
