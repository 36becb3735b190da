/* libpq for the gateway's store on PostgreSQL alone. No logic. */
#ifndef EXECORA_CPQ_SHIM_H
#define EXECORA_CPQ_SHIM_H
#include <libpq-fe.h>
#endif
