use super::*;
use std::fs;

struct User {
    dir: tempfile::TempDir,
    places: Places,
}

impl User {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(dir.path()).unwrap().join("home");
        fs::create_dir_all(home.join("code/project")).unwrap();
        Self {
            places: Places::of_home(home),
            dir,
        }
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.dir.path())
            .unwrap()
            .join("home/code/project")
    }

    fn plan(&self, client: &Client, scope: Scope, skill: bool, remove: bool) -> Vec<FileChange> {
        client
            .plan(&Setup {
                places: &self.places,
                root: &self.root(),
                scope,
                command: "/bin/trimtab".into(),
                skill,
                remove,
            })
            .unwrap()
    }

    fn write(&self, changes: &[FileChange]) {
        for change in changes {
            change.write().unwrap();
        }
    }
}

#[test]
fn data_is_complete() {
    assert_eq!(Client::all().len(), 10);
    for client in Client::all() {
        assert!(std::ptr::eq(Client::by_id(&client.id).unwrap(), client));
        assert!(!client.user.is_empty() && !client.then.is_empty());
    }
    assert_eq!(Client::by_id("Claude-Code").unwrap().id, "claude");
    let unknown = Client::by_id("emacs").unwrap_err();
    assert_eq!(unknown.code, "unknown_client");
    assert!(unknown.next.contains("codex"));
}

#[test]
fn every_client_is_set_up_once_and_taken_out_again() {
    for client in Client::all() {
        let user = User::new();
        for scope in [Scope::User, Scope::Project] {
            if scope == Scope::Project && client.project.is_none() {
                continue;
            }
            assert!(client.registered(&user.places, &user.root()).is_empty());
            let changes = user.plan(client, scope, true, false);
            assert!(!changes.is_empty());
            user.write(&changes);
            let there = client.registered(&user.places, &user.root());
            assert_eq!(there.len(), 1, "{}", client.id);
            assert_eq!(there[0].command, "/bin/trimtab");
            assert_eq!(user.plan(client, scope, true, false), []);
            user.write(&user.plan(client, scope, false, true));
            assert!(client.registered(&user.places, &user.root()).is_empty());
            assert_eq!(user.plan(client, scope, false, true), []);
            // A file that was made for an entry alone may stay, but not a skill.
            assert!(changes[1..].iter().all(|c| !c.path.exists()));
        }
    }
}

#[test]
fn shows_what_it_adds_for_claude_code_and_codex() {
    let user = User::new();
    let diff = |id| user.plan(Client::by_id(id).unwrap(), Scope::User, false, false)[0].diff();
    fs::write(
        user.root().join("../../.claude.json"),
        "{\n  \"numStartups\": 3,\n  \"mcpServers\": {\n    \"other\": {}\n  },\n  \"projects\": {}\n}\n",
    )
    .unwrap();
    insta::assert_snapshot!(diff("claude"), @r#"
    @@ -1,7 +1,12 @@
     {
       "numStartups": 3,
       "mcpServers": {
    -    "other": {}
    +    "other": {},
    +    "trimtab": {
    +      "args": ["mcp"],
    +      "command": "/bin/trimtab",
    +      "type": "stdio"
    +    }
       },
       "projects": {}
     }
    "#);
    fs::create_dir_all(user.root().join("../../.codex")).unwrap();
    fs::write(
        user.root().join("../../.codex/config.toml"),
        "# mine\nmodel = \"m\"\n\n[mcp_servers.other] # kept\ncommand = \"x\"\n\n[profiles.fast]\nmodel = \"f\"\n",
    )
    .unwrap();
    insta::assert_snapshot!(diff("codex"), @r#"
    @@ -4,5 +4,9 @@
     [mcp_servers.other] # kept
     command = "x"
     
    +[mcp_servers.trimtab]
    +args = ["mcp"]
    +command = "/bin/trimtab"
    +
     [profiles.fast]
     model = "f"
    "#);
}

#[test]
fn keeps_what_the_user_added_to_the_entry() {
    let user = User::new();
    let codex = Client::by_id("codex").unwrap();
    let file = user.root().join("../../.codex/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(
        &file,
        "[mcp_servers.trimtab]\ncommand = \"old\" # where it was\ntool_timeout_sec = 90\n",
    )
    .unwrap();
    user.write(&user.plan(codex, Scope::User, false, false));
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        "[mcp_servers.trimtab]\ncommand = \"/bin/trimtab\" # where it was\ntool_timeout_sec = 90\nargs = [\"mcp\"]\n"
    );
    user.write(&user.plan(codex, Scope::User, false, true));
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
}

#[test]
fn passes_the_root_where_the_client_does_not_start_in_it() {
    let user = User::new();
    let root = user.root().to_string_lossy().into_owned();
    for (id, root) in [
        ("windsurf", root.as_str()),
        ("cursor", "${workspaceFolder}"),
    ] {
        let diff = user.plan(Client::by_id(id).unwrap(), Scope::User, false, false)[0].diff();
        let root = Value::from(root).to_string();
        assert!(
            diff.contains(&format!("[\"mcp\", \"--root\", {root}]")),
            "{diff}"
        );
    }
}

#[test]
fn leaves_alone_what_it_does_not_understand() {
    let user = User::new();
    fs::write(user.root().join(".mcp.json"), "{ oops").unwrap();
    fs::create_dir_all(user.root().join(".codex")).unwrap();
    fs::write(user.root().join(".codex/config.toml"), "a = 1\nb = [\n").unwrap();
    for id in ["claude", "codex"] {
        let error = Client::by_id(id)
            .unwrap()
            .plan(&Setup {
                places: &user.places,
                root: &user.root(),
                scope: Scope::Project,
                command: "trimtab".into(),
                skill: false,
                remove: false,
            })
            .unwrap_err();
        assert_eq!(error.code, "bad_config", "{error}");
    }
}

#[test]
fn refuses_to_overwrite_a_change_made_meanwhile() {
    let user = User::new();
    let changes = user.plan(
        Client::by_id("claude").unwrap(),
        Scope::Project,
        false,
        false,
    );
    fs::write(user.root().join(".mcp.json"), "{}").unwrap();
    assert_eq!(changes[0].write().unwrap_err().code, "stale_file");
    assert_eq!(fs::read(user.root().join(".mcp.json")).unwrap(), b"{}");
}

#[test]
fn paragraph_keeps_the_words_around_it() {
    for text in ["", "# Rules\n", "# Rules\r\n\r\nBe kind.\r\n"] {
        let with = guide::edit(text, false).unwrap();
        assert!(with.starts_with(text));
        assert_eq!(guide::edit(&with, false), Some(with.clone()));
        let more = format!("{with}More.\n");
        assert_eq!(guide::edit(&more, false), Some(more.clone()));
        assert_eq!(guide::edit(&with, true).unwrap_or_default(), text);
    }
}

#[cfg(unix)]
#[test]
fn follows_links_and_keeps_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let user = User::new();
    let real = user.root().join("dotfiles.json");
    let link = user.root().join("../../.claude.json");
    fs::write(&real, "{}\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, &link).unwrap();
    user.write(&user.plan(Client::by_id("claude").unwrap(), Scope::User, false, false));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("trimtab"));
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
}
