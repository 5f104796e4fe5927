//! Filter state: bytes on every host, objects of Envoy's registered types from 1.38 on.
//!
//! On the stream's worker thread.

use super::{EnvoyHttpFilterImpl, view};
use crate::buffer::EnvoyBuffer;
use crate::host::Family;
use crate::host::raw::Buf;

impl EnvoyHttpFilterImpl {
    pub(super) fn state_bytes(&self, key: &[u8]) -> Option<EnvoyBuffer<'_>> {
        let (host, envoy) = self.live()?;
        let key = Buf::of(key);
        let mut value = Buf::EMPTY;
        // SAFETY: live; the value stays until filter state is changed, which needs `&mut self`.
        unsafe {
            let found = match &host.family {
                Family::V136(table) => {
                    let (ptr, len) = (&raw mut value.ptr, &raw mut value.len);
                    (table.http_get_filter_state_bytes)(envoy, key.ptr, key.len, ptr, len)
                }
                Family::V137(table) => (table.http_get_filter_state_bytes)(envoy, key, &mut value),
            };
            found.then(|| view(value))
        }
    }

    pub(super) fn put_state_bytes(&mut self, key: &[u8], value: &[u8]) -> bool {
        let Some((host, envoy)) = self.live() else {
            return false;
        };
        let (key, value) = (Buf::of(key), Buf::of(value));
        // SAFETY: live; Envoy copies both during the call.
        unsafe {
            match &host.family {
                Family::V136(table) => (table.http_set_filter_state_bytes)(
                    envoy, key.ptr, key.len, value.ptr, value.len,
                ),
                Family::V137(table) => (table.http_set_filter_state_bytes)(envoy, key, value),
            }
        }
    }

    pub(super) fn put_state_typed(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.later(|later| later.http_set_filter_state_typed)
            .is_some_and(
                // SAFETY: live; Envoy copies both during the call.
                |(set, envoy)| unsafe { set(envoy, Buf::of(key), Buf::of(value)) },
            )
    }

    /// Copied at once: up to 1.39 the next typed read in a hook frees what this one returned.
    pub(super) fn state_typed(&self, key: &[u8]) -> Option<EnvoyBuffer<'_>> {
        let (get, envoy) = self.later(|later| later.http_get_filter_state_typed)?;
        let mut value = Buf::EMPTY;
        // SAFETY: live; the value is read before anything else is asked of Envoy.
        unsafe { get(envoy, Buf::of(key), &mut value).then(|| self.keep(value.as_slice())) }
    }
}
