//! A commit of several files is killed at every step and at random moments: each
//! file stays whole, and the next start completes what was begun.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;
use trimtab::workspace::{Change, Root, commit, recover, unfinished};

const FILES: [&str; 4] = ["a.txt", "deep/b.txt", "linked.txt", "c.txt"];

fn content(round: u32, file: usize) -> Option<String> {
    // One file comes and goes.
    if file == 3 && round.is_multiple_of(2) {
        return None;
    }
    Some(format!("round {round} file {file}\n").repeat(2000 + file * 10 + round as usize % 7))
}

fn changes(root: &Root, from: u32) -> Vec<Change> {
    FILES
        .iter()
        .enumerate()
        .map(|(i, name)| Change {
            path: root.resolve(name).unwrap(),
            before: content(from, i).map(String::into_bytes),
            after: content(from + 1, i).map(String::into_bytes),
        })
        .collect()
}

fn open(dir: &Path) -> Root {
    Root::open(&dir.join("tree")).unwrap().with_home(dir)
}

fn prepare(dir: &Path) {
    let tree = dir.join("tree");
    fs::create_dir_all(tree.join("deep")).unwrap();
    for (i, name) in FILES.iter().enumerate() {
        if let Some(text) = content(0, i) {
            fs::write(tree.join(name), text).unwrap();
        }
    }
    fs::hard_link(tree.join("linked.txt"), dir.join("other-link")).unwrap();
}

/// Not a test of its own: the process that gets killed. It commits round after
/// round, as many as it is told.
#[test]
fn child() {
    let Some(dir) = std::env::var_os("TRIMTAB_TEST_DIR") else {
        return;
    };
    let root = open(Path::new(&dir));
    let first: u32 = std::env::var("TRIMTAB_TEST_ROUND")
        .unwrap()
        .parse()
        .unwrap();
    let rounds: u32 = std::env::var("TRIMTAB_TEST_ROUNDS")
        .unwrap()
        .parse()
        .unwrap();
    for round in first..first + rounds {
        commit(&root, &changes(&root, round), "round").unwrap();
    }
}

fn start(dir: &Path, round: u32, rounds: u32, crash_at: Option<u32>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--test-threads=1"])
        .env("TRIMTAB_TEST_DIR", dir)
        .env("TRIMTAB_TEST_ROUND", round.to_string())
        .env("TRIMTAB_TEST_ROUNDS", rounds.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(n) = crash_at {
        command.env("TRIMTAB_CRASH_AT", n.to_string());
    }
    command.spawn().unwrap()
}

fn run(dir: &Path, crash_at: u32) -> ExitStatus {
    start(dir, 0, 1, Some(crash_at)).wait().unwrap()
}

fn state(dir: &Path) -> Vec<Option<String>> {
    let read = |name: &&str| fs::read_to_string(dir.join("tree").join(name)).ok();
    FILES.iter().map(read).collect()
}

/// The round in which all files are, if they are all in the same one.
fn round_of(dir: &Path, around: u32) -> Option<u32> {
    let now = state(dir);
    let wanted = |r: u32| (0..FILES.len()).map(|i| content(r, i)).collect::<Vec<_>>();
    (around.saturating_sub(1)..around + 200).find(|&r| now == wanted(r))
}

fn leftovers(dir: &Path) -> Vec<String> {
    [dir.join("tree"), dir.join("tree/deep")]
        .iter()
        .flat_map(|d| fs::read_dir(d).unwrap().flatten())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|n| n.contains("trimtab"))
        .collect()
}

#[test]
fn killed_at_every_step() {
    let mut completed = 0;
    for n in 1.. {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path();
        prepare(dir);
        let ended = run(dir, n).success();
        // Renamed files are whole at once; the one with two names, after recovery.
        for (i, now) in state(dir).into_iter().enumerate().filter(|(i, _)| *i != 2) {
            assert!(
                now == content(0, i) || now == content(1, i),
                "step {n}, file {i}"
            );
        }
        let root = open(dir);
        let begun = unfinished(&root);
        let done = recover(&root).unwrap();
        assert_eq!(begun, done.iter().map(|r| r.id.clone()).collect::<Vec<_>>());
        assert!(done.iter().all(|r| r.left.is_empty()), "step {n}: {done:?}");
        let round = round_of(dir, 0);
        assert!(
            round.is_some(),
            "step {n}: the files are of different rounds"
        );
        assert!(
            done.is_empty() || round == Some(1),
            "step {n}: not completed"
        );
        assert_eq!(leftovers(dir), Vec::<String>::new(), "step {n}");
        assert!(unfinished(&root).is_empty());
        completed += done.len();
        if ended {
            assert_eq!(round, Some(1));
            assert!(n > 10 && completed > 5, "the crash points were not reached");
            return;
        }
    }
}

#[test]
fn killed_at_random_moments() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path();
    prepare(dir);
    let root = open(dir);
    let mut round = 0;
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut cut_short = 0;
    for kill in 0..200 {
        let mut process = start(dir, round, 100, None);
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        sleep(Duration::from_micros(5_000 + seed % 40_000));
        process.kill().unwrap();
        process.wait().unwrap();
        let done = recover(&root).unwrap();
        assert!(
            done.iter().all(|r| r.left.is_empty()),
            "kill {kill}: {done:?}"
        );
        cut_short += done.len();
        round = round_of(dir, round)
            .unwrap_or_else(|| panic!("kill {kill}: the files are of different rounds"));
        assert_eq!(leftovers(dir), Vec::<String>::new(), "kill {kill}");
    }
    println!("{cut_short} of 200 kills cut a commit short; reached round {round}");
}
