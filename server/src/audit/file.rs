//! The audit trail as a file that proves itself: `banyan audit export` writes it, `banyan audit verify --file` reads it
//! without a database.
//!
//! Lines of JSON, each with its `kind`. First a `head`; then for each realm a `chain`, which tells how its chain ends, and
//! its `entry`s in their order, each with its link; last an `end` with the SHA-256 of everything before it. How hashes are
//! made is in [`super::chain`].

use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use entity::id::RealmId;
use entity::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit::chain::{Difference, Entry, Head, Kind, Link, Walk, hex};
use crate::audit::seal;
use crate::audit::store::chain as store;
use crate::audit::verify::Report;
use crate::kernel::Kernel;
use crate::kernel::error::{Fault, Result};

const VERSION: u32 = 1;
/// Entries of one page.
const PAGE: usize = 1_000;
/// The longest line that is read, in bytes; an entry has a few hundred.
const LINE_MAX: u64 = 16 << 20;

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Line {
    Head { version: u32, exported_at: Timestamp },
    Chain { realm_id: RealmId, sequence: i64, hash: String, entries: i64 },
    Entry { entry: Box<Entry>, previous_sequence: i64, entry_hash: String, hash: String },
    End { realms: i64, entries: i64, digest: String },
}

/// Writes the trail of one realm, or of all, to a new file that only its owner can read. What is not sealed yet is sealed
/// first. Answers what was written.
pub async fn export(kernel: &Kernel, realm: Option<RealmId>, path: &Path) -> Result<Report> {
    seal::run_until_idle(kernel).await?;
    let mut out = Out::create(path)?;
    out.line(&Line::Head { version: VERSION, exported_at: kernel.world.clock.now() })?;
    let snapshot = kernel.db.snapshot();
    let mut report = Report::default();
    let mut after = None;
    loop {
        let next = match realm {
            Some(_) if after.is_some() => None,
            Some(realm) => store::head(&snapshot, realm).await?.map(|_| realm),
            None => store::realm_after(&snapshot, after).await?,
        };
        let Some(realm) = next else { break };
        after = Some(realm);
        report.realms += 1;
        report.entries += write_realm(kernel, realm, &mut out).await?;
    }
    if report.realms == 0 && realm.is_some() {
        return Err(Fault::new("there is no such realm").into());
    }
    report.digest = out.finish(report.realms, report.entries)?;
    Ok(report)
}

async fn write_realm(kernel: &Kernel, realm: RealmId, out: &mut Out) -> Result<i64> {
    let snapshot = kernel.db.snapshot();
    let head = store::chain(&snapshot, realm).await?.map_or_else(Head::default, |chain| Head {
        sequence: chain.sequence,
        hash: chain.hash,
        entries: chain.entries,
    });
    out.line(&Line::Chain { realm_id: realm, sequence: head.sequence, hash: head.hash, entries: head.entries })?;
    let mut after = i64::MIN;
    let mut written = 0;
    loop {
        // Links lead: what was added without one is not part of what was sealed.
        let links = store::links(&snapshot, realm, after, head.sequence, PAGE).await?;
        let Some(last) = links.last().map(|link| link.sequence) else { return Ok(written) };
        let entries = store::entries(&snapshot, realm, after, last, PAGE).await?;
        let mut entries = entries.into_iter().peekable();
        for Link { sequence, previous_sequence, entry_hash, hash } in links {
            while entries.next_if(|entry| entry.sequence < sequence).is_some() {}
            let Some(entry) = entries.next_if(|entry| entry.sequence == sequence).map(Box::new) else { continue };
            out.line(&Line::Entry { entry, previous_sequence, entry_hash, hash })?;
            written += 1;
        }
        after = last;
    }
}

/// The file being written, and the digest of what is in it.
struct Out {
    file: BufWriter<std::fs::File>,
    digest: Sha256,
}

fn broken(error: std::io::Error) -> Fault {
    Fault::caused_by("the file cannot be written", error)
}

fn text_of(line: &Line) -> Result<String, Fault> {
    serde_json::to_string(line).map_err(|error| Fault::caused_by("a line does not serialize", error))
}

impl Out {
    fn create(path: &Path) -> Result<Self, Fault> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(path);
        let file = opened.map_err(|e| Fault::caused_by(format!("{} cannot be made", path.display()), e))?;
        Ok(Self { file: BufWriter::new(file), digest: Sha256::new() })
    }

    fn line(&mut self, line: &Line) -> Result<(), Fault> {
        let mut text = text_of(line)?;
        text.push('\n');
        self.digest.update(text.as_bytes());
        self.file.write_all(text.as_bytes()).map_err(broken)
    }

    /// Answers the digest.
    fn finish(mut self, realms: i64, entries: i64) -> Result<String, Fault> {
        let digest = hex(&self.digest.clone().finalize());
        self.line(&Line::End { realms, entries, digest: digest.clone() })?;
        let file = self.file.into_inner().map_err(|error| broken(error.into_error()))?;
        file.sync_all().map_err(broken)?;
        Ok(digest)
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// An entry is not what was sealed.
    Entry { line: u64, difference: Difference },
    /// A line is not what an export writes; `after` is the last good entry.
    Line { line: u64, after: Option<(RealmId, i64)>, what: &'static str },
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entry { line, difference } => write!(f, "line {line}: {difference}"),
            Self::Line { line, after: None, what } => write!(f, "line {line}: DIFFERENCE: {what}"),
            Self::Line { line, after: Some((realm, sequence)), what } => {
                write!(f, "line {line}: DIFFERENCE in {realm} after entry {sequence}: {what}")
            }
        }
    }
}

/// What verifying a file found.
#[derive(Debug)]
pub enum Verdict {
    Whole(Report),
    Flawed(Flaw),
}

/// Reads an exported file and names the first place where it is not what was sealed. Memory for one line.
pub fn verify(path: &Path) -> Result<Verdict, Fault> {
    let failed = |error| Fault::caused_by(format!("{} cannot be read", path.display()), error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let found = Reader::new(&mut file).read().map_err(failed)?;
    let Err(flaw) = found else { return Ok(found.map_or_else(Verdict::Flawed, Verdict::Whole)) };
    file.rewind().map_err(failed)?;
    Ok(Verdict::Flawed(recognise(&mut file, flaw).map_err(failed)?))
}

/// A second look through the file: whether what is missing, or what stands in another's place, is somewhere else in it.
fn recognise(file: &mut std::fs::File, flaw: Flaw) -> std::io::Result<Flaw> {
    let Flaw::Entry { line, difference } = flaw else { return Ok(flaw) };
    let mut reader = Reader::new(file);
    let mut realm = None;
    let kind = loop {
        let Some(text) = reader.line()? else { break difference.kind };
        match serde_json::from_slice(&text) {
            Ok(Line::Chain { realm_id, .. }) => realm = Some(realm_id),
            Ok(Line::Entry { entry, entry_hash, .. }) if realm == Some(difference.realm) => match &difference.found {
                None if difference.kind == Kind::Missing && entry.sequence == difference.sequence => {
                    break Kind::Reordered(0);
                }
                Some(found) if *found == entry_hash => break Kind::Reordered(entry.sequence),
                _ => {}
            },
            _ => {}
        }
    };
    Ok(Flaw::Entry { line, difference: Difference { kind, ..difference } })
}

struct Reader<R> {
    input: BufReader<R>,
    digest: Sha256,
    number: u64,
}

/// Where a reader is.
struct Place {
    walk: Walk,
    said: Head,
    realm: RealmId,
}

impl<R: Read> Reader<R> {
    fn new(input: R) -> Self {
        Self { input: BufReader::new(input), digest: Sha256::new(), number: 0 }
    }

    /// The next line without its end; a line without an end comes with a byte that no line has.
    fn line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        let read = self.input.by_ref().take(LINE_MAX).read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if text.pop() != Some(b'\n') {
            text.push(0);
        }
        Ok(Some(text))
    }

    fn read(&mut self) -> std::io::Result<Result<Report, Flaw>> {
        let mut report = Report::default();
        let mut place: Option<Place> = None;
        let mut ended = None;
        while let Some(text) = self.line()? {
            let number = self.number;
            let after = place.as_ref().map(|place| (place.realm, place.walk.head.sequence));
            let flaw = |what| Ok(Err(Flaw::Line { line: number, after, what }));
            let parsed: Option<Line> = serde_json::from_slice(&text).ok();
            // Read and written again it must be the same, so that no bit is without meaning.
            let Some(line) = parsed.filter(|line| text_of(line).is_ok_and(|again| again.as_bytes() == text)) else {
                return flaw("this line was changed");
            };
            if ended.is_some() {
                return flaw("this line was added behind the end");
            }
            let different = |difference| Ok(Err(Flaw::Entry { line: number, difference }));
            match line {
                Line::Head { version: VERSION, .. } if number == 1 => {}
                Line::Head { .. } => return flaw("this head was added, or is of another version"),
                _ if number == 1 => return flaw("the head is missing"),
                Line::Chain { realm_id, sequence, hash, entries } => {
                    if let Some(Err(difference)) = place.as_ref().map(Place::finish) {
                        return different(difference);
                    }
                    let said = Head { sequence, hash, entries };
                    report.realms += 1;
                    place = Some(Place { walk: Walk::new(realm_id), said, realm: realm_id });
                }
                Line::Entry { entry, previous_sequence, entry_hash, hash } => {
                    let Some(place) = &mut place else { return flaw("an entry comes before its chain") };
                    let link = Link { sequence: entry.sequence, previous_sequence, entry_hash, hash };
                    if let Err(difference) = place.walk.step(Some(&entry), Some(&link)) {
                        return different(difference);
                    }
                    report.entries += 1;
                }
                Line::End { realms, entries, digest } => {
                    if let Some(Err(difference)) = place.as_ref().map(Place::finish) {
                        return different(difference);
                    }
                    report.digest = hex(&self.digest.clone().finalize());
                    if (realms, entries, &digest) != (report.realms, report.entries, &report.digest) {
                        return flaw("the lines before do not add up to this end: one was changed, removed or added");
                    }
                    ended = Some(());
                }
            }
            self.digest.update(&text);
            self.digest.update(b"\n");
        }
        let after = place.as_ref().map(|place| (place.realm, place.walk.head.sequence));
        Ok(match ended {
            Some(()) => Ok(report),
            None => match place.as_ref().map(Place::finish) {
                Some(Err(difference)) => Err(Flaw::Entry { line: self.number + 1, difference }),
                _ => Err(Flaw::Line { line: self.number + 1, after, what: "the end is missing" }),
            },
        })
    }
}

impl Place {
    fn finish(&self) -> Result<(), Difference> {
        self.walk.finish(&self.said)
    }
}
