//! What batches leave for the next one of their realm, within a bound over all realms.

use entity::id::RealmId;
use lru::LruCache;

use crate::credit::rules::State;
use crate::kernel::batch::Memory;

/// Organizations, keys, key families and meters remembered over all realms. Two wallets, buckets, counters and two paths of
/// an organization are some 2 KiB.
const SIZE_MAX: usize = 131_072;

/// The memories of realms, the longest unused forgotten first.
pub struct Memories {
    by_realm: LruCache<RealmId, Memory<State>>,
    size: usize,
    size_max: usize,
}

impl Default for Memories {
    fn default() -> Self {
        Self::up_to(SIZE_MAX)
    }
}

impl Memories {
    fn up_to(size_max: usize) -> Self {
        Self { by_realm: LruCache::unbounded(), size: 0, size_max }
    }

    /// What was left for the realm; a batch that ends without leaving any leaves none.
    pub fn take(&mut self, realm: RealmId) -> Option<Memory<State>> {
        let memory = self.by_realm.pop(&realm)?;
        self.size -= memory.size();
        Some(memory)
    }

    /// Keeps what a batch left. One that is larger than all may be together is not kept.
    pub fn put(&mut self, realm: RealmId, memory: Memory<State>) {
        if memory.size() > self.size_max {
            return;
        }
        self.size += memory.size();
        if let Some((_, replaced)) = self.by_realm.push(realm, memory) {
            self.size -= replaced.size();
        }
        while self.size > self.size_max {
            let Some((_, forgotten)) = self.by_realm.pop_lru() else { return };
            self.size -= forgotten.size();
        }
    }
}
