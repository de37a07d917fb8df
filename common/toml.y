/*
 * TOML 1.0.  The lexer knows by itself where keys, values and ends of lines
 * may stand (toml_lex.c); the rules of what may be defined twice are in
 * toml_build.c.
 */
%{
#include <stdlib.h>
#include <string.h>

#include "toml_int.h"

#define yyparse	toml_yyparse
#define yylex	toml_yylex
#define yyerror	toml_yyerror
#define yydebug	toml_yydebug

static void	 yyerror(struct toml_parser *, const char *);
%}

%pure-parser
%parse-param { struct toml_parser *ps }
%lex-param { struct toml_parser *ps }

%union {
	struct toml_lexeme	 lex;
	struct toml_path	 path;
	struct toml_value	*value;
}

%{
static int	 yylex(YYSTYPE *, struct toml_parser *);
%}

%token <lex>	NEWLINE KEY SCALAR DOT EQUALS COMMA BAD
%token <lex>	HEADER_OPEN HEADER_CLOSE ARRAYS_OPEN ARRAYS_CLOSE
%token <lex>	ARRAY_OPEN ARRAY_CLOSE INLINE_OPEN INLINE_CLOSE
%type <path>	path
%type <value>	value array inline

%%

document	: line
		| document NEWLINE line
		;

line		: /* empty */
		| HEADER_OPEN path HEADER_CLOSE {
			if (toml_open_section(ps, &$2) == -1)
				YYABORT;
		}
		| ARRAYS_OPEN path ARRAYS_CLOSE {
			if (toml_open_element(ps, &$2) == -1)
				YYABORT;
		}
		| assignment
		;

assignment	: path EQUALS value {
			if (toml_assign(ps, &$1, $3) == -1)
				YYABORT;
		}
		;

path		: KEY {
			$$.first = $$.last = NULL;
			$$.n = 0;
			if (toml_path_add(ps, &$$, $1.key) == -1)
				YYABORT;
		}
		| path DOT KEY {
			$$ = $1;
			if (toml_path_add(ps, &$$, $3.key) == -1)
				YYABORT;
		}
		;

value		: SCALAR { $$ = $1.value; }
		| array
		| inline
		;

array		: ARRAY_OPEN {
			if (($<value>$ = toml_array_begin(ps, $1.line)) == NULL)
				YYABORT;
		} items ARRAY_CLOSE {
			$$ = $<value>2;
			ps->narrays--;
		}
		;

items		: /* empty */
		| elements
		| elements COMMA
		;

elements	: element
		| elements COMMA element
		;

element		: value {
			if (toml_array_add(ps, $1) == -1)
				YYABORT;
		}
		;

inline		: INLINE_OPEN {
			if (($<value>$ = toml_inline_begin(ps, $1.line)) == NULL)
				YYABORT;
		} members INLINE_CLOSE {
			$$ = $<value>2;
			ps->ntables--;
		}
		;

members		: /* empty */
		| assignments
		;

assignments	: assignment
		| assignments COMMA assignment
		;

%%

static int
yylex(YYSTYPE *lval, struct toml_parser *ps)
{
	static const int	 tokens[] = {
		[TOK_EOF]		= 0,
		[TOK_BAD]		= BAD,
		[TOK_NEWLINE]		= NEWLINE,
		[TOK_KEY]		= KEY,
		[TOK_SCALAR]		= SCALAR,
		[TOK_DOT]		= DOT,
		[TOK_EQUALS]		= EQUALS,
		[TOK_COMMA]		= COMMA,
		[TOK_HEADER_OPEN]	= HEADER_OPEN,
		[TOK_HEADER_CLOSE]	= HEADER_CLOSE,
		[TOK_ARRAYS_OPEN]	= ARRAYS_OPEN,
		[TOK_ARRAYS_CLOSE]	= ARRAYS_CLOSE,
		[TOK_ARRAY_OPEN]	= ARRAY_OPEN,
		[TOK_ARRAY_CLOSE]	= ARRAY_CLOSE,
		[TOK_INLINE_OPEN]	= INLINE_OPEN,
		[TOK_INLINE_CLOSE]	= INLINE_CLOSE
	};

	return tokens[toml_lex(ps, &lval->lex)];
}

/*
 * What was met, for people.  Not the text of a key either: without its '=',
 * a token in quotes looks like one.
 */
static const char *
met(const struct toml_parser *ps)
{
	switch (ps->tok) {
	case TOK_EOF:
		return "end of the file";
	case TOK_BAD:
		return "text";
	case TOK_NEWLINE:
		return "end of the line";
	case TOK_KEY:
		return "key";
	case TOK_SCALAR:
		return "value";
	case TOK_DOT:
		return "'.'";
	case TOK_EQUALS:
		return "'='";
	case TOK_COMMA:
		return "','";
	case TOK_HEADER_OPEN:
	case TOK_ARRAY_OPEN:
		return "'['";
	case TOK_HEADER_CLOSE:
	case TOK_ARRAY_CLOSE:
		return "']'";
	case TOK_ARRAYS_OPEN:
		return "'[['";
	case TOK_ARRAYS_CLOSE:
		return "']]'";
	case TOK_INLINE_OPEN:
		return "'{'";
	case TOK_INLINE_CLOSE:
		return "'}'";
	}
	return "";
}

/* What could have stood there, told from the token before and the nesting. */
static const char *
wanted(const struct toml_parser *ps)
{
	char	 in = ps->depth > 0 ? ps->nest[ps->depth - 1] : '\0';

	switch (ps->prev) {
	case TOK_KEY:
		if (ps->mode == MODE_HEADER)
			return "close the table name with ']'";
		return "write '=' and a value after the key";
	case TOK_EQUALS:
		return "write a value after '='";
	case TOK_DOT:
		return "write a key after '.'";
	case TOK_HEADER_OPEN:
	case TOK_ARRAYS_OPEN:
		return "write the table's name between the brackets";
	case TOK_COMMA:
		if (in == '[')
			return "write one value between two commas";
		return "an inline table takes no comma after its last key: "
		    "remove it";
	case TOK_SCALAR:
	case TOK_ARRAY_CLOSE:
	case TOK_INLINE_CLOSE:
		if (in == '[')
			return "separate values with ',' and close the array "
			    "with ']'";
		if (in == '{')
			return "separate keys with ',' and close the inline "
			    "table with '}' on the same line";
		return "begin a new line after a value";
	case TOK_ARRAY_OPEN:
		return "write a value, or ']' for an empty array";
	case TOK_INLINE_OPEN:
		return "write a key, or '}' for an empty table";
	case TOK_HEADER_CLOSE:
	case TOK_ARRAYS_CLOSE:
		return "begin a new line after the table's name";
	case TOK_EOF:
	case TOK_BAD:
	case TOK_NEWLINE:
		break;
	}
	return "a line is a key = value, a [table] or a # comment";
}

static void
yyerror(struct toml_parser *ps, const char *msg)
{
	if (ps->failed)
		return;
	if (strcmp(msg, "syntax error") != 0)	/* its stack */
		toml_error(ps, ps->tok_line, "%s", msg);
	else
		toml_error(ps, ps->tok_line, "unexpected %s: %s",
		    met(ps), wanted(ps));
}
