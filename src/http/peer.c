/* The uid at the other end, as the kernel noted it at connect (SO_PEERCRED). */
#include "http/peer.h"

#include "http/sender.h"

#include <sys/socket.h>
#include <unistd.h>

bool http_peer_uid(const struct http_req *req, uid_t *ret)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);
	int fd = req->sender_->descriptor(req);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.pid == 0)
		return false; /* the pid of another socket's peer is 0 */
	*ret = cred.uid;
	return true;
}

bool http_peer_is_own(const struct http_req *req)
{
	uid_t uid;

	return http_peer_uid(req, &uid) && (uid == 0 || uid == geteuid());
}
