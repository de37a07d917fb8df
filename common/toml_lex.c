/*
 * Tokens of TOML.  The same characters are a key on the left of '=' and a
 * number or date on its right, newlines end a line but not within arrays:
 * the lexer keeps the place (mode) and the open brackets (nest) itself, so
 * that it never depends on how far the parser has looked ahead.
 */
#include <ctype.h>
#include <string.h>

#include "toml_int.h"

static enum toml_tok	 next_token(struct toml_parser *, struct toml_lexeme *);
static enum toml_tok	 punctuation(struct toml_parser *, char);
static enum toml_tok	 open_bracket(struct toml_parser *);
static enum toml_tok	 close_bracket(struct toml_parser *, char);
static enum toml_tok	 newline(struct toml_parser *);
static enum toml_tok	 lex_key(struct toml_parser *, struct toml_lexeme *);
static enum toml_tok	 lex_value(struct toml_parser *, struct toml_lexeme *);
static int		 push(struct toml_parser *, char);
static char		 nesting(const struct toml_parser *);
static void		 skip_blanks(struct toml_parser *);
static bool		 is_bare_key(char);

static char
nesting(const struct toml_parser *ps)
{
	return ps->depth == 0 ? '\0' : ps->nest[ps->depth - 1];
}

static int
push(struct toml_parser *ps, char bracket)
{
	if (ps->depth == TOML_MAX_DEPTH)
		return toml_error(ps, ps->line, "brackets nest deeper than %d "
		    "levels", TOML_MAX_DEPTH);
	ps->nest[ps->depth++] = bracket;
	return 0;
}

static bool
is_bare_key(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_' || ch == '-';
}

/* Spaces, tabs, comments; within an array the ends of lines as well. */
static void
skip_blanks(struct toml_parser *ps)
{
	for (; ps->p < ps->end; ps->p++) {
		if (*ps->p == '#') {
			while (ps->p < ps->end && *ps->p != '\n' &&
			    *ps->p != '\r')
				ps->p++;
			if (ps->p == ps->end)
				return;
		}
		if (*ps->p == ' ' || *ps->p == '\t')
			continue;
		if (nesting(ps) != '[' || (*ps->p != '\n' && *ps->p != '\r'))
			return;
		if (*ps->p == '\n')
			ps->line++;
	}
}

static enum toml_tok
newline(struct toml_parser *ps)
{
	if (nesting(ps) == '{') {
		toml_error(ps, ps->line, "an inline table must end with '}' on "
		    "the line where it begins");
		return TOK_BAD;
	}
	if (*ps->p == '\r')		/* LF follows, toml_tree.c has looked */
		ps->p++;
	ps->p++;
	ps->line++;
	if (ps->mode != MODE_HEADER)	/* else an error, which says so */
		ps->mode = MODE_KEY;
	ps->line_start = true;
	return TOK_NEWLINE;
}

static enum toml_tok
open_bracket(struct toml_parser *ps)
{
	ps->p++;
	if (ps->line_start) {
		ps->mode = MODE_HEADER;
		ps->header_double = ps->p < ps->end && *ps->p == '[';
		if (!ps->header_double)
			return TOK_HEADER_OPEN;
		ps->p++;
		return TOK_ARRAYS_OPEN;
	}
	if (ps->mode == MODE_VALUE && push(ps, '[') == -1)
		return TOK_BAD;
	return TOK_ARRAY_OPEN;
}

static enum toml_tok
close_bracket(struct toml_parser *ps, char opened)
{
	ps->p++;
	if (opened == '[' && ps->mode == MODE_HEADER) {
		ps->mode = MODE_AFTER;
		if (!ps->header_double)
			return TOK_HEADER_CLOSE;
		if (ps->p == ps->end || *ps->p != ']') {
			toml_error(ps, ps->line, "close '[[' with ']]'");
			return TOK_BAD;
		}
		ps->p++;
		return TOK_ARRAYS_CLOSE;
	}
	if (nesting(ps) == opened) {
		ps->depth--;
		ps->mode = MODE_AFTER;
	}
	return opened == '[' ? TOK_ARRAY_CLOSE : TOK_INLINE_CLOSE;
}

/* A token of one or two characters; TOK_KEY when it is none. */
static enum toml_tok
punctuation(struct toml_parser *ps, char ch)
{
	switch (ch) {
	case '\n':
	case '\r':
		return newline(ps);
	case '[':
		return open_bracket(ps);
	case ']':
		return close_bracket(ps, '[');
	case '{':
		ps->p++;
		if (ps->mode == MODE_VALUE && push(ps, '{') == -1)
			return TOK_BAD;
		ps->mode = MODE_KEY;
		return TOK_INLINE_OPEN;
	case '}':
		return close_bracket(ps, '{');
	case ',':
		ps->p++;
		if (nesting(ps) != '\0')
			ps->mode = nesting(ps) == '[' ? MODE_VALUE : MODE_KEY;
		return TOK_COMMA;
	case '=':
		ps->p++;
		ps->mode = MODE_VALUE;
		return TOK_EQUALS;
	case '.':
		if (ps->mode == MODE_VALUE)	/* a number begun wrong */
			break;
		ps->p++;
		return TOK_DOT;
	}
	return TOK_KEY;
}

static enum toml_tok
lex_key(struct toml_parser *ps, struct toml_lexeme *lex)
{
	struct toml_key	*key;
	const char	*start = ps->p;

	if (++ps->doc->nvalues > TOML_MAX_VALUES) {
		toml_error(ps, ps->line, "more than %d values and keys: no "
		    "config needs that many", TOML_MAX_VALUES);
		return TOK_BAD;
	}
	if ((key = toml_alloc(ps, sizeof(*key))) == NULL)
		return TOK_BAD;
	key->line = ps->line;
	if (*ps->p == '"' || *ps->p == '\'') {
		if (toml_lex_string(ps, false, &key->name) == -1)
			return TOK_BAD;
	} else {
		char	*copy;

		while (ps->p < ps->end && is_bare_key(*ps->p))
			ps->p++;
		if (ps->p == start) {
			toml_error(ps, ps->line, "a key is made of letters, "
			    "digits, '_' and '-': put others in quotes");
			return TOK_BAD;
		}
		key->name.len = (size_t)(ps->p - start);
		if ((copy = toml_alloc(ps, key->name.len + 1)) == NULL)
			return TOK_BAD;
		memcpy(copy, start, key->name.len);
		key->name.s = copy;
	}
	lex->key = key;
	return TOK_KEY;
}

static enum toml_tok
lex_value(struct toml_parser *ps, struct toml_lexeme *lex)
{
	struct toml_value	*v;
	const char		*start = ps->p;
	unsigned		 line = ps->line;

	ps->mode = MODE_AFTER;
	if ((v = toml_new(ps, TOML_STRING, line)) == NULL)
		return TOK_BAD;
	if (*ps->p == '"' || *ps->p == '\'') {
		if (toml_lex_string(ps, true, &v->u.str) == -1)
			return TOK_BAD;
	} else if (toml_lex_bare(ps, v) == -1)
		return TOK_BAD;
	v->start = (uint32_t)(start - ps->text);
	v->end = (uint32_t)(ps->p - ps->text);
	lex->value = v;
	return TOK_SCALAR;
}

static enum toml_tok
next_token(struct toml_parser *ps, struct toml_lexeme *lex)
{
	enum toml_tok	 tok;

	skip_blanks(ps);
	lex->line = ps->tok_line = ps->line;
	if (ps->p == ps->end)
		return TOK_EOF;
	if ((tok = punctuation(ps, *ps->p)) != TOK_KEY)
		return tok;
	switch (ps->mode) {
	case MODE_KEY:
	case MODE_HEADER:
		return lex_key(ps, lex);
	case MODE_VALUE:
		return lex_value(ps, lex);
	case MODE_AFTER:
		break;
	}
	return TOK_SCALAR;		/* one too many, which the grammar tells */
}

enum toml_tok
toml_lex(struct toml_parser *ps, struct toml_lexeme *lex)
{
	memset(lex, 0, sizeof(*lex));
	ps->prev = ps->tok;
	ps->tok = next_token(ps, lex);
	if (ps->tok != TOK_NEWLINE)
		ps->line_start = false;
	return ps->tok;
}
