//! A list: a window of records around the cursor, out of however many there are.
//!
//! Invariants: cursor and marks are ids, never places; a record is in the window once; the window is
//! one unbroken part of the server's list, in its order; nothing but the user's own keys moves the
//! cursor off a record that is still there.

use std::collections::{BTreeMap, HashSet, VecDeque};

use jiff::Timestamp;

use crate::act::{Named, Pinned};
use crate::effect::RequestId;
use crate::graphql::{Environment, FieldError, OrganizationId};
use crate::resource::{Ask, Cell, Filter, Order, Record, RecordPage, Resource, Slice, Trend};

/// Records that are kept. Beyond, the far end is forgotten and read again when it comes near.
pub const RECORDS_MAX: usize = 1_000;
/// A page is asked for when the cursor is this near to the end of what is kept.
const NEAR: usize = 60;
/// Pages that are read without a key in between.
const WALKED_MAX: usize = 10;

#[derive(Clone, Debug)]
pub struct List {
    pub resource: &'static Resource,
    /// Whose; absent for everything that the key sees.
    pub organization: Option<Named>,
    /// The record of another list that it is of.
    pub holder: Option<Pinned>,
    pub filter: Filter,
    pub order: Option<Order>,
    pub summary: Vec<(String, Cell)>,
    pub trend: Option<Trend>,
    records: VecDeque<Record>,
    /// How many stand before the window, as long as that is known.
    before: Option<usize>,
    pub total: Option<usize>,
    more_before: bool,
    more_after: bool,
    /// Where the window begins and ends in the server's list, whatever the filter's words left out.
    front: String,
    back: String,
    /// Pages read since the last key: the words of a filter do not walk through a long list alone.
    walked: usize,
    pub cursor: Option<String>,
    pub marks: BTreeMap<String, Pinned>,
    /// The first record on the screen.
    pub top: usize,
    pub asked: Option<(RequestId, Slice)>,
    /// A reading in place, by id.
    pub refreshing: Option<RequestId>,
    pub counting: Option<RequestId>,
    pub failure: Option<String>,
    pub errors: Vec<FieldError>,
    pub loaded: bool,
    /// Changes heard of since the list was read.
    pub changes: usize,
    /// Keeps the cursor on the newest record.
    pub following: bool,
    /// What streamed in while the screen was held still, oldest first; of more than the list keeps, the newest.
    held: VecDeque<Record>,
    pub ask_at: Option<Timestamp>,
    pub asked_at: Option<Timestamp>,
}

impl List {
    pub fn new(resource: &'static Resource, organization: Option<Named>, filter: Filter) -> Self {
        let order = resource.orders.first().map(|field| Order { field, descending: false });
        Self {
            resource,
            organization,
            holder: None,
            filter,
            order,
            summary: Vec::new(),
            trend: None,
            records: VecDeque::new(),
            before: Some(0),
            total: None,
            more_before: false,
            more_after: false,
            front: String::new(),
            back: String::new(),
            walked: 0,
            cursor: None,
            marks: BTreeMap::new(),
            top: 0,
            asked: None,
            refreshing: None,
            counting: None,
            failure: None,
            errors: Vec::new(),
            loaded: false,
            changes: 0,
            // What is only streamed has its newest record on top and nothing else to show.
            following: resource.page.is_none(),
            held: VecDeque::new(),
            ask_at: None,
            asked_at: None,
        }
    }

    pub fn records(&self) -> &VecDeque<Record> {
        &self.records
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn position(&self, id: &str) -> Option<usize> {
        self.records.iter().position(|record| record.id == id)
    }

    pub fn cursor_position(&self) -> Option<usize> {
        self.cursor.as_deref().and_then(|cursor| self.position(cursor))
    }

    pub fn chosen(&self) -> Option<&Record> {
        self.cursor_position().and_then(|at| self.records.get(at))
    }

    pub fn organization_id(&self) -> Option<&OrganizationId> {
        self.organization.as_ref().map(|named| &named.id)
    }

    pub fn ask(&self, environment: Environment, slice: Slice) -> Ask {
        Ask {
            organization: self.organization_id().cloned(),
            within: self.holder.as_ref().map(|holder| holder.id.clone()),
            environment,
            filter: self.filter.conditions.clone(),
            order: self.order,
            slice,
        }
    }

    /// The place of the window's record at `at` in the whole list, when that is known.
    pub fn place(&self, at: usize) -> Option<usize> {
        self.before.map(|before| before + at)
    }

    /// Which page the cursor is coming near to.
    pub fn wanted(&self) -> Option<Slice> {
        if !self.loaded {
            return Some(Slice::First);
        }
        if self.walked > WALKED_MAX {
            return None;
        }
        let at = self.cursor_position().unwrap_or(0);
        if self.more_after && at + NEAR >= self.records.len() {
            return Some(Slice::After(self.back.clone()));
        }
        (self.more_before && at < NEAR).then(|| Slice::Before(self.front.clone()))
    }

    /// A key was pressed: pages may be read again.
    pub fn walk_on(&mut self) {
        self.walked = 0;
    }

    /// When a record on the screen may next be another one without news of it.
    pub fn stirs_at(&self, height: usize) -> Option<Timestamp> {
        let stirs = self.resource.stirs?;
        self.on_screen(height).filter_map(stirs).min()
    }

    /// True when the words of the filter were looked for in as many pages as one key is worth.
    pub fn has_stopped(&self) -> bool {
        self.walked > WALKED_MAX && self.more_after
    }

    /// The part that is on the screen, to be read again with what has come in between.
    pub fn around(&self) -> Slice {
        let above = self.top.checked_sub(1).and_then(|at| self.records.get(at));
        match above {
            Some(above) if !above.cursor.is_empty() => Slice::After(above.cursor.clone()),
            _ if self.more_before => Slice::After(self.front.clone()),
            _ => Slice::First,
        }
    }

    /// Takes a page in. What it does not hold any more of its part of the list is gone.
    pub fn take(&mut self, slice: &Slice, mut page: RecordPage) {
        let at = self.cursor_position();
        let ends = page.records.first().zip(page.records.last());
        let ends = ends.map(|(first, last)| (first.cursor.clone(), last.cursor.clone()));
        let full = page.records.len();
        if !self.filter.words.is_empty() {
            page.records.retain(|record| self.filter.admits(record));
        }
        self.walked += 1;
        match slice {
            Slice::First => {
                self.records = page.records.into();
                self.before = Some(0);
                self.more_before = page.more_before;
                self.more_after = page.more_after;
            }
            Slice::Last => {
                self.records = page.records.into();
                self.before = self.total.and_then(|total| total.checked_sub(self.records.len()));
                self.more_before = page.more_before;
                self.more_after = page.more_after;
            }
            Slice::After(cursor) => {
                if *cursor != self.back {
                    let kept = self.records.iter().position(|record| record.cursor == *cursor);
                    self.records.truncate(kept.map_or(0, |at| at + 1));
                }
                let new = page.records.into_iter().filter(|new| !self.records.iter().any(|old| old.id == new.id));
                let new: Vec<Record> = new.collect();
                self.records.extend(new);
                self.more_after = page.more_after;
            }
            Slice::Before(cursor) => {
                let gone = self.records.iter().position(|record| record.cursor == *cursor).unwrap_or(0);
                self.records.drain(..gone);
                let mut new = page.records;
                new.retain(|new| !self.records.iter().any(|old| old.id == new.id));
                self.before = match (page.more_before, self.before) {
                    (false, _) => Some(0),
                    (true, before) => before.and_then(|before| (before + gone).checked_sub(full)),
                };
                self.top = (self.top + new.len()).saturating_sub(gone);
                for record in new.into_iter().rev() {
                    self.records.push_front(record);
                }
                self.more_before = page.more_before;
            }
            Slice::Count => {}
        }
        if let Some((front, back)) = ends {
            if !matches!(slice, Slice::After(_)) || self.front.is_empty() {
                self.front = front;
            }
            if !matches!(slice, Slice::Before(_)) || self.back.is_empty() {
                self.back = back;
            }
        }
        self.forget_far_end();
        self.loaded = true;
        self.failure = None;
        if !page.summary.is_empty() {
            self.summary = page.summary;
            self.trend = page.trend;
        }
        match slice {
            Slice::Last => self.cursor = self.records.back().map(|record| record.id.clone()),
            _ => self.keep_cursor(at),
        }
        self.top = self.top.min(self.records.len().saturating_sub(1));
    }

    /// A newer state of records that are here. Those that are gone are taken out.
    pub fn patch(&mut self, ids: &[String], records: Vec<Option<Record>>) {
        let at = self.cursor_position();
        for (id, record) in ids.iter().zip(records) {
            let Some(place) = self.position(id) else { continue };
            match record {
                Some(record) if record.id == *id => {
                    let cursor = std::mem::take(&mut self.records[place].cursor);
                    self.records[place] = Record { cursor, ..record };
                }
                Some(_) => {}
                None => {
                    self.records.remove(place);
                    self.marks.remove(id);
                }
            }
        }
        self.keep_cursor(at);
    }

    /// News at the front, the oldest first, of a list that is streamed. What is there already is told once more after a gap.
    /// Whether any of it was new.
    pub fn push_front(&mut self, news: impl IntoIterator<Item = Record>) -> bool {
        // Looked up for all of them at once: in a flood, a search of the list for each would cost more than its frame.
        let mut known: HashSet<String> = self.records.iter().map(|record| record.id.clone()).collect();
        let mut any = false;
        for record in news {
            if !known.insert(record.id.clone()) {
                continue;
            }
            any = true;
            self.records.push_front(record);
            self.top = if self.following { 0 } else { self.top + 1 };
            self.loaded = true;
        }
        self.records.truncate(RECORDS_MAX);
        if self.following || self.cursor.is_none() {
            self.move_to(0);
        } else {
            self.keep_cursor(None);
        }
        any
    }

    /// Where the stream of a list that is only streamed goes on after a gap.
    pub fn heard_up_to(&self) -> Option<String> {
        let newest = self.held.back().or(self.records.front());
        newest.filter(|_| self.resource.page.is_none()).map(|newest| newest.cursor.clone())
    }

    /// Keeps something new for when the screen goes on.
    pub fn hold(&mut self, record: Record) {
        self.held.push_back(record);
        if self.held.len() > RECORDS_MAX {
            self.held.pop_front();
        }
    }

    /// The screen goes on: what was kept comes in.
    pub fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.push_front(held);
    }

    fn forget_far_end(&mut self) {
        let over = self.records.len().saturating_sub(RECORDS_MAX);
        if over == 0 {
            return;
        }
        let at = self.cursor_position().unwrap_or(0);
        if at >= self.records.len() / 2 {
            let dropped = over.min(at);
            self.records.drain(..dropped);
            self.top = self.top.saturating_sub(dropped);
            self.before = self.before.map(|before| before + dropped);
            self.more_before = true;
            self.front = self.records.front().map(|first| first.cursor.clone()).unwrap_or_default();
        } else {
            self.records.truncate(RECORDS_MAX);
            self.more_after = true;
            self.back = self.records.back().map(|last| last.cursor.clone()).unwrap_or_default();
        }
    }

    /// A cursor whose record is gone takes the one that stands there now.
    fn keep_cursor(&mut self, at: Option<usize>) {
        if self.cursor_position().is_none() {
            self.move_to(at.unwrap_or(0));
        }
    }

    pub fn move_to(&mut self, at: usize) {
        let last = self.records.len().saturating_sub(1);
        self.cursor = self.records.get(at.min(last)).map(|record| record.id.clone());
    }

    pub fn is_at_start(&self) -> bool {
        !self.more_before
    }

    pub fn is_at_end(&self) -> bool {
        !self.more_after
    }

    /// Scrolls as little as possible so that the cursor is among `height` rows.
    pub fn scroll(&mut self, height: usize) {
        let height = height.max(1);
        let at = self.cursor_position().unwrap_or(0);
        let last_top = self.records.len().saturating_sub(height);
        self.top = self.top.clamp((at + 1).saturating_sub(height), at).min(last_top);
    }

    /// Moves the screen, and the cursor only as far as it would leave it.
    pub fn scroll_by(&mut self, down: bool, lines: usize, height: usize) {
        let height = height.max(1);
        let last_top = self.records.len().saturating_sub(height);
        self.top = if down { self.top + lines } else { self.top.saturating_sub(lines) }.min(last_top);
        let at = self.cursor_position().unwrap_or(0);
        self.move_to(at.clamp(self.top, self.top + height - 1));
    }

    pub fn on_screen(&self, height: usize) -> impl Iterator<Item = &Record> {
        self.records.iter().skip(self.top).take(height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ResourceId;

    fn page(range: std::ops::Range<usize>, of: usize) -> RecordPage {
        let record = |number: usize| Record {
            id: format!("org_{number}"),
            name: String::new(),
            organization: None,
            version: None,
            cursor: number.to_string(),
            cells: Vec::new(),
            parts: Vec::new(),
        };
        RecordPage {
            more_before: range.start > 0,
            more_after: range.end < of,
            records: range.map(record).collect(),
            total: None,
            summary: Vec::new(),
            trend: None,
        }
    }

    fn list() -> List {
        let mut list = List::new(ResourceId::Organizations.spec(), None, Filter::default());
        list.take(&Slice::First, page(0..100, 100_000));
        list
    }

    /// Answers whatever is wanted until nothing is.
    fn settle(list: &mut List) {
        list.walk_on();
        while let Some(slice) = list.wanted() {
            let number = |cursor: &str| cursor.parse::<usize>().unwrap();
            let range = match &slice {
                Slice::First | Slice::Count => 0..100,
                Slice::After(cursor) => number(cursor) + 1..number(cursor) + 101,
                Slice::Before(cursor) => number(cursor).saturating_sub(100)..number(cursor),
                Slice::Last => 99_900..100_000,
            };
            list.take(&slice, page(range, 100_000));
        }
    }

    #[test]
    fn a_window_walks_through_a_long_list_both_ways_and_stays_small_and_unbroken() {
        let mut list = list();
        for step in 1..5_000 {
            let at = list.cursor_position().unwrap();
            list.move_to(at + 1);
            settle(&mut list);
            assert_eq!(list.cursor.as_deref(), Some(&*format!("org_{step}")));
            assert!(list.len() <= RECORDS_MAX);
        }
        assert_eq!(list.place(list.cursor_position().unwrap()), Some(4_999));
        for step in (0..4_999).rev() {
            let at = list.cursor_position().unwrap();
            list.move_to(at - 1);
            settle(&mut list);
            assert_eq!(list.cursor.as_deref(), Some(&*format!("org_{step}")));
            assert!(list.len() <= RECORDS_MAX);
        }
        assert_eq!(list.place(list.cursor_position().unwrap()), Some(0));
        let ids: Vec<_> = list.records().iter().map(|record| record.id.clone()).collect();
        let expected: Vec<_> = (0..ids.len()).map(|number| format!("org_{number}")).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn reading_the_screen_again_keeps_the_cursor_on_its_record_and_drops_what_is_gone() {
        let mut list = list();
        list.move_to(50);
        list.scroll(20);
        let slice = list.around();
        let mut fresh = page(31..131, 100_000);
        fresh.records.retain(|record| record.id != "org_45");
        list.take(&slice, fresh);
        assert_eq!(list.cursor.as_deref(), Some("org_50"));
        assert_eq!(list.position("org_45"), None);
        assert_eq!(list.cursor_position(), Some(49));
    }

    #[test]
    fn a_cursor_whose_record_is_gone_takes_the_one_that_stands_there_now() {
        let mut list = list();
        list.move_to(7);
        list.patch(&["org_7".to_owned()], vec![None]);
        assert_eq!(list.cursor.as_deref(), Some("org_8"));
    }

    #[test]
    fn what_streams_in_does_not_move_a_cursor_that_does_not_follow() {
        let mut list = List::new(ResourceId::Events.spec(), None, Filter::default());
        let push = |list: &mut List, number| list.push_front(page(number..number + 1, 10).records);
        push(&mut list, 1);
        push(&mut list, 2);
        assert_eq!(list.cursor.as_deref(), Some("org_2"));
        list.following = false;
        push(&mut list, 3);
        assert_eq!((list.cursor.as_deref(), list.top), (Some("org_2"), 1));
    }
}
