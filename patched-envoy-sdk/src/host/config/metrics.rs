//! Defining metrics, and updating them without a stream.
//!
//! On the main thread. Envoy accepts definitions only while the filter config is created.

use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;
use crate::host::filter::metrics::result;
use crate::host::raw::{Borrowed, Buf, ConfigPtr};
use crate::host::{Family, Host};

macro_rules! definitions {
    ($($name:ident: $plain_136:ident, $labelled_136:ident, $from_137:ident;)*) => {$(
        /// Defines one metric; `labels` is `None` for a metric without labels.
        ///
        /// # Safety
        /// `envoy` is Envoy's live filter config object, and this is the main thread.
        pub(super) unsafe fn $name(
            host: &Host,
            envoy: ConfigPtr,
            name: &str,
            labels: Option<&[&str]>,
        ) -> Result<usize, MetricsResult> {
            let name = Buf::of(name.as_bytes());
            let names = Borrowed::strings(labels.unwrap_or_default());
            let (array, count) = (names.as_ptr(), names.len());
            let mut id = 0;
            // SAFETY: the caller's promise; Envoy copies the names during the call.
            let raw = unsafe {
                match (&host.family, labels) {
                    (Family::V136(table), None) => {
                        (table.$plain_136)(envoy, name.ptr, name.len, &mut id)
                    }
                    (Family::V136(table), Some(_)) => {
                        (table.$labelled_136)(envoy, name.ptr, name.len, array, count, &mut id)
                    }
                    (Family::V137(table), _) => {
                        (table.$from_137)(envoy, name, array, count, &mut id)
                    }
                }
            };
            result(raw).map(|()| id)
        }
    )*};
}

definitions! {
    define_counter:
        http_filter_config_define_counter, http_filter_config_define_counter_vec,
        http_filter_config_define_counter;
    define_gauge:
        http_filter_config_define_gauge, http_filter_config_define_gauge_vec,
        http_filter_config_define_gauge;
    define_histogram:
        http_filter_config_define_histogram, http_filter_config_define_histogram_vec,
        http_filter_config_define_histogram;
}

/// How every host that has them spells an update from the config context.
type Update = unsafe extern "C" fn(ConfigPtr, usize, *const Buf, usize, u64) -> u32;

/// Updates one metric from the config context; `MetricNotFound` where the host cannot.
///
/// # Safety
/// `envoy` is Envoy's live filter config object, and this is the main thread.
pub(super) unsafe fn update(
    callback: Option<Update>,
    envoy: ConfigPtr,
    id: usize,
    labels: &[&str],
    value: u64,
) -> Result<(), MetricsResult> {
    let update = callback.ok_or(MetricsResult::MetricNotFound)?;
    let labels = Borrowed::strings(labels);
    // SAFETY: the caller's promise; Envoy reads the labels during the call.
    result(unsafe { update(envoy, id, labels.as_ptr(), labels.len(), value) })
}
