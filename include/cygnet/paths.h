/* The paths of the hub and of the servers; no other place names them. The hub mounts its endpoints
 * at CYG_HUB_PATH, a server's base URL begins with CYG_USER_PATH; pages take theirs from
 * src/web/static/api.mjs. An installation below a path of its own is built with make
 * BASE_PATH=/jupyter. */
#ifndef CYGNET_PATHS_H
#define CYGNET_PATHS_H

#ifndef CYG_BASE_PATH
#define CYG_BASE_PATH "" /* of letters, digits, '-', '_' and '/': no closing slash */
#endif
#define CYG_HUB_PATH  CYG_BASE_PATH "/hub"
#define CYG_USER_PATH CYG_BASE_PATH "/user/"

#endif
