ARCHIVES += oidc
oidc_SRC := src/oidc/jwk.c src/oidc/jws.c src/oidc/discovery.c src/oidc/flow.c src/oidc/idtoken.c
