/* The callbacks whose signature never changed. See host.h. */
#include "host.h"

#include <stdlib.h>

void CALLBACK(http_send_response_headers)(void* f, const Line* lines, size_t n, bool end) {
  core_reply(f, "send_response_headers", 0, lines, n, (Text){NULL, 0}, (Text){NULL, 0}, end);
}

void CALLBACK(http_send_response_trailers)(void* f, const Line* lines, size_t n) {
  core_reply(f, "send_response_trailers", 0, lines, n, (Text){NULL, 0}, (Text){NULL, 0}, true);
}

void CALLBACK(http_clear_route_cache)(void* f) {
  (void)core_stream(f);
  say("clear_route_cache");
}

const void* CALLBACK(get_most_specific_route_config)(void* f) {
  (void)core_stream(f);
  return route_config;
}

bool CALLBACK(http_filter_get_attribute_int)(void* f, int id, uint64_t* out) {
  return core_attribute_int(f, id, out);
}

void CALLBACK(http_filter_continue_decoding)(void* f) {
  (void)core_stream(f);
  say("continue_decoding");
  if (manners.reenter) host_continue_inline(true);
  if (manners.destroy_inline) host_finish_inline();
}

void CALLBACK(http_filter_continue_encoding)(void* f) {
  (void)core_stream(f);
  say("continue_encoding");
  if (manners.reenter) host_continue_inline(false);
  if (manners.destroy_inline) host_finish_inline();
}

/* A scheduler outlives its stream and may be used from any thread: it holds no stream pointer. */
void* CALLBACK(http_filter_scheduler_new)(void* f) {
  (void)core_stream(f);
  say("scheduler_new");
  return malloc(1);
}

void CALLBACK(http_filter_scheduler_commit)(void* scheduler, uint64_t event) {
  say("scheduler_commit %d %llu", scheduler != NULL, (unsigned long long)event);
}

void CALLBACK(http_filter_scheduler_delete)(void* scheduler) {
  say("scheduler_delete");
  free(scheduler);
}

bool CALLBACK(log_enabled)(int level) { return level >= 1; }
