/* ALSA for AudioIO alone. Wrappers exist only for what Swift cannot import; no logic. */
#ifndef EXECORA_CALSA_SHIM_H
#define EXECORA_CALSA_SHIM_H
#include <alsa/asoundlib.h>
#include <sys/eventfd.h>

/* eventfd's flags are enumerators hidden behind macros of the same name. */
static inline int calsa_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/* libasound writes to standard error by itself; the handler is variadic, so it has to be C. */
static inline void calsa_say_nothing(const char *file, int line, const char *function, int code, const char *text, ...)
{
    (void)file; (void)line; (void)function; (void)code; (void)text;
}
static inline void calsa_silence(void) { snd_lib_error_set_handler(calsa_say_nothing); }
#endif
