//! A repository of packages, as far as its modules go, and a web server with files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::GzEncoder;
use kinset::source::modulemd::{At, Settings};
use kinset::source::{FileAt, HttpSettings};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::service::{Asked, Reply, Service};

pub(crate) const INDEX: &str = "/os/repodata/repomd.xml";

/// How to read modules.
pub(crate) fn modules_at(at: At) -> Settings {
    Settings {
        name: "modules".to_owned(),
        at,
        release: None,
    }
}

/// How to read those of a server's repository.
pub(crate) fn repository_at(server: &Url, http: HttpSettings) -> Settings {
    modules_at(At::Repository {
        url: server.join("/os/").unwrap(),
        http,
    })
}

/// How to read a server's file of modules.
pub(crate) fn modules_file_at(server: &Url, path: &str, http: HttpSettings) -> Settings {
    modules_at(At::File(FileAt::Web {
        url: server.join(path).unwrap(),
        http,
    }))
}

/// A web server with these files, by their paths.
#[derive(Default)]
pub(crate) struct Repository {
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Repository {
    /// With a repository at `/os/` that has these modules.
    pub(crate) fn with(modules: &str) -> Self {
        let repository = Self::default();
        repository.publish(modules);
        repository
    }

    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.lock().unwrap().insert(path.to_owned(), bytes.into());
    }

    /// Makes the repository one that has these modules and no others.
    pub(crate) fn publish(&self, modules: &str) {
        let packed = gzip(modules);
        let checksum = Sha256::digest(&packed).iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        let place = format!("repodata/{checksum}-modules.yaml.gz");
        let index = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\n\
             <data type=\"primary\"><checksum type=\"sha256\">00</checksum><location href=\"repodata/primary.xml.gz\"/></data>\n\
             <data type=\"modules\"><checksum type=\"sha256\">{checksum}</checksum><location href=\"{place}\"/></data>\n</repomd>\n"
        );
        self.files.lock().unwrap().clear();
        self.put(&format!("/os/{place}"), packed);
        self.put(INDEX, index);
    }
}

impl Service for Repository {
    fn answer(&self, asked: &Asked) -> Reply {
        match self.files.lock().unwrap().get(asked.url.path()) {
            Some(bytes) => Reply::file(asked, "application/octet-stream", bytes),
            None => Reply::text(404, "no such file"),
        }
    }
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A document about a build of a stream, such as `nodejs:10`, with these packages.
pub(crate) fn stream(path: &str, version: u64, packages: &[&str]) -> String {
    let (module, stream) = path.split_once(':').unwrap();
    let rpms: Vec<String> = packages.iter().map(|package| format!("{package}: {{}}")).collect();
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {module}\n  stream: {stream}\n  version: {version}\n  context: c0ffee\n  \
         dependencies: [{{requires: {{platform: []}}}}]\n  components: {{rpms: {{{}}}}}\n",
        rpms.join(", ")
    )
}

/// A document about the default stream of a module.
pub(crate) fn default(path: &str) -> String {
    let (module, stream) = path.split_once(':').unwrap();
    format!("---\ndocument: modulemd-defaults\nversion: 1\ndata: {{module: {module}, modified: 202001010000, stream: {stream}}}\n")
}
