/* The callbacks of Envoy 1.36.4: every view travels as two scalars. See host.h. */
#include "host.h"

#define VIEW(name) const char *name##_ptr, size_t name##_len
#define OF(name) ((Text){name##_ptr, name##_len})

#define HEADER_MAP(one, many, map)                                                             \
  size_t CALLBACK(http_get_##one)(void* f, VIEW(key), const char** out, size_t* out_len,       \
                                  size_t index) {                                              \
    Text value;                                                                                \
    size_t total = core_header(f, map, OF(key), &value, index);                                \
    *out = value.ptr;                                                                          \
    *out_len = value.len;                                                                      \
    return total;                                                                              \
  }                                                                                            \
  size_t CALLBACK(http_get_##many##_count)(void* f) { return core_lines(f, map, NULL); }       \
  bool CALLBACK(http_get_##many)(void* f, Line* out) {                                         \
    core_lines(f, map, out);                                                                   \
    return core_stream(f)->maps[map].exists;                                                   \
  }                                                                                            \
  bool CALLBACK(http_set_##one)(void* f, VIEW(key), VIEW(value)) {                             \
    return core_set(f, map, OF(key), OF(value), value_ptr == NULL);                            \
  }

HEADER_MAP(request_header, request_headers, REQUEST_HEADERS)
HEADER_MAP(request_trailer, request_trailers, REQUEST_TRAILERS)
HEADER_MAP(response_header, response_headers, RESPONSE_HEADERS)
HEADER_MAP(response_trailer, response_trailers, RESPONSE_TRAILERS)

#define BODY(name, body)                                                                       \
  bool CALLBACK(http_get_##name##_body_vector_size)(void* f, size_t* n) {                      \
    *n = core_chunks(f, body, NULL);                                                           \
    return core_exists(f, body);                                                               \
  }                                                                                            \
  bool CALLBACK(http_get_##name##_body_vector)(void* f, Text* out) {                           \
    core_chunks(f, body, out);                                                                 \
    return core_exists(f, body);                                                               \
  }                                                                                            \
  bool CALLBACK(http_append_##name##_body)(void* f, VIEW(bytes)) {                             \
    return core_append(f, body, OF(bytes));                                                    \
  }                                                                                            \
  bool CALLBACK(http_drain_##name##_body)(void* f, size_t n) { return core_drain(f, body, n); }

BODY(received_request, RECEIVED_REQUEST)
BODY(buffered_request, BUFFERED_REQUEST)
BODY(received_response, RECEIVED_RESPONSE)
BODY(buffered_response, BUFFERED_RESPONSE)

void CALLBACK(http_send_response)(void* f, uint32_t status, const Line* lines, size_t n,
                                  VIEW(body)) {
  core_reply(f, "send_response", status, lines, n, OF(body), (Text){NULL, 0}, true);
}

void CALLBACK(http_send_response_data)(void* f, VIEW(bytes), bool end) {
  core_reply(f, "send_response_data", 0, NULL, 0, OF(bytes), (Text){NULL, 0}, end);
}

bool CALLBACK(http_set_dynamic_metadata_number)(void* f, VIEW(ns), VIEW(key), double value) {
  (void)core_stream(f);
  say("set_metadata %.*s %.*s=%g", (int)ns_len, ns_ptr, (int)key_len, key_ptr, value);
  return true;
}

bool CALLBACK(http_set_dynamic_metadata_string)(void* f, VIEW(ns), VIEW(key), VIEW(value)) {
  (void)core_stream(f);
  say("set_metadata %.*s %.*s=%.*s", (int)ns_len, ns_ptr, (int)key_len, key_ptr, (int)value_len,
      value_ptr);
  return true;
}

bool CALLBACK(http_get_metadata_number)(void* f, int source, VIEW(ns), VIEW(key), double* out) {
  return core_metadata_number(f, source, OF(ns), OF(key), out);
}

bool CALLBACK(http_get_metadata_string)(void* f, int source, VIEW(ns), VIEW(key),
                                        const char** out, size_t* out_len) {
  Text value;
  bool found = core_metadata_string(f, source, OF(ns), OF(key), &value);
  *out = value.ptr;
  *out_len = value.len;
  return found;
}

bool CALLBACK(http_set_filter_state_bytes)(void* f, VIEW(key), VIEW(value)) {
  (void)core_stream(f);
  say("set_filter_state %.*s=%.*s", (int)key_len, key_ptr, (int)value_len, value_ptr);
  return true;
}

bool CALLBACK(http_get_filter_state_bytes)(void* f, VIEW(key), const char** out, size_t* out_len) {
  Text value;
  bool found = core_filter_state(f, OF(key), &value);
  *out = value.ptr;
  *out_len = value.len;
  return found;
}

bool CALLBACK(http_filter_get_attribute_string)(void* f, int id, const char** out,
                                                size_t* out_len) {
  Text value;
  bool found = core_attribute_string(f, id, &value);
  *out = value.ptr;
  *out_len = value.len;
  return found;
}

#define DEFINE(kind)                                                                           \
  int CALLBACK(http_filter_config_define_##kind)(void* c, VIEW(name), size_t* id) {            \
    return core_define(c, #kind, OF(name), NULL, 0, id);                                       \
  }                                                                                            \
  int CALLBACK(http_filter_config_define_##kind##_vec)(void* c, VIEW(name), const Text* labels, \
                                                       size_t n, size_t* id) {                 \
    return core_define(c, #kind, OF(name), labels, n, id);                                     \
  }

DEFINE(counter)
DEFINE(gauge)
DEFINE(histogram)

#define MEASURE(callback, what)                                                                \
  int CALLBACK(http_filter_##callback)(void* f, size_t id, uint64_t value) {                   \
    return core_measure(core_stream(f), what, id, NULL, 0, value);                             \
  }                                                                                            \
  int CALLBACK(http_filter_##callback##_vec)(void* f, size_t id, const Text* labels, size_t n, \
                                             uint64_t value) {                                 \
    return core_measure(core_stream(f), what, id, labels, n, value);                           \
  }

MEASURE(increment_counter, "counter+")
MEASURE(increase_gauge, "gauge+")
MEASURE(decrease_gauge, "gauge-")
MEASURE(set_gauge, "gauge=")
MEASURE(record_histogram_value, "histogram")

void CALLBACK(log)(int level, VIEW(message)) { core_log(level, OF(message)); }

int CALLBACK(http_filter_http_callout)(void* f, uint32_t id, VIEW(cluster), const Line* lines,
                                       size_t n, VIEW(body), uint64_t timeout_ms) {
  return core_callout(f, "callout", id, OF(cluster), lines, n, OF(body), timeout_ms);
}
