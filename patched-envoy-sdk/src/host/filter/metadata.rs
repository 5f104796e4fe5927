//! Metadata: numbers and strings on every host, booleans, listings and lists from 1.38 on, what nests
//! from 1.40 on.
//!
//! On the stream's worker thread. Names are `&str` because Envoy keeps them in protobuf strings; values
//! should be text for the same reason, but Envoy takes any bytes.

use super::{EnvoyHttpFilterImpl, view};
use crate::abi::envoy_dynamic_module_type_metadata_source as MetadataSource;
use crate::buffer::EnvoyBuffer;
use crate::capabilities::Capability;
use crate::host::Family;
use crate::host::raw::{Borrowed, Buf};

fn text(text: &str) -> Buf {
    Buf::of(text.as_bytes())
}

impl EnvoyHttpFilterImpl {
    pub(super) fn metadata_number(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<f64> {
        let (host, envoy) = self.live()?;
        let (source, ns, key) = (source as u32, text(namespace), text(key));
        let mut value = 0.0;
        // SAFETY: live; strings are read and the out value is written during the call.
        let found = unsafe {
            match &host.family {
                Family::V136(table) => (table.http_get_metadata_number)(
                    envoy, source, ns.ptr, ns.len, key.ptr, key.len, &mut value,
                ),
                Family::V137(table) => {
                    (table.http_get_metadata_number)(envoy, source, ns, key, &mut value)
                }
            }
        };
        found.then_some(value)
    }

    pub(super) fn metadata_string(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<EnvoyBuffer<'_>> {
        let (host, envoy) = self.live()?;
        let (source, ns, key) = (source as u32, text(namespace), text(key));
        let mut value = Buf::EMPTY;
        // SAFETY: live; the value stays until this metadata is changed, which needs `&mut self`.
        unsafe {
            let found = match &host.family {
                Family::V136(table) => {
                    let (ptr, len) = (&raw mut value.ptr, &raw mut value.len);
                    (table.http_get_metadata_string)(
                        envoy, source, ns.ptr, ns.len, key.ptr, key.len, ptr, len,
                    )
                }
                Family::V137(table) => {
                    (table.http_get_metadata_string)(envoy, source, ns, key, &mut value)
                }
            };
            found.then(|| view(value))
        }
    }

    /// 1.36 says whether it worked, later hosts do not; the answer is dropped so that all agree.
    pub(super) fn put_metadata_number(&mut self, namespace: &str, key: &str, value: f64) {
        let Some((host, envoy)) = self.live() else {
            return;
        };
        let (ns, key) = (text(namespace), text(key));
        // SAFETY: live; Envoy copies the strings during the call.
        unsafe {
            match &host.family {
                Family::V136(table) => {
                    (table.http_set_dynamic_metadata_number)(
                        envoy, ns.ptr, ns.len, key.ptr, key.len, value,
                    );
                }
                Family::V137(table) => {
                    (table.http_set_dynamic_metadata_number)(envoy, ns, key, value);
                }
            }
        }
    }

    /// See [`Self::put_metadata_number`].
    pub(super) fn put_metadata_string(&mut self, namespace: &str, key: &str, value: &[u8]) {
        let Some((host, envoy)) = self.live() else {
            return;
        };
        let (ns, key, value) = (text(namespace), text(key), Buf::of(value));
        // SAFETY: live; Envoy copies the strings during the call.
        unsafe {
            match &host.family {
                Family::V136(table) => {
                    (table.http_set_dynamic_metadata_string)(
                        envoy, ns.ptr, ns.len, key.ptr, key.len, value.ptr, value.len,
                    );
                }
                Family::V137(table) => {
                    (table.http_set_dynamic_metadata_string)(envoy, ns, key, value);
                }
            }
        }
    }

    /// One call where the host has it, else one for each entry, which comes to the same.
    pub(super) fn put_metadata_strings(&mut self, namespace: &str, entries: &[(&str, &str)]) {
        match self.later(|later| later.http_set_dynamic_metadata_string_batch) {
            Some((set, envoy)) => {
                let pairs = Borrowed::pairs(entries);
                // SAFETY: live; Envoy copies the strings during the call.
                unsafe { set(envoy, text(namespace), pairs.as_ptr(), pairs.len()) }
            }
            None => {
                for (key, value) in entries {
                    self.put_metadata_string(namespace, key, value.as_bytes());
                }
            }
        }
    }

    pub(super) fn metadata_bool(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<bool> {
        let (get, envoy) = self.later(|later| later.http_get_metadata_bool)?;
        let mut value = false;
        // SAFETY: live; strings are read and the out value is written during the call.
        unsafe { get(envoy, source as u32, text(namespace), text(key), &mut value) }
            .then_some(value)
    }

    pub(super) fn put_metadata_bool(&mut self, namespace: &str, key: &str, value: bool) {
        let set = self.later_or_warn(
            Capability::MetadataBool,
            "set_dynamic_metadata_bool",
            |later| later.http_set_dynamic_metadata_bool,
        );
        if let Some((set, envoy)) = set {
            // SAFETY: live; Envoy copies the strings during the call.
            unsafe { set(envoy, text(namespace), text(key), value) }
        }
    }

    pub(super) fn put_metadata_struct(&mut self, namespace: &str, serialized: &[u8]) {
        let set = self.later_or_warn(
            Capability::MetadataStruct,
            "set_dynamic_metadata_struct",
            |later| later.http_set_dynamic_metadata_struct,
        );
        if let Some((set, envoy)) = set {
            // SAFETY: live; Envoy reads both during the call, and refuses bytes that are no `Struct`.
            unsafe { set(envoy, text(namespace), Buf::of(serialized)) }
        }
    }

    pub(super) fn metadata_keys(
        &self,
        source: MetadataSource,
        namespace: &str,
    ) -> Option<Vec<EnvoyBuffer<'_>>> {
        let (count, envoy) = self.later(|later| later.http_get_metadata_keys_count)?;
        let (fill, _) = self.later(|later| later.http_get_metadata_keys)?;
        let (source, ns) = (source as u32, text(namespace));
        // SAFETY: live; the array has room for what was counted just before on this thread, and
        // the names stay until this metadata is changed, which needs `&mut self`.
        unsafe {
            let mut names = vec![Buf::EMPTY; count(envoy, source, ns)];
            let filled = !names.is_empty() && fill(envoy, source, ns, names.as_mut_ptr());
            filled.then(|| names.into_iter().map(|name| view(name)).collect())
        }
    }

    pub(super) fn metadata_namespaces(
        &self,
        source: MetadataSource,
    ) -> Option<Vec<EnvoyBuffer<'_>>> {
        let (count, envoy) = self.later(|later| later.http_get_metadata_namespaces_count)?;
        let (fill, _) = self.later(|later| later.http_get_metadata_namespaces)?;
        // SAFETY: as in `metadata_keys`.
        unsafe {
            let mut names = vec![Buf::EMPTY; count(envoy, source as u32)];
            let filled = !names.is_empty() && fill(envoy, source as u32, names.as_mut_ptr());
            filled.then(|| names.into_iter().map(|name| view(name)).collect())
        }
    }

    pub(super) fn list_add_number(&mut self, namespace: &str, key: &str, value: f64) -> bool {
        self.later(|later| later.http_add_dynamic_metadata_list_number)
            .is_some_and(
                // SAFETY: live; Envoy copies the strings during the call.
                |(add, envoy)| unsafe { add(envoy, text(namespace), text(key), value) },
            )
    }

    pub(super) fn list_add_string(&mut self, namespace: &str, key: &str, value: &str) -> bool {
        self.later(|later| later.http_add_dynamic_metadata_list_string)
            .is_some_and(
                // SAFETY: live; Envoy copies the strings during the call.
                |(add, envoy)| unsafe { add(envoy, text(namespace), text(key), text(value)) },
            )
    }

    pub(super) fn list_add_bool(&mut self, namespace: &str, key: &str, value: bool) -> bool {
        self.later(|later| later.http_add_dynamic_metadata_list_bool)
            .is_some_and(
                // SAFETY: live; Envoy copies the strings during the call.
                |(add, envoy)| unsafe { add(envoy, text(namespace), text(key), value) },
            )
    }

    pub(super) fn list_size(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
    ) -> Option<usize> {
        let (get, envoy) = self.later(|later| later.http_get_metadata_list_size)?;
        let mut size = 0;
        // SAFETY: live; strings are read and the out value is written during the call.
        unsafe { get(envoy, source as u32, text(namespace), text(key), &mut size) }.then_some(size)
    }

    pub(super) fn list_number(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<f64> {
        let (get, envoy) = self.later(|later| later.http_get_metadata_list_number)?;
        let (source, ns, key) = (source as u32, text(namespace), text(key));
        let mut value = 0.0;
        // SAFETY: live; strings are read and the out value is written during the call.
        unsafe { get(envoy, source, ns, key, index, &mut value) }.then_some(value)
    }

    pub(super) fn list_string(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<EnvoyBuffer<'_>> {
        let (get, envoy) = self.later(|later| later.http_get_metadata_list_string)?;
        let (source, ns, key) = (source as u32, text(namespace), text(key));
        let mut value = Buf::EMPTY;
        // SAFETY: live; the value stays until this metadata is changed, which needs `&mut self`.
        unsafe { get(envoy, source, ns, key, index, &mut value).then(|| view(value)) }
    }

    pub(super) fn list_bool(
        &self,
        source: MetadataSource,
        namespace: &str,
        key: &str,
        index: usize,
    ) -> Option<bool> {
        let (get, envoy) = self.later(|later| later.http_get_metadata_list_bool)?;
        let (source, ns, key) = (source as u32, text(namespace), text(key));
        let mut value = false;
        // SAFETY: live; strings are read and the out value is written during the call.
        unsafe { get(envoy, source, ns, key, index, &mut value) }.then_some(value)
    }
}
