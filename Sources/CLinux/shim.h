/* What Linux and glibc offer and Swift's Glibc module does not show: the GPIO character device, version 2 (ioctl is
   variadic, its numbers are macros with casts, the request holds a union), for AudioIO; giving free memory back, for
   execorad; where large blocks lie, for the gateway. No logic. */
#ifndef EXECORA_CLINUX_SHIM_H
#define EXECORA_CLINUX_SHIM_H
#include <errno.h>
#include <linux/gpio.h>
#include <malloc.h>
#include <string.h>
#include <sys/ioctl.h>

static inline void clinux_give_memory_back(void) { malloc_trim(0); }

/* From so many bytes on a block has pages of its own, of which only those that were written are taken. */
static inline int clinux_own_pages_from(int bytes) { return mallopt(M_MMAP_THRESHOLD, bytes); }

/* Asks for one input line with both edges, debounced by the kernel. The line's descriptor, or a negative errno. */
static inline int clinux_gpio_request(int chip, unsigned line, unsigned long long flags, unsigned debounce_us)
{
    struct gpio_v2_line_request request;
    memset(&request, 0, sizeof request);
    request.offsets[0] = line;
    request.num_lines = 1;
    strncpy(request.consumer, "execora", sizeof request.consumer - 1);
    request.config.flags = flags;
    request.config.num_attrs = 1;
    request.config.attrs[0].mask = 1;
    request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
    request.config.attrs[0].attr.debounce_period_us = debounce_us;
    return ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) < 0 ? -errno : request.fd;
}

/* 1 when the line is active now, 0 when not, or a negative errno. */
static inline int clinux_gpio_value(int line)
{
    struct gpio_v2_line_values values;
    memset(&values, 0, sizeof values);
    values.mask = 1;
    return ioctl(line, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0 ? -errno : (int)(values.bits & 1);
}

static inline unsigned long long clinux_gpio_input(void) { return GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING; }
static inline unsigned long long clinux_gpio_active_low(void) { return GPIO_V2_LINE_FLAG_ACTIVE_LOW; }
static inline unsigned clinux_gpio_rising(void) { return GPIO_V2_LINE_EVENT_RISING_EDGE; }
static inline unsigned clinux_gpio_falling(void) { return GPIO_V2_LINE_EVENT_FALLING_EDGE; }
#endif
