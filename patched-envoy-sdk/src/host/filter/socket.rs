//! Socket options, 1.38 and later.
//!
//! On the stream's worker thread.

use super::EnvoyHttpFilterImpl;
use crate::abi::envoy_dynamic_module_type_socket_direction as Direction;
use crate::abi::envoy_dynamic_module_type_socket_option_state as State;
use crate::host::raw::Buf;

/// Which option: level and name as for `setsockopt`, and on which socket and when.
#[derive(Clone, Copy)]
pub(super) struct SocketOption {
    pub(super) level: i64,
    pub(super) name: i64,
    pub(super) state: State,
    pub(super) direction: Direction,
}

impl EnvoyHttpFilterImpl {
    pub(super) fn put_socket_int(&mut self, option: SocketOption, value: i64) -> bool {
        let SocketOption {
            level,
            name,
            state,
            direction,
        } = option;
        self.later(|later| later.http_set_socket_option_int)
            .is_some_and(
                // SAFETY: live.
                |(set, envoy)| unsafe {
                    set(envoy, level, name, state as u32, direction as u32, value)
                },
            )
    }

    pub(super) fn put_socket_bytes(&mut self, option: SocketOption, value: &[u8]) -> bool {
        let SocketOption {
            level,
            name,
            state,
            direction,
        } = option;
        let value = Buf::of(value);
        self.later(|later| later.http_set_socket_option_bytes)
            .is_some_and(
                // SAFETY: live; Envoy copies the value during the call.
                |(set, envoy)| unsafe {
                    set(envoy, level, name, state as u32, direction as u32, value)
                },
            )
    }

    pub(super) fn socket_int(&self, option: SocketOption) -> Option<i64> {
        let SocketOption {
            level,
            name,
            state,
            direction,
        } = option;
        let (get, envoy) = self.later(|later| later.http_get_socket_option_int)?;
        let mut value = 0;
        // SAFETY: live; the out value is written during the call.
        unsafe {
            get(
                envoy,
                level,
                name,
                state as u32,
                direction as u32,
                &mut value,
            )
        }
        .then_some(value)
    }

    pub(super) fn socket_bytes(&self, option: SocketOption) -> Option<Vec<u8>> {
        let SocketOption {
            level,
            name,
            state,
            direction,
        } = option;
        let (get, envoy) = self.later(|later| later.http_get_socket_option_bytes)?;
        let mut value = Buf::EMPTY;
        // SAFETY: live; the value is copied before anything else is asked of Envoy.
        unsafe {
            get(
                envoy,
                level,
                name,
                state as u32,
                direction as u32,
                &mut value,
            )
            .then(|| value.as_slice().to_vec())
        }
    }
}
