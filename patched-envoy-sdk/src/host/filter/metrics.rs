//! Updating metrics from a stream: the families spell labels and gauges differently.
//!
//! On the stream's worker thread. Also used for the panic counter, which has no author's handle.

use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;
use crate::host::raw::{Borrowed, FilterPtr};
use crate::host::{Family, Host};

/// What a metrics callback answered; a value we do not know is a metric we cannot reach.
pub(crate) fn result(raw: u32) -> Result<(), MetricsResult> {
    match MetricsResult::from_raw(raw) {
        Some(result) => result.into(),
        None => Err(MetricsResult::MetricNotFound),
    }
}

macro_rules! updates {
    ($($name:ident: $plain_136:ident, $labelled_136:ident, $from_137:ident;)*) => {$(
        /// Updates one metric; `labels` is `None` for a metric without labels.
        ///
        /// # Safety
        /// `envoy` is the live Envoy object of a stream.
        pub(crate) unsafe fn $name(
            host: &Host,
            envoy: FilterPtr,
            id: usize,
            labels: Option<&[&str]>,
            value: u64,
        ) -> Result<(), MetricsResult> {
            // SAFETY: the caller's promise; Envoy reads the labels during the call only.
            result(unsafe {
                match (&host.family, labels) {
                    (Family::V136(table), None) => (table.$plain_136)(envoy, id, value),
                    (Family::V136(table), Some(labels)) => {
                        let labels = Borrowed::strings(labels);
                        (table.$labelled_136)(envoy, id, labels.as_ptr(), labels.len(), value)
                    }
                    (Family::V137(table), None) => {
                        (table.$from_137)(envoy, id, std::ptr::null(), 0, value)
                    }
                    (Family::V137(table), Some(labels)) => {
                        let labels = Borrowed::strings(labels);
                        (table.$from_137)(envoy, id, labels.as_ptr(), labels.len(), value)
                    }
                }
            })
        }
    )*};
}

updates! {
    increment_counter:
        http_filter_increment_counter, http_filter_increment_counter_vec,
        http_filter_increment_counter;
    increase_gauge:
        http_filter_increase_gauge, http_filter_increase_gauge_vec,
        http_filter_increment_gauge;
    decrease_gauge:
        http_filter_decrease_gauge, http_filter_decrease_gauge_vec,
        http_filter_decrement_gauge;
    set_gauge:
        http_filter_set_gauge, http_filter_set_gauge_vec,
        http_filter_set_gauge;
    record_histogram_value:
        http_filter_record_histogram_value, http_filter_record_histogram_value_vec,
        http_filter_record_histogram_value;
}
