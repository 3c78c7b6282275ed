//! Which lines match: the same as ripgrep's, on a tree with everything that makes
//! files difficult. Compared with the real `rg` where it is installed, and with
//! stored expectations everywhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use trimtab::search::{Case, Engine, Freshness, Mode, Request};
use trimtab::workspace::{Cancel, Root};

/// A matching line: path, number, text without its line break.
type Line = (String, usize, Vec<u8>);

fn write(dir: &Path, path: &str, bytes: &[u8]) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let mut out = if big {
        vec![0xFE, 0xFF]
    } else {
        vec![0xFF, 0xFE]
    };
    for unit in text.encode_utf16() {
        out.extend(if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        });
    }
    out
}

/// A tree with CRLF, UTF-16, NUL bytes in every place, hidden and ignored files,
/// links, long lines and invalid UTF-8.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    write(d, "plain.rs", b"fn needle() {}\nfn other() {}\n// Needle\n");
    write(d, "crlf.txt", b"one needle\r\ntwo\r\nneedle three\r\n");
    write(d, "no_newline.txt", b"first\nlast needle");
    write(d, "lone_cr.txt", b"a\rneedle\rb\nneedle\n");
    write(
        d,
        "utf16le.txt",
        &utf16("eins needle\r\nzwei\nneedle ä\n", false),
    );
    write(d, "utf16be.txt", &utf16("needle groß\nnichts\n", true));
    write(d, "bom.txt", b"\xEF\xBB\xBFneedle first\nsecond needle\n");
    write(d, "bom_nul.txt", b"\xEF\xBB\xBFneedle\nx\0y\nneedle\n");
    write(
        d,
        "latin1.txt",
        b"caf\xE9 needle\nna\xEFve\nneedle \xFF\xFE end\n",
    );
    write(
        d,
        "unicode.txt",
        "ÄRGER needle\närger\nΣΑΣ σας ς\nK \u{212A}\n".as_bytes(),
    );
    write(d, "empty.txt", b"");
    write(d, "only_newlines.txt", b"\n\n\n");
    write(d, "nul_first.bin", b"\0needle\nneedle\n");
    write(d, "nul_early.bin", b"needle\nmore\0needle\nneedle\n");
    write(d, "nul_third.bin", b"a\nb\0needle\n");
    // NUL bytes around the border of the reader's first buffer, and far behind it.
    for (name, at) in [
        ("nul_65530.bin", 65_530),
        ("nul_65536.bin", 65_536),
        ("nul_65540.bin", 65_540),
        ("nul_131080.bin", 131_080),
        ("nul_300000.bin", 300_000),
    ] {
        let mut text = Vec::new();
        let mut i = 0;
        while text.len() < at {
            text.extend(format!("line {i} needle {}\n", "x".repeat(i % 50)).bytes());
            i += 1;
        }
        text.truncate(at);
        text.push(0);
        text.extend(b"\nneedle behind\n");
        write(d, name, &text);
    }
    // Larger than a window, with matches in the first, a later, the last one, in a
    // line longer than a window, and without a line break at the end.
    let filler = |n: usize| "some text that says nothing\n".repeat(n);
    let far = format!("{}needle far\n{}last needle", filler(9_000), filler(9_000));
    write(d, "far.txt", far.as_bytes());
    let near = format!("needle near\n{}needle far\n{}", filler(20_000), filler(3));
    write(d, "near.txt", near.as_bytes());
    let mut wide = format!("{}needle {}needle\n", filler(6_000), "z".repeat(400_000));
    wide.push_str(&format!("{}needle end\n", filler(10_000)));
    write(d, "y_wide.txt", wide.as_bytes());
    // The second window begins with a byte order mark, which is text there.
    let behind = format!("{}\u{FEFF}needle {}\n", filler(4_300), "y".repeat(20_000));
    write(d, "y_bom_behind.txt", behind.as_bytes());
    write(d, "x_wide_nul.bin", format!("{near}\0{wide}").as_bytes());
    write(d, "y_wide_crlf.txt", near.replace('\n', "\r\n").as_bytes());
    // A line longer than the buffer, with the match at its end, then a NUL. Last in
    // order: ripgrep keeps a grown buffer for the files that follow, which changes
    // what it prints for binary ones; ours does not depend on other files.
    let mut long = "x".repeat(200_000).into_bytes();
    long.extend(b" needle\nneedle short\n");
    write(d, "z_long.txt", &long);
    long.extend(b"\0\nneedle\n");
    write(d, "z_long_nul.bin", &long);
    write(d, ".hidden.txt", b"needle\n");
    write(d, ".dir/in.txt", b"needle\n");
    write(d, ".git/config", b"needle\n");
    write(d, ".gitignore", b"*.log\n/ignored/\n!keep.log\n");
    write(d, ".ignore", b"by_ignore.txt\n");
    write(d, ".rgignore", b"by_rgignore.txt\n");
    write(d, "a.log", b"needle\n");
    write(d, "keep.log", b"needle\n");
    write(d, "ignored/x.txt", b"needle\n");
    write(d, "by_ignore.txt", b"needle\n");
    write(d, "by_rgignore.txt", b"needle\n");
    write(d, "sub/.gitignore", b"deep.txt\n");
    write(d, "sub/deep.txt", b"needle\n");
    write(d, "sub/deep/er.txt", b"needle\nneedle\nand a needle\n");
    write(d, "sub dir/with space.txt", b"needle\n");
    // Enough files for an index.
    for i in 0..200 {
        write(d, &format!("filler/{i}.txt"), b"nothing to see\n");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(d.join("plain.rs"), d.join("link.rs")).unwrap();
        symlink(d.join("sub"), d.join("linked")).unwrap();
        symlink("nowhere", d.join("dangling")).unwrap();
    }
    dir
}

/// An engine without and one with an index.
struct Engines {
    _home: tempfile::TempDir,
    both: [Engine; 2],
}

fn engines(dir: &Path) -> Engines {
    let home = tempfile::tempdir().unwrap();
    let root = Root::open(dir).unwrap().with_home(home.path());
    let both = [Engine::new(&root), Engine::resident(&root)];
    both[1].settle();
    Engines { _home: home, both }
}

fn ours(engine: &Engine, request: &Request) -> Vec<BTreeSet<Line>> {
    let found = engine.lines(request, &Cancel::new()).unwrap();
    found
        .into_iter()
        .map(|lines| {
            lines
                .into_iter()
                .map(|l| (l.path.to_string(), l.line, trim(&l.text).to_vec()))
                .collect()
        })
        .collect()
}

fn trim(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn installed() -> bool {
    let there = Command::new("rg").arg("--version").output().is_ok();
    if !there {
        eprintln!("rg is not installed: compared with stored expectations only");
    }
    there
}

fn theirs(dir: &Path, args: &[&str], pattern: &str) -> BTreeSet<Line> {
    let out = Command::new("rg")
        .current_dir(dir)
        .env_remove("RIPGREP_CONFIG_PATH")
        .args(["--no-config", "--no-heading", "-n", "-0", "--color=never"])
        .args(["--no-messages", "--sort=path", "-g", "!.git"])
        .args(args)
        .args(["-e", pattern, "./"])
        .output()
        .unwrap();
    // With -0 a line is `path NUL number : text`; notes on binary files have no NUL.
    let mut found = BTreeSet::new();
    for line in out.stdout.split(|b| *b == b'\n') {
        let mut parts = line.splitn(2, |b| *b == 0);
        let (Some(path), Some(rest)) = (parts.next(), parts.next()) else {
            continue;
        };
        let colon = rest.iter().position(|b| *b == b':').unwrap();
        let number = std::str::from_utf8(&rest[..colon])
            .unwrap()
            .parse()
            .unwrap();
        let path = String::from_utf8_lossy(path);
        let path = path.strip_prefix("./").unwrap_or(&path).to_string();
        found.insert((path, number, rest[colon + 1..].to_vec()));
    }
    found
}

/// The requests that are compared, with the flags that say the same to `rg`.
fn cases() -> Vec<(Request, Vec<&'static str>)> {
    let request = |mode, queries: &[&str]| Request {
        mode,
        ..Request::new(queries.iter().copied())
    };
    vec![
        (
            request(
                Mode::Regex,
                &[
                    "needle",
                    r"needle\r?$",
                    "needle$",
                    r"\bneedle\b.*\bthree",
                    "^$",
                    r"[^a-z]+$",
                    r"(?i)ärger|σας",
                    r"(?-u)caf\xE9",
                ],
            ),
            vec![],
        ),
        (
            Request {
                case: Case::Insensitive,
                ..request(Mode::Regex, &["NEEDLE", "ärger", "k", r"x{30,}"])
            },
            vec!["-i"],
        ),
        (
            Request {
                case: Case::Smart,
                ..request(Mode::Regex, &["needle", "Needle"])
            },
            vec!["-S"],
        ),
        (
            request(Mode::Literal, &["needle()", "needle $", ".", "\u{e4}"]),
            vec!["-F"],
        ),
        (
            Request {
                hidden: true,
                ..request(Mode::Regex, &["needle"])
            },
            vec!["--hidden"],
        ),
        (
            Request {
                globs: vec!["*.txt".into(), "!sub*/**".into()],
                ..request(Mode::Regex, &["needle"])
            },
            vec!["-g", "*.txt", "-g", "!sub*/**"],
        ),
        (
            Request {
                multiline: true,
                ..request(
                    Mode::Regex,
                    &[r"needle\n+needle", r"two\r\nneedle", "needle"],
                )
            },
            vec!["-U"],
        ),
    ]
}

#[test]
fn the_lines_are_ripgreps() {
    if !installed() {
        return;
    }
    let dir = tree();
    let engines = engines(dir.path());
    for (request, args) in cases() {
        for engine in &engines.both {
            let found = ours(engine, &request);
            for (query, lines) in request.queries.iter().zip(found) {
                let expected = theirs(dir.path(), &args, query);
                let missing: Vec<_> = expected.difference(&lines).take(5).collect();
                let extra: Vec<_> = lines.difference(&expected).take(5).collect();
                assert!(
                    missing.is_empty() && extra.is_empty(),
                    "{query:?} {args:?}: missing {missing:?}, too many {extra:?}"
                );
            }
        }
    }
}

/// Also where there is no `rg`, an index changes nothing; and it is used.
#[test]
fn an_index_changes_no_line() {
    let dir = tree();
    let engines = engines(dir.path());
    for (request, args) in cases() {
        let [plain, indexed] = engines.both.each_ref().map(|e| ours(e, &request));
        assert!(plain == indexed, "{:?} {args:?}", request.queries);
    }
    let request = Request::new(["needle"]);
    let by = engines.both[1].matches(&request, &Cancel::new()).unwrap();
    assert_eq!(by.freshness == Freshness::Scan, cfg!(not(unix)));
}

#[test]
fn the_lines_are_those_stored() {
    let dir = tree();
    let request = Request {
        mode: Mode::Regex,
        ..Request::new(["needle$", r"^needle\b", "needle x{49}$"])
    };
    let found = ours(&engines(dir.path()).both[0], &request);
    let short = |lines: &BTreeSet<Line>| -> Vec<String> {
        let mut files: Vec<(String, Vec<String>)> = Vec::new();
        for (path, number, _) in lines.iter() {
            match files.last_mut() {
                Some((last, numbers)) if last == path => numbers.push(number.to_string()),
                _ => files.push((path.clone(), vec![number.to_string()])),
            }
        }
        files
            .into_iter()
            .map(|(path, numbers)| match numbers.len() {
                0..=4 => format!("{path}:{}", numbers.join(",")),
                n => format!("{path}: {n} lines"),
            })
            .collect()
    };
    insta::assert_snapshot!(short(&found[0]).join("\n"), @r"
    bom.txt:2
    far.txt:18002
    keep.log:1
    latin1.txt:1
    lone_cr.txt:2
    no_newline.txt:2
    sub dir/with space.txt:1
    sub/deep/er.txt:1,2,3
    unicode.txt:1
    y_wide.txt:6001
    z_long.txt:1
    ");
    insta::assert_snapshot!(short(&found[1]).join("\n"), @r"
    bom.txt:1
    crlf.txt:3
    far.txt:9001
    keep.log:1
    latin1.txt:3
    lone_cr.txt:2
    near.txt:1,20002
    sub dir/with space.txt:1
    sub/deep/er.txt:1,2
    utf16be.txt:1
    utf16le.txt:3
    x_wide_nul.bin:1
    y_wide.txt:6001,16002
    y_wide_crlf.txt:1,20002
    z_long.txt:2
    ");
    insta::assert_snapshot!(short(&found[2]).join("\n"), @r"
    nul_131080.bin: 62 lines
    nul_300000.bin: 123 lines
    nul_65536.bin: 31 lines
    nul_65540.bin: 31 lines
    ");
}

#[test]
fn a_limit_takes_the_first_lines_by_path() {
    let dir = tree();
    let all = Request {
        mode: Mode::Literal,
        ..Request::new(["needle", "second"])
    };
    let root = Root::open(dir.path()).unwrap();
    let engine = Engine::new(&root);
    let whole = engine.lines(&all, &Cancel::new()).unwrap();
    for limit in [1, 3, 7, 1000, usize::MAX] {
        let request = Request {
            limit: Some(limit),
            ..all.clone()
        };
        let some = engine.lines(&request, &Cancel::new()).unwrap();
        for (some, whole) in some.iter().zip(&whole) {
            assert_eq!(some[..], whole[..whole.len().min(limit)], "{limit}");
        }
    }
}
