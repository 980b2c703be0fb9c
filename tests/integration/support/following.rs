//! A distribution that follows sources, on the command line.

use std::sync::Arc;

use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::MockServer;

use super::service::{Service, serve};
use crate::cli_support::Place;

/// A distribution with the sources of a configuration, which run as long as this.
pub(crate) struct Following {
    runtime: Runtime,
    servers: Vec<MockServer>,
    pub(crate) place: Place,
    config: String,
}

impl Following {
    pub(crate) fn new(name: &str, more: &str) -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            servers: Vec::new(),
            place: Place::new(),
            config: format!("state_dir = \"state\"\n[[distribution]]\nname = \"{name}\"\n{more}"),
        }
    }

    /// One more source; `URL` in its settings stands for the address of the service.
    pub(crate) fn with<S: Service>(mut self, service: &Arc<S>, settings: &str) -> Self {
        let server = self.runtime.block_on(serve(service));
        let settings = settings.replace("URL", &server.uri());
        self.config += &format!("[[distribution.source]]\n{settings}\nrequests_per_second = 1000\n");
        self.servers.push(server);
        self
    }

    /// One more source that is a file of that name, with this in it.
    pub(crate) fn with_file(mut self, settings: &str, name: &str, text: &str) -> Self {
        self.place.write(name, text);
        self.config += &format!("[[distribution.source]]\n{settings}\nfile = \"{name}\"\n");
        self
    }

    pub(crate) fn started(self) -> Self {
        self.place.write("kinset.toml", &self.config);
        self
    }

    /// Runs the program, and leaves out what it cost to read.
    pub(crate) fn run(&self, arguments: &str) -> String {
        let told = self.place.run(arguments);
        regex::Regex::new(r" \([0-9]+ answers?,.*\)")
            .unwrap()
            .replace_all(&told, "")
            .into_owned()
    }

    /// Pulls, and tells what it said.
    pub(crate) fn pull(&self) -> String {
        let told = self.run("pull");
        told.strip_prefix("exit 0\n--- stderr\n")
            .unwrap_or_else(|| panic!("{told}"))
            .to_owned()
    }

    /// What comes of one more pull, and that of a third.
    pub(crate) fn is_at_rest(&self) -> bool {
        let told = [self.pull(), self.pull()].concat();
        let changed = told.lines().any(|line| line.contains("taken in"));
        let plan: Value = serde_json::from_str(&self.place.data("plan --format json")).unwrap();
        !changed && plan["writes"] == 0
    }

    /// Does something that somebody does by hand.
    pub(crate) fn by_hand(&self, command: &str) {
        let told = self.place.run(&format!("{command} --actor ann"));
        assert!(told.starts_with("exit 0\n"), "{command}: {told}");
    }

    /// What would be done, without what is listed beside it.
    pub(crate) fn planned(&self) -> Vec<String> {
        let plan = self.place.data("plan");
        let changes = plan.lines().filter(|line| line.starts_with("  "));
        changes.map(|line| line.trim().to_owned()).collect()
    }

    /// What is said of a series.
    pub(crate) fn series(&self, name: &str) -> Value {
        let export: Value = serde_json::from_str(&self.place.data("distribution export --format json")).unwrap();
        let series = export["series"].as_array().unwrap().iter().find(|one| one["name"] == name);
        series.unwrap().clone()
    }

    pub(crate) fn listings(&self, series: &str) -> Vec<String> {
        let listings = self.series(series)["listing"].as_array().cloned().unwrap_or_default();
        let told = |listing: &Value| format!("{} {} {}", listing["package"], listing["owner"], listing["status"]).replace('"', "");
        listings.iter().map(told).collect()
    }
}
