/* The echo canceller of SpeexDSP for AudioIO alone. No logic. */
#ifndef EXECORA_CSPEEXDSP_SHIM_H
#define EXECORA_CSPEEXDSP_SHIM_H
#include <speex/speex_echo.h>
#endif
