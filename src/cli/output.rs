//! Standard output and standard error.

use std::io::{self, IsTerminal as _, Write};

use super::failure::{Failure, Misuse, Preview};
use super::{Status, render};
use crate::reconcile::PlanDocument;

/// Enough to keep system calls rare when a plan has millions of steps.
const BUFFER: usize = 1 << 18;

/// Hands standard output, buffered, to `print`.
pub(super) fn data<T>(print: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Failure> {
    let mut out = io::BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let printed = print(&mut out).and_then(|printed| out.flush().map(|()| printed));
    printed.map_err(|source| {
        let misuse = match source.kind() {
            io::ErrorKind::BrokenPipe => Misuse::NobodyReads,
            _ => Misuse::Unwritable {
                what: "to standard output".to_owned(),
                source,
            },
        };
        misuse.into()
    })
}

/// Prints a value as indented JSON, unless something is missing in it: programs that read it would take it for all there is.
pub(super) fn json_if_whole(value: &impl serde::Serialize, status: Status) -> Result<(), Failure> {
    if status == Status::Failed {
        return Ok(());
    }
    data(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// Shows a plan that is about to be carried out. Nothing is written that nobody saw.
pub(super) fn plan(plan: &PlanDocument) -> Result<(), Failure> {
    data(|out| render::plan::text(out, plan)).map_err(|failure| {
        if failure.is_for_want_of_a_reader() {
            Misuse::PlanUnread.into()
        } else {
            failure
        }
    })
}

/// Says something about the data, on standard error.
pub(super) fn say(words: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _said = writeln!(io::stderr().lock(), "{words}");
}

/// Asks a question on the terminal; only `y` and `yes` mean yes. Where there is no terminal, `preview` is what somebody is told to read instead.
pub(super) async fn confirm(question: String, preview: Preview) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Misuse::NobodyToAsk { preview }.into());
    }
    let answer = tokio::task::spawn_blocking(move || -> io::Result<String> {
        let mut err = io::stderr().lock();
        write!(err, "{question} [y/N] ").and_then(|()| err.flush())?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer)
    });
    let answer = answer.await.map_err(io::Error::other).flatten();
    let answer = answer.map_err(|source| Misuse::Unreadable {
        what: "the answer".to_owned(),
        source,
    })?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
