//! What a pass knows before its definitions are looked at.

use std::collections::BTreeSet;

use super::columns::{is_swapped, scale, shifts, steady, tab_width};
use super::context::{Ctx, Pass};
use super::guides::Guides;
use crate::apply::lines::facts::Facts;
use crate::apply::lines::line::{self, Class, Line};
use crate::apply::snippet::script::{Role, Script};

pub(crate) fn prepare<'a>(pass: Pass<'a>, script: &'a Script, file: &'a Facts<'a>) -> Ctx<'a> {
    let mut lines = Vec::new();
    let mut roles = Vec::new();
    let mut numbers = Vec::new();
    let mut bounds = Vec::new();
    for s in &script.segments {
        let a = lines.len();
        for item in &s.items {
            lines.push(Line::new(&item.text));
            roles.push(item.role);
            numbers.push(item.number);
        }
        bounds.push((a, lines.len()));
    }
    let m = lines.len();
    let mut ctx = Ctx {
        pass,
        script,
        text: &file.lines,
        file: &file.records,
        counts: &file.counts,
        lines,
        roles,
        numbers,
        bounds,
        tab: 4,
        scale: (1, 1),
        swapped: false,
        shifts: Vec::new(),
        steady: Vec::new(),
        guides: Guides::none(m),
        substitutions: Vec::new(),
        replaced: Vec::new(),
        taken: BTreeSet::new(),
        touched: BTreeSet::new(),
        swapped_names: Vec::new(),
        values: std::cell::OnceCell::new(),
        joined: Vec::new(),
        superseded: std::cell::RefCell::default(),
        decided: std::cell::Cell::new(0),
    };
    let pairs = unique_pairs(&ctx);
    ctx.tab = tab_width(&ctx, &pairs);
    ctx.scale = scale(&ctx, &pairs);
    ctx.swapped = is_swapped(&ctx, &pairs);
    ctx.shifts = shifts(&ctx, &pairs);
    ctx.steady = steady(&ctx, &pairs);
    ctx
}

/// Lines that stand once on both sides, in the order of the snippet.
fn unique_pairs(ctx: &Ctx) -> Vec<(usize, usize)> {
    let snippet = line::counts(ctx.lines.iter());
    let mut place = line::Counts::default();
    for (j, l) in (0..).zip(ctx.file) {
        if l.class == Class::Plain
            && snippet.get(&l.hash) == Some(&1)
            && ctx.counts.get(&l.hash) == Some(&1)
        {
            place.insert(l.hash, j);
        }
    }
    (0..ctx.lines.len())
        .filter(|&i| ctx.roles[i] != Role::Plus)
        .filter_map(|i| Some((i, *place.get(&ctx.lines[i].hash)? as usize)))
        .collect()
}
