//! Runs the binary as a shell would that knows nothing: with an empty environment and in a folder of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, mpsc};

use kinset::model::{PatchId, UserName};
use kinset::tracker::simulator::{Moment, Simulator, World};
use regex::Regex;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::support::patchwork::Patchwork;

/// The token of the user `bot` of every [`world`]: nothing may ever show it.
pub(crate) const SECRET: &str = "5ec2e7f00db01d";

/// A folder to run the binary in. The configuration in it, if there is one, is `kinset.toml`.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A folder with a configuration, the token of `bot`, and a file of groups.
    pub(crate) fn configured(config: &str, groups: &str) -> Self {
        let place = Self::new().with("kinset.toml", config).with("patch-groups", groups);
        place.write_token(SECRET, 0o600);
        place
    }

    pub(crate) fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        self.write(name, contents);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn read_bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write_token(&self, token: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write("token", format!("{token}\n"));
        fs::set_permissions(self.path("token"), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The binary with these words as its arguments.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinset"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear();
        if self.path("kinset.toml").exists() {
            command.env("KINSET_CONFIG", "kinset.toml");
        }
        command
    }

    /// Runs the binary to its end, and tells its exit code and all that it printed.
    pub(crate) fn run(&self, arguments: &str) -> String {
        self.tell(&self.command(arguments).output().unwrap())
    }

    /// Runs the binary to its end, which must be a good one, and hands over what it printed as data.
    pub(crate) fn data(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", self.tell(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Puts into words how the binary ended, with words in place of what differs from run to run.
    pub(crate) fn tell(&self, output: &Output) -> String {
        let mut told = match output.status.code() {
            Some(code) => format!("exit {code}\n"),
            None => format!("{}\n", output.status),
        };
        for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                write!(told, "--- {stream}\n{}", String::from_utf8_lossy(bytes)).unwrap();
            }
        }
        assert!(!told.contains(SECRET), "the token is shown: {told}");
        scrubbed(&told, self.folder.path())
    }
}

/// A text with words in place of what differs from run to run.
fn scrubbed(text: &str, folder: &Path) -> String {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let patterns = [
            // A port that the system chose. One that a test or kinset chose has fewer digits, and is shown.
            (r"127\.0\.0\.1:[0-9]{5}\b", "TRACKER"),
            (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z", "TIME"),
            (r#""digest": "[0-9a-f]{64}""#, r#""digest": "DIGEST""#),
            (r"process [0-9]+ \(", "process PID ("),
            (r"kinset [0-9]+\.[0-9]+\.[0-9]+", "kinset VERSION"),
            (r"\.tmp[0-9A-Za-z]{6}", ".tmpRANDOM"),
        ];
        patterns.map(|(pattern, word)| (Regex::new(pattern).unwrap(), word)).into()
    });
    let text = text.replace(folder.to_str().unwrap(), "DIR");
    PATTERNS
        .iter()
        .fold(text, |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned())
}

/// A simulated Patchwork, served for as long as this lives.
pub(crate) struct Tracker {
    patchwork: Patchwork,
    _runtime: Runtime,
}

impl Tracker {
    pub(crate) fn serving(world: Value) -> Self {
        let world: World = serde_json::from_value(world).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        Self {
            patchwork: runtime.block_on(Patchwork::start(&world)),
            _runtime: runtime,
        }
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        &self.patchwork.simulator
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.patchwork.address)
    }

    /// A configuration of this tracker, under the name `kernel`, that tries each request once and does not dawdle.
    pub(crate) fn config(&self) -> String {
        config_for(&self.url())
    }

    /// A folder with that configuration and a file of groups.
    pub(crate) fn place(&self, groups: &str) -> Place {
        Place::configured(&self.config(), groups)
    }

    /// Lets a person write what an API client could.
    pub(crate) fn somebody_writes(&self, patch: u64, related: &[u64]) {
        let related: Vec<PatchId> = related.iter().copied().map(PatchId).collect();
        let somebody = UserName("bot".to_owned());
        let written = self
            .simulator()
            .with_rules(|rules| rules.write(Some(&somebody), PatchId(patch), &related));
        written.unwrap();
    }

    /// Holds the first request from here on up.
    pub(crate) fn hold(&self) -> Held {
        let (arrived, has_arrived) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let may_go_on = Mutex::new(may_go_on);
        self.simulator().on_request(move |_, moment, _| {
            // Nobody listens any more once the first request is through, and nobody keeps it waiting.
            if moment == Moment::Before && arrived.send(()).is_ok() {
                may_go_on.lock().unwrap().recv().unwrap_err();
            }
        });
        Held {
            has_arrived,
            _go_on: go_on,
        }
    }

    /// How many writes arrived.
    pub(crate) fn writes(&self) -> usize {
        self.simulator().log().iter().filter(|request| request.method == "PATCH").count()
    }
}

/// A request that is held up until this is dropped.
pub(crate) struct Held {
    has_arrived: mpsc::Receiver<()>,
    _go_on: mpsc::Sender<()>,
}

impl Held {
    /// Waits until it has arrived.
    pub(crate) fn arrives(&self) {
        self.has_arrived.recv().unwrap();
    }
}

/// The configuration of a tracker at an address.
pub(crate) fn config_for(url: &str) -> String {
    format!(
        r#"state_dir = "state"
[[tracker]]
name = "kernel"
url = "{url}"
projects = ["alpha"]
policy = "authoritative"
token_file = "token"
[tracker.desired]
path = "patch-groups"
format = "ids"
[tracker.limits]
requests_per_second = 1000
patience_seconds = 0
"#
    )
}

/// Two projects, `alpha` with the patches 1 to 12 and `beta` with 21 to 24, related like this. `bot` maintains both, `half` only `alpha`,
/// `nobody` neither.
pub(crate) fn world(relations: &[&[u64]]) -> Value {
    let in_project = |project: &'static str| move |id: u64| json!({"id": id, "project": project, "msgid": format!("<m{id}@example.org>")});
    let patches: Vec<Value> = (1..=12).map(in_project("alpha")).chain((21..=24).map(in_project("beta"))).collect();
    json!({
        "projects": ["alpha", "beta"],
        "users": {
            "bot": {"token": SECRET, "maintains": ["alpha", "beta"]},
            "half": {"token": "t-half", "maintains": ["alpha"]},
            "nobody": {"token": "t-nobody"},
        },
        "patches": patches,
        "relations": relations,
    })
}
