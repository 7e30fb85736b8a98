/*-------------------------------------------------------------------------
 *
 * loader_pool.h
 *	  Loaders: who is there, who is idle, and who waits for one.
 *
 * A visitor (a request) queues and gets a loader for one visit, which ends
 * with the loader's frame GO_ON or ANSWER_END, or with the loader.  Visitors
 * are served in order.  Slow ones are in a queue of their own: they get at
 * most half of the loaders, and only while nobody else waits.
 *
 *		intake_pool_queue --> ready() --> frame()... --> (the visit is over)
 *
 * Callbacks come from the event loop, never from inside a call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef INTAKE_HTTP_LOADER_POOL_H
#define INTAKE_HTTP_LOADER_POOL_H

#ifdef POSTGRES_H
#error "the HTTP program knows nothing of PostgreSQL"
#endif

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "frame.h"
#include "http/transport.h"

typedef struct LoaderPool LoaderPool;
typedef struct Loader Loader;

typedef struct VisitRoutine
{
	/* The loader is the visitor's: it sends the request. */
	void		(*ready) (void *owner, Loader *loader);

	/*
	 * A frame of the answer.  False when it does not fit: then the loader is
	 * dropped, and lost() called, unless the frame has ended the visit.
	 */
	bool		(*frame) (void *owner, const IntakeFrame *frame);

	/* There is room for more of the body. */
	void		(*drained) (void *owner);

	/* The loader has died, or spoke nonsense, in the visit. */
	void		(*lost) (void *owner);

	/* It waited longer than it may; it is out of the queue. */
	void		(*late) (void *owner);

	/* Is it still worth waiting?  If not it leaves. */
	void		(*review) (void *owner);
} VisitRoutine;

typedef enum VisitorPlace
{
	VISITOR_AWAY,
	VISITOR_QUEUED,
	VISITOR_SLOW,
	VISITOR_AT_LOADER
} VisitorPlace;

typedef struct Visitor
{
	const VisitRoutine *routine;
	void	   *owner;
	VisitorPlace place;
	bool		is_slow;		/* its loader counts as a slow one's */
	Loader	   *loader;
	int64_t		deadline;
	TAILQ_ENTRY(Visitor) link;
} Visitor;

typedef struct PoolCounts
{
	int			loaders;
	int			busy;
	int			queued;
} PoolCounts;

/*
 * Accepts loaders at a listening socket.  want(arg, n) is called when n
 * visitors wait and no loader is idle, once a second at most unless n grows.
 */
extern LoaderPool *intake_pool_new(struct event_base *base, int fd,
								   void (*want) (void *arg, int n),
								   void *arg);
extern void intake_pool_set_limits(LoaderPool *pool, int max_loaders,
								   int max_queue, int64_t queue_timeout_ms,
								   size_t buffer_bytes);
extern PoolCounts intake_pool_count(const LoaderPool *pool);

/* False: the queue is full.  A slow visitor is always taken. */
extern bool intake_pool_queue(LoaderPool *pool, Visitor *visitor,
							  bool is_slow);

/*
 * Leaves the queue, or the loader: then the loader's connection is closed,
 * which makes it roll back.
 */
extern void intake_pool_leave(LoaderPool *pool, Visitor *visitor);

/* Asks all who wait whether they still want to, in the next turn. */
extern void intake_pool_review(LoaderPool *pool);

/* Sends a frame of JSON (the reference is taken) to the visitor's loader. */
extern void intake_loader_send(Loader *loader, char type, json_t *object);

/* How many bytes of a body may be sent now. */
extern size_t intake_loader_room(const Loader *loader);

/* Sends n bytes of the buffer's front as frames of a body. */
extern void intake_loader_send_body(Loader *loader, struct evbuffer *from,
									size_t n);

/* Reads no more of the answer, or again. */
extern void intake_loader_pause(Loader *loader, bool is_paused);

/* For tests without sockets: a loader that is fed by hand. */
extern Transport *intake_pool_add_fed(LoaderPool *pool);

#endif							/* INTAKE_HTTP_LOADER_POOL_H */
