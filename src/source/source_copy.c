/*-------------------------------------------------------------------------
 *
 * source_copy.c
 *	  COPY data that the session's client sends.
 *
 * backend: CopyInResponse
 * client:	CopyData ... (Flush and Sync are ignored)
 *			then CopyDone: the payload has ended; or CopyFail: an error
 *
 * The messages are those of COPY FROM STDIN and are taken as COPY takes them:
 * where they end has nothing to do with where records end, a lost connection
 * is an error, a cancel is seen between two messages.  What the client goes
 * on sending after an error is skipped by the backend's main loop.
 *
 * The response announces binary data whatever the format is: clients send
 * such data as it is, while psql cuts a text at \. and NUL bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "libpq/libpq.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "source/source_copy.h"

/* How CopyInResponse says that data are binary. */
#define BINARY_FORMAT 1

typedef struct ClientState
{
	StringInfo	message;		/* the CopyData at hand */
	bool		has_begun;
	bool		is_done;
} ClientState;

/* Tells the client to send: one column of bytes, of which we know no more. */
static void
send_response(void)
{
	StringInfoData buf;

	pq_beginmessage(&buf, PqMsg_CopyInResponse);
	pq_sendbyte(&buf, BINARY_FORMAT);
	pq_sendint16(&buf, 1);
	pq_sendint16(&buf, BINARY_FORMAT);
	pq_endmessage(&buf);
	pq_flush();
}

/*
 * Lets go of the portal's snapshot, so that a slow client does not hold back
 * vacuum, and returns true; EnsurePortalSnapshotExists() is to follow.  Does
 * nothing where the snapshot has to last, where somebody else's is on top,
 * and once the transaction has an XID, which holds back vacuum as well.
 */
static bool
release_snapshot(void)
{
	if (IsolationUsesXactSnapshot() ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return false;
	if (ActivePortal == NULL || ActivePortal->portalSnapshot == NULL ||
		!ActiveSnapshotSet() ||
		ActivePortal->portalSnapshot != GetActiveSnapshot())
		return false;
	ActivePortal->portalSnapshot = NULL;
	PopActiveSnapshot();
	InvalidateCatalogSnapshotConditionally();
	return true;
}

static void
report_lost_connection(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("unexpected EOF on client connection with an open transaction")));
}

/* How long a message of this type may be; an error when it is out of place. */
static int
message_limit(int type)
{
	switch (type)
	{
		case PqMsg_CopyData:
			return PQ_LARGE_MESSAGE_LIMIT;
		case PqMsg_CopyDone:
		case PqMsg_CopyFail:
		case PqMsg_Flush:
		case PqMsg_Sync:
			return PQ_SMALL_MESSAGE_LIMIT;
	}
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("unexpected message type 0x%02X during COPY from stdin",
					type)));
	return 0;					/* not reached */
}

/*
 * Receives the next message and returns its type.  An interrupt inside it
 * would lose the place in the protocol.
 */
static int
receive_message(IntakeSource *source, StringInfo message)
{
	bool		is_released;
	int			type;

	intake_source_begin_wait(source);
	is_released = release_snapshot();
	HOLD_CANCEL_INTERRUPTS();
	pq_startmsgread();
	type = pq_getbyte();
	if (type == EOF)
		report_lost_connection();
	if (pq_getmessage(message, message_limit(type)) == EOF)
		report_lost_connection();
	RESUME_CANCEL_INTERRUPTS();
	intake_source_end_wait(source);
	if (is_released)
		EnsurePortalSnapshotExists();
	CHECK_FOR_INTERRUPTS();
	return type;
}

/* Sees to it that bytes are at hand; false when the payload has ended. */
static bool
has_data(IntakeSource *source)
{
	ClientState *client = source->state;
	StringInfo	message = client->message;

	while (!client->is_done && message->cursor >= message->len)
	{
		switch (receive_message(source, message))
		{
			case PqMsg_CopyDone:
				client->is_done = true;
				break;
			case PqMsg_CopyFail:
				ereport(ERROR,
						(errcode(ERRCODE_QUERY_CANCELED),
						 errmsg("COPY from stdin failed: %s",
								pq_getmsgstring(message))));
				break;
			case PqMsg_CopyData:
				break;
			default:
				/* Flush and Sync, which libraries may send unasked */
				message->cursor = message->len;
				break;
		}
	}
	return !client->is_done;
}

/*
 * Takes what has come, and does not wait for more once there is something: a
 * bad record is an error even when its client has nothing else to send.
 */
static size_t
read_copy(IntakeSource *source, char *out, size_t len)
{
	ClientState *client = source->state;
	StringInfo	message = client->message;
	size_t		n = 0;

	if (!client->has_begun)
	{
		client->has_begun = true;
		send_response();
	}
	while (n < len && (n == 0 || intake_has_received()) && has_data(source))
	{
		size_t		part = message->len - message->cursor;

		part = Min(part, len - n);
		pq_copymsgbytes(message, out + n, part);
		n += part;
	}
	return n;
}

static const IntakeSourceRoutine copy_routine = {"copy", read_copy};

IntakeSource *
intake_source_open_copy(int encoding)
{
	ClientState *client = palloc0(sizeof(ClientState));
	IntakeSource *source;

	if (whereToSendOutput != DestRemote)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot COPY FROM STDIN in this format without a client")));
	client->message = makeStringInfo();
	source = intake_source_open(&copy_routine, client, encoding);
	source->kind = INTAKE_SOURCE_CLIENT;
	return source;
}
