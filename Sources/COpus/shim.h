/* libopus for OpusCoding alone. opus_encoder_ctl is variadic, which Swift cannot call. */
#ifndef EXECORA_COPUS_SHIM_H
#define EXECORA_COPUS_SHIM_H
#include <opus/opus.h>
#endif
