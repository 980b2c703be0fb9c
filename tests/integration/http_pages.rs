//! What is on the pages, and that none of it is what somebody else wants it to be.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use kinset::config::Config;
use kinset::reconcile::{Keeper, status};
use kinset::store::Store;
use serde_json::Value;

use super::http::Seen;
use super::support::watched::{Watched, now};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every page that some other leads to, from the first on. Of patches, of which there are many, a few.
async fn all(watched: &Watched) -> BTreeMap<String, Seen> {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut wanted: Vec<String> = vec!["/".to_owned()];
    let mut patches = 0;
    while let Some(address) = wanted.pop() {
        if seen.contains_key(&address) {
            continue;
        }
        if address.contains("/patches/") || address.contains("/runs/") || address.contains("/who?") {
            patches += 1;
            if patches > 60 {
                continue;
            }
        }
        let page = watched.get(&address).await;
        if page.header("content-type").starts_with("text/html") {
            wanted.extend(links(&page.body));
        }
        seen.insert(address, page);
    }
    seen
}

/// What a page leads to and what it shows, without the places on pages.
fn links(page: &str) -> Vec<String> {
    let found = regex::Regex::new(r#"(?:href|src|action)="([^"]*)""#).unwrap();
    let found = found.captures_iter(page).map(|found| found[1].replace("&amp;", "&"));
    let found: Vec<String> = found.map(|link| link.split('#').next().unwrap().to_owned()).collect();
    assert!(
        found
            .iter()
            .all(|link| link.is_empty() || link.starts_with('/') && !link.starts_with("//")),
        "{found:?}"
    );
    found.into_iter().filter(|link| !link.is_empty()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_link_of_every_page_leads_to_a_page() {
    let all = all(&Watched::filled()).await;
    assert!(all.len() > 60, "{:?}", all.keys());
    for (address, page) in &all {
        assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.body);
    }
}

#[tokio::test(start_paused = true)]
async fn places_on_pages_that_links_name_are_there_and_once() {
    let ids = regex::Regex::new(r#" id="([^"]*)""#).unwrap();
    let places = regex::Regex::new(r##"(?:href="#|aria-labelledby="|aria-describedby="|for=")([^" ]*)""##).unwrap();
    for (address, page) in all(&Watched::filled()).await {
        let ids: Vec<String> = ids.captures_iter(&page.body).map(|found| found[1].to_owned()).collect();
        let once: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "{address}: {ids:?}");
        for place in places.captures_iter(&page.body).filter(|_| !address.ends_with(".svg")) {
            assert!(once.contains(&place[1].to_owned()), "{address}: {}", &place[1]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_tells_browsers_to_run_nothing_and_to_keep_nothing_that_changes() {
    for (address, page) in all(&Watched::filled()).await {
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{address}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{address}");
        let policy = page.header("content-security-policy");
        if address.ends_with(".svg") && address != "/icon.svg" {
            assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{address}: {policy}");
        } else {
            assert_eq!(policy, POLICY, "{address}");
        }
        let keep = if address.starts_with("/style/") {
            "public, max-age=31536000, immutable"
        } else if address == "/icon.svg" {
            "public, max-age=86400"
        } else {
            "no-store"
        };
        assert_eq!(page.header("cache-control"), keep, "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_call_things_is_shown_as_text() {
    let all = all(&Watched::filled()).await;
    for (address, page) in all
        .iter()
        .filter(|(_, page)| !page.header("content-type").starts_with("application/json"))
    {
        assert!(!page.body.contains("<script"), "{address}");
        for forbidden in [" style=", " onclick=", "javascript:"] {
            assert!(!page.body.contains(forbidden), "{address}: {forbidden}");
        }
    }
    for address in ["/", "/trackers/kernel", "/distributions/ubuntu/series/noble/sets/core"] {
        assert!(all[address].body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_that_waits_comes_to_is_told_in_numbers() {
    let page = Watched::filled().get("/trackers/kernel").await.body;
    let (_, plan) = page.split_once("id=\"plan\"").unwrap();
    let told = plan.split("<p>").find(|told| told.contains("analysis")).unwrap();
    insta::assert_snapshot!(told.split("</p>").next().unwrap(), @"20 of 320 elements only in the analysis, 31 of 300 patches only in the tracker. 12 relations become 243. 0 wanted changes stay undone.");
}

#[tokio::test(start_paused = true)]
async fn each_page_has_one_heading_a_title_of_its_own_and_its_language() {
    let mut titles: BTreeMap<String, String> = BTreeMap::new();
    for (address, page) in all(&Watched::filled()).await {
        if !page.header("content-type").starts_with("text/html") {
            continue;
        }
        assert_eq!(page.body.matches("<h1").count(), 1, "{address}");
        assert!(page.body.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{address}");
        let (_, title) = page.body.split_once("<title>").unwrap();
        let title = title.split("</title>").next().unwrap().to_owned();
        // Pages of one list, and a form before anything was asked, are the same page.
        let place = address.split('?').next().unwrap().to_owned();
        if let Some(other) = titles.insert(title.clone(), place.clone()) {
            assert_eq!(other, place, "{title}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_page_says_what_is_wrong_and_what_to_do() {
    let watched = Watched::filled();
    let page = watched.get("/").await.body;
    let style = regex::Regex::new("/style/[0-9a-f]{16}[.]css").unwrap();
    insta::assert_snapshot!("overview", style.replace(&page, "STYLE").replace("><", ">\n<"));
}

#[tokio::test(start_paused = true)]
async fn who_may_is_answered_with_the_grant_that_decided() {
    let watched = Watched::filled();
    let ask = async |query: &str| {
        let page = watched.get(&format!("/distributions/ubuntu/who?{query}")).await;
        let (_, text) = page.body.split_once("<h1>").unwrap();
        let text = text.split("<section").next().unwrap().to_owned();
        format!("{} {text}", page.status.as_u16())
    };
    insta::assert_snapshot!(ask("who=maya&action=upload&series=noble&package=linux").await, @r#"200 May maya upload linux to pocket updates of noble in ubuntu?</h1><p class="lead"><span class="good">allowed: @kernel-team has upload on package set kernel in noble</span></p>"#);
    insta::assert_snapshot!(ask("who=%3Cscript%3E&action=upload&series=noble&package=linux").await, @r#"400 No answer about ubuntu</h1><p class="lead wrong" role="alert">expected the name of a person: letters, digits, `@`, `.`, `+`, `-`, `_` and `%`, and no `@` at the beginning; found &quot;&lt;script&gt;&quot;.</p>"#);
    insta::assert_snapshot!(ask("who=joe&action=upload&series=noble&package=linux").await, @r#"200 May joe upload linux to pocket updates of noble in ubuntu?</h1><p class="lead"><span class="wrong">refused: no rights to any component or package set</span></p>"#);
    insta::assert_snapshot!(ask("who=&action=upload&series=noble&package=linux").await, @r#"200 Who may upload linux to pocket updates of noble in ubuntu?</h1><div class="scroll" role="region" tabindex="0" aria-label="Who may, and by which grant"><table><caption>Who may, and by which grant</caption><thead><tr><th scope="col">Who</th><th scope="col">By</th></tr></thead><tbody><tr><th scope="row">@kernel-team</th><td>@kernel-team has upload on package set kernel in noble</td></tr></tbody></table></div>"#);
    insta::assert_snapshot!(ask("who=&action=upload&series=noble&package=").await, @r#"400 No answer about ubuntu</h1><p class="lead wrong" role="alert">a package and a series are needed to tell who may do something.</p>"#);
}

#[tokio::test(start_paused = true)]
async fn a_name_with_every_sign_in_it_is_found_by_its_link() {
    let watched = Watched::filled();
    let page = watched
        .get("/distributions/ubuntu/who?action=upload&series=noble&package=g%2B%2B-13")
        .await;
    assert!(page.body.contains("<h1>Who may upload g++-13"), "{}", page.body);
}

/// Whether all that is in one is in the other.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part.iter().all(|(key, value)| whole.get(key) == Some(value)),
        _ => part == whole,
    }
}

#[tokio::test(start_paused = true)]
async fn the_document_says_all_that_the_command_says() {
    let watched = Watched::filled();
    let document: Value = serde_json::from_str(&watched.get("/api/status").await.body).unwrap();
    let keeper = Keeper::new(Store::open_read_only(&watched.state_dir()).unwrap(), now);
    let config: &Config = &watched.config;
    for (tracker, told) in config.trackers.iter().zip(document["trackers"].as_array().unwrap()) {
        let told_by_command = serde_json::to_value(status(&keeper, tracker).await.unwrap()).unwrap();
        assert!(is_within(&told_by_command, told), "{told_by_command} {told}");
    }
    let names: Vec<&str> = document["distributions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["ubuntu"]);
    assert_eq!(document["well"], false);
    let troubles = document["troubles"].as_array().unwrap();
    let subjects: Vec<&str> = troubles.iter().filter_map(|trouble| trouble["subject"].as_str()).collect();
    assert_eq!(subjects, ["tracker qemu", "distribution ubuntu"]);
}
