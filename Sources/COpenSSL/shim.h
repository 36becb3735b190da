/* OpenSSL for Seals alone. Wrappers exist only for macros; no logic. */
#ifndef EXECORA_COPENSSL_SHIM_H
#define EXECORA_COPENSSL_SHIM_H
/* SHA256_Init and its like: marked as old since 3.0 in favour of a lookup and three allocations a digest. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

/* MBSTRING_UTF8 and the EVP_PKEY_ names are macros over macros. */
static inline int copenssl_mbstring_utf8(void) { return MBSTRING_UTF8; }
static inline int copenssl_pkey_ed25519(void) { return EVP_PKEY_ED25519; }
static inline int copenssl_pkey_ec(void) { return EVP_PKEY_EC; }
#endif
