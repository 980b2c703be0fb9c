//! Waiting for the turn to work on a state.

use std::thread;
use std::time::{Duration, Instant};

use crate::store::{RepairError, StoreError};

/// How long the state's daemon is waited for. It is never done, but holds the state during a run only; anybody else may be at it for hours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long it is waited without a word.
    silence: Duration,
    /// How long it is waited at all.
    whole: Duration,
    /// How long it is waited between two tries.
    pause: Duration,
}

impl Patience {
    pub(super) const USUAL: Self = Self {
        silence: Duration::from_secs(1),
        whole: Duration::from_secs(10),
        pause: Duration::from_millis(25),
    };
}

/// Why a state cannot be worked on.
pub(super) trait Unopened {
    /// What the state itself says.
    fn of_state(&self) -> Option<&StoreError>;
}

impl Unopened for StoreError {
    fn of_state(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl Unopened for RepairError {
    fn of_state(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Opens the state as soon as a run of its daemon's is over, and tells once what is waited for.
///
/// Whoever has only just taken the state has not left a name yet, so the first refusal is looked at again. Others may have waited for the same run: who has
/// begun to wait lets them go first.
pub(super) fn in_turn<T, E: Unopened>(
    patience: Patience,
    mut open: impl FnMut() -> Result<T, E>,
    mut say: impl FnMut(&str),
) -> Result<T, E> {
    let began = Instant::now();
    let mut is_first = true;
    let mut has_met_daemon = false;
    let mut is_told = false;
    loop {
        let error = match open() {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let Some(StoreError::InUse { holder, is_daemon, .. }) = error.of_state() else {
            return Err(error);
        };
        has_met_daemon |= *is_daemon;
        let waited = began.elapsed();
        if !is_first && (!has_met_daemon || waited >= patience.whole) {
            return Err(error);
        }
        if *is_daemon && !is_told && waited >= patience.silence {
            say(&format!("waiting for {holder}, which is in the middle of a run"));
            is_told = true;
        }
        is_first = false;
        thread::sleep(patience.pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Holder;

    const AT_ONCE: Patience = Patience {
        silence: Duration::ZERO,
        whole: Duration::ZERO,
        pause: Duration::ZERO,
    };

    const PATIENT: Patience = Patience {
        whole: Duration::MAX,
        ..AT_ONCE
    };

    fn held(is_daemon: bool) -> StoreError {
        let command = if is_daemon { "kinset daemon" } else { "kinset apply" };
        StoreError::InUse {
            state_dir: "/state".into(),
            holder: Holder::Process {
                pid: 7,
                command: command.to_owned(),
                since: None,
            },
            is_daemon,
        }
    }

    /// Tries to open a state that is held, each time by its daemon or not, and then is free. What came of it, what was said, and how many tries it took.
    fn tried(patience: Patience, by_daemon: &[bool]) -> (Result<(), StoreError>, Vec<String>, usize) {
        let mut tries = 0;
        let mut said = Vec::new();
        let open = || {
            tries += 1;
            by_daemon.get(tries - 1).map_or(Ok(()), |&is_daemon| Err(held(is_daemon)))
        };
        let opened = in_turn(patience, open, |words| said.push(words.to_owned()));
        (opened, said, tries)
    }

    #[test]
    fn a_run_of_the_daemon_s_is_waited_for_and_that_is_said_once() {
        let (opened, said, tries) = tried(PATIENT, &[true; 5]);
        opened.unwrap();
        assert_eq!(tries, 6);
        assert_eq!(said, ["waiting for process 7 (kinset daemon), which is in the middle of a run"]);
        let silent = Patience {
            silence: Duration::MAX,
            ..PATIENT
        };
        assert_eq!(tried(silent, &[true; 5]).1, [""; 0], "what is soon over is not worth a word");
    }

    #[test]
    fn a_run_that_is_not_over_in_time_is_a_refusal_that_says_whose_it_is() {
        let (opened, _, tries) = tried(AT_ONCE, &[true; 5]);
        assert!(matches!(opened, Err(StoreError::InUse { is_daemon: true, .. })), "{opened:?}");
        assert_eq!(tries, 2);
    }

    #[test]
    fn nobody_but_the_daemon_is_waited_for() {
        let (opened, said, tries) = tried(PATIENT, &[false; 5]);
        assert!(matches!(opened, Err(StoreError::InUse { is_daemon: false, .. })), "{opened:?}");
        assert_eq!((tries, said), (2, vec![]));
    }

    #[test]
    fn others_who_waited_for_the_same_run_may_go_first() {
        let (opened, said, _) = tried(PATIENT, &[true, true, false, false, false]);
        opened.unwrap();
        assert_eq!(said.len(), 1);
    }

    #[test]
    fn who_has_only_just_taken_the_state_is_asked_for_a_name_once_more() {
        let (opened, ..) = tried(PATIENT, &[false, true, true]);
        opened.unwrap();
    }
}
