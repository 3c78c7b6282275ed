//! The tables of the database, and how those of earlier versions become them.

use super::{Journal, broken};
use crate::error::{Error, Result};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// How long one process waits for another.
const WAIT: Duration = Duration::from_secs(10);

/// Layout of the database.
const LAYOUT: i64 = 4;
const TABLES: &str = "
create table run (
    id integer primary key autoincrement,
    nonce text not null,
    task text not null,
    version integer not null,
    status text not null,
    forked text,
    created integer not null,
    updated integer not null
);
create table step (
    run integer not null references run(id) on delete cascade,
    seq integer not null,
    name text not null,
    key text not null unique,
    status text not null,
    input text not null,
    output text,
    error text,
    attempts integer not null,
    micros integer not null,
    primary key (run, seq)
);
";

/// What layout 2 has more: gates of several steps, and attempts that failed.
const TABLES_2: &str = "
create table gate (
    run integer not null references run(id) on delete cascade,
    step text not null,
    decision text,
    expires integer not null,
    primary key (run, step)
);
create table attempt (
    run integer not null references run(id) on delete cascade,
    seq integer not null,
    what text not null,
    error text not null,
    waited integer not null
);
create index attempt_of on attempt (run, seq);
";

/// What layout 3 has more: attempts that did not fail, and what each cost.
const TABLES_3: &str = "
alter table attempt add column tokens integer not null default 0;
";

/// What layout 4 has more: what a run has booked on models, requests under way
/// included.
const TABLES_4: &str = "
alter table run add column booked integer not null default 0;
update run set booked = (select coalesce(sum(tokens), 0) from attempt where run = run.id);
";

/// From layout 1, in which a run had one gate.
const FROM_1: &str = "
alter table gate rename to gate_1;
";
const FROM_1_END: &str = "
insert into gate (run, step, decision, expires) select run, 'gate', decision, expires from gate_1;
drop table gate_1;
";

impl Journal {
    /// Opens the database in a folder, in the layout of this version.
    ///
    /// # Errors
    /// `no_journal`, `newer_journal`.
    pub(super) fn at(folder: PathBuf) -> Result<Self> {
        let path = folder.join("journal.db");
        let open = || -> rusqlite::Result<(Connection, i64)> {
            let db = Connection::open(&path)?;
            db.busy_timeout(WAIT)?;
            // The last one to leave would otherwise pay for a checkpoint each time.
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            let layout = db.query_row("pragma user_version", [], |r| r.get(0))?;
            Ok((db, layout))
        };
        let (mut db, layout) = open().map_err(|e| broken(&folder, &e))?;
        if layout > LAYOUT {
            return Err(Error::failure(
                "newer_journal",
                "The journal of this root was written by a later version of trimtab.",
                "Use that version.",
            ));
        }
        if layout < LAYOUT {
            let mut create = || -> rusqlite::Result<()> {
                to_wal(&db)?;
                let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                // Another process may have been faster.
                let layout: i64 = tx.query_row("pragma user_version", [], |r| r.get(0))?;
                match layout {
                    0 => tx.execute_batch(&format!("{TABLES}{TABLES_2}{TABLES_3}"))?,
                    1 => tx.execute_batch(&format!("{FROM_1}{TABLES_2}{FROM_1_END}{TABLES_3}"))?,
                    2 => tx.execute_batch(TABLES_3)?,
                    _ => {}
                }
                if layout < LAYOUT {
                    tx.execute_batch(TABLES_4)?;
                    tx.pragma_update(None, "user_version", LAYOUT)?;
                }
                tx.commit()
            };
            create().map_err(|e| broken(&folder, &e))?;
        }
        db.pragma_update(None, "foreign_keys", true)
            .and_then(|()| db.pragma_update(None, "synchronous", "normal"))
            .map_err(|e| broken(&folder, &e))?;
        Ok(Self { db, folder })
    }
}

/// Sets the journal mode that readers and a writer can share. Where several processes do so at
/// once SQLite does not wait but says that it is busy.
fn to_wal(db: &Connection) -> rusqlite::Result<()> {
    let end = Instant::now() + WAIT;
    loop {
        match db.pragma_update(None, "journal_mode", "wal") {
            Err(e) if is_busy(&e) && Instant::now() < end => {
                thread::sleep(Duration::from_millis(5))
            }
            done => return done,
        }
    }
}

fn is_busy(e: &rusqlite::Error) -> bool {
    e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}
