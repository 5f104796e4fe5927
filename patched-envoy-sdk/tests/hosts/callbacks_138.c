/* What Envoy 1.38, 1.39 and 1.40 add, each behind its own guard. See host.h. */
#include "host.h"

#include <stdlib.h>

#define ALIVE(f) ((void)core_stream(f))

bool CALLBACK(http_received_buffered_request_body)(void* f) {
  return core_stream(f)->received_is_buffered;
}

bool CALLBACK(http_received_buffered_response_body)(void* f) {
  return core_stream(f)->received_is_buffered;
}

void CALLBACK(http_filter_reset_stream)(void* f, int reason, Text details) {
  ALIVE(f);
  say("reset_stream %d %.*s", reason, (int)details.len, details.ptr);
  if (manners.destroy_inline) host_finish_inline();
}

void CALLBACK(http_filter_send_go_away_and_close)(void* f, bool graceful) {
  ALIVE(f);
  say("go_away %d", graceful);
}

bool CALLBACK(http_filter_recreate_stream)(void* f, const Line* lines, size_t n) {
  ALIVE(f);
  say("recreate_stream lines=%d", lines != NULL);
  say_lines("recreate_stream", lines, n);
  if (manners.destroy_inline) host_finish_inline();
  return true;
}

void CALLBACK(http_clear_route_cluster_cache)(void* f) {
  ALIVE(f);
  say("clear_route_cluster_cache");
}

bool CALLBACK(http_set_upstream_override_host)(void* f, Text host, bool strict) {
  ALIVE(f);
  say("override_host %.*s strict=%d", (int)host.len, host.ptr, strict);
  return true;
}

bool CALLBACK(http_get_cluster_name)(void* f, Text* out) {
  ALIVE(f);
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("the-cluster");
  return true;
}

bool CALLBACK(http_get_cluster_host_count)(void* f, uint32_t priority, size_t* total,
                                           size_t* healthy, size_t* degraded) {
  ALIVE(f);
  say("cluster_host_count priority=%u", priority);
  *total = 3;
  *healthy = 2;
  *degraded = 1;
  return true;
}

uint64_t CALLBACK(http_get_buffer_limit)(void* f) {
  ALIVE(f);
  return 1048576;
}

void CALLBACK(http_set_buffer_limit)(void* f, uint64_t limit) {
  ALIVE(f);
  say("set_buffer_limit %llu", (unsigned long long)limit);
}

uint32_t CALLBACK(http_filter_get_worker_index)(void* f) {
  ALIVE(f);
  return 5;
}

bool CALLBACK(http_filter_get_attribute_bool)(void* f, int id, bool* out) {
  ALIVE(f);
  say("attribute_bool %d", id);
  *out = true;
  return true;
}

void CALLBACK(http_set_dynamic_metadata_bool)(void* f, Text ns, Text key, bool value) {
  ALIVE(f);
  say("set_metadata %.*s %.*s=%s", (int)ns.len, ns.ptr, (int)key.len, key.ptr,
      value ? "true" : "false");
}

bool CALLBACK(http_get_metadata_bool)(void* f, int source, Text ns, Text key, bool* out) {
  ALIVE(f);
  say("metadata_bool source=%d %.*s %.*s", source, (int)ns.len, ns.ptr, (int)key.len, key.ptr);
  *out = true;
  return true;
}

size_t CALLBACK(http_get_metadata_keys_count)(void* f, int source, Text ns) {
  ALIVE(f);
  say("metadata_keys source=%d %.*s", source, (int)ns.len, ns.ptr);
  return 2;
}

bool CALLBACK(http_get_metadata_keys)(void* f, int source, Text ns, Text* out) {
  ALIVE(f);
  (void)source;
  (void)ns;
  out[0] = manners.null_views ? (Text){NULL, 0} : TEXT("k1");
  out[1] = manners.null_views ? (Text){NULL, 0} : TEXT("k2");
  return true;
}

size_t CALLBACK(http_get_metadata_namespaces_count)(void* f, int source) {
  ALIVE(f);
  (void)source;
  return 1;
}

bool CALLBACK(http_get_metadata_namespaces)(void* f, int source, Text* out) {
  ALIVE(f);
  (void)source;
  out[0] = manners.null_views ? (Text){NULL, 0} : TEXT("ns1");
  return true;
}

bool CALLBACK(http_add_dynamic_metadata_list_number)(void* f, Text ns, Text key, double value) {
  ALIVE(f);
  say("add_list %.*s %.*s %g", (int)ns.len, ns.ptr, (int)key.len, key.ptr, value);
  return true;
}

bool CALLBACK(http_add_dynamic_metadata_list_string)(void* f, Text ns, Text key, Text value) {
  ALIVE(f);
  say("add_list %.*s %.*s %.*s", (int)ns.len, ns.ptr, (int)key.len, key.ptr, (int)value.len,
      value.ptr);
  return true;
}

bool CALLBACK(http_add_dynamic_metadata_list_bool)(void* f, Text ns, Text key, bool value) {
  ALIVE(f);
  say("add_list %.*s %.*s %s", (int)ns.len, ns.ptr, (int)key.len, key.ptr,
      value ? "true" : "false");
  return true;
}

bool CALLBACK(http_get_metadata_list_size)(void* f, int source, Text ns, Text key, size_t* out) {
  ALIVE(f);
  (void)source;
  (void)ns;
  (void)key;
  *out = 4;
  return true;
}

bool CALLBACK(http_get_metadata_list_number)(void* f, int source, Text ns, Text key, size_t index,
                                             double* out) {
  ALIVE(f);
  (void)source;
  (void)ns;
  (void)key;
  *out = (double)index;
  return true;
}

bool CALLBACK(http_get_metadata_list_string)(void* f, int source, Text ns, Text key, size_t index,
                                             Text* out) {
  ALIVE(f);
  (void)source;
  (void)ns;
  (void)key;
  (void)index;
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("item");
  return true;
}

bool CALLBACK(http_get_metadata_list_bool)(void* f, int source, Text ns, Text key, size_t index,
                                           bool* out) {
  ALIVE(f);
  (void)source;
  (void)ns;
  (void)key;
  *out = index == 1;
  return true;
}

bool CALLBACK(http_set_filter_state_typed)(void* f, Text key, Text value) {
  ALIVE(f);
  say("set_filter_state_typed %.*s=%.*s", (int)key.len, key.ptr, (int)value.len, value.ptr);
  return true;
}

bool CALLBACK(http_get_filter_state_typed)(void* f, Text key, Text* out) {
  return core_filter_state(f, key, out);
}

bool CALLBACK(http_set_socket_option_int)(void* f, int64_t level, int64_t name, int state,
                                          int direction, int64_t value) {
  ALIVE(f);
  say("set_socket_int %lld %lld %d %d %lld", (long long)level, (long long)name, state, direction,
      (long long)value);
  return true;
}

bool CALLBACK(http_set_socket_option_bytes)(void* f, int64_t level, int64_t name, int state,
                                            int direction, Text value) {
  ALIVE(f);
  say("set_socket_bytes %lld %lld %d %d %.*s", (long long)level, (long long)name, state, direction,
      (int)value.len, value.ptr);
  return true;
}

bool CALLBACK(http_get_socket_option_int)(void* f, int64_t level, int64_t name, int state,
                                          int direction, int64_t* out) {
  ALIVE(f);
  (void)level;
  (void)name;
  (void)state;
  (void)direction;
  *out = -9;
  return true;
}

bool CALLBACK(http_get_socket_option_bytes)(void* f, int64_t level, int64_t name, int state,
                                            int direction, Text* out) {
  ALIVE(f);
  (void)level;
  (void)name;
  (void)state;
  (void)direction;
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("option");
  return true;
}

/* Spans: one that Envoy owns, and children that have to be finished exactly once. */
static char active_span;

void* CALLBACK(http_get_active_span)(void* f) {
  ALIVE(f);
  return &active_span;
}

void CALLBACK(http_span_set_tag)(void* span, Text key, Text value) {
  say("span_tag %d %.*s=%.*s", span == &active_span, (int)key.len, key.ptr, (int)value.len,
      value.ptr);
}

void CALLBACK(http_span_set_operation)(void* span, Text name) {
  (void)span;
  say("span_operation %.*s", (int)name.len, name.ptr);
}

void CALLBACK(http_span_log)(void* f, void* span, Text event) {
  ALIVE(f);
  (void)span;
  say("span_log %.*s", (int)event.len, event.ptr);
}

void CALLBACK(http_span_set_sampled)(void* span, bool sampled) {
  (void)span;
  say("span_sampled %d", sampled);
}

bool CALLBACK(http_span_get_baggage)(void* span, Text key, Text* out) {
  (void)span;
  (void)key;
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("baggage");
  return true;
}

void CALLBACK(http_span_set_baggage)(void* span, Text key, Text value) {
  (void)span;
  say("span_baggage %.*s=%.*s", (int)key.len, key.ptr, (int)value.len, value.ptr);
}

bool CALLBACK(http_span_get_trace_id)(void* span, Text* out) {
  (void)span;
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("trace-1");
  return true;
}

bool CALLBACK(http_span_get_span_id)(void* span, Text* out) {
  (void)span;
  *out = manners.null_views ? (Text){NULL, 0} : TEXT("span-1");
  return true;
}

void* CALLBACK(http_span_spawn_child)(void* f, void* span, Text name) {
  ALIVE(f);
  (void)span;
  say("span_child %.*s", (int)name.len, name.ptr);
  return malloc(1);
}

void CALLBACK(http_child_span_finish)(void* span) {
  say("span_finish");
  free(span);
}

/* Callouts from the configuration. The ids count from 1: nothing about them is per stream. */
static uint64_t next_config_id = 1;

int CALLBACK(http_filter_config_http_callout)(void* c, uint64_t* id, Text cluster,
                                              const Line* lines, size_t n, Text body,
                                              uint64_t timeout_ms) {
  (void)c;
  *id = next_config_id++;
  say("config_callout cluster=%.*s body=%.*s timeout=%llu", (int)cluster.len, cluster.ptr,
      (int)body.len, body.ptr, (unsigned long long)timeout_ms);
  say_lines("config_callout", lines, n);
  return manners.odd_enums ? 77 : 0;
}

int CALLBACK(http_filter_config_start_http_stream)(void* c, uint64_t* id, Text cluster,
                                                   const Line* lines, size_t n, Text body,
                                                   bool end, uint64_t timeout_ms) {
  (void)c;
  (void)body;
  *id = next_config_id++;
  say("config_stream cluster=%.*s end=%d timeout=%llu", (int)cluster.len, cluster.ptr, end,
      (unsigned long long)timeout_ms);
  say_lines("config_stream", lines, n);
  return manners.odd_enums ? 77 : 0;
}

QUIET(http_filter_config_reset_http_stream)
QUIET(http_filter_config_stream_send_data)
QUIET(http_filter_config_stream_send_trailers)
QUIET(get_concurrency)
QUIET(is_validation_mode)
QUIET(register_function)
QUIET(get_function)
QUIET(register_shared_data)
QUIET(get_shared_data)

#if HOST >= 139
bool CALLBACK(http_get_header_values)(void* f, int map, Text key, Text* out) {
  Text value;
  size_t total = core_header(f, map, key, &value, 0);
  for (size_t i = 0; i < total; i++) core_header(f, map, key, &out[i], i);
  return total != 0;
}

int CALLBACK(get_log_level)(void) { return 1; }

uint64_t CALLBACK(http_get_upstream_connection_id)(void* f) {
  ALIVE(f);
  return 31;
}

void CALLBACK(http_set_dynamic_metadata_string_batch)(void* f, Text ns, const Line* pairs,
                                                      size_t n) {
  ALIVE(f);
  say("metadata_batch %.*s", (int)ns.len, ns.ptr);
  say_lines("metadata_batch", pairs, n);
}

#define MEASURE_CONFIG(callback, what)                                                         \
  int CALLBACK(http_filter_config_##callback)(void* c, size_t id, const Text* labels, size_t n, \
                                              uint64_t value) {                                \
    return core_measure(c, "config " what, id, labels, n, value);                              \
  }

MEASURE_CONFIG(increment_counter, "counter+")
MEASURE_CONFIG(increment_gauge, "gauge+")
MEASURE_CONFIG(decrement_gauge, "gauge-")
MEASURE_CONFIG(set_gauge, "gauge=")
MEASURE_CONFIG(record_histogram_value, "histogram")

QUIET(http_get_filter_state_object)
QUIET(http_set_filter_state_object)

void CALLBACK(http_span_disable_local_decision)(void* span) {
  (void)span;
  say("span_disable_local_decision");
}
#endif

#if HOST >= 140
void CALLBACK(log_v2)(int level, Text message, Text file, uint32_t line) {
  (void)line;
  core_log(level, message);
  if (file.len == 0) say("log_v2 without a file");
}

void CALLBACK(http_set_dynamic_metadata_struct)(void* f, Text ns, Text serialized) {
  ALIVE(f);
  say("metadata_struct %.*s of %zu bytes ending %.*s", (int)ns.len, ns.ptr, serialized.len, 10,
      serialized.ptr + serialized.len - 10);
}

QUIET(get_runtime_bool)
QUIET(get_runtime_int)
QUIET(get_runtime_number)
QUIET(http_filter_config_generic_secret_subscribe)
QUIET(http_filter_config_get_generic_secret)
QUIET(http_filter_get_generic_secret)
QUIET(http_get_downstream_direct_remote_address)
QUIET(http_get_timing_info)
QUIET(http_get_typed_metadata)
QUIET(http_get_upstream_connection_ids_attempted)
QUIET(http_get_upstream_connection_ids_attempted_size)
QUIET(http_get_upstream_hosts_attempted)
QUIET(http_get_upstream_hosts_attempted_size)
QUIET(http_get_upstream_remote_address)
QUIET(http_has_filter_state)
QUIET(http_set_dynamic_typed_metadata)
QUIET(http_set_filter_state_value)
QUIET(http_span_set_tag_batch)
#endif
