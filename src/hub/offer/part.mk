hub_SRC += src/hub/offer/offer.c src/hub/offer/choice.c src/hub/offer/clusters.c src/hub/offer/policy.c \
	src/hub/offer/profiles.c src/hub/offer/profiles_read.c src/hub/offer/reader.c src/hub/offer/software.c \
	src/hub/offer/stackfile.c src/hub/offer/treefile.c
