/* libcurl for CloudLink alone. curl_easy_setopt and friends are variadic, which Swift cannot call. */
#ifndef EXECORA_CCURL_SHIM_H
#define EXECORA_CCURL_SHIM_H
#include <curl/curl.h>
#endif
