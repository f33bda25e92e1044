hub_SRC += src/hub/link/in_force.c src/hub/link/proxy_link.c src/hub/link/spawner_link.c \
	src/hub/link/spawners.c src/hub/link/scrape.c src/hub/link/table.c
