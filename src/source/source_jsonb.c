/*-------------------------------------------------------------------------
 *
 * source_jsonb.c
 *	  The elements of a jsonb array as NDJSON, one line an element.
 *
 * One line at a time is rendered, so the text of the whole value never
 * exists.  Count and digest are those of the rendered lines: equal jsonb
 * values have equal digests, however they were written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "source/source.h"

typedef struct JsonbState
{
	JsonbIterator *iterator;
	StringInfoData line;		/* rendered, of which */
	int			sent;			/* so many bytes have been read */
	bool		is_done;
} JsonbState;

/* Renders the next element into line; false at the end of the array. */
static bool
render_element(JsonbState *state)
{
	JsonbValue	value;
	JsonbIteratorToken token;

	if (state->is_done)
		return false;
	token = JsonbIteratorNext(&state->iterator, &value, true);
	if (token != WJB_ELEM)
	{
		state->is_done = true;
		return false;
	}
	resetStringInfo(&state->line);
	state->sent = 0;
	if (value.type == jbvBinary)
		JsonbToCString(&state->line, value.val.binary.data,
					   value.val.binary.len);
	else
	{
		Jsonb	   *scalar = JsonbValueToJsonb(&value);

		JsonbToCString(&state->line, &scalar->root, VARSIZE(scalar));
		pfree(scalar);
	}
	appendStringInfoChar(&state->line, '\n');
	return true;
}

static size_t
read_jsonb(IntakeSource *source, char *out, size_t len)
{
	JsonbState *state = source->state;
	size_t		n;

	if (state->sent == state->line.len && !render_element(state))
		return 0;
	n = Min(len, (size_t) (state->line.len - state->sent));
	memcpy(out, state->line.data + state->sent, n);
	state->sent += n;
	return n;
}

static const IntakeSourceRoutine jsonb_routine = {"jsonb", read_jsonb};

IntakeSource *
intake_source_open_jsonb(Jsonb *array)
{
	JsonbState *state = palloc0(sizeof(JsonbState));
	IntakeSource *source;
	JsonbValue	value;

	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("jsonb payload must be an array of rows or objects")));
	state->iterator = JsonbIteratorInit(&array->root);
	(void) JsonbIteratorNext(&state->iterator, &value, false);
	initStringInfo(&state->line);
	source = intake_source_open(&jsonb_routine, state, GetDatabaseEncoding());
	source->has_lines = false;
	return source;
}
