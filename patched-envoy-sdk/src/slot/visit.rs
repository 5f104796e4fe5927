//! One hook's visit to a slot: taking the filter out, running author code, settling what waited.
//!
//! Made at the top of every exported stream hook, on the stream's worker thread. Dropping the
//! outermost visit frees a slot that was destroyed meanwhile.

use std::ptr::NonNull;

use super::status::Status;
use super::{Filter, Flow, Place, Slot};
use crate::guard::{self, Panicked};
use crate::host::filter::{EnvoyHttpFilterImpl, headers, replies};
use crate::host::raw::FilterPtr;
use crate::http::{HttpFilter, HttpMessage, grpc};
use crate::stream::Waiting;
use crate::stream::call::Call;
use crate::stream::event::{Event, Kind, OwnedEvent};

/// What became of an author's hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome<R> {
    /// It returned this.
    Returned(R),
    /// It panicked now, and the stream was failed.
    Panicked,
    /// It panicked before; nothing ran.
    Inert,
    /// The filter is in the middle of another hook; nothing ran.
    Busy,
}

/// An author's filter, for as long as one of its hooks runs.
type AnyFilter = dyn HttpFilter<EnvoyHttpFilterImpl>;

/// A hook that is inside a slot.
pub(crate) struct Visit {
    slot: NonNull<Slot>,
}

impl Visit {
    /// Enters the slot Envoy points at; `None` for the null pointer, which Envoy up to 1.39 passes
    /// for a stream whose filter could not be made.
    ///
    /// # Safety
    /// `slot` is null or a slot that was leaked to Envoy and not destroyed; `envoy` is the live
    /// Envoy object that belongs to it. Both hold until the visit is dropped, except for what the
    /// slot itself is told by `destroy`.
    pub(crate) unsafe fn enter(slot: *const Slot, envoy: FilterPtr) -> Option<Self> {
        let slot = NonNull::new(slot.cast_mut())?;
        let visit = Self { slot };
        visit.slot().depth.set(visit.slot().depth.get() + 1);
        visit.slot().stream.envoy.set(envoy);
        Some(visit)
    }

    /// Envoy's goodbye: frees the slot now, or when the outermost hook leaves it.
    ///
    /// # Safety
    /// `slot` is null or a slot that was leaked to Envoy; Envoy does not use it again.
    pub(crate) unsafe fn destroy(slot: *const Slot) {
        let Some(slot) = NonNull::new(slot.cast_mut()) else {
            return;
        };
        // SAFETY: Envoy destroys a filter once, so the slot has not been freed.
        let shared = unsafe { slot.as_ref() };
        shared.stream.gone.set(true);
        shared.destroyed.set(true);
        if shared.depth.get() == 0 {
            // SAFETY: no hook is inside, so nobody else holds a reference.
            unsafe { free(slot) };
        }
    }

    pub(crate) fn slot(&self) -> &Slot {
        // SAFETY: the slot is only freed when no visit is left, and this is one.
        unsafe { self.slot.as_ref() }
    }

    /// Runs a hook whose status decides over `message`, and returns the C value for Envoy.
    pub(crate) fn decide<S: Status>(
        &self,
        hook: &'static str,
        message: HttpMessage,
        author: impl FnOnce(&mut AnyFilter, &mut EnvoyHttpFilterImpl) -> S,
    ) -> u32 {
        let slot = self.slot();
        let flow = slot.flow(message);
        let outer_deciding = flow.deciding.replace(true);
        let outer_ended = slot.stream.ended.replace(false);
        let outcome = self.run(hook, true, author);
        let ended = slot.stream.ended.get();
        slot.stream.ended.set(outer_ended || ended);
        flow.deciding.set(outer_deciding);
        let resume = flow.resume.take();
        let status = match (outcome, message) {
            // Nothing may follow a reply or a reset of ours, nor a stream that ended meanwhile.
            (Outcome::Returned(_), _) if ended || slot.stream.gone.get() => S::STOP,
            (Outcome::Returned(status), _) if resume && status.stops() => S::PASS,
            (Outcome::Returned(status), _) => status,
            (Outcome::Panicked, _) | (Outcome::Inert, HttpMessage::Request) => S::STOP,
            // What passes here after a panic is our own 500.
            (Outcome::Inert, HttpMessage::Response) => S::PASS,
            (Outcome::Busy, _) => {
                crate::host::report_skipped_hook(hook);
                S::PASS
            }
        };
        flow.stopped.set(status.stops());
        flow.keeps.set(status.keeps());
        status.raw()
    }

    /// As [`decide`](Visit::decide), for a chunk of the body, after the host has shown it.
    pub(crate) fn decide_body<S: Status>(
        &self,
        hook: &'static str,
        message: HttpMessage,
        end_of_stream: bool,
        author: impl FnOnce(&mut AnyFilter, &mut EnvoyHttpFilterImpl) -> S,
    ) -> u32 {
        let slot = self.slot();
        if end_of_stream {
            slot.flow(message).last.set(true);
        }
        if !slot.stream.host.hides_last_chunk() {
            return self.decide(hook, message, author);
        }
        if end_of_stream {
            slot.show_last_chunk(message);
            return self.decide(hook, message, author);
        }
        let status = self.decide(hook, message, author);
        slot.remember_chunk(message);
        status
    }

    /// As [`decide`](Visit::decide), for the trailers.
    pub(crate) fn decide_trailers<S: Status>(
        &self,
        hook: &'static str,
        message: HttpMessage,
        author: impl FnOnce(&mut AnyFilter, &mut EnvoyHttpFilterImpl) -> S,
    ) -> u32 {
        self.slot().flow(message).last.set(true);
        self.decide(hook, message, author)
    }

    /// Runs a hook that Envoy does not take an answer from, now or when the filter is back.
    pub(crate) fn tell(&self, event: Event<'_>) {
        let slot = self.slot();
        let completes = matches!(event.kind, Kind::Complete);
        if completes {
            slot.stream.complete.set(true);
        }
        let place = slot.place.replace(Place::Out);
        let (wait, forget) = match (&place, event.kind) {
            // No author code has run, so there is nobody to tell.
            (Place::Unmade, Kind::Complete) => (false, true),
            // May come while Envoy still builds the filter chain, when callbacks are not allowed.
            (Place::Unmade, _) => (true, false),
            (Place::Out, _) => (true, false),
            (Place::Here(_) | Place::Poisoned, _) => (false, false),
        };
        slot.place.set(place);
        if wait {
            slot.stream.push(Waiting::Event(event.to_owned()));
        } else if !forget {
            self.run(event.kind.hook(), !completes, |filter, envoy| {
                event.tell(filter, envoy)
            });
        }
        if completes {
            // Heard, or queued under a running hook: either way there is no stream to ask any more.
            slot.stream.mark_gone();
        }
    }

    /// Runs author code on the filter, making it first if need be. `answer` says whether a panic is
    /// answered to the client; there is nobody to answer when the stream is complete.
    pub(crate) fn run<R>(
        &self,
        hook: &'static str,
        answer: bool,
        author: impl FnOnce(&mut AnyFilter, &mut EnvoyHttpFilterImpl) -> R,
    ) -> Outcome<R> {
        let slot = self.slot();
        // SAFETY: the handle does not leave this function, and the visit, which keeps the slot and the
        // stream in it, outlives it.
        let mut envoy = unsafe { EnvoyHttpFilterImpl::new(NonNull::from(&slot.stream)) };
        let made = match slot.place.replace(Place::Out) {
            Place::Here(filter) => Ok(filter),
            Place::Unmade => {
                slot.find_place();
                guard::catch("new_http_filter", || {
                    slot.config.author().new_http_filter(&mut envoy)
                })
            }
            Place::Out => return Outcome::Busy,
            Place::Poisoned => {
                slot.place.set(Place::Poisoned);
                return Outcome::Inert;
            }
        };
        let nesting = slot.stream.nesting.replace(slot.stream.nesting.get() + 1);
        let returned = made.and_then(|mut filter| {
            match guard::catch(hook, || author(&mut *filter, &mut envoy)) {
                Ok(returned) => Ok((returned, filter)),
                Err(Panicked) => {
                    discard(filter);
                    Err(Panicked)
                }
            }
        });
        let outcome = match returned {
            Ok((returned, filter)) => {
                slot.place.set(Place::Here(filter));
                self.settle();
                Outcome::Returned(returned)
            }
            Err(Panicked) => {
                self.fail_closed(answer);
                Outcome::Panicked
            }
        };
        slot.stream.nesting.set(nesting);
        outcome
    }

    /// Makes the calls and delivers the events that waited, oldest first.
    ///
    /// The whole queue is taken at once: what a re-entrant hook records in turn is settled by that
    /// hook and cannot overtake what is still in hand here.
    fn settle(&self) {
        for item in self.slot().stream.take_waiting() {
            match item {
                Waiting::Event(event) => self.deliver(&event),
                Waiting::Call(call) => self.make(call),
            }
        }
    }

    fn deliver(&self, event: &OwnedEvent) {
        event.lend(|event| self.tell(event));
    }

    fn make(&self, call: Call) {
        let slot = self.slot();
        let Some(envoy) = slot.stream.live() else {
            return;
        };
        let early = match call {
            Call::ContinueDecoding => slot.request.continues(),
            Call::ContinueEncoding => slot.response.continues(),
            Call::SendHeaders { .. } => {
                slot.response_started.set(true);
                false
            }
            _ => false,
        };
        if !early {
            // SAFETY: not gone, so Envoy's object is alive; the filter is back in its slot, so the
            // hooks and the destroy that the call may cause find the slot in order.
            unsafe { call.make(slot.stream.host, envoy) };
        }
    }

    /// Ends a stream whose filter panicked: 500 while the response has not started, else a reset,
    /// or whatever this Envoy makes of a local reply after headers, which is a reset as well.
    fn fail_closed(&self, answer: bool) {
        let slot = self.slot();
        slot.place.set(Place::Poisoned);
        slot.stream.take_waiting();
        let Some(envoy) = slot.stream.live() else {
            return;
        };
        // SAFETY: not gone, so Envoy's object is alive.
        unsafe { slot.config.count_panic(envoy) };
        if !answer {
            return;
        }
        slot.stream.ended.set(true);
        const DETAILS: &str = "dynamic_module_panic";
        // SAFETY: not gone, so Envoy's object is alive; the slot is poisoned, so every hook this
        // causes is inert, and destroy only marks while this visit lasts.
        unsafe {
            if slot.response_started.get() && replies::can_reset(&slot.stream) {
                replies::reset_stream(slot.stream.host, envoy, 0, DETAILS);
            } else {
                let mut headers = vec![("content-type", "text/plain")];
                headers.extend(
                    headers::grpc_status(&slot.stream, 500, [])
                        .map(|status| (grpc::STATUS, status)),
                );
                let body = b"internal server error";
                replies::send_response(slot.stream.host, envoy, 500, &headers, body, DETAILS);
            }
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let slot = self.slot();
        let depth = slot.depth.get() - 1;
        slot.depth.set(depth);
        if depth == 0 && slot.destroyed.get() {
            // SAFETY: this was the last visit, and Envoy has said goodbye.
            unsafe { free(self.slot) };
        }
    }
}

impl Slot {
    pub(super) fn flow(&self, message: HttpMessage) -> &Flow {
        match message {
            HttpMessage::Request => &self.request,
            HttpMessage::Response => &self.response,
        }
    }
}

impl Flow {
    /// Notes that iteration is to go on. `true` if the stop this was meant for has not happened,
    /// because the hook that will ask for it is still running: Envoy would ignore the call and
    /// then hold the stream for ever, so the stop itself is taken back instead. So it is in the last hook
    /// of a message that is held already: Envoy would send what it has as if it were all, and then
    /// keep the last chunk.
    fn continues(&self) -> bool {
        let early = self.deciding.get() && (!self.stopped.get() || self.last.get());
        if early {
            self.resume.set(true);
        }
        self.stopped.set(false);
        self.keeps.set(false);
        early
    }
}

/// Drops a filter; a panic in its `Drop` ends here.
fn discard(filter: Filter) {
    let _ = guard::catch("drop", move || drop(filter));
}

/// # Safety
/// `slot` came from `Box::into_raw`, and nobody uses it any more.
unsafe fn free(slot: NonNull<Slot>) {
    // SAFETY: promised by the caller.
    let slot = unsafe { Box::from_raw(slot.as_ptr()) };
    if let Place::Here(filter) = slot.place.replace(Place::Out) {
        discard(filter);
    }
    // What is left holds no author code but the config, whose last reference may be this one.
    let _ = guard::catch("drop", move || drop(slot));
}
