//! What the daemon did, what it has to do, and the plans that wait.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Store;
use super::database::{unknown_word, unreadable};
use super::error::StoreError;
use super::journal::RunId;
use crate::model::{Job, JobSubject};

/// The number of a run of the daemon's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DaemonRunId(pub u64);

impl fmt::Display for DaemonRunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a run of the daemon's came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DaemonOutcome {
    /// Something is other than before: a tracker was written to, or something new was read.
    Changed,
    /// Nothing was to be done.
    NothingToDo,
    /// There is a plan, and it waits for somebody to carry it out, or for the end of a quiet time.
    Waiting,
    /// A guard tripped, or the tracker does not let kinset write what is wanted: a person has to look.
    Refused,
    /// It failed.
    Failed,
    /// It was stopped before its end.
    Stopped,
    /// The daemon ended in the middle of it.
    CutShort,
}

impl DaemonOutcome {
    const ALL: [Self; 7] = [
        Self::Changed,
        Self::NothingToDo,
        Self::Waiting,
        Self::Refused,
        Self::Failed,
        Self::Stopped,
        Self::CutShort,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::NothingToDo => "nothing-to-do",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::CutShort => "cut-short",
        }
    }
}

impl fmt::Display for DaemonOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a run of the daemon's ended, as far as the state does not know it by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonEnd {
    /// What it came to.
    pub outcome: DaemonOutcome,
    /// What there is to say about that. There is always something about a failure.
    pub message: Option<String>,
    /// What a person can do about it.
    pub remedy: Option<String>,
    /// The guards that tripped, as a JSON array.
    pub guards: String,
    /// How many things are other than before, where that is not told by writes: what services said, or patches that were read.
    pub changes: u64,
}

/// A run of the daemon's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonRun {
    /// Its number.
    pub id: DaemonRunId,
    /// What it had to do.
    pub job: Job,
    /// When it began.
    pub began_at: Timestamp,
    /// When and how it ended; `None` while it is under way.
    pub ended: Option<(Timestamp, DaemonEnd)>,
    /// How many clears of it took effect.
    pub clears: u64,
    /// How many relates.
    pub relates: u64,
    /// How many commits.
    pub commit_refs: u64,
    /// How much of what is wanted its last plan leaves undone, if it made one.
    pub undone: Option<u64>,
    /// How many writes were left to do at its end, if it made a plan.
    pub drift: Option<u64>,
    /// The run of writes in it, by which journal and history tell of it.
    pub journal_run: Option<RunId>,
}

impl DaemonRun {
    /// How many writes took effect: clears, relates and commits.
    #[must_use]
    pub const fn writes(&self) -> u64 {
        self.clears + self.relates + self.commit_refs
    }
}

/// What is known of a job that the daemon has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonJob {
    /// The job.
    pub job: Job,
    /// When it is due.
    pub next_due: Option<Timestamp>,
    /// How often it failed in a row.
    pub failures: u32,
    /// What a person was told of it already, as a JSON object.
    pub told: String,
}

/// Why a plan was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingBecause {
    /// Nothing is to be written to the tracker.
    PlanOnly,
    /// Nothing is to be written at this time of day.
    Quiet,
    /// A guard tripped.
    Guard,
}

impl WaitingBecause {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlanOnly => "plan-only",
            Self::Quiet => "quiet",
            Self::Guard => "guard",
        }
    }
}

/// A plan that was made and not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingPlan {
    /// The run of the daemon's that made it.
    pub run: DaemonRunId,
    /// When.
    pub planned_at: Timestamp,
    /// The tracker's address.
    pub url: String,
    /// Why it waits.
    pub because: WaitingBecause,
    /// How many writes it takes.
    pub writes: u64,
    /// The plan, as a JSON object.
    pub plan: String,
}

const OF_RUNS: &str = "id, subject, name, job, began_at, ended_at, outcome, message, remedy, guards, changes, clears, relates, commit_refs, \
                       undone, drift, journal_run";

impl Store {
    /// Enters that the daemon begins with a job.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_daemon_run(&mut self, job: &Job, at: Timestamp) -> Result<DaemonRunId, StoreError> {
        self.database.write(|transaction| {
            let insert = "INSERT INTO daemon_run (subject, name, job, began_at, after_run, after_cycle)
                          VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(id), 0) FROM run), (SELECT coalesce(max(id), 0) FROM cycle)) RETURNING id";
            let mut insert = transaction.prepare_cached(insert)?;
            Ok(insert.query_row(params![job.subject.word(), job.subject.name(), job.kind.as_str(), at], |row| {
                Ok(DaemonRunId(row.get(0)?))
            })?)
        })
    }

    /// Enters how a run of the daemon's ended; what was written in it is counted. Of each job, only the last `keep` runs stay.
    ///
    /// # Errors
    /// When the run is not under way, or the database cannot be written.
    pub fn end_daemon_run(&mut self, run: DaemonRunId, end: &DaemonEnd, at: Timestamp, keep: u32) -> Result<DaemonRun, StoreError> {
        self.database.write(|transaction| {
            if !close(transaction, run, end, at)? {
                return Err(StoreError::DaemonRunNotOpen { run }.into());
            }
            transaction
                .prepare_cached(
                    "DELETE FROM daemon_run WHERE id IN (
                         SELECT other.id FROM daemon_run AS other, daemon_run AS own
                         WHERE own.id = ?1 AND other.subject = own.subject AND other.name = own.name AND other.job = own.job
                         ORDER BY other.id DESC LIMIT -1 OFFSET ?2)",
                )?
                .execute(params![run.0, keep])?;
            let mut select = transaction.prepare_cached(&format!("SELECT {OF_RUNS} FROM daemon_run WHERE id = ?1"))?;
            Ok(select.query_row([run.0], daemon_run)?)
        })
    }

    /// Enters of the runs of the daemon's that are under way that they were cut short: only one daemon has a state, so an earlier one has left them.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn cut_short_daemon_runs(&mut self, at: Timestamp) -> Result<Vec<DaemonRunId>, StoreError> {
        self.database.write(|transaction| {
            let open: Vec<DaemonRunId> = transaction
                .prepare_cached("SELECT id FROM daemon_run WHERE ended_at IS NULL ORDER BY id")?
                .query_map([], |row| Ok(DaemonRunId(row.get(0)?)))?
                .collect::<Result<_, _>>()?;
            for run in &open {
                let end = DaemonEnd {
                    outcome: DaemonOutcome::CutShort,
                    message: None,
                    remedy: None,
                    guards: "[]".to_owned(),
                    changes: 0,
                };
                close(transaction, *run, &end, at)?;
            }
            Ok(open)
        })
    }

    /// The last runs of the daemon's, latest first; of one subject, or of all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn daemon_runs(&self, subject: Option<&JobSubject>, limit: u32) -> Result<Vec<DaemonRun>, StoreError> {
        let (word, name) = subject.map(|subject| (subject.word(), subject.name())).unzip();
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {OF_RUNS} FROM daemon_run WHERE ?1 IS NULL OR subject = ?1 AND name = ?2 ORDER BY id DESC LIMIT ?3"
            ))?;
            let runs = select.query_map(params![word, name, limit], daemon_run)?;
            Ok(runs.collect::<Result<_, _>>()?)
        })
    }

    /// The last run of a job, if there was one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_daemon_run(&self, job: &Job) -> Result<Option<DaemonRun>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {OF_RUNS} FROM daemon_run WHERE subject = ?1 AND name = ?2 AND job = ?3 ORDER BY id DESC LIMIT 1"
            ))?;
            let run = select.query_row(params![job.subject.word(), job.subject.name(), job.kind.as_str()], daemon_run);
            Ok(run.optional()?)
        })
    }

    /// The last run of a job that came to an end by itself: one that is under way or was told to stop says nothing about how the job stands.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_ended_daemon_run(&self, job: &Job) -> Result<Option<DaemonRun>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {OF_RUNS} FROM daemon_run WHERE subject = ?1 AND name = ?2 AND job = ?3 AND ended_at IS NOT NULL AND outcome <> ?4
                 ORDER BY id DESC LIMIT 1"
            ))?;
            let stopped = DaemonOutcome::Stopped.as_str();
            let job = params![job.subject.word(), job.subject.name(), job.kind.as_str(), stopped];
            Ok(select.query_row(job, daemon_run).optional()?)
        })
    }

    /// Enters what is known of the jobs that the daemon has. What it has no longer is forgotten, what it did stays.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_daemon_jobs(&mut self, jobs: &[DaemonJob]) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            transaction.prepare_cached("DELETE FROM daemon_job")?.execute([])?;
            let mut insert = transaction
                .prepare_cached("INSERT INTO daemon_job (subject, name, job, next_due, failures, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for job in jobs {
                let DaemonJob {
                    job: Job { subject, kind },
                    next_due,
                    failures,
                    told,
                } = job;
                insert.execute(params![subject.word(), subject.name(), kind.as_str(), next_due, failures, told])?;
            }
            Ok(())
        })
    }

    /// What is known of the jobs that the daemon has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn daemon_jobs(&self) -> Result<Vec<DaemonJob>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection
                .prepare_cached("SELECT subject, name, job, next_due, failures, told FROM daemon_job ORDER BY subject DESC, name, job")?;
            let jobs = select.query_map([], |row| {
                Ok(DaemonJob {
                    job: job(row, 0)?,
                    next_due: row.get(3)?,
                    failures: row.get(4)?,
                    told: row.get(5)?,
                })
            })?;
            Ok(jobs.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps the plan of a tracker that waits, in place of the one before; `None` where none does.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_waiting_plan(&mut self, tracker: &str, waiting: Option<&WaitingPlan>) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            transaction
                .prepare_cached("DELETE FROM waiting_plan WHERE tracker = ?1")?
                .execute([tracker])?;
            let Some(waiting) = waiting else { return Ok(()) };
            let WaitingPlan {
                run,
                planned_at,
                url,
                because,
                writes,
                plan,
            } = waiting;
            transaction
                .prepare_cached(
                    "INSERT INTO waiting_plan (tracker, run, planned_at, url, because, writes, plan) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![tracker, run.0, planned_at, url, because.as_str(), writes, plan])?;
            Ok(())
        })
    }

    /// The plan of a tracker at an address that waits, if one does.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn waiting_plan(&self, tracker: &str, url: &str) -> Result<Option<WaitingPlan>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection
                .prepare_cached("SELECT run, planned_at, url, because, writes, plan FROM waiting_plan WHERE tracker = ?1 AND url = ?2")?;
            Ok(select.query_row([tracker, url], waiting_plan).optional()?)
        })
    }
}

/// Enters the end of a run that is under way, with what the journal and the cycles say of it. Whether it was.
fn close(connection: &Connection, run: DaemonRunId, end: &DaemonEnd, at: Timestamp) -> rusqlite::Result<bool> {
    let DaemonEnd {
        outcome,
        message,
        remedy,
        guards,
        changes,
    } = end;
    let ended = connection
        .prepare_cached(
            "UPDATE daemon_run SET ended_at = ?2, outcome = ?3, message = ?4, remedy = ?5, guards = ?6, changes = ?7,
                 journal_run = (SELECT min(run.id) FROM run JOIN tracker ON tracker.id = run.tracker
                     WHERE run.id > after_run AND daemon_run.subject = 'tracker' AND tracker.name = daemon_run.name
                         AND substr(run.began_at, 1, 19) <= substr(?2, 1, 19))
             WHERE id = ?1 AND ended_at IS NULL",
        )?
        .execute(params![run.0, at, outcome.as_str(), message, remedy, guards, changes])?;
    if ended == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "UPDATE daemon_run SET (clears, relates, commit_refs) = (
                 SELECT count(*) FILTER (WHERE related IS NULL AND commit_ref IS NULL), count(*) FILTER (WHERE related IS NOT NULL),
                     count(*) FILTER (WHERE commit_ref IS NOT NULL)
                 FROM journal WHERE run = journal_run AND journal.outcome = 'done')
             WHERE id = ?1",
        )?
        .execute([run.0])?;
    connection
        .prepare_cached(
            "UPDATE daemon_run SET (undone, drift) = (
                 SELECT cycle.undone, cycle.clears + cycle.relates + cycle.commit_refs
                 FROM cycle JOIN tracker ON tracker.id = cycle.tracker
                 WHERE cycle.id > after_cycle AND daemon_run.subject = 'tracker' AND tracker.name = daemon_run.name
                     AND substr(cycle.planned_at, 1, 19) <= substr(?2, 1, 19)
                 ORDER BY cycle.id DESC LIMIT 1)
             WHERE id = ?1",
        )?
        .execute(params![run.0, at])?;
    Ok(true)
}

/// The job that three columns name.
fn job(row: &Row<'_>, first: usize) -> rusqlite::Result<Job> {
    let name = row.get(first + 1)?;
    let subject = match row.get_ref(first)?.as_str()? {
        "tracker" => JobSubject::Tracker(name),
        "distribution" => JobSubject::Distribution(name),
        other => return Err(unknown_word(first, other)),
    };
    let kind = row.get_ref(first + 2)?.as_str()?;
    let kind = kind.parse().map_err(|error| unreadable(first + 2, error))?;
    Ok(Job { subject, kind })
}

fn daemon_run(row: &Row<'_>) -> rusqlite::Result<DaemonRun> {
    let ended = match (row.get(5)?, row.get_ref(6)?.as_str_or_null()?) {
        (Some(at), Some(word)) => {
            let outcome = DaemonOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == word);
            let end = DaemonEnd {
                outcome: outcome.ok_or_else(|| unknown_word(6, word))?,
                message: row.get(7)?,
                remedy: row.get(8)?,
                guards: row.get(9)?,
                changes: row.get(10)?,
            };
            Some((at, end))
        }
        _ => None,
    };
    Ok(DaemonRun {
        id: DaemonRunId(row.get(0)?),
        job: job(row, 1)?,
        began_at: row.get(4)?,
        ended,
        clears: row.get(11)?,
        relates: row.get(12)?,
        commit_refs: row.get(13)?,
        undone: row.get(14)?,
        drift: row.get(15)?,
        journal_run: row.get::<_, Option<u64>>(16)?.map(RunId),
    })
}

fn waiting_plan(row: &Row<'_>) -> rusqlite::Result<WaitingPlan> {
    let because = match row.get_ref(3)?.as_str()? {
        "plan-only" => WaitingBecause::PlanOnly,
        "quiet" => WaitingBecause::Quiet,
        "guard" => WaitingBecause::Guard,
        other => return Err(unknown_word(3, other)),
    };
    Ok(WaitingPlan {
        run: DaemonRunId(row.get(0)?),
        planned_at: row.get(1)?,
        url: row.get(2)?,
        because,
        writes: row.get(4)?,
        plan: row.get(5)?,
    })
}
