use super::*;
use std::fs;
use std::io::Write;

struct Tree {
    _dir: tempfile::TempDir,
    root: Root,
    fresh: Fresh,
}

/// A watched root with two folders.
fn tree() -> Tree {
    let dir = tempfile::tempdir().unwrap();
    for path in ["a/one.txt", "a/two.txt", "b/three.txt"] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "text\n").unwrap();
    }
    let root = Root::open(dir.path()).unwrap();
    let mut fresh = Fresh::new(&root);
    assert!(matches!(news(&mut fresh), News::Everything(files) if files.len() == 3));
    Tree {
        _dir: dir,
        root,
        fresh,
    }
}

fn news(fresh: &mut Fresh) -> News {
    fresh.news(&Cancel::new()).unwrap()
}

/// What is said to have changed: files as they are, folders with what is in them.
fn parts(fresh: &mut Fresh) -> Vec<String> {
    let News::Parts { files, folders } = news(fresh) else {
        return vec!["everything".into()];
    };
    let sign = |there| if there { "+" } else { "-" };
    let files = files
        .iter()
        .map(|f| format!("{}{}", sign(f.there), f.path.rel));
    let folders = folders.iter().map(|l| {
        let inside: Vec<&str> = l.files.iter().map(|s| s.path.rel.as_str()).collect();
        format!("{}: {}", l.folder.rel, inside.join(" "))
    });
    files.chain(folders).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_change_is_told_once_and_alone() {
    let mut tree = tree();
    let dir = tree.root.dir().to_path_buf();
    assert_eq!(parts(&mut tree.fresh), Vec::<String>::new());
    fs::write(dir.join("a/one.txt"), "new\n").unwrap();
    fs::remove_file(dir.join("b/three.txt")).unwrap();
    assert_eq!(parts(&mut tree.fresh), ["+a/one.txt", "-b/three.txt"]);
    assert_eq!(parts(&mut tree.fresh), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_is_listed_alone_and_watched_from_then_on() {
    let mut tree = tree();
    let dir = tree.root.dir().to_path_buf();
    fs::create_dir_all(dir.join("c/d")).unwrap();
    fs::write(dir.join("c/d/four.txt"), "").unwrap();
    assert_eq!(parts(&mut tree.fresh), ["c: c/d/four.txt"]);
    fs::write(dir.join("c/d/five.txt"), "").unwrap();
    assert_eq!(parts(&mut tree.fresh), ["+c/d/five.txt"]);
    // It takes its watches along, under the new name.
    fs::rename(dir.join("c"), dir.join("e")).unwrap();
    assert_eq!(
        parts(&mut tree.fresh),
        ["c: ", "e: e/d/five.txt e/d/four.txt"]
    );
    fs::write(dir.join("e/d/six.txt"), "").unwrap();
    assert_eq!(parts(&mut tree.fresh), ["+e/d/six.txt"]);
    fs::remove_dir_all(dir.join("e")).unwrap();
    let gone = parts(&mut tree.fresh);
    assert_eq!(gone.last().unwrap(), "e: ");
    assert_eq!(parts(&mut tree.fresh), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn an_ignore_file_concerns_its_folder() {
    let mut tree = tree();
    let dir = tree.root.dir().to_path_buf();
    fs::write(dir.join("a/.ignore"), "two.txt\n").unwrap();
    assert_eq!(parts(&mut tree.fresh), ["a: a/one.txt"]);
    fs::write(dir.join("a/two.txt"), "x").unwrap();
    assert_eq!(parts(&mut tree.fresh), ["-a/two.txt"]);
    fs::write(dir.join(".ignore"), "b/\n").unwrap();
    assert_eq!(parts(&mut tree.fresh), ["everything"]);
    fs::write(dir.join("b/three.txt"), "x").unwrap();
    assert_eq!(parts(&mut tree.fresh), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_came_and_went_takes_a_sweep() {
    let mut tree = tree();
    let dir = tree.root.dir().to_path_buf();
    fs::create_dir(dir.join("t")).unwrap();
    fs::hard_link(dir.join("a/one.txt"), dir.join("t/x")).unwrap();
    fs::write(dir.join("t/x"), "by another name\n").unwrap();
    fs::remove_dir_all(dir.join("t")).unwrap();
    assert_eq!(parts(&mut tree.fresh), ["everything"]);
}

/// A real overflow: more events than the system keeps.
#[cfg(target_os = "linux")]
#[test]
fn a_queue_that_ran_over_takes_a_sweep() {
    let mut tree = tree();
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    if limit > 200_000 {
        eprintln!("the queue holds {limit} events: too many to fill");
        return;
    }
    let open = |name: &str| {
        let path = tree.root.dir().join(name);
        fs::File::options().append(true).open(path).unwrap()
    };
    // In turn, because the system takes equal events that follow each other for one.
    let mut files = [open("a/one.txt"), open("a/two.txt")];
    for i in 0..limit + 2 {
        files[i % 2].write_all(b"x").unwrap();
    }
    fs::write(tree.root.dir().join("b/late.txt"), "").unwrap();
    let News::Everything(seen) = news(&mut tree.fresh) else {
        panic!("no sweep");
    };
    assert!(seen.iter().any(|s| s.path.rel == "b/late.txt"));
    assert!(tree.fresh.is_watching());
    fs::write(tree.root.dir().join("b/later.txt"), "").unwrap();
    assert_eq!(parts(&mut tree.fresh), ["+b/later.txt"]);
}

#[cfg(target_os = "linux")]
#[test]
fn where_watches_do_not_suffice_every_news_are_a_sweep() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..4 {
        fs::create_dir(dir.path().join(format!("d{i}"))).unwrap();
    }
    let root = Root::open(dir.path()).unwrap();
    let mut few = Fresh::new(&root);
    few.watcher.as_mut().unwrap().allow(4);
    let mut enough = Fresh::new(&root);
    enough.watcher.as_mut().unwrap().allow(5);
    assert_eq!(parts(&mut few), ["everything"]);
    assert_eq!(parts(&mut enough), ["everything"]);
    assert!(!few.is_watching() && enough.is_watching());
    fs::write(dir.path().join("d0/x"), "").unwrap();
    assert_eq!(parts(&mut few), ["everything"]);
    assert_eq!(parts(&mut enough), ["+d0/x"]);
    // One folder more than there are watches.
    fs::create_dir(dir.path().join("d4")).unwrap();
    assert_eq!(parts(&mut enough), ["everything"]);
    assert!(!enough.is_watching());
    assert_eq!(parts(&mut enough), ["everything"]);
}

#[cfg(target_os = "linux")]
#[test]
fn file_systems_that_others_can_write_to_are_not_watched() {
    use super::inotify::is_local_type;
    // ext4, XFS, Btrfs, tmpfs, overlayfs.
    for local in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630] {
        assert!(is_local_type(local));
    }
    // NFS, SMB, CIFS, SMB2, 9P, FUSE, Ceph, AFS.
    for remote in [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x0102_1997,
        0x6573_5546,
        0x00C3_6400,
        0x5346_414F,
    ] {
        assert!(!is_local_type(remote));
    }
    // A file system whose files change without a write.
    assert!(Watcher::new(Path::new("/proc")).is_none());
}

#[test]
fn without_a_watcher_stamps_are_compared() {
    let mut tree = tree();
    #[cfg(target_os = "linux")]
    {
        tree.fresh.watcher = None;
    }
    let stamp = |news: News| match news {
        News::Everything(seen) => seen[0].stamp,
        News::Parts { .. } => panic!("no sweep"),
    };
    let before = stamp(news(&mut tree.fresh));
    assert_eq!(before, stamp(news(&mut tree.fresh)));
    fs::write(tree.root.dir().join("a/one.txt"), "longer than before\n").unwrap();
    assert_ne!(before, stamp(news(&mut tree.fresh)));
}
