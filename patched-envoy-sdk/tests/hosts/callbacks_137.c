/* The callbacks of Envoy 1.37 to 1.40: views travel by value. -DHOST says how many. See host.h. */
#include "host.h"

#include <stdlib.h>

bool CALLBACK(http_get_header)(void* f, int map, Text key, Text* out, size_t index,
                               size_t* total_out) {
  size_t total = core_header(f, map, key, out, index);
  if (total_out != NULL) *total_out = total;
  return index < total;
}

size_t CALLBACK(http_get_headers_size)(void* f, int map) { return core_lines(f, map, NULL); }

bool CALLBACK(http_get_headers)(void* f, int map, Line* out) {
  core_lines(f, map, out);
  return core_stream(f)->maps[map].exists;
}

bool CALLBACK(http_set_header)(void* f, int map, Text key, Text value) {
  return core_set(f, map, key, value, value.len == 0);
}

bool CALLBACK(http_add_header)(void* f, int map, Text key, Text value) {
  return core_add(f, map, key, value);
}

size_t CALLBACK(http_get_body_chunks_size)(void* f, int body) {
  return core_chunks(f, body, NULL);
}

bool CALLBACK(http_get_body_chunks)(void* f, int body, Text* out) {
  core_chunks(f, body, out);
  return core_exists(f, body);
}

size_t CALLBACK(http_get_body_size)(void* f, int body) { return core_size(f, body); }

bool CALLBACK(http_append_body)(void* f, int body, Text bytes) {
  return core_append(f, body, bytes);
}

bool CALLBACK(http_drain_body)(void* f, int body, size_t n) { return core_drain(f, body, n); }

void CALLBACK(http_send_response)(void* f, uint32_t status, const Line* lines, size_t n, Text body,
                                  Text details) {
  core_reply(f, "send_response", status, lines, n, body, details, true);
}

void CALLBACK(http_send_response_data)(void* f, Text bytes, bool end) {
  core_reply(f, "send_response_data", 0, NULL, 0, bytes, (Text){NULL, 0}, end);
}

void CALLBACK(http_add_custom_flag)(void* f, Text flag) {
  (void)core_stream(f);
  say("custom_flag %.*s", (int)flag.len, flag.ptr);
}

void CALLBACK(http_set_dynamic_metadata_number)(void* f, Text ns, Text key, double value) {
  (void)core_stream(f);
  say("set_metadata %.*s %.*s=%g", (int)ns.len, ns.ptr, (int)key.len, key.ptr, value);
}

void CALLBACK(http_set_dynamic_metadata_string)(void* f, Text ns, Text key, Text value) {
  (void)core_stream(f);
  say("set_metadata %.*s %.*s=%.*s", (int)ns.len, ns.ptr, (int)key.len, key.ptr, (int)value.len,
      value.ptr);
}

bool CALLBACK(http_get_metadata_number)(void* f, int source, Text ns, Text key, double* out) {
  return core_metadata_number(f, source, ns, key, out);
}

bool CALLBACK(http_get_metadata_string)(void* f, int source, Text ns, Text key, Text* out) {
  return core_metadata_string(f, source, ns, key, out);
}

bool CALLBACK(http_set_filter_state_bytes)(void* f, Text key, Text value) {
  (void)core_stream(f);
  say("set_filter_state %.*s=%.*s", (int)key.len, key.ptr, (int)value.len, value.ptr);
  return true;
}

bool CALLBACK(http_get_filter_state_bytes)(void* f, Text key, Text* out) {
  return core_filter_state(f, key, out);
}

bool CALLBACK(http_filter_get_attribute_string)(void* f, int id, Text* out) {
  return core_attribute_string(f, id, out);
}

#define DEFINE(kind)                                                                           \
  int CALLBACK(http_filter_config_define_##kind)(void* c, Text name, const Text* labels,       \
                                                 size_t n, size_t* id) {                       \
    return core_define(c, #kind, name, labels, n, id);                                         \
  }

DEFINE(counter)
DEFINE(gauge)
DEFINE(histogram)

#define MEASURE(callback, what)                                                                \
  int CALLBACK(http_filter_##callback)(void* f, size_t id, const Text* labels, size_t n,       \
                                       uint64_t value) {                                       \
    return core_measure(core_stream(f), what, id, labels, n, value);                           \
  }

MEASURE(increment_counter, "counter+")
MEASURE(increment_gauge, "gauge+")
MEASURE(decrement_gauge, "gauge-")
MEASURE(set_gauge, "gauge=")
MEASURE(record_histogram_value, "histogram")

void CALLBACK(log)(int level, Text message) { core_log(level, message); }

/* Above 32 bits: nobody may truncate it. */
static _Thread_local uint64_t next_id = 0x100000001;

int CALLBACK(http_filter_http_callout)(void* f, uint64_t* id, Text cluster, const Line* lines,
                                       size_t n, Text body, uint64_t timeout_ms) {
  *id = next_id++;
  return core_callout(f, "callout", *id, cluster, lines, n, body, timeout_ms);
}

int CALLBACK(http_filter_start_http_stream)(void* f, uint64_t* id, Text cluster, const Line* lines,
                                            size_t n, Text body, bool end, uint64_t timeout_ms) {
  *id = next_id++;
  say("stream end=%d", end);
  return core_callout(f, "stream", *id, cluster, lines, n, body, timeout_ms);
}

bool CALLBACK(http_stream_send_data)(void* f, uint64_t id, Text bytes, bool end) {
  (void)core_stream(f);
  say("stream_data %llx %.*s end=%d", (unsigned long long)id, (int)bytes.len, bytes.ptr, end);
  return true;
}

bool CALLBACK(http_stream_send_trailers)(void* f, uint64_t id, const Line* lines, size_t n) {
  (void)core_stream(f);
  say("stream_trailers %llx", (unsigned long long)id);
  say_lines("stream_trailers", lines, n);
  return true;
}

void CALLBACK(http_filter_reset_http_stream)(void* f, uint64_t id) {
  (void)core_stream(f);
  say("stream_reset %llx", (unsigned long long)id);
}

void* CALLBACK(http_filter_config_scheduler_new)(void* c) {
  (void)c;
  say("config_scheduler_new");
  return malloc(1);
}

void CALLBACK(http_filter_config_scheduler_commit)(void* scheduler, uint64_t event) {
  say("config_scheduler_commit %d %llu", scheduler != NULL, (unsigned long long)event);
}

void CALLBACK(http_filter_config_scheduler_delete)(void* scheduler) {
  say("config_scheduler_delete");
  free(scheduler);
}
