//! The name table, driven through the SDK's in-memory Envoy.
