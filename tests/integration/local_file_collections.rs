//! What is said about mistakes in what a file says of packages and collections.

use kinset::source::local::FileFormat;

use crate::local_file::{EXAMPLE, said_of, with};

#[test]
fn each_mistake_about_packages_and_collections_is_named_with_its_place_and_what_to_do() {
    let files = [
        (
            "a package twice",
            format!("{EXAMPLE}[[package]]\nname = \"hello\"\nstatus = \"approved\"\n"),
        ),
        ("a version twice", with("version = \"2.10-3\"", "version = \"2.12-1\"")),
        ("a version that is none", with("version = \"2.10-3\"", "version = \"2.10 3\"")),
        (
            "a listing twice",
            with(
                "[[series.group]]",
                "[[series.listing]]\npackage = \"hello\"\nowner = \"dora\"\nstatus = \"approved\"\n[[series.group]]",
            ),
        ),
        (
            "a listing with no status",
            with("component = \"main\"\nstatus = \"approved\"", "component = \"main\""),
        ),
        (
            "a version of which nothing is said",
            with("{ version = \"2.12-1\"", "{ version = \"2.13-1\""),
        ),
        (
            "something that is not built from it",
            with("[\"hello\", \"hello-doc\"]", "[\"hello\", \"hello-dcc\"]"),
        ),
        (
            "a permission on what is not listed",
            with("package = \"hello\"\nowner", "package = \"linux\"\nowner"),
        ),
        ("a member that is never built", with("hello-doc = {", "hallo-doc = {")),
        ("a requirement that is none", with("type = \"mandatory\"", "type = \"always\"")),
        (
            "a requirement of nothing",
            with("type = \"mandatory\"", "type = \"default\", requires = \"bash\""),
        ),
        ("a condition without what it is", with(", requires = \"man-db\"", "")),
        ("a group that is not there", with("    \"greetings\",", "    \"greeting\",")),
        ("a base that is not there", with("{ base = \"brook\"", "{ base = \"brok\"")),
        (
            "a base twice",
            with(
                "    { base = \"brook\", priority = 0 },",
                "    { base = \"brook\" },\n    { base = \"brook\", priority = 1 },",
            ),
        ),
        (
            "a cycle of overlays",
            with(
                "owner = \"@release\"\nfrom",
                "owner = \"@release\"\nbases = [{ base = \"lab\" }]\nfrom",
            ),
        ),
        ("a priority that is none", with("priority = 0", "priority = 3000000000")),
        (
            "a branch of a series that is not there",
            with("parent = \"brook\"", "parent = \"oak\""),
        ),
        ("a URL with another symbol", with("[ARCH]", "[arch]")),
        (
            "a title twice",
            with("name = \"ash\"\nversion = \"1.0\"", "name = \"ash\"\ntitle = \"Tidewater Lab\""),
        ),
    ];
    insta::assert_snapshot!(said_of(&files, FileFormat::Toml), @r#"
    a package twice
        tidewater.toml:195:8: `package.name`: a package hello stands above already: give this one another name, or remove it
    a version twice
        tidewater.toml:58:11: `package.version.version`: a version 2.12-1 of hello stands above already: give this one another name, or remove it
    a version that is none
        tidewater.toml:58:11: `package.version.version`: the version "2.10 3" has ' '; it may have letters, digits and any of `.+~^_-`
    a listing twice
        tidewater.toml:163:11: `series.listing.package`: a listing of hello stands above already: give this one another name, or remove it
    a listing with no status
        tidewater.toml:151:1: `series.listing.status`: missing; add it: one of awaitingreview, awaitingbranch, approved, denied, obsolete
    a version of which nothing is said
        tidewater.toml:158:17: `series.listing.versions.version`: expected a version of hello that stands under [[package.version]], found `2.13-1` (did you mean `2.12-1`?): add it there
    something that is not built from it
        tidewater.toml:158:45: `series.listing.versions.built`: expected something that is built from hello 2.12-1, found `hello-dcc` (did you mean `hello-doc`?): add it to `built` of that version
    a permission on what is not listed
        tidewater.toml:115:52: `series.permissions.package`: expected a package that brook lists, found `hello`: add a [[series.listing]] of it
        tidewater.toml:158:17: `series.listing.versions.version`: expected a version of linux that stands under [[package.version]], found `2.12-1`: add it there
    a member that is never built
        tidewater.toml:168:13: `series.group.members`: expected something that is built from a version, found `hallo-doc` (did you mean `hello-doc`?): add it to `built` under [[package.version]]
    a requirement that is none
        tidewater.toml:167:18: `series.group.members.type`: expected one of mandatory, default, optional, conditional, found "always"
    a requirement of nothing
        tidewater.toml:167:29: `series.group.members.requires`: it goes with `type = "conditional"` only: remove one of the two
    a condition without what it is
        tidewater.toml:168:13: `series.group.members.requires`: missing; add it: a name
    a group that is not there
        tidewater.toml:175:5: `series.category.groups`: expected a group of series brook, found `greeting` (did you mean `greetings`?): add it, or take it out of the category
    a base that is not there
        tidewater.toml:189:14: `series.bases.base`: expected a series of this file, found `brok` (did you mean `brook`?)
    a base twice
        tidewater.toml:190:5: `series.bases`: the base brook stands above already: give this one another name, or remove it
    a cycle of overlays
        tidewater.toml:190:5: `series.bases`: lab over brook makes a cycle: lab -> brook -> lab: take one of them out of the bases of the one before it
    a priority that is none
        tidewater.toml:189:34: `series.bases.priority`: expected a whole number from -2147483648 to 2147483647, found 3000000000
    a branch of a series that is not there
        tidewater.toml:186:54: `series.branch.parent`: expected a series of this file, found `oak` (did you mean `lab`?)
    a URL with another symbol
        tidewater.toml:187:15: `series.publish_url`: `[arch]` at letter 25 is no symbol; the symbols are `[ARCH]` and `[PACKAGE]`
    a title twice
        tidewater.toml:181:9: `series.title`: a series Tidewater Lab 0 stands above already: give this one another name, or remove it
    "#);
}
