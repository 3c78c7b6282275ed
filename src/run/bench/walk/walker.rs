//! What a walk holds at each step: the tree, and all that was said and shown so far.

use super::super::controls::Needs;
use super::super::ledger::Kind;
use super::super::policy::Policy;
use super::super::tree::Tree;
use super::super::view::View;
use super::walked::Walked;
use crate::search::Engine;
use crate::workspace::Cancel;
use std::collections::{HashMap, HashSet};

/// A session on its walk.
pub(super) struct Walker<'a> {
    pub tree: &'a mut Tree,
    pub engine: &'a Engine,
    pub policy: &'a Policy,
    pub cancel: &'a Cancel,
    pub view: View,
    pub needs: Needs,
    /// The recorded answers so far.
    pub outputs: Vec<(Kind, String)>,
    /// Files that an answer named: the step that did, and the ways.
    pub named: HashMap<String, (usize, u8)>,
    /// Names said so far, the latest last.
    pub names: Vec<String>,
    /// Files of which trimtab showed a part where the whole was asked for.
    pub cut: HashSet<String>,
    pub out: Walked,
}
