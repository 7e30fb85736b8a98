/*-------------------------------------------------------------------------
 *
 * request_body.c
 *	  The body of an HTTP request as a payload.
 *
 * The HTTP program has undone chunks and Content-Encoding; what comes in
 * frames is the payload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "worker/json_object.h"
#include "worker/request_body.h"
#include "worker/status.h"

/* Why a body ends before its end, as answers and records of it say. */
#define CLIENT_HAS_GONE "the client has gone before the end of the body"

/* A stream that brings nothing for so long pauses, ms. */
#define PAUSE 50

/* Reads what the program says at the end; the reader's context may be short. */
static void
read_end(IntakeBody *body)
{
	MemoryContext old = MemoryContextSwitchTo(body->context);
	const char *problem = NULL;

	body->is_ended = true;
	body->end = intake_json_object_read(body->frame.payload, body->frame.len,
										&problem);
	MemoryContextSwitchTo(old);
	if (body->end == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("the HTTP program sent a frame that is no JSON object")));
}

/* The body ends before its end: the program says why. */
static void
report_broken(const IntakeBody *body, bool has_gone)
{
	char	   *reason = NULL;
	double		status = 0;
	bool		is_there;

	(void) intake_json_object_text(body->end, "reason", &reason);
	(void) intake_json_object_number(body->end, "status", &status, &is_there);
	if (!is_there || status < 400 || status > 499)
		status = 400;
	ereport(ERROR,
			(errcode(intake_status_code((int) status)),
			 has_gone ?
			 errmsg(CLIENT_HAS_GONE) :
			 errmsg("the body is broken"),
			 reason == NULL || reason[0] == '\0' ? 0 :
			 errdetail_internal("%s", reason)));
}

static void
take_break(IntakeBody *body)
{
	JsonbValue *value;
	bool		has_gone;

	read_end(body);
	value = intake_json_object_member(body->end, "disconnect");
	has_gone = value != NULL && value->type == jbvBool && value->val.boolean;
	if (!has_gone || !body->may_be_cut)
		report_broken(body, has_gone);
	body->is_cut = true;
	body->cut_reason = CLIENT_HAS_GONE;
}

/* Looks for line ends, and for what there is where they are missing. */
static void
look_for_lines(IntakeBody *body)
{
	const char *bytes = body->frame.payload;
	size_t		i;

	body->has_line_end = memchr(bytes, '\n', body->frame.len) != NULL ||
		memchr(bytes, '\r', body->frame.len) != NULL;
	for (i = 0; i < body->frame.len && !body->has_line_end; i++)
	{
		if (bytes[i] == ' ')
			continue;
		if ((bytes[i] == '[' || bytes[i] == '{') &&
			(body->last == ']' || body->last == '}'))
			body->has_joint = true;
		body->last = bytes[i];
	}
}

static void
note_first(IntakeBody *body)
{
	size_t		i;

	for (i = 0; i < body->frame.len; i++)
	{
		if (body->received + i >= sizeof(body->first))
			break;
		body->first[body->received + i] = body->frame.payload[i];
	}
}

/*
 * Lets go of what a slow client must not make last: the target, and, as COPY
 * does (source_copy.c), the snapshot.  That one was made at the level of the
 * body; where somebody else's is on top, there is nobody who waits.
 */
static bool
let_go(IntakeBody *body)
{
	if (body->source != NULL)
		intake_source_begin_wait(body->source);
	if (IsolationUsesXactSnapshot() || !ActiveSnapshotSet() ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return false;
	PopActiveSnapshot();
	InvalidateCatalogSnapshotConditionally();
	return true;
}

static void
take_again(IntakeBody *body, bool has_no_snapshot)
{
	if (body->source != NULL)
		intake_source_end_wait(body->source);
	if (has_no_snapshot)
		PushActiveSnapshotWithLevel(GetTransactionSnapshot(), body->level);
}

/* Waits for the next frame; says so to who wants to know of pauses. */
static IntakeLinkEvent
wait_for_frame(IntakeBody *body)
{
	IntakeLinkEvent event = INTAKE_LINK_NOTHING;
	bool		has_no_snapshot = let_go(body);
	instr_time	begun;
	instr_time	ended;

	INSTR_TIME_SET_CURRENT(begun);
	if (body->on_pause != NULL)
	{
		event = intake_link_receive(body->link, &body->frame, PAUSE, false);
		if (event == INTAKE_LINK_NOTHING)
			body->on_pause(body->argument);
	}
	if (event == INTAKE_LINK_NOTHING)
		event = intake_link_receive(body->link, &body->frame, -1, false);
	INSTR_TIME_SET_CURRENT(ended);
	INSTR_TIME_ACCUM_DIFF(body->waited, ended, begun);
	take_again(body, has_no_snapshot);
	return event;
}

static void
receive_frame(IntakeBody *body)
{
	IntakeLinkEvent event;

	event = intake_link_receive(body->link, &body->frame, 0, false);
	if (event == INTAKE_LINK_NOTHING)
		event = wait_for_frame(body);
	if (event != INTAKE_LINK_FRAME)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the HTTP program has gone")));
}

/* Takes the next frame; the body is over when it says so. */
static void
next_frame(IntakeBody *body)
{
	body->used = body->frame.len = 0;
	receive_frame(body);
	switch (body->frame.type)
	{
		case INTAKE_FRAME_BODY_DATA:
			intake_request_digest_update(body->digest, body->frame.payload,
										 body->frame.len);
			note_first(body);
			body->received += body->frame.len;
			if (!body->has_line_end)
				look_for_lines(body);
			break;
		case INTAKE_FRAME_BODY_END:
			read_end(body);
			break;
		case INTAKE_FRAME_BODY_BROKEN:
			take_break(body);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("the HTTP program sent a frame that does not belong into a body")));
	}
}

static size_t
read_body(IntakeBody *body, char *out, size_t len)
{
	size_t		n;

	while (!body->is_ended && body->used == body->frame.len)
		next_frame(body);
	if (body->is_ended)
		return 0;
	n = Min(len, body->frame.len - body->used);
	memcpy(out, body->frame.payload + body->used, n);
	body->used += n;
	return n;
}

static size_t
read_source(IntakeSource *source, char *out, size_t len)
{
	IntakeBody *body = source->state;
	size_t		n = read_body(body, out, len);

	source->is_cut = body->is_cut;
	source->cut_reason = body->cut_reason;
	return n;
}

static const IntakeSourceRoutine body_routine = {"request", read_source};

/*
 * A part of a file (curl -C sends one) must not be taken for all of it.
 */
static void
check_whole(const IntakeHttpRequest *request)
{
	if (intake_request_header(request, "content-range") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("header \"%s\" is not supported", "content-range"),
				 errhint("An upload is sent whole, also when it is repeated.")));
}

IntakeBody *
intake_body_open(const IntakeHttpRequest *request)
{
	IntakeBody *body = palloc0(sizeof(IntakeBody));

	body->context = CurrentMemoryContext;
	body->link = request->link;
	body->level = GetCurrentTransactionNestLevel();
	body->is_ended = !request->has_body;
	check_whole(request);
	body->digest = intake_request_digest_begin(request);
	return body;
}

IntakeSource *
intake_body_source(IntakeBody *body)
{
	IntakeSource *source = intake_source_open(&body_routine, body, PG_UTF8);

	source->kind = INTAKE_SOURCE_CLIENT;
	body->source = source;
	return source;
}

char *
intake_body_read_bytes(IntakeBody *body, size_t limit, size_t *len)
{
	StringInfoData text;
	size_t		n;

	initStringInfo(&text);
	do
	{
		enlargeStringInfo(&text, INTAKE_FRAME_BODY);
		n = read_body(body, text.data + text.len, INTAKE_FRAME_BODY);
		text.len += n;
		if (text.len > limit)
			ereport(ERROR,
					(errcode(ERRCODE_INTAKE_STATUS('4', '1', '3')),
					 errmsg("the body is longer than %zu bytes", limit),
					 errhint("Rows can be sent as NDJSON, one record a line; other bodies are never that long.")));
	} while (n > 0);
	text.data[text.len] = '\0';
	*len = text.len;
	return text.data;
}

char *
intake_body_read_text(IntakeBody *body, size_t limit)
{
	size_t		len;
	char	   *bytes = intake_body_read_bytes(body, limit, &len);

	return pg_any_to_server(bytes, len, PG_UTF8);
}

void
intake_body_check(IntakeBody *body)
{
	if (!body->is_cut)
		intake_request_digest_check(body->digest, body->end);
	if (intake_link_is_closed(body->link))
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the HTTP program has gone")));
}

bool
intake_body_is_flattened(const IntakeBody *body, bool is_ndjson)
{
	return body->received > 0 && !body->has_line_end &&
		(!is_ndjson || body->has_joint);
}

bool
intake_body_is_packed(const IntakeBody *body)
{
	return memcmp(body->first, "\x1f\x8b", 2) == 0 ||
		memcmp(body->first, "\x28\xb5\x2f\xfd", 4) == 0;
}
