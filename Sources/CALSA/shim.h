/* ALSA for AudioIO alone. Wrappers exist only for what Swift cannot import; no logic. */
#ifndef EXECORA_CALSA_SHIM_H
#define EXECORA_CALSA_SHIM_H
#include <alsa/asoundlib.h>
#endif
