//! Batching without timers.
//!
//! Everything a list field answers with is one [`Level`]: all children of all parents, not the children of each. The first
//! of them to need a field loads it for all, and the others wait for that one load. So a field costs one statement per
//! level however wide the level is, and nothing is shared between requests or tenants, because a level belongs to a field
//! of one request.

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::kernel::error::{Error, Fault, Result};

type Loaded = Result<Arc<dyn Any + Send + Sync>, Arc<Error>>;

/// What was listed together, and what was loaded for all of it.
pub struct Level<M> {
    pub members: Vec<M>,
    cells: Mutex<HashMap<String, Arc<OnceCell<Loaded>>>>,
}

impl<M> Level<M> {
    pub fn new(members: Vec<M>) -> Arc<Self> {
        Arc::new(Self { members, cells: Mutex::default() })
    }

    /// Loads once for all members. `key` names the field and its arguments; the same key is always the same type.
    pub async fn once<T, F>(&self, key: impl Into<String>, load: impl FnOnce() -> F) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key.into()).or_default())
        };
        let loaded = cell
            .get_or_init(|| async {
                let loaded = load().await.map_err(Arc::new)?;
                Ok(Arc::new(loaded) as Arc<dyn Any + Send + Sync>)
            })
            .await;
        match loaded {
            Ok(value) => Arc::clone(value)
                .downcast::<T>()
                .map_err(|_| Fault::new("two fields of a level share a key and not a type").into()),
            Err(error) => Err(match &**error {
                Error::Refused(refusal) => Error::Refused(refusal.clone()),
                Error::Fault(fault) => Fault::new(fault.chain()).into(),
            }),
        }
    }
}
