//! What is said about each single mistake in a configuration, word for word.

use super::config::{least_with, problems};

/// Each row: a piece of a valid configuration, what is there in its place, and all that is said about it.
const MISTAKES: &[(&str, &str, &[&str])] = &[
    // Unknown keys, at each level.
    (
        "[[tracker]]",
        "state_dri = \"x\"\n[[tracker]]",
        &["1:1: `state_dri`: unknown key; did you mean `state_dir`?"],
    ),
    (
        "[[tracker]]",
        "[[trackers]]\n[[tracker]]",
        &["1:3: `trackers`: unknown key; did you mean `tracker`?"],
    ),
    (
        "policy",
        "colour = 1\npolicy",
        &[
            "5:1: `tracker.colour`: unknown key; the keys here are name, url, projects, policy, token_file, token_env, token_credential, \
         contact, feedback, commit_ref, sync, project, desired, limits, pull, guard, schedule",
        ],
    ),
    (
        "policy",
        "polcy = 1\npolicy",
        &["5:1: `tracker.polcy`: unknown key; did you mean `policy`?"],
    ),
    (
        "format",
        "formt = 1\nformat",
        &["8:1: `tracker.desired.formt`: unknown key; did you mean `format`?"],
    ),
    (
        "[tracker.desired]",
        "limits.atach_limit = 1\n[tracker.desired]",
        &["6:8: `tracker.limits.atach_limit`: unknown key; did you mean `attach_limit`?"],
    ),
    (
        "[tracker.desired]",
        "guard = { min_clear = 1 }\n[tracker.desired]",
        &["6:11: `tracker.guard.min_clear`: unknown key; did you mean `min_clears`?"],
    ),
    (
        "policy",
        "\"a\\nb\" = 1\npolicy",
        &[
            "5:1: `tracker.a\\nb`: unknown key; the keys here are name, url, projects, policy, token_file, token_env, token_credential, contact, \
         feedback, commit_ref, sync, project, desired, limits, pull, guard, schedule",
        ],
    ),
    // Known keys in the wrong table.
    (
        "policy",
        "attach_limit = 3\npolicy",
        &["5:1: `tracker.attach_limit`: this key does not belong here: move it to its place under [tracker.limits]"],
    ),
    (
        "format",
        "contact = \"x\"\nformat",
        &["8:1: `tracker.desired.contact`: this key does not belong here: move it to its place under [[tracker]]"],
    ),
    // Missing keys, at the table that lacks them.
    (
        "name = \"kernel\"\n",
        "",
        &[
            "1:1: `tracker.name`: missing; add it under [[tracker]]: a name of letters, digits, `-`, `_` and `.` that starts with a letter or \
         digit, such as \"kernel\"",
        ],
    ),
    (
        "policy = \"additive\"\n",
        "",
        &[
            "1:1: `tracker.policy`: missing; add it under [[tracker]]: \"additive\" (only relate), \"preserve\" (people's edits win) or \
         \"authoritative\" (the analysis wins, and clears too)",
        ],
    ),
    (
        "format = \"pasta\"\n",
        "",
        &[
            "6:1: `tracker.desired.format`: missing; add it under [tracker.desired]: \"pasta\" (groups of message ids) or \"ids\" (groups of \
         Patchwork's numbers)",
        ],
    ),
    (
        "[tracker.desired]\npath = \"patch-groups\"\nformat = \"pasta\"\n",
        "",
        &["1:1: `tracker.desired`: missing; add it under [[tracker]]: a [tracker.desired] table with `path` and `format`"],
    ),
    // Wrong types.
    (
        "[[tracker]]",
        "[tracker]",
        &["1:1: `tracker`: expected one [[tracker]] table for each tracker, at least one, found a table"],
    ),
    (
        "[[tracker]]",
        "state_dir = 1\n[[tracker]]",
        &["1:13: `state_dir`: expected the path of a folder, such as \"/var/lib/kinset\", found 1"],
    ),
    (
        "\"kernel\"",
        "true",
        &[
            "2:8: `tracker.name`: expected a name of letters, digits, `-`, `_` and `.` that starts with a letter or digit, such as \"kernel\", \
         found true",
        ],
    ),
    (
        "[\"alpha\"]",
        "\"alpha\"",
        &[
            "4:12: `tracker.projects`: expected a list of at least one project, by the word that stands for it in Patchwork's addresses, such as \
         [\"example-devel\"], found \"alpha\"",
        ],
    ),
    (
        "[tracker.desired]\npath = \"patch-groups\"\nformat = \"pasta\"\n",
        "desired = \"patch-groups\"\n",
        &["6:11: `tracker.desired`: expected a [tracker.desired] table with `path` and `format`, found \"patch-groups\""],
    ),
    (
        "[tracker.desired]",
        "limits = []\nguard = 1979-05-27\n[tracker.desired]",
        &[
            "6:10: `tracker.limits`: expected a [tracker.limits] table, found an empty list",
            "7:9: `tracker.guard`: expected a [tracker.guard] table, found a date",
        ],
    ),
    // Wrong values.
    (
        "\"kernel\"",
        "\"my kernel\"",
        &[
            "2:8: `tracker.name`: expected a name of letters, digits, `-`, `_` and `.` that starts with a letter or digit, such as \"kernel\", \
         found \"my kernel\"",
        ],
    ),
    (
        "\"kernel\"",
        "\"-c\"",
        &[
            "2:8: `tracker.name`: expected a name of letters, digits, `-`, `_` and `.` that starts with a letter or digit, such as \"kernel\", \
         found \"-c\"",
        ],
    ),
    (
        "[\"alpha\"]",
        "[]",
        &[
            "4:12: `tracker.projects`: expected a list of at least one project, by the word that stands for it in Patchwork's addresses, such as \
         [\"example-devel\"], found an empty list",
        ],
    ),
    (
        "[\"alpha\"]",
        "[\"alpha\", \"a/b\", 7]",
        &[
            "4:22: `tracker.projects`: expected a list of at least one project, by the word that stands for it in Patchwork's addresses, such as \
         [\"example-devel\"], found \"a/b\"",
            "4:29: `tracker.projects`: expected a list of at least one project, by the word that stands for it in Patchwork's addresses, such as \
         [\"example-devel\"], found 7",
        ],
    ),
    (
        "\"additive\"",
        "\"Additive\"",
        &[
            "5:10: `tracker.policy`: expected \"additive\" (only relate), \"preserve\" (people's edits win) or \
         \"authoritative\" (the analysis wins, and clears too), found \"Additive\"",
        ],
    ),
    (
        "\"pasta\"",
        "\"\"",
        &[
            "8:10: `tracker.desired.format`: expected \"pasta\" (groups of message ids) or \"ids\" (groups of Patchwork's numbers), found \"\"",
        ],
    ),
    (
        "policy",
        "contact = \"bot@example.org\\r\\nX-Evil: 1\"\npolicy",
        &[
            "5:11: `tracker.contact`: expected an address in printable ASCII, such as \"patch-bot@example.org\", found \
         \"bot@example.org\\r\\nX-Evil: 1\"",
        ],
    ),
    (
        "policy",
        "feedback = \"\"\npolicy",
        &["5:12: `tracker.feedback`: expected the path of a folder, such as \"/srv/pasta/feedback\", found \"\""],
    ),
    (
        "policy",
        "commit_ref = true\npolicy",
        &[
            "5:14: `tracker.commit_ref`: expected \"off\" (leave it alone), \"fill\" (where it is empty) or \"overwrite\" (the analysis \
         wins), found true",
        ],
    ),
    (
        "policy",
        "pull = 24\npolicy",
        &["5:8: `tracker.pull`: expected a [tracker.pull] table, found 24"],
    ),
    (
        "policy",
        "sweep_hours = 24\npolicy",
        &["5:1: `tracker.sweep_hours`: this key does not belong here: move it to its place under [tracker.pull]"],
    ),
    // Addresses.
    (
        "\"https://patchwork.example.org\"",
        "\"patchwork.example.org\"",
        &[
            "3:7: `tracker.url`: expected the http:// or https:// address of the Patchwork site, such as \"https://patchwork.example.org/\", \
         found a text that is no address (relative URL without a base)",
        ],
    ),
    (
        "\"https://patchwork.example.org\"",
        "\"ftp://patchwork.example.org\"",
        &[
            "3:7: `tracker.url`: expected the http:// or https:// address of the Patchwork site, such as \"https://patchwork.example.org/\", \
         found an address that starts with `ftp:`",
        ],
    ),
    (
        "\"https://patchwork.example.org\"",
        "\"https://patchwork.example.org/?page=2\"",
        &[
            "3:7: `tracker.url`: expected the http:// or https:// address of the Patchwork site, such as \"https://patchwork.example.org/\", \
         found an address with a `?` or `#` in it",
        ],
    ),
    (
        "\"https://patchwork.example.org\"",
        "\"https://patchwork.example.org/api/1.3/patches/\"",
        &["3:7: `tracker.url`: expected the address of the site: remove what follows `/api/`, kinset finds the way by itself"],
    ),
    (
        "\"https://patchwork.example.org\"",
        "\"https://bot:s3cret@patchwork.example.org\"",
        &[
            "3:7: `tracker.url`: expected an address without a user name or password: put the API token into a file, and name that with \
         `token_file`",
        ],
    ),
    (
        "\"https://patchwork.example.org\"",
        "\"https://bot:s3cret@patchwork.example.org:99999\"",
        &[
            "3:7: `tracker.url`: expected the http:// or https:// address of the Patchwork site, such as \"https://patchwork.example.org/\", \
         found a text that is no address (invalid port number)",
        ],
    ),
    // Tokens.
    (
        "policy",
        "token_env = \"T\"\ntoken_file = \"t\"\npolicy",
        &["6:14: `tracker.token_file`: `token_env` says already where the token is kept: remove one of them"],
    ),
    (
        "policy",
        "token_file = \"t\"\ntoken_env = \"T\"\ntoken_credential = \"t\"\npolicy",
        &[
            "6:13: `tracker.token_env`: `token_file` says already where the token is kept: remove one of them",
            "7:20: `tracker.token_credential`: `token_file` says already where the token is kept: remove one of them",
        ],
    ),
    (
        "policy",
        "token_env = \"0123456789abcdef\"\npolicy",
        &[
            "5:13: `tracker.token_env`: expected the name of a variable of the environment that holds the API token, such as \"KINSET_TOKEN\", \
         found something else (not shown, as it may be the token itself)",
        ],
    ),
    (
        "policy",
        "token_credential = \"../token\"\npolicy",
        &[
            "5:20: `tracker.token_credential`: expected the name of a systemd credential that holds the API token, such as \"patchwork-token\", \
         found something else (not shown, as it may be the token itself)",
        ],
    ),
    (
        "policy",
        "token_file = 123456\npolicy",
        &[
            "5:14: `tracker.token_file`: expected the path of a file that holds the API token and nothing else, found something else (not shown, \
         as it may be the token itself)",
        ],
    ),
    // What may stand there but once.
    (
        "[\"alpha\"]",
        "[\"alpha\",\n\"beta\",\n\"alpha\"]",
        &["6:1: `tracker.projects`: \"alpha\" stands on line 4 already: give this one another name, or remove it"],
    ),
    (
        "policy",
        "policy = \"additive\"\ndesired = { path = \"p\", format = \"ids\" }\n[[tracker]]\nname = \"other\"\n\
         url = \"https://PATCHWORK.example.org/api/\"\nprojects = [\"beta\", \"alpha\"]\npolicy",
        &[
            "10:21: `tracker.projects`: \"alpha\" is a project of tracker `kernel` at the same address already: take it out of `kernel` or out of \
         `other`",
        ],
    ),
    (
        "name = \"kernel\"",
        "name = \"kernel\"\nname = \"other\"",
        &["3:1: `name`: not valid TOML: duplicate key"],
    ),
    // What is said of projects.
    (
        "[tracker.desired]",
        "[[tracker.project]]\ncolour = 1\n[tracker.desired]",
        &[
            "6:1: `tracker.project.name`: missing; add it under [[tracker.project]]: one of the `projects`, such as \"example-devel\"",
            "6:1: `tracker.project.collection`: missing; add it under [[tracker.project]]: a distribution and a series of it, such as \
         \"fedora/f40\"",
            "7:1: `tracker.project.colour`: unknown key; the keys here are name, collection",
        ],
    ),
    (
        "policy",
        "collection = \"fedora/f40\"\nproject = []\npolicy",
        &[
            "5:1: `tracker.collection`: this key does not belong here: move it to its place under [[tracker.project]]",
            "6:11: `tracker.project`: expected one [[tracker.project]] table for each project of which something is to be said, at least one, \
         found an empty list",
        ],
    ),
    (
        "[tracker.desired]",
        "[[tracker.project]]\nname = \"alpha\"\ncollection = \"f40\"\n[tracker.desired]",
        &["8:14: `tracker.project.collection`: expected a distribution and a series of it, such as \"fedora/f40\", found \"f40\""],
    ),
    (
        "[tracker.desired]",
        "[[tracker.project]]\nname = \"alpha2\"\ncollection = \"fedora/f40\"\n[tracker.desired]",
        &[
            "7:8: `tracker.project.name`: \"alpha2\" is none of the tracker's `projects` (did you mean \"alpha\"?): name it there, too, or remove \
         this table",
        ],
    ),
    (
        "[tracker.desired]",
        "[[tracker.project]]\nname = \"alpha\"\ncollection = \"fedora/f40\"\n[[tracker.project]]\nname = \"alpha\"\n\
         collection = \"fedora/f41\"\n[tracker.desired]",
        &["10:8: `tracker.project.name`: \"alpha\" stands on line 7 already: give this one another name, or remove it"],
    ),
    (
        "[\"alpha\"]",
        "7\nproject = [{ name = \"beta\", collection = \"fedora/f40\" }]",
        &[
            "4:12: `tracker.projects`: expected a list of at least one project, by the word that stands for it in Patchwork's addresses, such as \
         [\"example-devel\"], found 7",
        ],
    ),
    // Numbers out of range.
    (
        "[tracker.desired]",
        "limits.requests_per_second = 0\n[tracker.desired]",
        &["6:30: `tracker.limits.requests_per_second`: expected a whole number from 1 to 4294967295, found 0"],
    ),
    (
        "[tracker.desired]",
        "limits.concurrent_requests = 4.0\n[tracker.desired]",
        &["6:30: `tracker.limits.concurrent_requests`: expected a whole number from 1 to 4294967295, found 4.0"],
    ),
    (
        "[tracker.desired]",
        "limits.attach_limit = -1\n[tracker.desired]",
        &["6:23: `tracker.limits.attach_limit`: expected a whole number from 1 to 4294967295, found -1"],
    ),
    (
        "[tracker.desired]",
        "limits.max_relation_size = 1\n[tracker.desired]",
        &["6:28: `tracker.limits.max_relation_size`: expected a whole number from 2 to 4294967295, found 1"],
    ),
    (
        "[tracker.desired]",
        "limits.timeout_seconds = 121\n[tracker.desired]",
        &["6:26: `tracker.limits.timeout_seconds`: expected a whole number from 1 to 120, found 121"],
    ),
    (
        "[tracker.desired]",
        "limits.patience_seconds = 0.5\n[tracker.desired]",
        &["6:27: `tracker.limits.patience_seconds`: expected a whole number from 0 to 4294967295, found 0.5"],
    ),
    (
        "[tracker.desired]",
        "guard.min_clears = 99999999999999999999\n[tracker.desired]",
        &["6:20: `tracker.guard.min_clears`: expected a whole number from 0 to 4294967295, found 99999999999999999999"],
    ),
    (
        "[tracker.desired]",
        "guard.allow_empty = \"no\"\n[tracker.desired]",
        &["6:21: `tracker.guard.allow_empty`: expected true or false, found \"no\""],
    ),
    (
        "[tracker.desired]",
        "guard.max_clear_fraction = 1.1\n[tracker.desired]",
        &["6:28: `tracker.guard.max_clear_fraction`: expected a number from 0 to 1, found 1.1"],
    ),
    (
        "[tracker.desired]",
        "guard.max_clear_fraction = -0.1\n[tracker.desired]",
        &["6:28: `tracker.guard.max_clear_fraction`: expected a number from 0 to 1, found -0.1"],
    ),
    (
        "[tracker.desired]",
        "guard.max_clear_fraction = 25\n[tracker.desired]",
        &["6:28: `tracker.guard.max_clear_fraction`: expected a number from 0 to 1, found 25"],
    ),
    (
        "[tracker.desired]",
        "guard.min_resolved_fraction = nan\n[tracker.desired]",
        &["6:31: `tracker.guard.min_resolved_fraction`: expected a number from 0 to 1, found nan"],
    ),
    (
        "[tracker.desired]",
        "guard.max_shrink_fraction = +inf\n[tracker.desired]",
        &["6:29: `tracker.guard.max_shrink_fraction`: expected a number from 0 to 1, found +inf"],
    ),
    (
        "[tracker.desired]",
        "guard.max_shrink_fraction = \"10%\"\n[tracker.desired]",
        &["6:29: `tracker.guard.max_shrink_fraction`: expected a number from 0 to 1, found \"10%\""],
    ),
    (
        "[tracker.desired]",
        "guard.max_foreign_fraction = 2\n[tracker.desired]",
        &["6:30: `tracker.guard.max_foreign_fraction`: expected a number from 0 to 1, found 2"],
    ),
    (
        "[tracker.desired]",
        "guard.max_overwrite_fraction = -0.5\n[tracker.desired]",
        &["6:32: `tracker.guard.max_overwrite_fraction`: expected a number from 0 to 1, found -0.5"],
    ),
    (
        "[tracker.desired]",
        "pull.sweep_hours = -1\n[tracker.desired]",
        &["6:20: `tracker.pull.sweep_hours`: expected a whole number from 0 to 4294967295, found -1"],
    ),
    // Not TOML.
    (
        "\"additive\"",
        "additive",
        &["5:10: `policy`: not valid TOML: string values must be quoted, expected literal string"],
    ),
    (
        "[\"alpha\"]",
        "[\"alpha\"",
        &[
            "5:1: `policy`: not valid TOML: missing comma between array elements, expected `,`",
            "6:1: not valid TOML: missing comma between array elements, expected `,`",
            "7:1: `path`: not valid TOML: missing comma between array elements, expected `,`",
            "8:1: `format`: not valid TOML: missing comma between array elements, expected `,`",
        ],
    ),
    (
        "[tracker.desired]",
        "[tracker.desired",
        &["6:17: not valid TOML: unclosed table, expected `]`"],
    ),
];

#[test]
fn each_mistake_is_named_with_its_place_and_what_to_do() {
    for (old, new, expected) in MISTAKES {
        assert_eq!(problems(&least_with(old, new)), *expected, "{new}");
    }
}

#[test]
fn two_trackers_have_no_feedback_folder_in_common() {
    let first = least_with("policy", "feedback = \"feedback\"\npolicy");
    assert_eq!(
        problems(&format!("{first}{}", first.replace("kernel", "qemu").replace("alpha", "beta"))),
        ["14:12: `tracker.feedback`: \"feedback\" stands on line 5 already: give this one another name, or remove it"]
    );
}
