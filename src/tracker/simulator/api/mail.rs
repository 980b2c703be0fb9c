//! Mails as people and `git am` get them: outside of the API, for anybody, whatever credentials they carry.

use percent_encoding::percent_decode_str;

use super::{Reply, Request, redirect_to_slash};
use crate::model::PatchId;
use crate::tracker::simulator::catalogue::{Catalogue, Patch};

/// Answers a request that is for no address of the API.
pub(super) fn answer(catalogue: &Catalogue, request: &Request) -> Reply {
    let path = percent_decode_str(&request.path).decode_utf8_lossy();
    let with_slash = || format!("{path}/");
    match (request.method.as_str(), place(&path)) {
        ("GET" | "HEAD", Some((project, mail))) => {
            found(catalogue, project, &mail).map_or_else(not_found, |patch| handed_out(catalogue, patch))
        }
        ("GET" | "HEAD", None) if place(&with_slash()).is_some() => redirect_to_slash(request),
        // It asks for a proof that a form of its own was sent.
        (_, Some(_)) => Reply::html(403, "403 Forbidden"),
        _ => not_found(),
    }
}

fn not_found() -> Reply {
    Reply::html(404, "404: File not found - Patchwork").with_header("Vary", "Cookie")
}

/// The project and the message id, without its brackets, that a decoded path names.
fn place(path: &str) -> Option<(&str, String)> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments[..] {
        ["", "project", project, "patch", mail, "mbox", ""] => Some((project, mail.replace("%2F", "/"))),
        _ => None,
    }
}

fn found<'a>(catalogue: &'a Catalogue, project: &str, mail: &str) -> Option<&'a Patch> {
    let project = catalogue.project_named(project)?.id;
    let patches = catalogue.patches_by_message(mail).iter().filter_map(|&id| catalogue.patch(id));
    patches.into_iter().find(|patch| patch.project == project)
}

fn handed_out(catalogue: &Catalogue, patch: &Patch) -> Reply {
    let text = patch.mail.clone().unwrap_or_else(|| made_up(catalogue, patch));
    Reply::new(200, "text/plain; charset=utf-8", text.into()).with_header(
        "Content-Disposition",
        format!("attachment; filename={}.patch", file_name(&patch.name)),
    )
}

/// Begins with a line for mailboxes, and never mind lines further down that look like one.
fn made_up(catalogue: &Catalogue, patch: &Patch) -> String {
    let Patch {
        id,
        message_id,
        name,
        date,
        ..
    } = patch;
    let (sender, address) = catalogue.sender(patch);
    format!(
        "From patchwork {from}\n\
         Content-Type: text/plain; charset=\"utf-8\"\n\
         MIME-Version: 1.0\n\
         Content-Transfer-Encoding: 7bit\n\
         X-Patchwork-Submitter: \"{sender}\" <{address}>\n\
         X-Patchwork-Id: {id}\n\
         Message-Id: {message_id}\n\
         Subject: {name}\n\
         Date: {sent}\n\
         \n\
         {content}\n\
         {diff}",
        from = date.strftime("%a %b %e %H:%M:%S %Y"),
        sent = date.strftime("%a, %d %b %Y %H:%M:%S -0000"),
        content = content(*id),
        diff = diff(*id),
    )
}

/// What the mail of a patch says.
pub(super) fn content(id: PatchId) -> String {
    format!("Thing {id} was broken.\n")
}

/// What the mail of a patch changes.
pub(super) fn diff(id: PatchId) -> String {
    format!("diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -{id} +{id} @@\n-old {id}\n+new {id}\n")
}

fn file_name(subject: &str) -> String {
    let is_kept = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let words: Vec<&str> = subject.split(|letter| !is_kept(letter)).filter(|word| !word.is_empty()).collect();
    words.join("-").trim_matches('-').to_owned()
}
