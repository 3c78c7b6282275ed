//! Texts of every kind in `fixtures/compact`: what they hold, what must survive,
//! and what becomes of them, as files to review. The texts are made up, in the
//! forms that tools print.

use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use trimtab::compact::{Kind, Options, Size, compact, detect};
use trimtab::tokens;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    kind: Kind,
    file: String,
    query: String,
    /// What must survive at 15% of the tokens.
    keep: Vec<String>,
    /// Of these one must survive at 8%.
    errors: Vec<String>,
}

fn cases() -> Vec<(PathBuf, Case, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/compact");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("fixtures")
        .map(|e| e.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let read = |name: &str| fs::read_to_string(path.join(name)).expect("a file of a case");
            let case = toml::from_str(&read("case.toml")).expect("a case");
            let text = read("input");
            (path, case, text)
        })
        .collect()
}

#[test]
fn kinds_are_told_by_content_and_name() {
    for (path, case, text) in cases() {
        assert_eq!(
            detect(&text, Some(&case.file)),
            case.kind,
            "{}",
            path.display()
        );
    }
}

#[test]
fn facts_survive_and_results_are_as_reviewed() {
    for (path, case, text) in cases() {
        let share = |percent: usize| {
            let options = Options {
                file: Some(case.file.clone()),
                query: case.query.clone(),
                size: Size::Budget(tokens::count(&text) * percent / 100),
                ..Options::default()
            };
            compact(&text, &options).expect("it holds").text
        };
        let out = share(15);
        for fact in &case.keep {
            assert!(out.contains(fact), "{} lost {fact}:\n{out}", path.display());
        }
        let tight = share(8);
        assert!(
            case.errors.is_empty() || case.errors.iter().any(|e| tight.contains(e)),
            "{} hides its failure:\n{tight}",
            path.display()
        );
        insta::with_settings!({
            snapshot_path => &path,
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!("at-15-percent", out);
        });
    }
}
