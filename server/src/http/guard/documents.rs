use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use lru::LruCache;
use sha2::{Digest, Sha256};

use super::Refusal;
use super::analysis::root_fields;

/// Longer documents are measured each time: a few of them would fill the memory the cache may take.
const CACHED_DOCUMENT_MAX_BYTES: usize = 16 * 1024;

/// A document within every limit that does not depend on variables.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) document: ExecutableDocument,
    /// Fragments so that each comes after those it spreads. No cycles.
    pub(super) fragment_order: Vec<Name>,
    pub(super) fragment_roots: HashMap<Name, u64>,
}

impl Measured {
    pub(super) fn root_fields(&self, operation: &OperationDefinition) -> u64 {
        root_fields(&operation.selection_set.node, &self.fragment_roots)
    }
}

/// Parsed documents by SHA-256 of their text. Not a weaker hash: whoever found two documents with the
/// same one could have another client's document replaced.
#[derive(Debug)]
pub(super) struct Documents {
    kept: Mutex<LruCache<[u8; 32], Arc<Measured>>>,
}

impl Documents {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self { kept: Mutex::new(LruCache::new(capacity)) }
    }

    pub(super) fn get_or_measure(
        &self,
        text: &str,
        measure: impl FnOnce() -> Result<Measured, Refusal>,
    ) -> Result<Arc<Measured>, Refusal> {
        if text.len() > CACHED_DOCUMENT_MAX_BYTES {
            return measure().map(Arc::new);
        }
        let key: [u8; 32] = Sha256::digest(text).into();
        // A panic while the lock was held cannot leave the map half changed, so poison is ignored.
        if let Some(found) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(found));
        }
        let measured = Arc::new(measure()?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(key, Arc::clone(&measured));
        Ok(measured)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::super::analysis::measure;
    use super::*;

    fn measured(text: &str) -> Result<Measured, Refusal> {
        let document = async_graphql::parser::parse_query(text).expect("the test's document parses");
        measure(document, &Limits::default())
    }

    #[test]
    fn a_document_is_measured_once() {
        let documents = Documents::new(2);
        let text = "{ a }";
        let first = documents.get_or_measure(text, || measured(text)).expect("accepted");
        let second = documents.get_or_measure(text, || panic!("measured twice")).expect("accepted");
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn the_oldest_document_leaves_when_the_cache_is_full() {
        let documents = Documents::new(2);
        for text in ["{ a }", "{ b }", "{ c }"] {
            documents.get_or_measure(text, || measured(text)).expect("accepted");
        }
        let mut again = false;
        documents
            .get_or_measure("{ a }", || {
                again = true;
                measured("{ a }")
            })
            .expect("accepted");
        assert!(again);
    }

    #[test]
    fn a_refused_document_is_not_kept() {
        let documents = Documents::new(2);
        let refusal = Refusal::Operation("no");
        for _ in 0..2 {
            let refusal = refusal.clone();
            assert!(documents.get_or_measure("{ a }", || Err(refusal)).is_err());
        }
    }
}
