//! A slot against a host made of a few C functions: what is deferred, queued, refused and freed.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use super::*;
use crate::abi::{
    envoy_dynamic_module_type_http_callout_init_result as InitResult,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
};
use crate::host::config::EnvoyHttpFilterConfigImpl;
use crate::host::raw::{Buf, Pair};
use crate::host::symbols::Symbols;
use crate::http::{EnvoyHeaderMaps, EnvoyHttpFilter, HttpFilterConfig, HttpMessage};
use crate::stream::event::{Event, Kind};

thread_local! {
    /// What the host and the filter did, in order.
    static STORY: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// The slot under test, for host functions that call back into it.
    static SLOT: Cell<*const Slot> = const { Cell::new(ptr::null()) };
    /// The value of every header; none if it is empty.
    static HEADER: Cell<&'static str> = const { Cell::new("") };
}

fn tell(line: impl Into<String>) {
    STORY.with_borrow_mut(|story| story.push(line.into()));
}

fn story() -> Vec<String> {
    STORY.take()
}

const NOT_STARTED: InitResult = InitResult::CannotCreateRequest;
const ENVOY: FilterPtr = NonNull::<c_void>::dangling().as_ptr();

// The host. Ending calls behave as Envoy 1.39 does: complete and destroy run inside them.

unsafe extern "C" fn send_response(
    _: FilterPtr,
    code: u32,
    lines: *const Pair,
    count: usize,
    _: Buf,
    _: Buf,
) {
    let names: Vec<&[u8]> = (0..count)
        // SAFETY: the array has so many lines, whose names stay while this runs.
        .map(|at| unsafe {
            let name = &(*lines.add(at)).key;
            std::slice::from_raw_parts(name.ptr, name.len)
        })
        .collect();
    let grpc = if names.contains(&b"grpc-status".as_slice()) {
        " in gRPC"
    } else {
        ""
    };
    tell(format!("host: reply {code}{grpc}"));
    // SAFETY: the test leaked the slot, and its hook is on the stack.
    unsafe {
        if let Some(visit) = Visit::enter(SLOT.get(), ENVOY) {
            visit.tell(Event::bare(Kind::Complete));
        }
        Visit::destroy(SLOT.get());
    }
    tell("host: destroyed");
}

unsafe extern "C" fn continue_decoding(_: FilterPtr) {
    tell("host: decoding goes on");
    // SAFETY: as above.
    if let Some(visit) = unsafe { Visit::enter(SLOT.get(), ENVOY) } {
        respond(&visit);
    }
}

unsafe extern "C" fn recreate(_: FilterPtr, _: *const Pair, _: usize) -> bool {
    // SAFETY: as above.
    unsafe {
        if let Some(visit) = Visit::enter(SLOT.get(), ENVOY) {
            respond(&visit);
            visit.tell(Event::bare(Kind::Complete));
        }
        Visit::destroy(SLOT.get());
    }
    true
}

unsafe extern "C" fn get_header(
    _: FilterPtr,
    _: u32,
    _: Buf,
    value: *mut Buf,
    _: usize,
    _: *mut usize,
) -> bool {
    tell("host: asked for a header");
    let header = HEADER.get();
    // SAFETY: the caller's out value.
    unsafe { value.write(Buf::of(header.as_bytes())) };
    !header.is_empty()
}

unsafe extern "C" fn get_attribute(_: FilterPtr, _: u32, _: *mut Buf) -> bool {
    false
}

unsafe extern "C" fn define(_: *mut c_void, _: Buf, _: *const Buf, _: usize, _: *mut usize) -> u32 {
    0
}

unsafe extern "C" fn increment(_: FilterPtr, _: usize, _: *const Buf, _: usize, _: u64) -> u32 {
    tell("host: panic counted");
    0
}

struct Functions;

impl Symbols for Functions {
    fn find(&self, name: &CStr) -> Option<NonNull<c_void>> {
        let address: *const () = match name
            .to_str()
            .ok()?
            .strip_prefix("envoy_dynamic_module_callback_")?
        {
            "http_send_response" => send_response as *const (),
            "http_filter_continue_decoding" => continue_decoding as *const (),
            "http_filter_recreate_stream" => recreate as *const (),
            "http_filter_get_attribute_string" => get_attribute as *const (),
            "http_get_header" => get_header as *const (),
            "http_filter_config_define_counter" => define as *const (),
            "http_filter_increment_counter" => increment as *const (),
            // Exported, but these tests never call them.
            _ => return Some(NonNull::dangling()),
        };
        NonNull::new(address.cast_mut().cast())
    }
}

// The author.

type Hook = Rc<dyn Fn(&mut EnvoyHttpFilterImpl) -> RequestHeadersStatus>;

struct Config(Hook);

// SAFETY: the tests keep everything on one thread.
unsafe impl Sync for Config {}

impl HttpFilterConfig<EnvoyHttpFilterImpl> for Config {
    fn new_http_filter(&self, _: &mut EnvoyHttpFilterImpl) -> Filter {
        tell("made");
        Box::new(Author(self.0.clone()))
    }
}

struct Author(Hook);

impl HttpFilter<EnvoyHttpFilterImpl> for Author {
    fn on_request_headers(
        &mut self,
        envoy: &mut EnvoyHttpFilterImpl,
        _: bool,
    ) -> RequestHeadersStatus {
        let status = (self.0)(envoy);
        tell("request hook returns");
        status
    }

    fn on_response_headers(
        &mut self,
        _: &mut EnvoyHttpFilterImpl,
        _: bool,
    ) -> ResponseHeadersStatus {
        tell("response hook");
        ResponseHeadersStatus::Continue
    }

    fn on_scheduled(&mut self, envoy: &mut EnvoyHttpFilterImpl, event_id: u64) {
        tell(format!("scheduled {event_id}"));
        envoy.continue_decoding();
    }

    fn on_stream_complete(&mut self, envoy: &mut EnvoyHttpFilterImpl) {
        envoy.send_response(200, &[], None, None);
        assert!(!envoy.recreate_stream(None));
        envoy.clear_route_cache();
        envoy.clear_route_cluster_cache();
        let (callout, _) = envoy.send_http_callout("c", &[], None, 1);
        let (stream, _) = envoy.start_http_stream("c", &[], None, true, 1);
        assert_eq!((callout, stream), (NOT_STARTED, NOT_STARTED));
        let _ = envoy.get_request_header_value("x");
        tell("complete");
    }
}

impl Drop for Author {
    fn drop(&mut self) {
        tell("dropped");
    }
}

// The tests.

fn new_slot(
    hook: impl Fn(&mut EnvoyHttpFilterImpl) -> RequestHeadersStatus + 'static,
) -> *const Slot {
    let host: &'static Host = Box::leak(Box::new(
        Host::resolve(&Functions).unwrap_or_else(|refusal| panic!("{refusal}")),
    ));
    // SAFETY: the host's functions ignore their config.
    let mut handle = unsafe { EnvoyHttpFilterConfigImpl::new(host, ptr::null_mut()) };
    let config = FilterConfig::shared(host, &mut handle, Box::new(Config(Rc::new(hook))));
    let slot = Box::into_raw(Box::new(Slot::new(host, config, ENVOY))).cast_const();
    SLOT.set(slot);
    story();
    slot
}

fn request(slot: *const Slot) -> u32 {
    // SAFETY: a leaked slot that the test has not destroyed.
    let visit = unsafe { Visit::enter(slot, ENVOY) }.expect("not null");
    visit.decide(
        "on_request_headers",
        HttpMessage::Request,
        |filter, envoy| filter.on_request_headers(envoy, true),
    )
}

fn respond(visit: &Visit) -> u32 {
    visit.decide(
        "on_response_headers",
        HttpMessage::Response,
        |filter, envoy| filter.on_response_headers(envoy, true),
    )
}

fn destroy(slot: *const Slot) {
    // SAFETY: a leaked slot, destroyed once.
    unsafe { Visit::destroy(slot) }
}

const CONTINUE: u32 = RequestHeadersStatus::Continue as u32;
const STOP: u32 = RequestHeadersStatus::StopIteration as u32;

#[test]
fn a_reply_waits_for_the_hook_stops_the_message_and_frees_the_filter_last() {
    let slot = new_slot(|envoy| {
        envoy.send_response(403, &[], None, None);
        RequestHeadersStatus::Continue
    });
    assert_eq!(request(slot), STOP);
    assert_eq!(
        story(),
        [
            "made",
            "host: asked for a header",
            "request hook returns",
            "host: reply 403",
            "host: asked for a header",
            "complete",
            "host: destroyed",
            "dropped",
        ]
    );
}

#[test]
fn nothing_is_sent_from_stream_complete_and_only_its_own_destroy_frees() {
    let slot = new_slot(|_| RequestHeadersStatus::Continue);
    assert_eq!(request(slot), CONTINUE);
    // SAFETY: the slot is live.
    unsafe { Visit::enter(slot, ENVOY) }
        .expect("not null")
        .tell(Event::bare(Kind::Complete));
    assert_eq!(
        story(),
        [
            "made",
            "request hook returns",
            "host: asked for a header",
            "complete"
        ]
    );
    destroy(slot);
    assert_eq!(story(), ["dropped"]);
}

#[test]
fn hooks_that_a_resumption_runs_find_the_filter_in_place() {
    let slot = new_slot(|_| RequestHeadersStatus::StopIteration);
    assert_eq!(request(slot), STOP);
    // SAFETY: the slot is live.
    unsafe { Visit::enter(slot, ENVOY) }
        .expect("not null")
        .tell(Event::bare(Kind::Scheduled { event: 7 }));
    assert_eq!(
        story(),
        [
            "made",
            "request hook returns",
            "scheduled 7",
            "host: decoding goes on",
            "response hook"
        ]
    );
    destroy(slot);
}

#[test]
fn resuming_before_the_stop_takes_the_stop_back() {
    let slot = new_slot(|envoy| {
        envoy.continue_decoding();
        RequestHeadersStatus::StopIteration
    });
    assert_eq!(request(slot), CONTINUE);
    assert_eq!(
        story(),
        ["made", "request hook returns"],
        "the host was not asked"
    );
    destroy(slot);
}

#[test]
fn an_event_under_a_running_hook_waits_for_it() {
    let slot = new_slot(|_| {
        // SAFETY: the slot is live.
        unsafe { Visit::enter(SLOT.get(), ENVOY) }
            .expect("not null")
            .tell(Event::bare(Kind::Scheduled { event: 1 }));
        RequestHeadersStatus::StopIteration
    });
    assert_eq!(
        request(slot),
        CONTINUE,
        "the event resumed what the hook had stopped"
    );
    assert_eq!(story(), ["made", "request hook returns", "scheduled 1"]);
    destroy(slot);
}

#[test]
fn a_stream_that_ends_under_a_running_hook_leaves_an_inert_handle() {
    let slot = new_slot(|envoy| {
        assert!(envoy.recreate_stream(None));
        assert!(envoy.get_request_header_value("x").is_none());
        assert!(!envoy.set_header(
            crate::abi::envoy_dynamic_module_type_http_header_type::RequestHeader,
            "x",
            b"y"
        ));
        assert!(!envoy.recreate_stream(None));
        RequestHeadersStatus::Continue
    });
    let skipped = crate::host::once::hooks_skipped();
    assert_eq!(request(slot), STOP);
    assert_eq!(
        story(),
        ["made", "request hook returns", "complete", "dropped"],
        "no header was asked for, and the response hook inside was passed"
    );
    assert!(crate::host::once::hooks_skipped() > skipped);
}

#[test]
fn a_panic_answers_500_drops_the_filter_and_makes_later_hooks_inert() {
    let slot = new_slot(|_| panic!("boom"));
    assert_eq!(request(slot), STOP);
    let lines = story();
    assert_eq!(
        lines,
        [
            "made",
            "dropped",
            "host: panic counted",
            "host: asked for a header",
            "host: reply 500",
            "host: destroyed"
        ]
    );
}

#[test]
fn a_grpc_call_is_told_in_grpc_of_a_refusal_and_of_a_panic() {
    HEADER.set("application/grpc");
    for (status, reply) in [(403, "host: reply 403 in gRPC"), (200, "host: reply 200")] {
        let slot = new_slot(move |envoy| {
            envoy.send_response(status, &[], None, None);
            RequestHeadersStatus::Continue
        });
        assert_eq!(request(slot), STOP);
        assert!(story().contains(&reply.to_owned()), "{reply}");
    }
    let slot = new_slot(|_| panic!("boom"));
    assert_eq!(request(slot), STOP);
    assert!(story().contains(&"host: reply 500 in gRPC".to_owned()));
    HEADER.set("application/json");
    let slot = new_slot(|_| panic!("boom"));
    assert_eq!(request(slot), STOP);
    assert!(story().contains(&"host: reply 500".to_owned()));
}

#[test]
fn a_filter_that_no_hook_needed_is_never_made() {
    let slot = new_slot(|_| RequestHeadersStatus::Continue);
    // SAFETY: the slot is live.
    let visit = unsafe { Visit::enter(slot, ENVOY) }.expect("not null");
    visit.tell(Event::bare(Kind::AboveHighWatermark));
    visit.tell(Event::bare(Kind::Complete));
    drop(visit);
    destroy(slot);
    assert!(story().is_empty());
}

#[test]
fn the_null_filter_is_nobody() {
    // SAFETY: null is allowed.
    assert!(unsafe { Visit::enter(ptr::null(), ENVOY) }.is_none());
    destroy(ptr::null());
}
