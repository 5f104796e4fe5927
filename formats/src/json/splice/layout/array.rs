//! An opened array: runs of untouched items, and items that are new or were touched.

use std::ops::Range;

use super::{Change, Child, Original, Style};
use crate::json::pointer;
use crate::json::splice::Misplaced;
use crate::json::splice::edited::Edited;
use crate::json::splice::tree::Tree;

#[derive(Clone)]
pub(in crate::json) struct Items<'a> {
    original: Original<'a>,
    runs: Vec<Run<'a>>,
}

#[derive(Clone)]
enum Run<'a> {
    /// Items of the original, untouched. Never empty.
    Kept(Range<usize>),
    Child(Child<'a>),
}

/// Where an item is.
#[derive(Clone, Copy)]
struct Spot {
    run: usize,
    /// The offset within a kept run.
    within: usize,
}

impl<'a> Items<'a> {
    pub(super) fn new(original: Original<'a>) -> Self {
        let runs = match original.count() {
            0 => Vec::new(),
            count => vec![Run::Kept(0..count)],
        };
        Self { original, runs }
    }

    /// See [`Layout::changed`](super::Layout::changed). Cost: linear in the changes.
    pub(super) fn changed(original: Original<'a>, changes: Vec<(usize, Change<'a>)>) -> Self {
        let mut runs = Vec::with_capacity(2 * changes.len() + 1);
        let mut next = 0;
        for (place, change) in changes {
            if next < place {
                runs.push(Run::Kept(next..place));
            }
            next = place.max(next);
            match change {
                Change::Insert(value) => {
                    // As the item before which it comes, or as the last one.
                    let last = original.count().checked_sub(1);
                    let like = last.and_then(|last| original.style(place.min(last)));
                    runs.push(Run::Child(original.new_item(like, value)));
                }
                Change::Put(value) => {
                    let child = original.child(place);
                    runs.extend(child.map(|child| Run::Child(Child { value, ..child })));
                    next = place + 1;
                }
                Change::Remove => next = place + 1,
            }
        }
        if next < original.count() {
            runs.push(Run::Kept(next..original.count()));
        }
        Self { original, runs }
    }

    pub(super) fn child(&mut self, token: &str) -> Result<&mut Tree<'a>, Misplaced> {
        let run = self.isolate(self.existing(token)?);
        match self.runs.get_mut(run) {
            Some(Run::Child(child)) => Ok(&mut child.value),
            _ => Err(Misplaced::NotFound),
        }
    }

    pub(super) fn remove(&mut self, token: &str) -> Result<Tree<'a>, Misplaced> {
        let run = self.isolate(self.existing(token)?);
        match self.runs.remove(run) {
            Run::Child(child) => Ok(child.value),
            Run::Kept(_) => Err(Misplaced::NotFound),
        }
    }

    /// Inserts before the item at a place, in the style of that item or of the last one.
    pub(super) fn add(&mut self, token: &str, value: Tree<'a>) -> Result<(), Misplaced> {
        let count = self.runs.iter().map(Run::len).sum();
        let place = match token {
            "-" => count,
            _ => pointer::array_index(token).ok_or(Misplaced::InvalidIndex)?,
        };
        if place > count {
            return Err(Misplaced::NotFound);
        }
        let run = match self.find_place(place) {
            Some(spot) => self.split(spot),
            None => self.runs.len(),
        };
        let neighbour = self.runs.get(run).map(|run| (run, false));
        let neighbour = neighbour.or_else(|| self.runs.last().map(|run| (run, true)));
        let style = neighbour.and_then(|(run, last)| self.style(run, last));
        let item = self.original.new_item(style, value);
        self.runs.insert(run, Run::Child(item));
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Edited<'a>) {
        out.push(self.original.opening());
        for (index, run) in self.runs.iter().enumerate() {
            if index > 0 {
                out.push_comma();
            }
            match run {
                Run::Kept(range) => out.push(self.original.kept(range)),
                Run::Child(child) => child.write(out),
            }
        }
        out.push(self.original.closing());
    }

    fn existing(&self, token: &str) -> Result<Spot, Misplaced> {
        if token == "-" {
            // The place after the last item, where there is nothing.
            return Err(Misplaced::NotFound);
        }
        let place = pointer::array_index(token).ok_or(Misplaced::InvalidIndex)?;
        self.find_place(place).ok_or(Misplaced::NotFound)
    }

    fn find_place(&self, mut place: usize) -> Option<Spot> {
        for (run, items) in self.runs.iter().enumerate() {
            if place < items.len() {
                return Some(Spot { run, within: place });
            }
            place -= items.len();
        }
        None
    }

    /// Makes `spot` the start of a run; gives that run's place.
    fn split(&mut self, spot: Spot) -> usize {
        if spot.within > 0
            && let Some(Run::Kept(range)) = self.runs.get_mut(spot.run)
        {
            let middle = range.start + spot.within;
            let right = Run::Kept(middle..range.end);
            range.end = middle;
            self.runs.insert(spot.run + 1, right);
            return spot.run + 1;
        }
        spot.run
    }

    /// Makes the item at `spot` a run of its own; gives that run's place.
    fn isolate(&mut self, spot: Spot) -> usize {
        let run = self.split(spot);
        if let Some(Run::Kept(range)) = self.runs.get(run)
            && let Some(child) = self.original.child(range.start)
        {
            let rest = range.start + 1..range.end;
            let rest = (!rest.is_empty()).then_some(Run::Kept(rest));
            self.runs
                .splice(run..=run, [Run::Child(child)].into_iter().chain(rest));
        }
        run
    }

    /// How the first or last item of a run is set.
    fn style(&self, run: &Run<'a>, last: bool) -> Option<Style<'a>> {
        let index = match run {
            Run::Child(child) => {
                return Some(Style {
                    before: child.before,
                    colon: self.original.nothing(),
                });
            }
            Run::Kept(range) if last => range.end.checked_sub(1)?,
            Run::Kept(range) => range.start,
        };
        self.original.style(index)
    }
}

impl Run<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Kept(range) => range.len(),
            Self::Child(_) => 1,
        }
    }
}
