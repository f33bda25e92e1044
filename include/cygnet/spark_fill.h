/* Places that the hub leaves open in its response to api/cygnet/spark/connect, because only the
 * agent knows what belongs there: in file names, in files, in environments, in the arguments and
 * options of daemons and in the values of properties. The agent replaces each word below wherever
 * it stands; every other text in braces stays as it is. */
#ifndef CYGNET_SPARK_FILL_H
#define CYGNET_SPARK_FILL_H

/* Folders: RUN, RUN/secrets/spark and RUN/runtime/spark. */
#define CYG_SPARK_RUN     "{run}"
#define CYG_SPARK_SECRETS "{secrets}"
#define CYG_SPARK_RUNTIME "{runtime}"
/* The id of the session. */
#define CYG_SPARK_SESSION "{session}"

/* "{port.NAME}": a free port on loopback. Those of the cluster are chosen when its daemons start
 * and stay theirs, over restarts too; those of the session are chosen for each driver. */
#define CYG_SPARK_PORT_MASTER     "{port.master}"
#define CYG_SPARK_PORT_MASTER_WEB "{port.master_web}"
#define CYG_SPARK_PORT_WORKER_WEB "{port.worker_web}"
#define CYG_SPARK_PORT_UI         "{port.ui}"      /* of the session */
#define CYG_SPARK_PORT_CONNECT    "{port.connect}" /* of the session */

/* "{secret.NAME}": of the member "secrets" of the response. The one of the cluster is kept by the
 * agent when it starts the daemons and counts as long as they live: what later responses bring
 * under that name is thrown away. The others belong to the session. */
#define CYG_SPARK_SECRET_CLUSTER "{secret.cluster}" /* hexadecimal */
#define CYG_SPARK_SECRET_UI      "{secret.ui}"      /* key of the UI's tokens (HS256), base64url */
#define CYG_SPARK_SECRET_TOKEN   "{secret.token}"   /* of a Connect server, hexadecimal */

#endif
