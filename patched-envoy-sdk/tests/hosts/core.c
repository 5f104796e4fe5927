/* The host's state and the behaviour both callback families share. See host.h. */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

Manners manners;
const void* route_config;

/* Each worker thread has the stream it is working on. */
static _Thread_local Stream* stream;

void say(const char* format, ...) {
  va_list args;
  flockfile(stdout);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
  fflush(stdout);
  funlockfile(stdout);
}

static void fatal(const char* why) {
  say("HOST ABORT %s", why);
  abort();
}

Text core_copy(Text text) {
  char* bytes = malloc(text.len ? text.len : 1);
  if (text.len) memcpy(bytes, text.ptr, text.len);
  return (Text){bytes, text.len};
}

/* The stream lives on the heap so that a late callback is a use-after-free a sanitizer sees. */
void* core_open(void) {
  stream = calloc(1, sizeof *stream);
  return stream;
}

void core_close(void) {
  for (int m = 0; m < MAPS; m++) {
    for (size_t i = 0; i < stream->maps[m].count; i++) {
      free((void*)stream->maps[m].keys[i].ptr);
      free((void*)stream->maps[m].values[i].ptr);
    }
  }
  for (int b = 0; b < BODIES; b++) free(stream->bodies[b].bytes);
  free(stream);
  stream = NULL;
}

Stream* core_stream(void* envoy) {
  if (envoy == NULL || envoy != stream) fatal("callback on a stream that is gone");
  if (HOST <= 137 && stream->filter == NULL) fatal("callback from inside http_filter_new");
  return stream;
}

static bool same_key(Text a, Text b) {
  return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

/* The number of values of `key`; the `index`th, or null and 0, in `out`. */
size_t core_header(void* envoy, int map, Text key, Text* out, size_t index) {
  Map* m = &core_stream(envoy)->maps[map];
  size_t total = 0;
  *out = (Text){NULL, 0};
  for (size_t i = 0; i < m->count; i++) {
    if (!same_key(m->keys[i], key)) continue;
    if (total == index) *out = m->values[i];
    total++;
  }
  if (manners.null_views) *out = (Text){NULL, 0};
  return total;
}

size_t core_lines(void* envoy, int map, Line* out) {
  Map* m = &core_stream(envoy)->maps[map];
  for (size_t i = 0; out != NULL && i < m->count; i++) {
    out[i] = (Line){m->keys[i].ptr, m->keys[i].len, m->values[i].ptr, m->values[i].len};
    if (manners.null_views) out[i] = (Line){NULL, 0, NULL, 0};
  }
  return m->count;
}

static void erase(Map* m, Text key) {
  size_t kept = 0;
  for (size_t i = 0; i < m->count; i++) {
    if (same_key(m->keys[i], key)) {
      free((void*)m->keys[i].ptr);
      free((void*)m->values[i].ptr);
    } else {
      m->keys[kept] = m->keys[i];
      m->values[kept] = m->values[i];
      kept++;
    }
  }
  m->count = kept;
}

static bool append_line(Map* m, Text key, Text value) {
  if (!m->exists || m->count == MAX_LINES) return false;
  m->keys[m->count] = core_copy(key);
  m->values[m->count] = core_copy(value);
  m->count++;
  return true;
}

bool core_set(void* envoy, int map, Text key, Text value, bool remove) {
  Map* m = &core_stream(envoy)->maps[map];
  if (remove) {
    say("remove map=%d %.*s", map, (int)key.len, key.ptr);
    if (m->exists) erase(m, key);
    return m->exists;
  }
  say("set map=%d %.*s=%.*s", map, (int)key.len, key.ptr, (int)value.len, value.ptr);
  if (!m->exists) return false;
  erase(m, key);
  return append_line(m, key, value);
}

bool core_add(void* envoy, int map, Text key, Text value) {
  Map* m = &core_stream(envoy)->maps[map];
  say("add map=%d %.*s=%.*s", map, (int)key.len, key.ptr, (int)value.len, value.ptr);
  return value.len != 0 && append_line(m, key, value);
}

static Body* body_of(void* envoy, int body) {
  Stream* s = core_stream(envoy);
  if (s->received_is_buffered && body == BUFFERED_REQUEST) body = RECEIVED_REQUEST;
  if (s->received_is_buffered && body == BUFFERED_RESPONSE) body = RECEIVED_RESPONSE;
  return &s->bodies[body];
}

bool core_exists(void* envoy, int body) { return body_of(envoy, body)->exists; }

/* Two slices as soon as there are two bytes, as Envoy's buffers often have. */
size_t core_chunks(void* envoy, int body, Text* out) {
  Body* b = body_of(envoy, body);
  if (!b->exists) return 0;
  size_t n = b->len >= 2 ? 2 : b->len;
  if (manners.null_views) n = 1;
  if (out == NULL) return n;
  if (manners.null_views) {
    out[0] = (Text){NULL, 0};
  } else if (n == 1) {
    out[0] = (Text){b->bytes, b->len};
  } else if (n == 2) {
    out[0] = (Text){b->bytes, b->len / 2};
    out[1] = (Text){b->bytes + b->len / 2, b->len - b->len / 2};
  }
  return n;
}

size_t core_size(void* envoy, int body) {
  Body* b = body_of(envoy, body);
  return b->exists ? b->len : 0;
}

bool core_append(void* envoy, int body, Text bytes) {
  Body* b = body_of(envoy, body);
  say("append body=%d %.*s", body, (int)bytes.len, bytes.ptr);
  bool buffered = body == BUFFERED_REQUEST || body == BUFFERED_RESPONSE;
  if (!b->exists && !buffered) return false;
  b->exists = true;
  b->bytes = realloc(b->bytes, b->len + bytes.len + 1);
  if (bytes.len) memcpy(b->bytes + b->len, bytes.ptr, bytes.len);
  b->len += bytes.len;
  return true;
}

bool core_drain(void* envoy, int body, size_t n) {
  Body* b = body_of(envoy, body);
  say("drain body=%d %zu", body, n);
  if (!b->exists || n > b->len) return false;
  memmove(b->bytes, b->bytes + n, b->len - n);
  b->len -= n;
  return true;
}

bool core_metadata_string(void* envoy, int source, Text ns, Text key, Text* out) {
  (void)core_stream(envoy);
  say("metadata_string source=%d %.*s %.*s", source, (int)ns.len, ns.ptr, (int)key.len, key.ptr);
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("metadata-value");
  return true;
}

bool core_metadata_number(void* envoy, int source, Text ns, Text key, double* out) {
  (void)core_stream(envoy);
  say("metadata_number source=%d %.*s %.*s", source, (int)ns.len, ns.ptr, (int)key.len, key.ptr);
  *out = 2.5;
  return true;
}

bool core_filter_state(void* envoy, Text key, Text* out) {
  (void)core_stream(envoy);
  say("filter_state %.*s", (int)key.len, key.ptr);
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("state-value");
  return true;
}

bool core_attribute_string(void* envoy, int id, Text* out) {
  (void)core_stream(envoy);
  if (id == UPSTREAM_ADDRESS) {
    *out = TEXT("10.0.0.1:80");
    return manners.upstream;
  }
  say("attribute_string %d", id);
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("/attribute");
  return true;
}

bool core_attribute_int(void* envoy, int id, uint64_t* out) {
  (void)core_stream(envoy);
  say("attribute_int %d", id);
  *out = 7;
  return true;
}

void say_lines(const char* what, const Line* lines, size_t n) {
  for (size_t i = 0; i < n; i++) {
    say("%s line %.*s=%.*s", what, (int)lines[i].key_len, lines[i].key, (int)lines[i].value_len,
        lines[i].value);
  }
}

void core_reply(void* envoy, const char* what, uint32_t status, const Line* lines, size_t n,
                Text body, Text details, bool ends) {
  (void)core_stream(envoy);
  say("%s status=%u body=%.*s details=%.*s end=%d", what, status, (int)body.len, body.ptr,
      (int)details.len, details.ptr, ends);
  say_lines(what, lines, n);
  if (manners.reenter && !ends) host_response_hooks_inline();
  if (manners.destroy_inline && ends) host_finish_inline();
}

int core_define(void* config, const char* kind, Text name, const Text* labels, size_t n,
                size_t* id) {
  static size_t next;
  (void)config;
  *id = ++next;
  say("define %s %.*s labels=%zu", kind, (int)name.len, name.ptr, n);
  for (size_t i = 0; i < n; i++) say("label %.*s", (int)labels[i].len, labels[i].ptr);
  return manners.odd_enums ? 55 : 0;
}

int core_measure(void* owner, const char* what, size_t id, const Text* labels, size_t n,
                 uint64_t value) {
  (void)owner;
  if (id == 0) fatal("metric id that was never given out");
  say("measure %s labels=%zu value=%llu", what, n, (unsigned long long)value);
  for (size_t i = 0; i < n; i++) say("label value %.*s", (int)labels[i].len, labels[i].ptr);
  return manners.odd_enums ? 55 : 0;
}

int core_callout(void* envoy, const char* what, uint64_t id, Text cluster, const Line* lines,
                 size_t n, Text body, uint64_t timeout_ms) {
  (void)core_stream(envoy);
  say("%s cluster=%.*s body=%.*s timeout=%llu", what, (int)cluster.len, cluster.ptr, (int)body.len,
      body.ptr, (unsigned long long)timeout_ms);
  say_lines(what, lines, n);
  if (manners.odd_enums) return 77;
  if (manners.callout_inline) host_callout_inline(id, strcmp(what, "callout") != 0);
  return 0;
}

void core_log(int level, Text message) {
  say("log %d %.*s", level, (int)message.len, message.ptr);
}
