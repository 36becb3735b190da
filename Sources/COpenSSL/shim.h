/* OpenSSL for Seals alone. Wrappers exist only for macros; no logic. */
#ifndef EXECORA_COPENSSL_SHIM_H
#define EXECORA_COPENSSL_SHIM_H
#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <openssl/rand.h>
#endif
