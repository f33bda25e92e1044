/* Makes credentials and their SHA-256 sums. The hub's only file that uses OpenSSL's digests. */
#include "hub/base/secret.h"

#include "base/enc.h"

#include <openssl/evp.h>
#include <stdlib.h>

void secret_sum(struct cyg_str text, char out[SECRET_SUM_SIZE])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (EVP_Digest(text.p, text.len, sum, &len, EVP_sha256(), NULL) != 1 || len != 32)
		abort(); /* a libcrypto without SHA-256 cannot be used */
	cyg_hex_write(sum, len, out);
}

void secret_new(char out[CYG_CREDENTIAL_LEN + 1])
{
	cyg_random_hex(out, CYG_CREDENTIAL_LEN / 2);
}

bool secret_is_formed(struct cyg_str text)
{
	if (text.len != CYG_CREDENTIAL_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}
