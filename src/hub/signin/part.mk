hub_SRC += src/hub/signin/attempts.c src/hub/signin/oidc_config.c src/hub/signin/oidc_login.c \
	src/hub/signin/oidc_provider.c src/hub/signin/signin.c src/hub/signin/signin_complete.c \
	src/hub/signin/signin_dev.c src/hub/signin/signin_endpoints.c src/hub/signin/signin_form.c src/hub/signin/signin_oidc.c \
	src/hub/signin/signin_refuse.c src/hub/signin/signin_try.c
