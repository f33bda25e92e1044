/* SHA-256 and HMAC by OpenSSL. It fails only without memory or without SHA-256: then we abort. */
#include "kernels/base/digest.h"

#include "base/enc.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { READ_STEP = 1 << 18 };

void digest_sha256(struct cyg_str data, char hex[DIGEST_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (EVP_Digest(data.p, data.len, digest, &n, EVP_sha256(), NULL) != 1)
		abort();
	cyg_hex_write(digest, n, hex);
}

int digest_sha256_file(int fd, char hex[DIGEST_HEX], struct cyg_err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	off_t off = 0;
	ssize_t got;
	cyg_autofree char *step = cyg_xcalloc(1, READ_STEP);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		abort();
	while ((got = pread(fd, step, READ_STEP, off)) > 0) {
		if (EVP_DigestUpdate(md, step, (size_t)got) != 1)
			abort();
		off += got;
	}
	int errnum = errno;
	if (EVP_DigestFinal_ex(md, digest, &n) != 1)
		abort();
	EVP_MD_CTX_free(md);
	if (got < 0)
		return cyg_fail_sys(err, errnum, "cannot read the file");
	cyg_hex_write(digest, n, hex);
	return 0;
}

void digest_hmac(struct cyg_str key, struct cyg_str data, char hex[DIGEST_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (HMAC(EVP_sha256(), key.p, (int)key.len, (const unsigned char *)data.p, data.len, digest,
		&n) == NULL)
		abort();
	cyg_hex_write(digest, n, hex);
}
