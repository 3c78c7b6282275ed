//! What kind of place a file is, by its path: code before tests, tests before what
//! others wrote or a program made.

/// Classes of files, the most interesting first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// Source code, and everything not named below.
    Code,
    /// Prose and data: documents, configuration, lock files.
    Text,
    /// Tests, examples and benchmarks.
    Test,
    /// Vendored or generated files.
    Foreign,
}

/// Names of folders that hold tests.
const TEST_FOLDERS: &[&str] = &[
    "__mocks__",
    "__snapshots__",
    "__tests__",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "e2e",
    "example",
    "examples",
    "fixture",
    "fixtures",
    "mock",
    "mocks",
    "selftests",
    "spec",
    "specs",
    "test",
    "testdata",
    "testing",
    "tests",
];

/// Names of folders that hold other people's files or a program's output.
const FOREIGN_FOLDERS: &[&str] = &[
    "3rdparty",
    "bower_components",
    "build",
    "dist",
    "external",
    "generated",
    "node_modules",
    "out",
    "site-packages",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
    "vendored",
];

/// Ends of names of files that hold prose or data.
const TEXT_ENDS: &[&str] = &[
    ".cfg", ".csv", ".ini", ".ipynb", ".json", ".jsonl", ".lock", ".log", ".md", ".mdx", ".rst",
    ".snap", ".svg", ".toml", ".tsv", ".txt", ".xml", ".yaml", ".yml",
];

/// The class of a file by its relative path, with `/`.
pub(super) fn place(path: &str) -> Place {
    let lower = path.to_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let within = |names: &[&str]| folders.split('/').any(|f| names.binary_search(&f).is_ok());
    if within(FOREIGN_FOLDERS) || name.contains(".min.") || name.contains(".generated.") {
        return Place::Foreign;
    }
    let stem = name.split('.').next().unwrap_or(name);
    let test_name = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("_spec")
        || stem == "tests"
        || stem == "test"
        || stem == "conftest"
        || name.contains(".test.")
        || name.contains(".spec.")
        || path
            .rsplit('/')
            .next()
            .and_then(|n| n.split('.').next())
            .is_some_and(|s| s.ends_with("Test") || s.ends_with("Tests") || s.ends_with("Spec"));
    if test_name || within(TEST_FOLDERS) {
        Place::Test
    } else if TEXT_ENDS.iter().any(|end| name.ends_with(end)) {
        Place::Text
    } else {
        Place::Code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_for_the_search() {
        assert!(TEST_FOLDERS.is_sorted());
        assert!(FOREIGN_FOLDERS.is_sorted());
    }

    #[test]
    fn classes_by_path() {
        for (path, class) in [
            ("src/main.rs", Place::Code),
            ("src/latest.rs", Place::Code),
            ("README.md", Place::Text),
            ("tests/a.rs", Place::Test),
            ("src/foo_test.go", Place::Test),
            ("src/FooTest.java", Place::Test),
            ("web/a.spec.ts", Place::Test),
            ("vendor/x/tests/a.c", Place::Foreign),
            ("web/app.min.js", Place::Foreign),
        ] {
            assert_eq!(place(path), class, "{path}");
        }
    }
}
