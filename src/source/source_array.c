/*-------------------------------------------------------------------------
 *
 * source_array.c
 *	  The elements of a JSON array as NDJSON, one line an element.
 *
 *	[ 1, [2,	-->	1
 *	   ","] ]		[2,    ","]
 *
 * Each byte of the text becomes one byte at most, so what is read at once has
 * room where it is to go.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "source/source_array.h"

typedef enum ArrayPlace
{
	BEFORE_ARRAY,
	BEFORE_FIRST,
	BEFORE_ELEMENT,				/* behind a comma */
	IN_ELEMENT,
	BEHIND_ARRAY
} ArrayPlace;

typedef struct ArrayState
{
	IntakeSource *text;
	const char *hint;			/* for who sends what is no array */
	ArrayPlace	place;

	/* in an element */
	uint64		depth;			/* of brackets and braces */
	bool		is_string;
	bool		is_escaped;		/* the byte before was a backslash */
} ArrayState;

static void
report_syntax(const ArrayState *state, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("the payload is not a JSON array"),
			 errdetail_internal("%s", detail),
			 errhint("%s", state->hint)));
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte that stands for one in a string. */
static char
take_string_byte(ArrayState *state, char c)
{
	if (c == '\n')
		report_syntax(state, "A string has a line end in it.");
	if (!state->is_escaped && c == '"')
		state->is_string = false;
	state->is_escaped = !state->is_escaped && c == '\\';
	return c;
}

/* The byte that stands for one in an element, or for the one that ends it. */
static char
take_element_byte(ArrayState *state, char c)
{
	if (state->is_string)
		return take_string_byte(state, c);
	if (c == '"')
		state->is_string = true;
	else if (c == '[' || c == '{')
		state->depth++;
	else if (state->depth > 0)
		state->depth -= (c == ']' || c == '}');
	else if (c == ',' || c == ']')
	{
		state->place = c == ',' ? BEFORE_ELEMENT : BEHIND_ARRAY;
		return '\n';
	}
	return is_blank(c) ? ' ' : c;
}

/* Takes a byte; returns the one that stands for it, or 0 for none. */
static char
take_byte(ArrayState *state, char c)
{
	if (c == '\0')
		report_syntax(state, "There is a zero byte in it.");
	if (state->place == IN_ELEMENT)
		return take_element_byte(state, c);
	if (is_blank(c))
		return '\0';
	switch (state->place)
	{
		case BEFORE_ARRAY:
			if (c != '[')
				report_syntax(state, "It must begin with \"[\".");
			state->place = BEFORE_FIRST;
			return '\0';
		case BEHIND_ARRAY:
			report_syntax(state, "There is more behind its end.");
			break;
		case BEFORE_FIRST:
			if (c == ']')
			{
				state->place = BEHIND_ARRAY;
				return '\0';
			}
			break;
		default:
			break;
	}
	if (c == ',' || c == ']')
		report_syntax(state, "There is a comma without an element.");
	state->place = IN_ELEMENT;
	return take_element_byte(state, c);
}

/* Brings more of the text; false at its end, which must be the array's. */
static bool
fill_text(ArrayState *state, IntakeSource *source)
{
	IntakeSource *text = state->text;

	/* who waits for the client is the text's source, not this one */
	text->hold = source->hold;
	if (intake_source_fill(text))
		return true;
	source->is_cut = text->is_cut;
	source->cut_reason = text->cut_reason;
	if (!text->is_cut && state->place != BEHIND_ARRAY)
		report_syntax(state, "It ends before its \"]\".");
	return false;
}

static size_t
read_array(IntakeSource *source, char *out, size_t len)
{
	ArrayState *state = source->state;
	IntakeSource *text = state->text;
	size_t		n = 0;

	while (n == 0)
	{
		if (text->cursor == text->limit && !fill_text(state, source))
			break;
		while (n < len && text->cursor < text->limit)
		{
			char		c = take_byte(state, *text->cursor++);

			if (c != '\0')
				out[n++] = c;
		}
	}
	return n;
}

static const IntakeSourceRoutine array_routine = {"array", read_array};

IntakeSource *
intake_source_open_array(IntakeSource *text, const char *hint)
{
	ArrayState *state = palloc0(sizeof(ArrayState));
	IntakeSource *source;

	state->text = text;
	state->hint = hint;
	source = intake_source_open(&array_routine, state, PG_UTF8);
	source->has_lines = false;
	source->kind = text->kind;
	source->total = text->total;
	return source;
}
