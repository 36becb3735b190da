/* Zstandard for LedgerSync alone. No logic. */
#ifndef EXECORA_CZSTD_SHIM_H
#define EXECORA_CZSTD_SHIM_H
#include <zstd.h>
#endif
