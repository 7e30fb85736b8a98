/*-------------------------------------------------------------------------
 *
 * loader_pool.c
 *	  Loaders: who is there, who is idle, and who waits for one.
 *
 * The idle loader that was used last is used first, so that the others can
 * retire.  A loader that wants to retire says so and lives on until we close
 * its connection: a request on its way to it is never lost.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/limits.h"
#include "http/loader_pool.h"
#include "http/log.h"

#define TICK_S 1
#define MAX_FRAME (INTAKE_FRAME_HEAD + INTAKE_FRAME_MAX)

typedef enum LoaderState
{
	LOADER_NEW,					/* has not said hello */
	LOADER_IDLE,
	LOADER_BUSY
} LoaderState;

struct Loader
{
	LoaderPool *pool;
	Transport  *transport;
	LoaderState state;
	bool		is_retiring;
	Visitor    *visitor;
	TAILQ_ENTRY(Loader) link;
};

typedef TAILQ_HEAD(VisitorQueue, Visitor) VisitorQueue;

struct LoaderPool
{
	struct event_base *base;
	int			fd;
	struct event *accept_event;
	struct event *dispatch_event;
	struct event *tick_event;
	void		(*want) (void *arg, int n);
	void	   *want_arg;
	int			max_loaders;
	int			max_queue;
	int64_t		queue_timeout_ms;
	size_t		buffer_bytes;
	TAILQ_HEAD(LoaderList, Loader) loaders;
	VisitorQueue queue;
	VisitorQueue slow_queue;
	int			nloaders;
	int			nidle;
	int			nslow;			/* loaders with slow visitors */
	int			nqueued;
	int			nwaiting_slow;
	int			nwanted;		/* as last said */
	bool		must_review;
};

static void
dispatch_later(LoaderPool *pool)
{
	event_active(pool->dispatch_event, 0, 0);
}

/*
 * A loader's life
 */

static void
begin_idling(Loader *loader)
{
	LoaderPool *pool = loader->pool;

	loader->state = LOADER_IDLE;
	pool->nidle++;
	TAILQ_REMOVE(&pool->loaders, loader, link);
	TAILQ_INSERT_HEAD(&pool->loaders, loader, link);
	dispatch_later(pool);
}

static Visitor *
end_visit(Loader *loader)
{
	Visitor    *visitor = loader->visitor;

	if (visitor == NULL)
		return NULL;
	loader->pool->nslow -= visitor->is_slow;
	visitor->place = VISITOR_AWAY;
	visitor->loader = NULL;
	loader->visitor = NULL;
	intake_transport_pause(loader->transport, false);
	return visitor;
}

static void
free_loader(Loader *loader)
{
	LoaderPool *pool = loader->pool;

	end_visit(loader);
	if (loader->state == LOADER_IDLE)
		pool->nidle--;
	pool->nloaders--;
	TAILQ_REMOVE(&pool->loaders, loader, link);
	intake_transport_free(loader->transport);
	free(loader);
	dispatch_later(pool);
}

/* The loader is gone; its visitor hears of it as the last thing. */
static void
lose_loader(Loader *loader)
{
	Visitor    *visitor = end_visit(loader);

	free_loader(loader);
	if (visitor != NULL)
		visitor->routine->lost(visitor->owner);
}

/*
 * Frames that are for the pool itself; the others are the visitor's.  False
 * when the frame does not fit.
 */
static bool
take_frame(Loader *loader, const IntakeFrame *frame)
{
	Visitor    *visitor = loader->visitor;
	bool		is_last = frame->type == INTAKE_FRAME_GO_ON ||
		frame->type == INTAKE_FRAME_ANSWER_END;

	if (frame->type == INTAKE_FRAME_HELLO && loader->state == LOADER_NEW)
	{
		begin_idling(loader);
		return true;
	}
	if (frame->type == INTAKE_FRAME_RETIRE && loader->state != LOADER_NEW)
	{
		loader->is_retiring = true;
		return true;
	}
	if (loader->state != LOADER_BUSY)
		return false;
	/* the visitor may end with the visit: let go of it first */
	if (is_last)
	{
		end_visit(loader);
		begin_idling(loader);
	}
	return visitor->routine->frame(visitor->owner, frame);
}

static void
take_input(void *owner)
{
	Loader	   *loader = owner;
	struct evbuffer *in = loader->transport->in;
	IntakeFrame frame;
	long		used;

	for (;;)
	{
		size_t		len = evbuffer_get_length(in);
		unsigned char *text;

		/* no more is moved than a frame needs */
		if (len > MAX_FRAME)
			len = MAX_FRAME;
		text = evbuffer_pullup(in, (ev_ssize_t) len);
		used = intake_frame_read((char *) text, len, &frame);
		if (used == 0)
			break;
		if (used < 0 || !take_frame(loader, &frame))
		{
			intake_log(LOG_LEVEL_WARNING, NULL,
					   "a loader sent a frame that does not fit");
			lose_loader(loader);
			return;
		}
		evbuffer_drain(in, (size_t) used);
	}
	if (loader->is_retiring && loader->state == LOADER_IDLE)
		free_loader(loader);
}

static void
tell_drained(void *owner)
{
	Loader	   *loader = owner;

	if (loader->visitor != NULL)
		loader->visitor->routine->drained(loader->visitor->owner);
}

static void
take_end(void *owner, TransportEnd end)
{
	Loader	   *loader = owner;

	if (loader->state == LOADER_BUSY)
		intake_log_limited(LOG_KIND_LOADER, NULL,
						   "a loader ended while it ran a request");
	lose_loader(loader);
}

static const TransportRoutine loader_routine = {
	take_input, tell_drained, take_end
};

static Loader *
add_loader(LoaderPool *pool, int fd)
{
	Loader	   *loader = calloc(1, sizeof(Loader));

	if (loader == NULL)
		abort();
	loader->pool = pool;
	loader->transport = intake_transport_new(pool->base, fd, NULL, 0,
											 &loader_routine, loader);
	pool->nloaders++;
	TAILQ_INSERT_TAIL(&pool->loaders, loader, link);
	return loader;
}

static void
accept_loader(evutil_socket_t listener, short what, void *arg)
{
	int			fd = accept4(listener, NULL, NULL,
							 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		add_loader(arg, fd);
}

Transport *
intake_pool_add_fed(LoaderPool *pool)
{
	return add_loader(pool, -1)->transport;
}

/*
 * Who is next
 */

static Loader *
find_idle(LoaderPool *pool)
{
	Loader	   *loader;

	TAILQ_FOREACH(loader, &pool->loaders, link)
	{
		if (loader->state == LOADER_IDLE && !loader->is_retiring)
			return loader;
	}
	return NULL;
}

static void
unqueue(LoaderPool *pool, Visitor *visitor)
{
	if (visitor->place == VISITOR_QUEUED)
	{
		TAILQ_REMOVE(&pool->queue, visitor, link);
		pool->nqueued--;
	}
	else if (visitor->place == VISITOR_SLOW)
	{
		TAILQ_REMOVE(&pool->slow_queue, visitor, link);
		pool->nwaiting_slow--;
	}
	visitor->place = VISITOR_AWAY;
}

static bool
may_serve_slow(const LoaderPool *pool)
{
	return pool->nwaiting_slow > 0 && pool->nslow < pool->max_loaders / 2;
}

static Visitor *
find_next(LoaderPool *pool)
{
	if (!TAILQ_EMPTY(&pool->queue))
		return TAILQ_FIRST(&pool->queue);
	return may_serve_slow(pool) ? TAILQ_FIRST(&pool->slow_queue) : NULL;
}

static void
begin_visit(Loader *loader, Visitor *visitor)
{
	LoaderPool *pool = loader->pool;

	visitor->is_slow = visitor->place == VISITOR_SLOW;
	unqueue(pool, visitor);
	visitor->place = VISITOR_AT_LOADER;
	visitor->loader = loader;
	loader->visitor = visitor;
	loader->state = LOADER_BUSY;
	pool->nidle--;
	pool->nslow += visitor->is_slow;
	visitor->routine->ready(visitor->owner, loader);
}

/* Says how many loaders are missing, when that has changed or is due. */
static void
say_wanted(LoaderPool *pool, bool is_due)
{
	int			wanted = pool->nqueued;

	if (wanted == 0 && may_serve_slow(pool))
		wanted = 1;
	if (wanted > 0 && (is_due || wanted > pool->nwanted) &&
		pool->nloaders < pool->max_loaders)
		pool->want(pool->want_arg, wanted);
	pool->nwanted = wanted;
}

/* A visitor that leaves takes nobody else with it. */
static void
review_queue(VisitorQueue *queue)
{
	Visitor    *visitor = TAILQ_FIRST(queue);

	while (visitor != NULL)
	{
		Visitor    *next = TAILQ_NEXT(visitor, link);

		visitor->routine->review(visitor->owner);
		visitor = next;
	}
}

static void
dispatch(evutil_socket_t fd, short what, void *arg)
{
	LoaderPool *pool = arg;
	Visitor    *visitor;
	Loader	   *loader;

	if (pool->must_review)
	{
		pool->must_review = false;
		review_queue(&pool->queue);
		review_queue(&pool->slow_queue);
	}
	while ((visitor = find_next(pool)) != NULL &&
		   (loader = find_idle(pool)) != NULL)
		begin_visit(loader, visitor);
	say_wanted(pool, false);
}

static void
tick(evutil_socket_t fd, short what, void *arg)
{
	LoaderPool *pool = arg;
	int64_t		now = intake_clock_ms();
	Visitor    *visitor;

	while ((visitor = TAILQ_FIRST(&pool->queue)) != NULL &&
		   visitor->deadline <= now)
	{
		unqueue(pool, visitor);
		visitor->routine->late(visitor->owner);
	}
	dispatch(-1, 0, pool);
	say_wanted(pool, true);
}

/*
 * For the others
 */

LoaderPool *
intake_pool_new(struct event_base *base, int fd,
				void (*want) (void *arg, int n), void *arg)
{
	LoaderPool *pool = calloc(1, sizeof(LoaderPool));
	struct timeval second = {TICK_S, 0};

	if (pool == NULL)
		abort();
	pool->base = base;
	pool->fd = fd;
	pool->want = want;
	pool->want_arg = arg;
	TAILQ_INIT(&pool->loaders);
	TAILQ_INIT(&pool->queue);
	TAILQ_INIT(&pool->slow_queue);
	intake_pool_set_limits(pool, 1, 100, 30000, 1 << 20);
	pool->dispatch_event = event_new(base, -1, 0, dispatch, pool);
	pool->tick_event = event_new(base, -1, EV_PERSIST, tick, pool);
	if (pool->dispatch_event == NULL || pool->tick_event == NULL)
		abort();
	event_add(pool->tick_event, &second);
	if (fd >= 0)
	{
		pool->accept_event = event_new(base, fd, EV_READ | EV_PERSIST,
									   accept_loader, pool);
		if (pool->accept_event == NULL)
			abort();
		event_add(pool->accept_event, NULL);
	}
	return pool;
}

void
intake_pool_set_limits(LoaderPool *pool, int max_loaders, int max_queue,
					   int64_t queue_timeout_ms, size_t buffer_bytes)
{
	pool->max_loaders = max_loaders;
	pool->max_queue = max_queue;
	pool->queue_timeout_ms = queue_timeout_ms;
	pool->buffer_bytes = buffer_bytes;
}

PoolCounts
intake_pool_count(const LoaderPool *pool)
{
	PoolCounts	counts;
	const Loader *loader;

	memset(&counts, 0, sizeof(counts));
	counts.queued = pool->nqueued;
	TAILQ_FOREACH(loader, &pool->loaders, link)
	{
		counts.loaders += loader->state != LOADER_NEW;
		counts.busy += loader->state == LOADER_BUSY;
	}
	return counts;
}

/* Visitors for whom a loader is idle, or may be started, do not count. */
static bool
is_full(const LoaderPool *pool)
{
	int			missing = pool->max_loaders - pool->nloaders;

	return pool->nqueued - pool->nidle - (missing > 0 ? missing : 0) >=
		pool->max_queue;
}

bool
intake_pool_queue(LoaderPool *pool, Visitor *visitor, bool is_slow)
{
	unqueue(pool, visitor);
	if (is_slow)
	{
		TAILQ_INSERT_TAIL(&pool->slow_queue, visitor, link);
		visitor->place = VISITOR_SLOW;
		pool->nwaiting_slow++;
	}
	else
	{
		if (is_full(pool))
			return false;
		visitor->deadline = intake_clock_ms() + pool->queue_timeout_ms;
		TAILQ_INSERT_TAIL(&pool->queue, visitor, link);
		visitor->place = VISITOR_QUEUED;
		pool->nqueued++;
	}
	dispatch_later(pool);
	return true;
}

void
intake_pool_leave(LoaderPool *pool, Visitor *visitor)
{
	Loader	   *loader = visitor->loader;

	if (visitor->place == VISITOR_AT_LOADER)
	{
		end_visit(loader);
		free_loader(loader);
	}
	else
		unqueue(pool, visitor);
}

void
intake_pool_review(LoaderPool *pool)
{
	pool->must_review = true;
	dispatch_later(pool);
}

void
intake_loader_send(Loader *loader, char type, json_t *object)
{
	char	   *text = json_dumps(object, JSON_COMPACT);
	char		head[INTAKE_FRAME_HEAD];

	if (text == NULL)
		abort();
	intake_frame_head(head, type, strlen(text));
	evbuffer_add(loader->transport->out, head, sizeof(head));
	evbuffer_add(loader->transport->out, text, strlen(text));
	free(text);
	json_decref(object);
	intake_transport_flush(loader->transport);
}

size_t
intake_loader_room(const Loader *loader)
{
	size_t		waiting = evbuffer_get_length(loader->transport->out);
	size_t		room = loader->pool->buffer_bytes;

	return waiting < room ? room - waiting : 0;
}

void
intake_loader_send_body(Loader *loader, struct evbuffer *from, size_t n)
{
	struct evbuffer *out = loader->transport->out;
	char		head[INTAKE_FRAME_HEAD];

	while (n > 0)
	{
		size_t		piece = n < INTAKE_FRAME_BODY ? n : INTAKE_FRAME_BODY;

		intake_frame_head(head, INTAKE_FRAME_BODY_DATA, piece);
		if (evbuffer_add(out, head, sizeof(head)) != 0 ||
			evbuffer_remove_buffer(from, out, piece) != (int) piece)
			abort();
		n -= piece;
	}
	intake_transport_flush(loader->transport);
}

void
intake_loader_pause(Loader *loader, bool is_paused)
{
	intake_transport_pause(loader->transport, is_paused);
}
