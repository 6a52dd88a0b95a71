/* The traffic of the data-plane suites: one server, one client, so that what is measured is the path.
 *
 *   traffic serve sink|echo|close|answer PORT         TCP, until it is ended; says "ready" first
 *   traffic receive PORT SECONDS                      UDP, counted from the first datagram on
 *   traffic stream ADDRESS PORT SECONDS STREAMS       to a sink: bytes
 *   traffic pingpong ADDRESS PORT SECONDS PAUSE       to an echo: 64 bytes there and back, then so
 *                                                     many µs of silence, if any: then it says
 *                                                     "ready" first, and SIGTERM ends it earlier
 *   traffic connect ADDRESS PORT SECONDS              to close: connect, a byte each way, end
 *   traffic request ADDRESS PORT SECONDS              to answer: requests on connections that stay
 *   traffic send ADDRESS PORT SECONDS                 UDP datagrams of 64 bytes
 *
 * Clients and `receive` print one JSON object. Whatever goes wrong ends the program with 1 and a
 * sentence on standard error; nothing waits for longer than PATIENCE.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 5		/* seconds */
#define WORKERS 2		/* threads of a server or client that has many connections */
#define DIALLERS 16		/* connections being made at once */
#define KEPT 16			/* connections that requests go over */
#define BLOCK (128 * 1024)	/* bytes of one send or receive of a stream */
#define LAST 1			/* the byte that ends a stream of zeros */
#define PING 64			/* bytes */
#define QUESTION 64		/* bytes of a request, and of its answer */
#define ANSWER 256
#define DATAGRAM 64		/* bytes */
#define BATCH 32		/* datagrams in one system call */
#define MOST_PINGS 4000000
#define MOST_BROKEN 100		/* connections: with more there is no number */

static struct sockaddr_in target;
static atomic_int broken;	/* connections that failed */
static volatile int64_t deadline;	/* ns, CLOCK_MONOTONIC */

_Noreturn static void give_up(const char *why)
{
	fprintf(stderr, "traffic: %s\n", why);
	exit(1);
}

/* The same for what the kernel refused. */
_Noreturn static void fail(const char *what, ...)
{
	int error = errno;
	char text[100], why[200];
	va_list values;

	va_start(values, what);
	vsnprintf(text, sizeof(text), what, values);
	va_end(values);
	snprintf(why, sizeof(why), "%s: %s", text, strerror(error));
	give_up(why);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static double since(int64_t began)
{
	return (now() - began) / 1e9;
}

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		fail("setsockopt(%d, %d)", level, option);
}

static pthread_t start(void *(*work)(void *), void *of)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, work, of);
	if (errno)
		fail("thread");
	return thread;
}

static void *result(pthread_t thread)
{
	void *value;

	pthread_join(thread, &value);
	return value;
}

/* Stay on one processor: to wake another one takes longer, and more variously, than most paths. */
static void stay(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		fail("stay on processor 0");
}

/* Exactly so many bytes; false if the other side ended before. */
static bool take(int fd, char *into, size_t size)
{
	while (size) {
		ssize_t got = recv(fd, into, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			fail("receive");
		if (!got)
			return false;
		into += got;
		size -= got;
	}
	return true;
}

static void give(int fd, const char *from, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, from, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			fail("send");
		from += sent;
		size -= sent;
	}
}

static int new_socket(void)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		fail("set timeout");
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

static int dial(void)
{
	int fd = new_socket();

	if (connect(fd, (struct sockaddr *)&target, sizeof(target)))
		fail("connect to %s", inet_ntoa(target.sin_addr));
	return fd;
}

/* Servers. A proxy may connect to one and say nothing, or reset: that ends the connection only. */

static void *sink(void *of)
{
	int fd = (intptr_t)of;
	char *block = malloc(BLOCK);
	uint64_t bytes = 0;
	ssize_t got;

	while ((got = recv(fd, block, BLOCK, 0)) > 0) {
		bytes += got;
		if (block[got - 1] != LAST)
			continue;
		/* What the client has sent may be in buffers; this is what came. */
		if (send(fd, &bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
			perror("traffic: tell the client");
		break;
	}
	close(fd);
	free(block);
	return NULL;
}

static void *echo(void *of)
{
	int fd = (intptr_t)of;
	char bytes[PING];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		if (send(fd, bytes, got, MSG_NOSIGNAL) < 0)
			break;
	close(fd);
	return NULL;
}

static void accept_each(int listener, void *(*serve)(void *))
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0)
			fail("accept");
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		pthread_detach(start(serve, (void *)(intptr_t)fd));
	}
}

struct crowd {
	int listener;
	bool stays;	/* answers requests, or else one byte and closes */
};

/* Whether the connection goes on. */
static bool serve_once(int fd, bool stays)
{
	static const char answer[ANSWER];
	char question[QUESTION * 8];
	ssize_t got = recv(fd, question, sizeof(question), 0);

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	if (!stays) {
		send(fd, answer, 1, MSG_NOSIGNAL);
		return false;
	}
	/* Its client asks again only when it has its answer, so a part of a question is rare. */
	while (got % QUESTION) {
		struct pollfd more = { .fd = fd, .events = POLLIN };
		ssize_t rest;

		poll(&more, 1, PATIENCE * 1000);
		rest = recv(fd, question, QUESTION - got % QUESTION, 0);
		if (rest <= 0)
			return false;
		got += rest;
	}
	for (; got; got -= QUESTION)
		if (send(fd, answer, ANSWER, MSG_NOSIGNAL) != ANSWER)
			return false;
	return true;
}

static void *serve_crowd(void *of)
{
	const struct crowd *crowd = of;
	struct epoll_event events[64], event = { .events = EPOLLIN | EPOLLEXCLUSIVE,
						 .data.fd = crowd->listener };
	int ready = epoll_create1(EPOLL_CLOEXEC);

	if (ready < 0 || epoll_ctl(ready, EPOLL_CTL_ADD, crowd->listener, &event))
		fail("epoll");
	for (;;) {
		int count = epoll_wait(ready, events, 64, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd != crowd->listener) {
				if (!serve_once(fd, crowd->stays))
					close(fd);
				continue;
			}
			fd = accept4(crowd->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
			if (fd < 0)
				continue;	/* the other worker took it */
			set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
			event = (struct epoll_event) { .events = EPOLLIN, .data.fd = fd };
			if (epoll_ctl(ready, EPOLL_CTL_ADD, fd, &event))
				fail("epoll");
		}
	}
	return NULL;
}

static void serve(const char *how, int port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool crowded = !strcmp(how, "close") || !strcmp(how, "answer");
	int kind = SOCK_STREAM | SOCK_CLOEXEC | (crowded ? SOCK_NONBLOCK : 0);
	int listener = socket(AF_INET, kind, 0);

	if (listener < 0)
		fail("socket");
	set(listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) || listen(listener, 4096))
		fail("listen on port %d", port);
	puts("ready");
	fflush(stdout);
	if (crowded) {
		struct crowd crowd = { listener, !strcmp(how, "answer") };

		for (int i = 1; i < WORKERS; i++)
			start(serve_crowd, &crowd);
		serve_crowd(&crowd);
	}
	if (!strcmp(how, "sink"))
		accept_each(listener, sink);
	stay();
	accept_each(listener, echo);
}

static void receive(int port, double seconds)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static char bytes[BATCH][DATAGRAM];
	struct iovec parts[BATCH];
	struct mmsghdr batch[BATCH] = { 0 };
	uint64_t packets = 0;
	int64_t began;

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec) { bytes[i], DATAGRAM };
		batch[i].msg_hdr = (struct msghdr) { .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	if (fd < 0)
		fail("socket");
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20);
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)))
		fail("listen on port %d", port);
	puts("ready");
	fflush(stdout);
	struct pollfd first = { .fd = fd, .events = POLLIN };

	if (poll(&first, 1, PATIENCE * 1000) != 1)
		give_up("no datagram came");
	began = now();
	deadline = began + (int64_t)(seconds * 1e9);
	while (now() < deadline) {
		int got = recvmmsg(fd, batch, BATCH, MSG_DONTWAIT, NULL);

		if (got < 0 && errno != EAGAIN)
			fail("receive");
		if (got > 0)
			packets += got;
		/* Whoever sleeps in a receive makes the sender pay for waking it, each time. */
		if (got < BATCH)
			usleep(200);
	}
	printf("{\"seconds\":%.6f,\"packets\":%lu}\n", since(began), packets);
}

/* Clients */

static void *stream(void *of)
{
	int fd = (intptr_t)of;
	char *block = calloc(1, BLOCK);
	uint64_t bytes;

	while (now() < deadline)
		give(fd, block, BLOCK);
	/* Not by half a close: not every proxy passes that on. */
	block[BLOCK - 1] = LAST;
	give(fd, block, BLOCK);
	if (!take(fd, (char *)&bytes, sizeof(bytes)))
		give_up("the sink did not say what it got");
	close(fd);
	free(block);
	return (void *)(uintptr_t)bytes;
}

/* Seconds that all processors together have been busy since the host started. */
static double busy(void)
{
	unsigned long user, nice, system, idle, wait, irq, soft, stolen;
	FILE *file = fopen("/proc/stat", "r");

	if (!file || fscanf(file, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle,
			    &wait, &irq, &soft, &stolen) != 8)
		fail("/proc/stat");
	fclose(file);
	return (user + nice + system + irq + soft) / (double)sysconf(_SC_CLK_TCK);
}

static void run_streams(double seconds, int streams)
{
	int *fds = calloc(streams, sizeof(*fds));
	pthread_t *threads = calloc(streams, sizeof(*threads));
	uint64_t bytes = 0;
	double busy_before;
	int64_t began;

	for (int i = 0; i < streams; i++)
		fds[i] = dial();
	busy_before = busy();
	began = now();
	deadline = began + (int64_t)(seconds * 1e9);
	for (int i = 0; i < streams; i++)
		threads[i] = start(stream, (void *)(intptr_t)fds[i]);
	for (int i = 0; i < streams; i++)
		bytes += (uintptr_t)result(threads[i]);
	printf("{\"seconds\":%.6f,\"bytes\":%lu,\"busy\":%.3f}\n", since(began), bytes,
	       busy() - busy_before);
}

static int compare(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

static void stop(int number)
{
	(void)number;
	deadline = 0;
}

static void run_pingpong(int pause)
{
	uint32_t *times = malloc(MOST_PINGS * sizeof(*times));	/* ns */
	char bytes[PING] = { 0 };
	int fd = dial(), count = 0;

	stay();
	signal(SIGTERM, stop);
	if (pause) {
		puts("ready");
		fflush(stdout);
	}
	while (now() < deadline && count < MOST_PINGS) {
		int64_t began = now();

		give(fd, bytes, PING);
		if (!take(fd, bytes, PING))
			give_up("the other side ended the connection");
		began = now() - began;
		times[count++] = began < UINT32_MAX ? began : UINT32_MAX;
		if (pause)
			usleep(pause);
	}
	qsort(times, count, sizeof(*times), compare);
	printf("{\"count\":%d,\"p50\":%.2f,\"p99\":%.2f,\"longest\":%.2f}\n", count,
	       times[count / 2] / 1e3, times[count - 1 - count / 100] / 1e3, times[count - 1] / 1e3);
}

/* Why a conversation of one byte each way failed, or NULL. The server ends it, so that no port of
 * ours or of a proxy's is left waiting. */
static const char *converse(int fd)
{
	char byte = 0;

	if (connect(fd, (struct sockaddr *)&target, sizeof(target)))
		return "connect";
	if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return "send";
	if (recv(fd, &byte, 1, 0) != 1)
		return "receive";
	return recv(fd, &byte, 1, 0) ? "be told the end" : NULL;
}

static void *connect_often(void *of)
{
	uint64_t count = 0;

	(void)of;
	while (now() < deadline) {
		int fd = new_socket();
		const char *failed = converse(fd);

		if (!failed)
			count++;
		else if (atomic_fetch_add(&broken, 1) == MOST_BROKEN)
			fail("%s", failed);
		else
			fprintf(stderr, "traffic: %s: %s\n", failed, strerror(errno));
		close(fd);
	}
	return (void *)(uintptr_t)count;
}

static void *request_often(void *of)
{
	int ready = epoll_create1(EPOLL_CLOEXEC), open = 0;
	char question[QUESTION] = { 0 }, answer[ANSWER];
	struct epoll_event events[KEPT];
	uint64_t count = 0;

	(void)of;
	for (; open < KEPT / WORKERS; open++) {
		int fd = dial();
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

		if (epoll_ctl(ready, EPOLL_CTL_ADD, fd, &event))
			fail("epoll");
		give(fd, question, QUESTION);
	}
	while (now() < deadline) {
		int some = epoll_wait(ready, events, KEPT, PATIENCE * 1000);

		if (some < 1)
			give_up("no answer came");
		for (int i = 0; i < some; i++) {
			if (!take(events[i].data.fd, answer, ANSWER))
				give_up("the other side ended the connection");
			count++;
			give(events[i].data.fd, question, QUESTION);
		}
	}
	return (void *)(uintptr_t)count;
}

static void run_many(void *(*work)(void *), int many)
{
	pthread_t threads[DIALLERS];
	uint64_t count = 0;
	int64_t began = now();

	for (int i = 0; i < many; i++)
		threads[i] = start(work, NULL);
	for (int i = 0; i < many; i++)
		count += (uintptr_t)result(threads[i]);
	printf("{\"seconds\":%.6f,\"count\":%lu,\"broken\":%d}\n", since(began), count, broken);
}

static void run_send(void)
{
	static char bytes[DATAGRAM];
	struct iovec part = { bytes, DATAGRAM };
	struct mmsghdr batch[BATCH] = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t packets = 0;
	int64_t began = now();

	for (int i = 0; i < BATCH; i++)
		batch[i].msg_hdr = (struct msghdr) { .msg_iov = &part, .msg_iovlen = 1 };
	if (fd < 0 || connect(fd, (struct sockaddr *)&target, sizeof(target)))
		fail("connect");
	while (now() < deadline) {
		int sent = sendmmsg(fd, batch, BATCH, 0);

		if (sent < 0 && errno == ECONNREFUSED)
			break;	/* whoever counts has seen enough */
		if (sent < 0 && errno != ENOBUFS)
			fail("send");
		if (sent > 0)
			packets += sent;
	}
	printf("{\"seconds\":%.6f,\"packets\":%lu}\n", since(began), packets);
}

static void run_client(const char *what, const char *address, const char *port, double seconds,
		       int more)
{
	target = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	if (inet_pton(AF_INET, address, &target.sin_addr) != 1)
		give_up("that is no address");
	deadline = now() + (int64_t)(seconds * 1e9);
	if (!strcmp(what, "stream"))
		run_streams(seconds, more);
	else if (!strcmp(what, "pingpong"))
		run_pingpong(more);
	else if (!strcmp(what, "connect"))
		run_many(connect_often, DIALLERS);
	else if (!strcmp(what, "request"))
		run_many(request_often, WORKERS);
	else if (!strcmp(what, "send"))
		run_send();
	else
		give_up("there is no such client");
}

int main(int count, char **words)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (count == 4 && !strcmp(words[1], "serve"))
		serve(words[2], atoi(words[3]));
	else if (count == 4 && !strcmp(words[1], "receive"))
		receive(atoi(words[2]), atof(words[3]));
	else if (count == 5 || count == 6)
		run_client(words[1], words[2], words[3], atof(words[4]),
			   count == 6 ? atoi(words[5]) : 0);
	else {
		fputs("traffic: the words are in the head of bench/traffic.c\n", stderr);
		return 2;
	}
	return 0;
}
