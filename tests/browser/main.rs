//! The pages in a real browser: the ways that an operator goes, wide and narrow, light and dark, by keyboard, and what axe has to say.
//!
//! This needs chromium, and axe-core from npm, both of which `.ci/run` installs. Where they are not there, `cargo test` says so and goes on, unless
//! `KINSET_BROWSER=required` forbids that, as CI does. `KINSET_CHROMIUM` and `KINSET_AXE` name others than the usual ones. Pictures of the pages are
//! left in `target/screenshots`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail loudly, and this one is its own harness"
)]

mod chromium;
#[path = "../integration/support/watched.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod watched;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use base64::Engine as _;
use chromium::Chromium;
use kinset::daemon::http::{accept, bind};
use serde_json::Value;
use watched::Watched;

fn main() -> ExitCode {
    // Whoever lists tests, or asks for others than this one, gets what they asked for.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if std::env::args().any(|word| word == "--list") {
        eprintln!("browser: test");
        return ExitCode::SUCCESS;
    }
    if !words.is_empty() && !words.iter().any(|word| "browser".contains(word.as_str())) {
        return ExitCode::SUCCESS;
    }
    let (program, axe) = match (chromium_here(), axe_here()) {
        (Ok(program), Ok(axe)) => (program, axe),
        (Err(missing), _) | (_, Err(missing)) => {
            if std::env::var_os("KINSET_BROWSER").is_some_and(|wanted| wanted == "required") {
                eprintln!("FAILED: the pages were not looked at in a browser, which KINSET_BROWSER=required demands: {missing}");
                return ExitCode::FAILURE;
            }
            eprintln!("SKIPPED: the pages were not looked at in a browser: {missing}; `.ci/run` installs it");
            return ExitCode::SUCCESS;
        }
    };
    look(&program, &axe);
    eprintln!("the pages were looked at in a browser: all is well");
    ExitCode::SUCCESS
}

fn chromium_here() -> Result<String, String> {
    let named = std::env::var("KINSET_CHROMIUM").ok();
    let programs = named.map_or_else(|| vec!["chromium".to_owned(), "chromium-browser".to_owned()], |named| vec![named]);
    let works = |program: &&String| {
        let mut asked = Command::new(program);
        asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    programs
        .iter()
        .find(works)
        .cloned()
        .ok_or_else(|| format!("there is no {}", programs.join(" and no ")))
}

fn axe_here() -> Result<String, String> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/axe/package/axe.min.js");
    let path = std::env::var_os("KINSET_AXE").map_or(usual, PathBuf::from);
    fs::read_to_string(&path).map_err(|error| format!("axe-core is not at {}: {error}", path.display()))
}

/// Goes all ways in all dresses.
fn look(program: &str, axe: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let watched = Watched::filled();
    let listener = runtime.block_on(bind("127.0.0.1:0".parse().unwrap())).unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let router = watched.router.clone();
    runtime.spawn(async move { accept(&listener, router, std::future::pending()).await });
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Chromium::start(program, folder.path());
    for (width, scheme) in [(1400, "light"), (1400, "dark"), (390, "light"), (390, "dark")] {
        browser.dress(width, scheme);
        let mut visit = Visit {
            browser: &mut browser,
            axe,
            dress: format!("{width}-{scheme}"),
        };
        visit.woken_at_three(&site);
        visit.through_a_distribution(&site);
        visit.where_nothing_is(&site);
        visit.with_the_keyboard_alone(&site);
    }
    runtime.shutdown_background();
}

/// A walk through the pages.
struct Visit<'a> {
    browser: &'a mut Chromium,
    axe: &'a str,
    dress: String,
}

impl Visit<'_> {
    /// From the first page to the tracker, its plan, a run and a patch.
    fn woken_at_three(&mut self, site: &str) {
        self.browser.open(&format!("{site}/"));
        self.judge("overview");
        self.heading("2 things need a person");
        self.follow("Tracker kernel");
        self.judge("tracker");
        self.heading("Tracker kernel");
        assert_eq!(
            self.browser.evaluate("document.getElementById('plan').textContent"),
            "The plan that waits"
        );
        self.follow("Page 2 of plan");
        assert_eq!(self.browser.evaluate("location.hash"), "#plan");
        self.follow("run 144");
        self.judge("run");
        self.heading("Run 144 of tracker kernel");
        self.follow("Tracker kernel");
        self.follow("7");
        self.judge("patch");
        self.heading("Patch 7 of tracker kernel");
        let shown = self.browser.evaluate("document.querySelector('dd').textContent");
        assert_eq!(shown, watched::EVIL, "a name is text");
        self.follow("Overview");
        self.heading("2 things need a person");
    }

    /// From the first page to a distribution, its sets, one of them, and who may.
    fn through_a_distribution(&mut self, site: &str) {
        self.browser.open(&format!("{site}/"));
        self.follow("Distribution ubuntu");
        self.judge("distribution");
        self.follow("3 sets");
        self.judge("sets");
        self.follow("core");
        self.judge("set");
        self.heading("Package set core of ubuntu/noble");
        self.follow("kernel");
        self.follow("who may upload linux");
        self.judge("who");
        self.heading("Who may upload linux to pocket updates of noble in ubuntu?");
    }

    fn where_nothing_is(&mut self, site: &str) {
        self.browser.open(&format!("{site}/nowhere"));
        self.judge("nowhere");
        self.follow("Overview of all that there is");
        // That a page is not there is told on the console, and meant.
        self.browser.complaints.retain(|complaint| !complaint.contains("404"));
        self.browser.open(&format!("{site}/distributions/ubuntu/timeline.svg"));
        assert_eq!(self.browser.evaluate("document.querySelectorAll('rect').length > 3"), true);
        let ground = "getComputedStyle(document.querySelector('.ground')).fill";
        let is_dark = self.dress.ends_with("dark");
        let expected = if is_dark { "rgb(27, 27, 27)" } else { "rgb(255, 255, 255)" };
        assert_eq!(
            self.browser.evaluate(ground),
            expected,
            "a picture brings its style along, and is let"
        );
        self.quiet("timeline.svg");
    }

    /// Past the navigation to the form, which is filled and sent.
    fn with_the_keyboard_alone(&mut self, site: &str) {
        self.browser.open(&format!("{site}/"));
        self.browser.press("Tab", 9);
        assert_eq!(self.browser.evaluate("document.activeElement.textContent"), "Skip to the text");
        let outline = "getComputedStyle(document.activeElement).outlineStyle";
        assert_eq!(self.browser.evaluate(outline), "solid", "one sees where one is");
        self.browser.press("Enter", 13);
        assert_eq!(self.browser.evaluate("document.activeElement.id"), "main");
        self.browser.tab_to("h2 a[href='/distributions/ubuntu']");
        self.browser.leading(|browser| browser.press("Enter", 13));
        self.browser.tab_to("#who-person");
        self.browser.write("maya");
        self.browser.tab_to("#who-package");
        self.browser.write("linux");
        self.browser.tab_to("#who-series");
        // Down from the newest one, which is chosen at first.
        self.browser.press("ArrowDown", 40);
        self.browser.tab_to("button");
        self.browser.leading(|browser| browser.press("Enter", 13));
        self.heading("May maya upload linux to pocket updates of noble in ubuntu?");
        let answer = self.browser.evaluate("document.querySelector('.lead').textContent");
        assert_eq!(answer, "allowed: @kernel-team has upload on package set kernel in noble");
        self.judge("may");
    }

    /// Follows the first link of these words.
    #[track_caller]
    fn follow(&mut self, words: &str) {
        let link = format!("[...document.links].find(link => link.textContent.trim() === {words:?})");
        let is_there = self.browser.evaluate(&format!("!!{link}"));
        assert_eq!(is_there, true, "{}: no link {words}", self.browser.evaluate("location.href"));
        self.browser.leading(|browser| {
            // Later, lest the answer comes of a page that is gone.
            browser.evaluate(&format!("setTimeout(() => {link}.click())"));
        });
    }

    #[track_caller]
    fn heading(&mut self, words: &str) {
        assert_eq!(self.browser.evaluate("document.querySelector('h1').textContent"), words);
    }

    /// Nothing on the page was refused, and it is read by everybody.
    #[track_caller]
    fn judge(&mut self, name: &str) {
        let width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(
            self.browser.evaluate(width),
            true,
            "{name} {}: the page is wider than the window",
            self.dress
        );
        let images = "[...document.images].every(image => image.complete && image.naturalWidth > 0)";
        assert_eq!(self.browser.evaluate(images), true, "{name}: a picture is missing");
        self.photograph(name);
        self.quiet(name);
        self.browser.evaluate(self.axe);
        let found = self.browser.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(results => results.violations.map(
               violation => violation.id + ': ' + violation.help + ': ' + violation.nodes.map(node => node.html + ' ' + node.failureSummary).join('\\n')))",
        );
        assert_eq!(found, Value::Array(Vec::new()), "{name} {}", self.dress);
        // Axe leaves issues of its own.
        self.browser.complaints.clear();
    }

    #[track_caller]
    fn quiet(&mut self, name: &str) {
        let complaints: Vec<&String> = self
            .browser
            .complaints
            .iter()
            .filter(|complaint| name != "nowhere" || !complaint.contains("404"))
            .collect();
        assert!(complaints.is_empty(), "{name}: {complaints:?}");
    }

    fn photograph(&mut self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let picture = base64::engine::general_purpose::STANDARD.decode(self.browser.picture()).unwrap();
        fs::write(folder.join(format!("{name}-{}.png", self.dress)), picture).unwrap();
    }
}
