//! Where in the console somebody is, and where they have been.

use super::list::List;

/// Places that are remembered each way.
const REMEMBERED_MAX: usize = 32;

#[derive(Clone, Debug, Default)]
pub enum Place {
    /// The tree with the chosen organization beside it.
    #[default]
    Tree,
    List(Box<List>),
}

#[derive(Clone, Debug, Default)]
pub struct Places {
    pub here: Place,
    back: Vec<Place>,
    forward: Vec<Place>,
}

impl Places {
    pub fn list(&self) -> Option<&List> {
        if let Place::List(list) = &self.here { Some(list) } else { None }
    }

    pub fn list_mut(&mut self) -> Option<&mut List> {
        if let Place::List(list) = &mut self.here { Some(list) } else { None }
    }

    pub fn is_tree(&self) -> bool {
        matches!(self.here, Place::Tree)
    }

    pub fn go(&mut self, to: Place) {
        self.forward.clear();
        self.back.push(std::mem::replace(&mut self.here, to));
        if self.back.len() > REMEMBERED_MAX {
            self.back.remove(0);
        }
    }

    /// False when there is nowhere to go back to.
    pub fn go_back(&mut self) -> bool {
        let Some(place) = self.back.pop() else { return false };
        self.forward.push(std::mem::replace(&mut self.here, place));
        true
    }

    pub fn go_forward(&mut self) -> bool {
        let Some(place) = self.forward.pop() else { return false };
        self.back.push(std::mem::replace(&mut self.here, place));
        true
    }

    /// What was open before, nearest last, for the breadcrumbs.
    pub fn trail(&self) -> &[Place] {
        &self.back
    }
}
