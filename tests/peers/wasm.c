/*
 * What the rows "headers" and "model" of the benchmark ask for, as a Wasm filter: as little as one
 * can do, by Proxy-Wasm's own calls (ABI 0.2.1) and without a library, so that what is measured is
 * the way in and out of the machine.
 *
 * Built by the benchmark with clang. Memory is handed out from an arena that is emptied at the
 * beginning of each callback: nothing is kept but the method of each stream, by its number.
 */
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

typedef unsigned int u32;

enum { REQUEST_HEADERS = 0, RESPONSE_HEADERS = 2, REQUEST_BODY = 0, CONTINUE = 0, STOP_AND_BUFFER = 1 };

IMPORT(proxy_get_header_map_value)
u32 get_header(u32 map, const char *name, u32 name_size, char **value, u32 *size);
IMPORT(proxy_replace_header_map_value)
u32 replace_header(u32 map, const char *name, u32 name_size, const char *value, u32 size);
IMPORT(proxy_add_header_map_value)
u32 add_header(u32 map, const char *name, u32 name_size, const char *value, u32 size);
IMPORT(proxy_get_buffer_bytes)
u32 get_buffer(u32 buffer, u32 start, u32 length, char **bytes, u32 *size);

static char arena[1 << 20];
static u32 used;
/* The method of each stream. Streams have rising numbers, and far fewer are open at once. */
static char methods[1 << 16][16];
static u32 method_sizes[1 << 16];

EXPORT(proxy_abi_version_0_2_1) void abi(void) {}
EXPORT(_initialize) void initialize(void) {}
EXPORT(proxy_on_context_create) void on_create(u32 id, u32 parent) { (void)id, (void)parent; }
EXPORT(proxy_on_vm_start) u32 on_vm_start(u32 id, u32 size) { return (void)id, (void)size, 1; }
EXPORT(proxy_on_configure) u32 on_configure(u32 id, u32 size) { return (void)id, (void)size, 1; }
EXPORT(proxy_on_done) u32 on_done(u32 id) { return (void)id, 1; }
EXPORT(proxy_on_delete) void on_delete(u32 id) { (void)id; }

/* Where the host puts what it tells. */
EXPORT(proxy_on_memory_allocate) char *allocate(u32 size) {
    char *place = arena + used;
    used += (size + 7) & ~7u;
    return used <= sizeof arena ? place : 0;
}

EXPORT(proxy_on_request_headers) u32 on_request_headers(u32 id, u32 count, u32 ends) {
    char *value;
    u32 size, at = id & 0xffff;
    (void)count;
    used = 0;
    method_sizes[at] = 0;
    if (get_header(REQUEST_HEADERS, ":method", 7, &value, &size) == 0 && size <= sizeof methods[at]) {
        for (u32 i = 0; i < size; i++) methods[at][i] = value[i];
        method_sizes[at] = size;
    }
    if (get_header(REQUEST_HEADERS, "x-source", 8, &value, &size) == 0)
        replace_header(REQUEST_HEADERS, "x-copy", 6, value, size);
    return ends ? CONTINUE : STOP_AND_BUFFER;
}

/* The model is what stands between quotes behind "model": enough for the body of the benchmark. */
EXPORT(proxy_on_request_body) u32 on_request_body(u32 id, u32 size, u32 ends) {
    static const char key[] = "\"model\":\"";
    char *body;
    (void)id;
    if (!ends) return STOP_AND_BUFFER;
    used = 0;
    if (get_buffer(REQUEST_BODY, 0, size, &body, &size) != 0) return CONTINUE;
    for (u32 i = 0, matched = 0; i < size; i++) {
        matched = body[i] == key[matched] ? matched + 1 : body[i] == key[0];
        if (matched < sizeof key - 1) continue;
        char *model = body + i + 1;
        u32 length = 0;
        while (i + 1 + length < size && model[length] != '"') length++;
        replace_header(REQUEST_HEADERS, "x-model", 7, model, length);
        break;
    }
    return CONTINUE;
}

EXPORT(proxy_on_response_headers) u32 on_response_headers(u32 id, u32 count, u32 ends) {
    u32 at = id & 0xffff;
    (void)count, (void)ends;
    used = 0;
    add_header(RESPONSE_HEADERS, "x-asked", 7, methods[at], method_sizes[at]);
    return CONTINUE;
}
