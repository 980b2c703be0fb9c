//! What is handed out: the lists of files for `.deb` and `.rpm` in `Cargo.toml`, and the scripts beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifest() -> toml::Table {
    fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap()
}

/// Source and mode of each file by where it is installed, zsh's folder aside, which differs between distributions.
type Files = BTreeMap<String, (String, String)>;

fn put(files: &mut Files, source: &str, dest: &str, mode: &str) {
    let dest = dest.trim_start_matches('/').replace("zsh/vendor-completions", "zsh/site-functions");
    let dest = if dest.ends_with('/') { format!("{dest}{source}") } else { dest };
    assert_eq!(
        files.insert(dest.clone(), (source.to_owned(), mode.to_owned())),
        None,
        "{dest} twice"
    );
}

fn deb_files() -> Files {
    let mut files = Files::new();
    for asset in manifest()["package"]["metadata"]["deb"]["assets"].as_array().unwrap() {
        let [source, dest, mode] = [0, 1, 2].map(|part| asset[part].as_str().unwrap());
        put(&mut files, source, dest, mode);
    }
    files
}

fn rpm_files() -> Files {
    let mut files = Files::new();
    for asset in manifest()["package"]["metadata"]["generate-rpm"]["assets"].as_array().unwrap() {
        let [source, dest, mode] = ["source", "dest", "mode"].map(|part| asset[part].as_str().unwrap());
        put(&mut files, source, dest, mode);
    }
    files
}

#[test]
fn both_packages_hold_the_same_files() {
    let files = deb_files();
    assert_eq!(files, rpm_files());
    assert!(files.contains_key("usr/bin/kinset") && files.contains_key("usr/lib/systemd/system/kinset.service"));
}

#[test]
fn what_is_packaged_and_not_built_is_there() {
    for (source, _) in deb_files().values() {
        if source.starts_with("target/packages/") {
            continue;
        }
        let (folder, name) = source
            .rsplit_once('/')
            .map_or((root().to_path_buf(), source.as_str()), |(folder, name)| {
                (root().join(folder), name)
            });
        let there = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let end = name.strip_prefix('*');
        let found = there.filter(|there| end.map_or(there == name, |end| there.ends_with(end))).count();
        assert!(found > 0, "{source} is packaged and not there");
    }
}

#[test]
fn every_unit_is_packaged() {
    let packaged: Vec<String> = deb_files().into_values().map(|(source, _)| source).collect();
    for entry in fs::read_dir(root().join("systemd")).unwrap() {
        let unit = format!("systemd/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(packaged.contains(&unit), "{unit} is not packaged");
    }
}

#[test]
fn what_the_units_name_is_where_the_packages_put_it() {
    let files = deb_files();
    for entry in fs::read_dir(root().join("systemd")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let started = text.lines().filter_map(|line| line.strip_prefix("ExecStart=/")?.split(' ').next());
        for program in started {
            assert!(files.contains_key(program), "/{program} is not packaged");
        }
        for page in text
            .lines()
            .filter_map(|line| line.strip_prefix("Documentation=file:///usr/share/doc/kinset/"))
        {
            assert!(root().join("docs").join(page).exists(), "docs/{page} is not there");
        }
    }
}

#[test]
fn the_scripts_are_those_of_a_shell() {
    let scripts = ["deb/postinst", "deb/prerm", "deb/postrm", "rpm/post", "rpm/preun", "rpm/postun"];
    for script in scripts {
        let path = root().join("packaging").join(script);
        let parsed = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(parsed.status.success(), "{script}: {}", String::from_utf8_lossy(&parsed.stderr));
        // cargo-deb puts its own lines there, and refuses scripts without it.
        assert_eq!(
            fs::read_to_string(&path).unwrap().contains("\n#DEBHELPER#\n"),
            script.starts_with("deb/"),
            "{script}"
        );
    }
    let metadata = &manifest()["package"]["metadata"]["generate-rpm"];
    for (key, script) in [("post_install", "post"), ("pre_uninstall", "preun"), ("post_uninstall", "postun")] {
        assert_eq!(
            metadata[&format!("{key}_script")].as_str(),
            Some(format!("packaging/rpm/{script}").as_str())
        );
    }
}

#[test]
fn the_container_is_built_with_the_toolchain_of_the_house() {
    let toolchain: toml::Table = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap().parse().unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    let minor = channel.rsplit_once('.').unwrap().0;
    let file = fs::read_to_string(root().join("packaging/Containerfile")).unwrap();
    assert!(
        file.contains(&format!("rust:{minor}-")),
        "packaging/Containerfile is for another Rust than {channel}"
    );
}
