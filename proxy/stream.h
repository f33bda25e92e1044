/* How bytes enter and leave one connection. Raw sockets are here (stream_raw.c); TLS is a second
 * table with the same five functions. */
#ifndef PROXY_STREAM_H
#define PROXY_STREAM_H

#include <stddef.h>
#include <sys/types.h>

struct stream {
	const struct stream_ops *ops;
	void *tls; /* the session's state; NULL for raw */
	int fd;    /* non-blocking */
};

struct stream_ops {
	/* Bytes read (> 0), 0 at the end, -EAGAIN when there are none now, another -errno when the
	 * connection is broken. */
	ssize_t (*read)(struct stream *s, void *data, size_t len);
	/* Bytes written (may be fewer), -EAGAIN, or another -errno. */
	ssize_t (*write)(struct stream *s, const void *data, size_t len);
	/* Ends our direction (FIN, close_notify); the other one stays open. 0 or -errno. */
	int (*shut)(struct stream *s);
	/* Closes the descriptor; abrupt: the peer gets a reset and cannot take it for an end. */
	void (*close)(struct stream *s, int abrupt);
	/* Bytes that were taken off the socket and wait inside: epoll cannot see them. */
	size_t (*pending)(const struct stream *s);
};

extern const struct stream_ops stream_raw;

#endif
