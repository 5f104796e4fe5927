/*
 * A tiny host with Envoy's ABI, for the boundary tests: one stream, its headers and bodies, and a
 * transcript of every callback on stdout. Compiled by tests/boundary/host.rs, once per ABI line:
 *
 *   -DHOST=136 | 137 | 138 | 139 | 140     which line's callbacks are exported, with its signatures
 *   -DHOST=0                               none at all: a program that is not Envoy
 *   -Denvoy_dynamic_module_callback_X=hidden_X   leaves one callback out
 *
 * One stream at a time per thread; `workers:N` runs whole streams on N threads at once. Written from the ABI's
 * facts; it is not Envoy and refuses (abort) what Envoy would crash on: a callback on a stream
 * that is gone, or from inside http_filter_new on the lines that cannot take it.
 */
#ifndef BOUNDARY_HOST_H
#define BOUNDARY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Envoy's two by-value shapes: a view of bytes, and one header line. */
typedef struct {
  const char* ptr;
  size_t len;
} Text;

typedef struct {
  const char* key;
  size_t key_len;
  const char* value;
  size_t value_len;
} Line;

#define CALLBACK(name) envoy_dynamic_module_callback_##name
#define TEXT(literal) ((Text){(literal), sizeof(literal) - 1})

/* A callback that only has to be there: whoever calls it gets 0, false or NULL, and a line says so. */
#define QUIET(name)                                 \
  uintptr_t CALLBACK(name)(void) {                  \
    say("quiet %s", #name);                         \
    return 0;                                       \
  }

enum { REQUEST_HEADERS, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_TRAILERS, MAPS };
enum { RECEIVED_REQUEST, BUFFERED_REQUEST, RECEIVED_RESPONSE, BUFFERED_RESPONSE, BODIES };
enum { MAX_LINES = 32 };
enum { UPSTREAM_ADDRESS = 41 }; /* known early only to the filters of a cluster */

typedef struct {
  bool exists;
  size_t count;
  Text keys[MAX_LINES];
  Text values[MAX_LINES];
} Map;

typedef struct {
  bool exists;
  char* bytes;
  size_t len;
} Body;

typedef struct {
  Map maps[MAPS];
  Body bodies[BODIES];
  void* filter; /* what http_filter_new returned */
  bool received_is_buffered;
} Stream;

/* How this host misbehaves, set by commands. */
typedef struct {
  bool null_views;     /* every getter answers true with a null pointer and length 0 */
  bool odd_enums;      /* every enum it returns is out of range */
  bool destroy_inline; /* replies and continues finish and destroy the stream before returning */
  bool reenter;        /* continues and streamed replies run later hooks before returning */
  bool upstream;       /* the filter is in a cluster's chain; what crashes there, crashes */
  bool callout_inline; /* callouts and streams complete before their start returns */
} Manners;

extern Manners manners;
extern const void* route_config;

/* core.c: this thread's stream. `core_stream` aborts unless `envoy` is the stream alive now. */
Stream* core_stream(void* envoy);
void* core_open(void);
void core_close(void);
Text core_copy(Text text);
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

/* What both families of callbacks stand on. */
size_t core_header(void* envoy, int map, Text key, Text* out, size_t index);
size_t core_lines(void* envoy, int map, Line* out);
bool core_set(void* envoy, int map, Text key, Text value, bool remove);
bool core_add(void* envoy, int map, Text key, Text value);
bool core_exists(void* envoy, int body);
size_t core_chunks(void* envoy, int body, Text* out);
size_t core_size(void* envoy, int body);
bool core_append(void* envoy, int body, Text bytes);
bool core_drain(void* envoy, int body, size_t n);
bool core_metadata_string(void* envoy, int source, Text ns, Text key, Text* out);
bool core_metadata_number(void* envoy, int source, Text ns, Text key, double* out);
bool core_filter_state(void* envoy, Text key, Text* out);
bool core_attribute_string(void* envoy, int id, Text* out);
bool core_attribute_int(void* envoy, int id, uint64_t* out);
void core_reply(void* envoy, const char* what, uint32_t status, const Line* lines, size_t n,
                Text body, Text details, bool ends);
int core_define(void* config, const char* kind, Text name, const Text* labels, size_t n,
                size_t* id);
int core_measure(void* owner, const char* what, size_t id, const Text* labels, size_t n,
                 uint64_t value);
int core_callout(void* envoy, const char* what, uint64_t id, Text cluster, const Line* lines,
                 size_t n, Text body, uint64_t timeout_ms);
void core_log(int level, Text message);
void say_lines(const char* what, const Line* lines, size_t n);

/* main.c: hooks that misbehaving callbacks run on the caller's stack. */
void host_finish_inline(void);
void host_continue_inline(bool request);
void host_response_hooks_inline(void);
void host_callout_inline(uint64_t id, bool is_stream);

#endif
