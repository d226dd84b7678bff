//! `banyan audit verify`: follows every realm's chain and names the first entry that is not what was sealed.
//!
//! Online, in pages: what is sealed never changes, so it takes no lock and no snapshot, and needs the memory of one page.

use std::collections::VecDeque;
use std::fmt;

use entity::id::RealmId;
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

use crate::audit::chain::{Difference, Entry, Head, Kind, Link, Walk, hex};
use crate::audit::store::chain as store;
use crate::kernel::Kernel;
use crate::kernel::error::Result;

/// Entries of one page.
const PAGE: usize = 1_000;
/// Differences that are told, one of each realm.
const DIFFERENCES_MAX: usize = 100;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    pub realms: i64,
    pub entries: i64,
    /// Entries that no worker has sealed yet.
    pub unsealed: i64,
    /// Over the ends of all chains, or over the file. Kept elsewhere, it shows that no chain was made anew.
    pub digest: String,
    /// The first of each realm.
    pub differences: Vec<Difference>,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} sealed entries of {} realms, {} not sealed yet", self.entries, self.realms, self.unsealed)?;
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        if self.is_clean() {
            writeln!(f, "Every entry is what was sealed. Digest: {}", self.digest)?;
        }
        Ok(())
    }
}

/// Follows every chain.
pub async fn run(kernel: &Kernel) -> Result<Report> {
    let snapshot = kernel.db.snapshot();
    let mut report = Report::default();
    let mut digest = Sha256::new();
    let mut after = None;
    while let Some(realm) = store::realm_after(&snapshot, after).await? {
        after = Some(realm);
        report.realms += 1;
        let found = of_realm(kernel, realm, &mut report).await?;
        match found {
            Ok(head) => digest.update(format!("{realm} {} {}\n", head.sequence, head.hash).as_bytes()),
            Err(difference) if report.differences.len() < DIFFERENCES_MAX => report.differences.push(difference),
            Err(_) => break,
        }
    }
    report.digest = hex(&digest.finalize());
    Ok(report)
}

async fn of_realm(kernel: &Kernel, realm: RealmId, report: &mut Report) -> Result<Result<Head, Difference>> {
    let (chain, last_link) = {
        // Of one moment: a gateway may be sealing.
        let moment = kernel.db.moment().await?;
        (store::chain(&moment, realm).await?, store::last_link(&moment, realm).await?)
    };
    let snapshot = kernel.db.snapshot();
    let (said, sealed_to) = chain.map_or((Head::default(), 0), |chain| {
        (Head { sequence: chain.sequence, hash: chain.hash, entries: chain.entries }, chain.sealed_to)
    });
    let mut walk = Walk::new(realm);
    let mut pages = Pages::new(realm, sealed_to.max(said.sequence));
    let walked = loop {
        let page = pages.next(&snapshot).await?;
        if page.is_empty() {
            break walk.finish(&said);
        }
        let step = page.iter().try_for_each(|(entry, link)| walk.step(entry.as_ref(), link.as_ref()));
        if step.is_err() {
            break step;
        }
    };
    report.entries += walk.head.entries;
    report.unsealed += store::unsealed(&snapshot, realm, sealed_to).await?;
    Ok(match walked {
        Err(difference) => Err(recognise(&snapshot, difference).await?),
        Ok(()) => match last_link {
            Some(last) if last > said.sequence => {
                Err(Difference { realm, sequence: last, kind: Kind::Added, found: None })
            }
            _ => Ok(walk.head),
        },
    })
}

/// Whether what stands in an entry's place is another one.
async fn recognise(connection: &impl ConnectionTrait, difference: Difference) -> Result<Difference> {
    let Some(found) = &difference.found else { return Ok(difference) };
    Ok(match store::sealed_as(connection, difference.realm, found).await? {
        Some(other) => Difference { kind: Kind::Reordered(other), ..difference },
        None => difference,
    })
}

/// Entries and links of a realm side by side, a page at a time.
struct Pages {
    realm: RealmId,
    after: i64,
    until: i64,
}

type Pair = (Option<Entry>, Option<Link>);

impl Pages {
    fn new(realm: RealmId, until: i64) -> Self {
        Self { realm, after: i64::MIN, until }
    }

    async fn next(&mut self, connection: &impl ConnectionTrait) -> Result<Vec<Pair>> {
        let entries = store::entries(connection, self.realm, self.after, self.until, PAGE).await?;
        let links = store::links(connection, self.realm, self.after, self.until, PAGE).await?;
        // As far as both pages reach.
        let end_of = |full: bool, last: Option<i64>| last.filter(|_| full).unwrap_or(self.until);
        let end = end_of(entries.len() == PAGE, entries.last().map(|entry| entry.sequence))
            .min(end_of(links.len() == PAGE, links.last().map(|link| link.sequence)));
        self.after = end;
        Ok(side_by_side(entries.into(), links.into(), end))
    }
}

fn side_by_side(mut entries: VecDeque<Entry>, mut links: VecDeque<Link>, end: i64) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(entries.len().max(links.len()));
    loop {
        let entry = entries.front().map(|entry| entry.sequence).filter(|sequence| *sequence <= end);
        let link = links.front().map(|link| link.sequence).filter(|sequence| *sequence <= end);
        match (entry, link) {
            (None, None) => return pairs,
            (Some(entry), Some(link)) if entry == link => pairs.push((entries.pop_front(), links.pop_front())),
            (Some(entry), link) if link.is_none_or(|link| entry < link) => pairs.push((entries.pop_front(), None)),
            _ => pairs.push((None, links.pop_front())),
        }
    }
}
