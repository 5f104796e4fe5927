//! What somebody keeps up to date: prices, keys. Who reads it takes it as it is now, and keeps that.

use std::fmt::Debug;
use std::sync::Arc;

/// Something that may be another one later.
pub trait Live<T>: Debug + Send + Sync {
    /// What it is now. Called on workers.
    fn current(&self) -> Arc<T>;
}

/// What never changes.
#[derive(Debug)]
pub struct Fixed<T>(Arc<T>);

impl<T> Fixed<T> {
    /// This, for good.
    pub fn new(it: T) -> Fixed<T> {
        Fixed(Arc::new(it))
    }
}

impl<T: Debug + Send + Sync> Live<T> for Fixed<T> {
    fn current(&self) -> Arc<T> {
        Arc::clone(&self.0)
    }
}
