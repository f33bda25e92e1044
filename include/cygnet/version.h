/* The version that every program, the portal and the API tell. */
#ifndef CYGNET_VERSION_H
#define CYGNET_VERSION_H

#define CYGNET_VERSION "0.1.0"
/* The release of JupyterHub whose REST API ours follows (X-JupyterHub-Version). */
#define CYGNET_JUPYTERHUB_VERSION "6.1.1"
/* The release of jupyter_server whose API the agent follows (GET /api). */
#define CYGNET_JUPYTER_SERVER_VERSION "2.21.1"

#endif
