/*
 * The boundary host's main: loads a module as Envoy would and runs the commands of its argv.
 *
 *   host MODULE.so COMMAND...
 *
 * Commands are `name` or `name:text[:eos]`; see `run`. Exit 0: every command was carried out;
 * 3: the module refused to load; 2: a command or an export is wrong. See host.h for the rest.
 */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void* module;
static void* config;
static void* route_owner;
static _Thread_local void* envoy; /* the stream, as the module sees it */
static _Thread_local Stream* live;
static bool null_filter;
static char config_envoy; /* only its address is used */

static void* hook(const char* name) {
  char symbol[128] = "envoy_dynamic_module_on_";
  strncat(symbol, name, sizeof symbol - strlen(symbol) - 1);
  void* address = dlsym(module, symbol);
  if (address == NULL) {
    say("MISSING HOOK %s", name);
    exit(2);
  }
  return address;
}

static void* filter(void) { return null_filter || live == NULL ? NULL : live->filter; }

/* 1.36 passes views to hooks as two scalars, later lines by value. */
#if HOST >= 137
typedef Text View;
typedef uint64_t CalloutId;
#define VIEW_TYPE Text
#define PASS(text) (text)
#else
typedef uint32_t CalloutId;
#define VIEW_TYPE const char*, size_t
#define PASS(text) (text).ptr, (text).len
#endif

static int status_hook(const char* name, bool end) {
  int (*call)(void*, void*, bool) = hook(name);
  int status = call(envoy, filter(), end);
  say("%s -> %d", name, status);
  return status;
}

static int trailers_hook(const char* name) {
  int (*call)(void*, void*) = hook(name);
  int status = call(envoy, filter());
  say("%s -> %d", name, status);
  return status;
}

static void event_hook(const char* name) {
  void (*call)(void*, void*) = hook(name);
  call(envoy, filter());
  say("%s done", name);
}

static void destroy(void) {
  if (live == NULL) return;
  void (*call)(void*) = hook("http_filter_destroy");
  void* victim = filter();
  /* Envoy's side goes first: the module may only drop what is its own. */
  core_close();
  live = NULL;
  envoy = NULL;
  call(victim);
  say("destroyed");
}

void host_finish_inline(void) {
  if (live == NULL) return;
  event_hook("http_filter_stream_complete");
  destroy();
}

void host_continue_inline(bool request) {
  int body = request ? RECEIVED_REQUEST : RECEIVED_RESPONSE;
  live->bodies[body].exists = true;
  status_hook(request ? "http_filter_request_body" : "http_filter_response_body", true);
  if (live != NULL) live->bodies[body].exists = false;
}

void host_response_hooks_inline(void) {
  status_hook("http_filter_response_headers", false);
}

static const Line reply_lines[] = {{":status", 7, "200", 3}, {"x-origin", 8, "callout", 7}};
static const Text reply_body[] = {{"first ", 6}, {"second", 6}};

static void callout_done(uint64_t id, int result, bool empty) {
  void (*call)(void*, void*, CalloutId, int, const Line*, size_t, const Text*, size_t) =
      hook("http_filter_http_callout_done");
  if (empty) {
    call(envoy, filter(), (CalloutId)id, result, NULL, 0, NULL, 0);
  } else {
    call(envoy, filter(), (CalloutId)id, result, reply_lines, 2, reply_body, 2);
  }
  say("callout_done done");
}

static void stream_events(uint64_t id, bool empty, int reset_reason) {
  void (*headers)(void*, void*, uint64_t, const Line*, size_t, bool) =
      hook("http_filter_http_stream_headers");
  void (*data)(void*, void*, uint64_t, const Text*, size_t, bool) =
      hook("http_filter_http_stream_data");
  void (*trailers)(void*, void*, uint64_t, const Line*, size_t) =
      hook("http_filter_http_stream_trailers");
  void (*complete)(void*, void*, uint64_t) = hook("http_filter_http_stream_complete");
  void (*reset)(void*, void*, uint64_t, int) = hook("http_filter_http_stream_reset");
  headers(envoy, filter(), id, empty ? NULL : reply_lines, empty ? 0 : 2, false);
  data(envoy, filter(), id, empty ? NULL : reply_body, empty ? 0 : 2, false);
  trailers(envoy, filter(), id, empty ? NULL : reply_lines, empty ? 0 : 2);
  if (reset_reason < 0) {
    complete(envoy, filter(), id);
  } else {
    reset(envoy, filter(), id, reset_reason);
  }
  say("stream events done");
}

void host_callout_inline(uint64_t id, bool is_stream) {
  if (is_stream) {
    stream_events(id, false, -1);
  } else {
    callout_done(id, 0, false);
  }
}

static void local_reply(uint32_t status, Text details) {
  if (HOST < 138) return;
  int (*call)(void*, void*, uint32_t, VIEW_TYPE, bool) = hook("http_filter_local_reply");
  say("local_reply -> %d", call(envoy, filter(), status, PASS(details), false));
}

static void fill(int map, const char* key, const char* value) {
  Map* m = &live->maps[map];
  m->exists = true;
  m->keys[m->count] = core_copy((Text){key, strlen(key)});
  m->values[m->count++] = core_copy((Text){value, strlen(value)});
}

static void open_stream(void) {
  void* (*call)(void*, void*) = hook("http_filter_new");
  envoy = core_open();
  live = envoy;
  fill(REQUEST_HEADERS, ":method", "GET");
  fill(REQUEST_HEADERS, ":path", "/probe");
  fill(REQUEST_HEADERS, "x-many", "one");
  fill(REQUEST_HEADERS, "X-Many", "two");
  fill(REQUEST_HEADERS, "x-empty", "");
  live->filter = call(config, envoy);
  say("http_filter_new -> %s", live->filter ? "filter" : "NULL");
}

/* The body hooks see `bytes` as received, and what `keep` collected before as buffered. */
static void body(bool request, const char* bytes, bool end) {
  int received = request ? RECEIVED_REQUEST : RECEIVED_RESPONSE;
  int buffered = request ? BUFFERED_REQUEST : BUFFERED_RESPONSE;
  Body* r = &live->bodies[received];
  free(r->bytes);
  *r = (Body){true, strdup(bytes), strlen(bytes)};
  int status = status_hook(request ? "http_filter_request_body" : "http_filter_response_body", end);
  if (live == NULL) return;
  if (status == 1 && !live->received_is_buffered) {
    core_append(envoy, buffered, (Text){r->bytes, r->len});
  }
  free(r->bytes);
  *r = (Body){false, NULL, 0};
}

static bool run(char* command);

static void* worker(void* unused) {
  static const char* const stream[] = {"new",
                                       "request_headers",
                                       "request_body:hello",
                                       "request_body:world:eos",
                                       "callout_done:0",
                                       "scheduled:1",
                                       "response_headers",
                                       "response_body:x:eos",
                                       "stream_complete",
                                       "destroy"};
  for (int streams = 0; streams < 25; streams++) {
    for (size_t i = 0; i < sizeof stream / sizeof *stream; i++) {
      char command[32];
      strcpy(command, stream[i]);
      (void)run(command);
    }
  }
  return unused;
}

static void workers(int count) {
  pthread_t threads[16];
  if (count > 16) count = 16;
  for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, worker, NULL);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static bool is(const char* command, const char* name) { return strcmp(command, name) == 0; }

static bool run(char* command) {
  char* text = strchr(command, ':');
  if (text != NULL) *text++ = '\0';
  if (text == NULL) text = "";
  size_t length = strlen(text);
  bool end = length >= 4 && is(text + length - 4, ":eos");
  if (end) text[length - 4] = '\0';
  Text view = {text, strlen(text)};

  if (is(command, "config")) {
    void* (*call)(void*, VIEW_TYPE, VIEW_TYPE) = hook("http_filter_config_new");
    config = call(&config_envoy, PASS(TEXT("probe")), PASS(view));
    say("config_new -> %s", config ? "config" : "NULL");
  } else if (is(command, "config_null_views")) {
    void* (*call)(void*, VIEW_TYPE, VIEW_TYPE) = hook("http_filter_config_new");
    Text nothing = {NULL, 0};
    config = call(&config_envoy, PASS(nothing), PASS(nothing));
    say("config_new -> %s", config ? "config" : "NULL");
  } else if (is(command, "config_destroy")) {
    void (*call)(void*) = hook("http_filter_config_destroy");
    call(config);
    config = NULL;
    say("config_destroy done");
  } else if (is(command, "route")) {
    const void* (*call)(VIEW_TYPE, VIEW_TYPE) = hook("http_filter_per_route_config_new");
    route_config = call(PASS(TEXT("probe")), PASS(view));
    route_owner = (void*)route_config;
    say("per_route_config_new -> %s", route_config ? "config" : "NULL");
  } else if (is(command, "route_destroy")) {
    void (*call)(void*) = hook("http_filter_per_route_config_destroy");
    call(route_owner);
    say("per_route_config_destroy done");
  } else if (is(command, "config_scheduled")) {
    void (*call)(void*, void*, uint64_t) = hook("http_filter_config_scheduled");
    call(&config_envoy, config, strtoull(text, NULL, 10));
    say("config_scheduled done");
  } else if (is(command, "config_callout_done")) {
    void (*call)(void*, void*, uint64_t, int, const Line*, size_t, const Text*, size_t) =
        hook("http_filter_config_http_callout_done");
    call(&config_envoy, config, 1, atoi(text), reply_lines, 2, reply_body, 2);
    say("config_callout_done done");
  } else if (is(command, "new")) {
    open_stream();
  } else if (is(command, "request_headers")) {
    status_hook("http_filter_request_headers", end);
  } else if (is(command, "request_body")) {
    body(true, text, end);
  } else if (is(command, "request_trailers")) {
    fill(REQUEST_TRAILERS, "x-request-trailer", "t");
    trailers_hook("http_filter_request_trailers");
  } else if (is(command, "response_headers")) {
    fill(RESPONSE_HEADERS, ":status", "200");
    status_hook("http_filter_response_headers", end);
  } else if (is(command, "response_body")) {
    body(false, text, end);
  } else if (is(command, "response_trailers")) {
    fill(RESPONSE_TRAILERS, "x-response-trailer", "t");
    trailers_hook("http_filter_response_trailers");
  } else if (is(command, "stream_complete")) {
    event_hook("http_filter_stream_complete");
  } else if (is(command, "above_watermark")) {
    event_hook("http_filter_downstream_above_write_buffer_high_watermark");
  } else if (is(command, "below_watermark")) {
    event_hook("http_filter_downstream_below_write_buffer_low_watermark");
  } else if (is(command, "scheduled")) {
    void (*call)(void*, void*, uint64_t) = hook("http_filter_scheduled");
    call(envoy, filter(), strtoull(text, NULL, 10));
    say("scheduled done");
  } else if (is(command, "callout_done")) {
    callout_done(0x100000001, atoi(text), false);
  } else if (is(command, "callout_done_empty")) {
    callout_done(0x100000001, atoi(text), true);
  } else if (is(command, "stream_events")) {
    stream_events(0x100000002, false, -1);
  } else if (is(command, "stream_events_empty")) {
    stream_events(0x100000002, true, atoi(text));
  } else if (is(command, "local_reply")) {
    local_reply((uint32_t)atoi(text), TEXT("details"));
  } else if (is(command, "local_reply_null")) {
    local_reply((uint32_t)atoi(text), (Text){NULL, 0});
  } else if (is(command, "workers")) {
    workers(atoi(text));
  } else if (is(command, "destroy")) {
    destroy();
  } else if (is(command, "null_filter")) {
    null_filter = !is(text, "off");
  } else if (is(command, "polite")) {
    manners = (Manners){0};
    null_filter = false;
  } else if (is(command, "null_views")) {
    manners.null_views = true;
  } else if (is(command, "odd_enums")) {
    manners.odd_enums = true;
  } else if (is(command, "destroy_inline")) {
    manners.destroy_inline = true;
  } else if (is(command, "upstream")) {
    manners.upstream = true;
  } else if (is(command, "reenter")) {
    manners.reenter = true;
  } else if (is(command, "callout_inline")) {
    manners.callout_inline = true;
  } else if (is(command, "alias_bodies")) {
    live->received_is_buffered = true;
  } else {
    return false;
  }
  return true;
}

/* What each line refuses to do without (facts of the loader, found by leaving one out). */
static void check_mandatory_hooks(void) {
  static const char* const every[] = {
      "http_filter_config_new",       "http_filter_config_destroy",   "http_filter_new",
      "http_filter_destroy",          "http_filter_request_headers",  "http_filter_request_body",
      "http_filter_request_trailers", "http_filter_response_headers", "http_filter_response_body",
      "http_filter_response_trailers", "http_filter_stream_complete", "http_filter_scheduled",
      "http_filter_http_callout_done", "http_filter_per_route_config_new",
      "http_filter_per_route_config_destroy"};
  static const char* const since_137[] = {
      "http_filter_http_stream_headers",
      "http_filter_http_stream_data",
      "http_filter_http_stream_trailers",
      "http_filter_http_stream_complete",
      "http_filter_http_stream_reset",
      "http_filter_downstream_above_write_buffer_high_watermark",
      "http_filter_downstream_below_write_buffer_low_watermark"};
  for (size_t i = 0; i < sizeof every / sizeof *every; i++) (void)hook(every[i]);
  for (size_t i = 0; i < sizeof since_137 / sizeof *since_137; i++) (void)hook(since_137[i]);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) {
    say("dlopen failed: %s", dlerror());
    return 2;
  }
  const char* (*init)(void) = hook("program_init");
  const char* version = init();
  if (version == NULL) {
    say("refused");
    return 3;
  }
  say("version %s", version);
  check_mandatory_hooks();
  for (int i = 2; i < argc; i++) {
    if (!run(argv[i])) {
      say("unknown command %s", argv[i]);
      return 2;
    }
  }
  /* Left on purpose: closing the library would take the symbols from a leak report. */
  return 0;
}
