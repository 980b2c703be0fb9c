use proptest::prelude::*;

use super::*;

/// What RPM's own test suite (`tests/rpmvercmp.at`) says of versions without epoch and release, each line once and not once for each direction.
const RPM: &str = "
    1.0 = 1.0
    1.0 < 2.0
    2.0 < 2.0.1
    2.0.1 < 2.0.1a
    5.5p1 < 5.5p2
    5.5p1 < 5.5p10
    10xyz < 10.1xyz
    xyz10 < xyz10.1
    xyz.4 < 8
    xyz.4 < 2
    5.5p2 < 5.6p1
    5.6p1 < 6.5p1
    6.0 < 6.0.rc1
    10a2 < 10b2
    10a1 < 10b2
    1.0a < 1.0aa
    10.0001 = 10.1
    10.0001 < 10.0039
    4.999.9 < 5.0
    20101121 < 20101122
    2.0 = 2_0
    a+ = a_
    +a = _a
    _+ = +_
    + = _
    1.0~rc1 < 1.0
    1.0~rc1 < 1.0~rc2
    1.0~rc1~git123 < 1.0~rc1
    1.0 < 1.0^
    1.0 < 1.0^git1
    1.0^git1 < 1.0^git2
    1.0^git1 < 1.01
    1.0^20160101 < 1.0.1
    1.0^20160101^git1 < 1.0^20160102
    1.0~rc1 < 1.0~rc1^git1
    1.0^git1~pre < 1.0^git1
    1b.fc17 < 1.fc17
    1.fc17 < 1g.fc17
";

/// What RPM 4.18 (`rpm.vercmp`, each part by itself) says of whole versions.
const RPM_WHOLE: &str = "
    1.0-1 = 0:1.0-1
    0:1.0-1 = 00:1.0-1
    9.9-9 < 1:0.1-1
    2:1.0-1 < 10:1.0-1
    1.0-1.fc40 < 1.0-1.fc41
    1.0-9.fc41 < 1.0-10.fc40
    1.0-2 < 1.0.1-1
    1.0-0.1.rc1 < 1.0-1
    1.0-1 < 1.0-1.1
    1.0-1~bootstrap < 1.0-1
    1.0~beta-2 < 1.0-1
";

/// What dpkg 1.21 (`--compare-versions`) says; the cases are those of its test suite (`t-version.c`, `Dpkg_Version.t`) and of the policy.
const DEBIAN: &str = "
    1.0 = 1.0
    0:1.0 = 1.0
    00:1.0 = 1.0
    1.0-0 = 1.0
    1.0-00 = 1.0
    9.9 < 1:0.1
    2:1.0 < 10:1.0
    1.0 < 1.0-0.1
    1.0~ < 1.0
    1.0~~ < 1.0~~a
    1.0~~a < 1.0~
    1.0~ < 1.0a
    1.0~beta1~svn1245 < 1.0~beta1
    1.0~beta1 < 1.0
    1.0-1~bpo12+1 < 1.0-1
    1.0-1 < 1.0-1+b1
    1.0-1 < 1.0-1ubuntu1
    1.0-1ubuntu1~20.04.1 < 1.0-1ubuntu1
    1.0-1build1 < 1.0-1ubuntu1
    1.0a < 1.0+
    1.0z < 1.0+
    1.0+ < 1.0-a-1
    1.0Z < 1.0a
    1.0 < 1.0a
    1.a = 1.a0
    1. = 1.0
    1.01 = 1.1
    1.9 < 1.10
    9.10 < 10.04
    1.2.3-1 < 1.2.3-1.1
    1-2-3 < 1-10-1
    0-0 < 0-a
    7.6-0 < 7.6p2-4
    1.0-1 < 1.0.3-3
    0.0.0.2.0 < 0.0.0.10.0
    1.20000000000000000000 < 1.100000000000000000000
";

/// Each line's two versions and whether the left one is older or as old.
fn cases(table: &str) -> impl Iterator<Item = (&str, Ordering, &str)> {
    table.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let [left, sign, right] = words[..] else { panic!("{line}") };
        (left, if sign == "<" { Ordering::Less } else { Ordering::Equal }, right)
    })
}

fn require_case(scheme: VersionScheme, left: &Version, expected: Ordering, right: &Version) {
    assert_eq!(scheme.compare(left, right), expected, "{left} and {right}");
    assert_eq!(scheme.compare(right, left), expected.reverse(), "{right} and {left}");
}

#[test]
fn versions_compare_as_in_the_test_suite_of_rpm() {
    for (left, expected, right) in cases(RPM) {
        let whole = |version: &str, release: &str| VersionScheme::Rpm.parse(&format!("{version}-{release}")).unwrap();
        require_case(VersionScheme::Rpm, &whole(left, "1"), expected, &whole(right, "1"));
        // A release compares as a version does.
        require_case(VersionScheme::Rpm, &whole("1", left), expected, &whole("1", right));
        if expected == Ordering::Less {
            require_case(VersionScheme::Rpm, &whole(left, "2"), expected, &whole(right, "1"));
        }
    }
}

#[test]
fn epochs_come_before_versions_and_releases_after_them() {
    for (left, expected, right) in cases(RPM_WHOLE) {
        let parse = |text| VersionScheme::Rpm.parse(text).unwrap();
        require_case(VersionScheme::Rpm, &parse(left), expected, &parse(right));
    }
}

#[test]
fn versions_compare_as_dpkg_compares_them() {
    for (left, expected, right) in cases(DEBIAN) {
        let parse = |text| VersionScheme::Debian.parse(text).unwrap();
        require_case(VersionScheme::Debian, &parse(left), expected, &parse(right));
    }
}

#[test]
fn a_version_has_its_parts_and_its_text() {
    let version = VersionScheme::Debian.parse("1:2.0-rc1-3ubuntu1").unwrap();
    assert_eq!(
        (version.epoch(), version.version(), version.release()),
        (Some("1"), "2.0-rc1", Some("3ubuntu1"))
    );
    assert_eq!(version.to_string(), "1:2.0-rc1-3ubuntu1");
    assert_eq!(serde_json::to_value(&version).unwrap(), version.as_str());
    assert_eq!(Version::from_parts(Some("1"), "2.0-rc1", Some("3ubuntu1")), Ok(version));
    let native = Version::from_parts(None, "2.0", None).unwrap();
    assert_eq!((native.epoch(), native.version(), native.release()), (None, "2.0", None));
}

#[test]
fn a_part_that_reads_as_two_is_refused() {
    for (epoch, version, release) in [
        (None, "1.0-1", None),
        (None, "1:1.0", Some("1")),
        (Some("1"), "1:1.0", None),
        (None, "1.0", Some("1-2")),
        (Some(""), "1.0", None),
        (Some("1:1"), "1.0", None),
        (None, "", Some("1")),
        (None, "1.0", Some("")),
    ] {
        assert!(
            Version::from_parts(epoch, version, release).is_err(),
            "{epoch:?} {version:?} {release:?}"
        );
    }
}

#[test]
fn what_rpm_does_not_build_is_refused_with_the_reason() {
    let refused = |text: &str| VersionScheme::Rpm.parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(refused("1.0"), @r#"the release of version "1.0" is missing"#);
    insta::assert_snapshot!(refused("1.0-1-1"), @r#"the version "1.0-1" has '-'; it may have letters, digits and any of `._+~^`"#);
    insta::assert_snapshot!(refused("1..0-1"), @r#"the version "1..0" has `..`"#);
    insta::assert_snapshot!(refused("1.0-%{release}"), @r#"the release "%{release}" has '%'; it may have letters, digits and any of `.+~^_`"#);
    insta::assert_snapshot!(refused("x:1.0-1"), @r#"the epoch "x" is no whole number up to 4294967295"#);
    insta::assert_snapshot!(refused("4294967296:1.0-1"), @r#"the epoch "4294967296" is no whole number up to 4294967295"#);
    for text in [
        "",
        "-",
        "-1",
        ":1.0-1",
        "1.0-",
        "1:-1",
        "1.0 -1",
        "1.ä-1",
        "+1:1.0-1",
        "1.0-1..fc41",
    ] {
        assert!(VersionScheme::Rpm.parse(text).is_err(), "{text:?}");
    }
    assert!(VersionScheme::Rpm.parse("4294967295:git20240101.abcdef^_x-0.1").is_ok());
}

#[test]
fn what_the_policy_of_debian_forbids_is_refused_with_the_reason() {
    let refused = |text: &str| VersionScheme::Debian.parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(refused("v1.0-1"), @r#"the version "v1.0" does not begin with a digit"#);
    insta::assert_snapshot!(refused("1.0_rc1-1"), @r#"the version "1.0_rc1" has '_'; it may have letters, digits and any of `.+-~`"#);
    insta::assert_snapshot!(refused("1:1:1.0"), @r#"the version "1:1.0" has ':'; it may have letters, digits and any of `.+~^_-`"#);
    insta::assert_snapshot!(refused("1.0-"), @r#"the release of version "1.0-" is missing"#);
    insta::assert_snapshot!(refused("2147483648:1.0"), @r#"the epoch "2147483648" is no whole number up to 2147483647"#);
    insta::assert_snapshot!(refused(&"1".repeat(201)), @"the version has 201 letters, at most 200 are allowed");
    for text in ["", "1.0^1", "1.0-1_1", "1.0\n", "1.0\u{661}", "-1:1.0", "a:1.0"] {
        assert!(VersionScheme::Debian.parse(text).is_err(), "{text:?}");
    }
    assert!(VersionScheme::Debian.parse("2147483647:1.0+dfsg-2~exp1").is_ok());
}

fn versions(scheme: VersionScheme) -> impl Strategy<Value = Version> {
    let text = match scheme {
        VersionScheme::Rpm => "([01]:)?[01aB]([._+~^]?[01aB]){0,4}[+^~]?-[01a~^.]?[01]",
        VersionScheme::Debian => "([01]:)?[01][01aB.+~-]{0,5}(-[01aB.+~]{1,2})?",
    };
    text.prop_filter_map("hyphens and dots fall where they may", move |text| scheme.parse(&text).ok())
}

fn schemed_versions() -> impl Strategy<Value = (VersionScheme, [Version; 3])> {
    prop::sample::select(VersionScheme::ALL.to_vec())
        .prop_flat_map(|scheme| (Just(scheme), [versions(scheme), versions(scheme), versions(scheme)]))
}

proptest! {
    #[test]
    fn which_is_newer_does_not_depend_on_who_is_asked_first((scheme, [left, right, _]) in schemed_versions()) {
        prop_assert_eq!(scheme.compare(&left, &right), scheme.compare(&right, &left).reverse());
        prop_assert_eq!(scheme.compare(&left, &left), Ordering::Equal);
    }

    #[test]
    fn what_is_newer_than_the_newer_one_is_newer((scheme, mut three) in schemed_versions()) {
        three.sort_by(|left, right| scheme.compare(left, right));
        let [first, second, third] = three;
        let steps = [scheme.compare(&first, &second), scheme.compare(&second, &third)];
        prop_assert_eq!(scheme.compare(&first, &third), steps.into_iter().min().unwrap());
    }

    #[test]
    fn any_text_is_a_version_with_its_parts_or_refused(text in "[0-9a:.~^_+ä-]{0,12}|\\PC{0,12}") {
        if let Ok(version) = text.parse::<Version>() {
            prop_assert_eq!(version.as_str(), &text);
            prop_assert_eq!(Version::from_parts(version.epoch(), version.version(), version.release()), Ok(version.clone()));
            for scheme in VersionScheme::ALL {
                prop_assert_eq!(scheme.compare(&version, &version), Ordering::Equal);
            }
        }
    }
}
