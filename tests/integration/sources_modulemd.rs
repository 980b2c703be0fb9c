//! Modules as a source: a file, one on a server, and a repository.

use std::fs;
use std::sync::Arc;

use insta::assert_snapshot;
use kinset::remedy::Remedy as _;
use kinset::source::modulemd::{At, Settings, read};
use kinset::source::{FileAt, Previous, Reading};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::support::repository::{INDEX, Repository, default, gzip, modules_at, modules_file_at, repository_at, stream};
use crate::support::service::{asked, base, http, impatient, said, serve};

fn modules() -> String {
    [
        stream("nodejs:10", 2, &["nodejs", "npm"]),
        stream("perl:5.30", 1, &["perl"]),
        default("nodejs:10"),
    ]
    .concat()
}

fn json(reading: &Reading) -> String {
    serde_json::to_string_pretty(&reading.snapshot).unwrap()
}

#[tokio::test]
async fn a_file_is_read_however_it_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("modules.yaml");
    let zstd = compress_to_vec(modules().as_bytes(), CompressionLevel::Fastest);
    let mut readings = Vec::new();
    for bytes in [modules().into_bytes(), gzip(&modules()), zstd] {
        fs::write(&file, bytes).unwrap();
        readings.push(
            read(&modules_at(At::File(FileAt::Disk(file.clone()))), &Previous::default())
                .await
                .unwrap(),
        );
    }
    assert_snapshot!(json(&readings[0]), @r#"
    {
      "modules": {
        "streams": {
          "nodejs:10": {
            "contexts": {
              "c0ffee": {
                "version": 2,
                "platforms": [],
                "packages": [
                  "nodejs",
                  "npm"
                ]
              }
            }
          },
          "perl:5.30": {
            "contexts": {
              "c0ffee": {
                "version": 1,
                "platforms": [],
                "packages": [
                  "perl"
                ]
              }
            }
          }
        },
        "defaults": {
          "nodejs": "10"
        }
      }
    }
    "#);
    assert_eq!(readings[1], readings[0]);
    assert_eq!(readings[2], readings[0]);
    let of_release = Settings {
        release: Some("f29".parse().unwrap()),
        ..modules_at(At::File(FileAt::Disk(file)))
    };
    let reading = read(&of_release, &Previous::default()).await.unwrap();
    assert_eq!(reading.snapshot.modules.unwrap().release, of_release.release);
}

#[tokio::test]
async fn a_published_file_is_read_once_while_it_stays_as_it_is() {
    let service = Arc::new(Repository::default());
    service.put("/modules.yaml.gz", gzip(&modules()));
    let server = serve(&service).await;
    let settings = modules_file_at(&base(&server), "/modules.yaml.gz", http());
    let first = read(&settings, &Previous::default()).await.unwrap();
    assert_eq!(first.snapshot.modules.as_ref().unwrap().streams.len(), 2);
    let second = read(&settings, &first.clone().into_previous()).await.unwrap();
    assert_eq!((&second.snapshot, &second.validators), (&first.snapshot, &first.validators));
    assert_eq!((second.traffic.unchanged, second.traffic.bytes), (1, 0));
    service.put("/modules.yaml.gz", stream("perl:5.30", 1, &["perl"]));
    let third = read(&settings, &second.into_previous()).await.unwrap();
    assert_eq!(third.snapshot.modules.unwrap().streams.len(), 1);
}

#[tokio::test]
async fn of_a_repository_whose_index_is_unchanged_nothing_else_is_read() {
    let service = Arc::new(Repository::with(&modules()));
    let server = serve(&service).await;
    let settings = repository_at(&base(&server), http());
    let first = read(&settings, &Previous::default()).await.unwrap();
    let paths = asked(&server).await;
    assert_eq!(paths.len(), 2);
    assert_eq!(paths[0], INDEX);
    assert!(paths[1].ends_with("-modules.yaml.gz"), "{}", paths[1]);
    let second = read(&settings, &first.clone().into_previous()).await.unwrap();
    assert_eq!((&second.snapshot, &second.validators), (&first.snapshot, &first.validators));
    assert_eq!(asked(&server).await[2..], [INDEX]);
    assert_eq!((second.traffic.answers, second.traffic.unchanged, second.traffic.bytes), (1, 1, 0));
    service.publish(&stream("perl:5.30", 1, &["perl"]));
    let third = read(&settings, &second.into_previous()).await.unwrap();
    assert_eq!(third.snapshot.modules.unwrap().streams.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_taken_of_documents_is_remarked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("modules.yaml");
    let stars = "---\ndocument: modulemd-stars\nversion: 1\n";
    fs::write(&file, [stars, &default("nodejs:8"), &default("nodejs:10")].concat()).unwrap();
    let reading = read(&modules_at(At::File(FileAt::Disk(file))), &Previous::default()).await.unwrap();
    let remarks: Vec<String> = reading.snapshot.all_remarks().into_iter().map(ToString::to_string).collect();
    assert_snapshot!(remarks.join("\n"), @r#"
    the document on line 2 is "modulemd-stars 1": kinset knows no such documents
    the default stream of nodejs is said in two ways that are equally new: neither was taken
    "#);
}

/// What a person is told of a repository, once something was done to it.
async fn refused(spoil: impl FnOnce(&Repository)) -> String {
    let service = Arc::new(Repository::with(&modules()));
    spoil(&service);
    let server = serve(&service).await;
    let settings = repository_at(&base(&server), impatient());
    let error = read(&settings, &Previous::default()).await.unwrap_err();
    format!("{}\n{}", said(&error, &server.uri()), error.remedy().unwrap())
}

/// Changes the text of the index.
fn index(service: &Repository, change: impl FnOnce(String) -> String) {
    let text = String::from_utf8(service.files.lock().unwrap()[INDEX].clone()).unwrap();
    service.put(INDEX, change(text));
}

#[tokio::test]
async fn modules_that_are_not_those_that_the_index_names_are_not_believed() {
    let told = refused(|service| {
        let mut files = service.files.lock().unwrap();
        let (_, modules) = files.iter_mut().find(|(path, _)| *path != INDEX).unwrap();
        *modules = gzip(&stream("perl:5.30", 1, &["perl"]));
    })
    .await;
    let checksums = regex::Regex::new("[0-9a-f]{64}").unwrap();
    assert_snapshot!(checksums.replace_all(&told, "CHECKSUM"), @r"
    cannot read source modules
    cannot take the modules of http://tracker/os/repodata/repomd.xml
    repodata/CHECKSUM-modules.yaml.gz has the checksum CHECKSUM, and its repository says CHECKSUM
    a mirror that is being updated mends itself: try again later; what was known of the source before still holds
    ");
    assert_snapshot!(refused(|service| index(service, |text| text.replace("sha256", "md5"))).await, @r"
    cannot read source modules
    cannot take the modules of http://tracker/os/repodata/repomd.xml
    checksums of the kind md5 are not known
    those that are known are sha256 and sha512; what was known of the source before still holds
    ");
    assert_snapshot!(refused(|service| index(service, |text| text.replace("\"modules\"", "\"filelists\""))).await, @r#"
    cannot read source modules
    cannot take the modules of http://tracker/os/repodata/repomd.xml
    the repository has no modules
    an index that names them has `<data type="modules">`; what was known of the source before still holds
    "#);
    let elsewhere = |text: String| text.replace("href=\"repodata/", "href=\"http://elsewhere.invalid/");
    let told = refused(|service| index(service, elsewhere)).await;
    assert_snapshot!(checksums.replace_all(&told, "CHECKSUM"), @r"
    cannot read source modules
    refusing to follow http://tracker/os/ to another server, http://elsewhere.invalid/CHECKSUM-modules.yaml.gz
    if the service has moved to http://elsewhere.invalid/CHECKSUM-modules.yaml.gz, set the address of the source in the configuration to where it leads; what was known of the source before still holds
    ");
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_told_with_its_address_and_line() {
    let told = refused(|service| service.publish(&modules().replace("version: 2\n  context", "version: later\n  context"))).await;
    let checksums = regex::Regex::new("[0-9a-f]{64}").unwrap();
    assert_snapshot!(checksums.replace_all(&told, "CHECKSUM"), @r#"
    cannot read source modules
    http://tracker/os/repodata/CHECKSUM-modules.yaml.gz, line 7: data.version: expected a version: a whole number; found "later"
    this is not how such a source speaks: look at it with curl or an editor, and tell whoever runs it or kinset's authors; what was known of the source before still holds
    "#);
    let missing = read(
        &modules_at(At::File(FileAt::Disk("/nowhere/modules.yaml".into()))),
        &Previous::default(),
    )
    .await;
    assert_snapshot!(said(&missing.unwrap_err(), "no address"), @r"
    cannot read source modules
    there is no file /nowhere/modules.yaml
    ");
}

/// 257 MiB of nothing, packed with gzip.
fn gzip_bomb() -> Vec<u8> {
    gzip(&"\0".repeat(1 << 20)).repeat(257)
}

/// The same with zstd: blocks that say how often their one byte is repeated.
fn zstd_bomb() -> Vec<u8> {
    const SIZE: u32 = 128 << 10;
    let count = 257 * 8;
    // A window of as much, and no checksum.
    let mut bytes = b"\x28\xb5\x2f\xfd\x00\x38".to_vec();
    for number in 1..=count {
        let header = SIZE << 3 | 1 << 1 | u32::from(number == count);
        bytes.extend_from_slice(&header.to_le_bytes()[..3]);
        bytes.push(0);
    }
    bytes
}

#[tokio::test]
async fn what_is_packed_to_fill_a_machine_ends_with_the_file_and_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("modules.yaml");
    let mut texts = Vec::new();
    for bytes in [gzip_bomb(), zstd_bomb()] {
        assert!(bytes.len() < 2 << 20);
        fs::write(&file, bytes).unwrap();
        let error = read(&modules_at(At::File(FileAt::Disk(file.clone()))), &Previous::default())
            .await
            .unwrap_err();
        texts.push(format!(
            "{}\n{}",
            said(&error, folder.path().to_str().unwrap()),
            error.remedy().unwrap()
        ));
    }
    assert_snapshot!(texts.join("\n"), @r"
    cannot read source modules
    http://tracker/modules.yaml has more than 268435456 bytes when it is unpacked
    no repository has that many modules; it may be packed to fill up machines like this one, or another file; what was known of the source before still holds
    cannot read source modules
    http://tracker/modules.yaml has more than 268435456 bytes when it is unpacked
    no repository has that many modules; it may be packed to fill up machines like this one, or another file; what was known of the source before still holds
    ");
    let repository = Arc::new(Repository::default());
    repository.put("/modules.yaml.gz", gzip_bomb());
    let server = serve(&repository).await;
    let error = read(&modules_file_at(&base(&server), "/modules.yaml.gz", http()), &Previous::default())
        .await
        .unwrap_err();
    assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source modules
    http://tracker/modules.yaml.gz has more than 268435456 bytes when it is unpacked
    ");
}

#[tokio::test]
async fn what_is_no_file_or_has_no_end_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
    fs::File::create(path("large")).unwrap().set_len((256 << 20) + 1).unwrap();
    let mut texts = Vec::new();
    for name in ["pipe", "zero", "large"] {
        let error = read(&modules_at(At::File(FileAt::Disk(path(name)))), &Previous::default())
            .await
            .unwrap_err();
        texts.push(said(&error, folder.path().to_str().unwrap()));
    }
    assert_snapshot!(texts.join("\n"), @r"
    cannot read source modules
    http://tracker/pipe is no regular file
    cannot read source modules
    http://tracker/zero is no regular file
    cannot read source modules
    http://tracker/large has 268435457 bytes, and at most 268435456 are read
    ");
}
