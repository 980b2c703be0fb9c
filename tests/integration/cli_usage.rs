//! The command line itself: help, completions, the manual, and what is said about misuse.

use std::process::Command;

use insta::assert_snapshot;

use super::cli_support::Place;

fn run(arguments: &str) -> String {
    Place::new().run(arguments)
}

#[test]
fn help_shows_every_command() {
    assert_snapshot!(run("--help"), @r"
    exit 0
    --- stdout
    Keeps groups in step: patch relations between an analysis and Patchwork, with the fewest writes

    Usage: kinset [OPTIONS] <COMMAND>

    Commands:
      demo          Show everything at work against a simulated Patchwork; nothing to configure, nothing
                    left behind
      config        Write, check or show the configuration
      pull          Learn what trackers have now, and remember it
      plan          Show the fewest writes that would make trackers follow their analyses, and
                    distributions their files; writes nothing
      apply         Show the plan, ask, and write it
      status        Tell how trackers stand, by what was last read, planned and written, and what the
                    daemon does
      daemon        Do what is due, again and again, when the configuration says so, until SIGTERM;
                    SIGHUP reads the configuration again
      relations     Look at relations
      decisions     Look at what people decided by hand
      distribution  Look after distributions
      series        Look after the series of distributions
      collection    Ask and change which packages and versions are in a series, and where it gets what
                    it lacks
      packageset    Ask and change what package sets there are in a series, and what is in them
      acl           Ask and change who may do what
      module        Ask and change which streams of modules there are, and which are built for which
                    release until when
      eol           Tell what reaches its end: series, streams of modules, and packages through them
      team          Ask and change who is in which team
      log           Tell who changed what in distributions, when, from what to what
      state         Look after the file in which kinset remembers everything
      simulate      Serve a simulated Patchwork
      completions   Print completions for a shell
      man           Print the manual page, or write the pages of all commands into a folder
      help          Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>  The configuration file [default: `$KINSET_CONFIG`, else
                           `/etc/kinset/kinset.toml`]
      -h, --help           Print help
      -V, --version        Print version
    ");
    assert_eq!(run("help"), run("--help"));
}

#[test]
fn help_of_each_command_shows_its_options() {
    assert_snapshot!(run("plan --help"), @r"
    exit 0
    --- stdout
    Show the fewest writes that would make trackers follow their analyses, and distributions their
    files; writes nothing

    Usage: kinset plan [OPTIONS] [NAME]...

    Arguments:
      [NAME]...  The trackers and distributions to plan for [default: all]

    Options:
      -c, --config <FILE>      The configuration file [default: `$KINSET_CONFIG`, else
                               `/etc/kinset/kinset.toml`]
          --no-pull            Plan from the last pull instead of reading the tracker now
          --format <FORMAT>    How to print the plan [default: text] [possible values: text, json]
          --out <FILE>         Save the plan for `apply --plan`
          --detailed-exitcode  Exit with 0 when there is nothing to do, 2 when there is, 1 on error
          --force              Of distributions: change series that have ended, too
          --current <FILE>     Plan between two group files, with no tracker: what there is
          --desired <FILE>     Plan between two group files, with no tracker: what is wanted
          --attach-limit <N>   Between two group files: how many ids one relate may name [default: 50]
      -h, --help               Print help
    ");
    assert_snapshot!(run("apply --help"), @r"
    exit 0
    --- stdout
    Show the plan, ask, and write it

    Usage: kinset apply [OPTIONS] [NAME]...

    Arguments:
      [NAME]...  The trackers and distributions to write to [default: all, or those of the saved plan]

    Options:
      -c, --config <FILE>  The configuration file [default: `$KINSET_CONFIG`, else
                           `/etc/kinset/kinset.toml`]
          --yes            Write without asking
          --plan <FILE>    Apply a plan that `plan --out` saved, unless anything it was computed from
                           has changed
          --no-pull        Plan from the last pull; what the plan touches is read again before it is
                           written all the same
          --force          Of distributions: change series that have ended, too; of a saved plan, what
                           it was made with counts
          --actor <NAME>   Of distributions: who the log says did it [default: `$KINSET_ACTOR`, else
                           `local:` and the name of the file]
      -h, --help           Print help
    ");
    assert_snapshot!(run("pull --help"), @r"
    exit 0
    --- stdout
    Learn what trackers have now, and remember it

    Usage: kinset pull [OPTIONS] [NAME]...

    Arguments:
      [NAME]...  The trackers, and the distributions that follow services, to pull [default: all]

    Options:
      -c, --config <FILE>                 The configuration file [default: `$KINSET_CONFIG`, else
                                          `/etc/kinset/kinset.toml`]
          --full                          Read everything, even if events or what a service says would
                                          tell what has changed
          --max-removed-fraction <SHARE>  The share of what services told of that may be gone, from 0 to
                                          1 [default: as configured]
          --allow-empty                   Let services tell of nothing any more
      -h, --help                          Print help
    ");
    assert_snapshot!(run("relations unmatched --help"), @r"
    exit 0
    --- stdout
    List what is in the analysis and not in the tracker, and the other way round, as of the last pull

    Usage: kinset relations unmatched [OPTIONS] [NAME]...

    Arguments:
      [NAME]...  The trackers to look at [default: all]

    Options:
      -c, --config <FILE>    The configuration file [default: `$KINSET_CONFIG`, else
                             `/etc/kinset/kinset.toml`]
          --format <FORMAT>  How to print it [default: text] [possible values: text, json]
      -h, --help             Print help
    ");
    assert_snapshot!(run("config --help"), @r"
    exit 0
    --- stdout
    Write, check or show the configuration

    Usage: kinset config [OPTIONS] <COMMAND>

    Commands:
      init   Write a configuration to start from, in which every key is explained
      check  Read the configuration, tokens and analyses, and tell what is wrong
      show   Print the configuration in effect, defaults included
      help   Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>  The configuration file [default: `$KINSET_CONFIG`, else
                           `/etc/kinset/kinset.toml`]
      -h, --help           Print help
    ");
    assert_snapshot!(run("man --help"), @r"
    exit 0
    --- stdout
    Print the manual page, or write the pages of all commands into a folder

    Usage: kinset man [OPTIONS]

    Options:
      -c, --config <FILE>  The configuration file [default: `$KINSET_CONFIG`, else
                           `/etc/kinset/kinset.toml`]
          --out <FOLDER>   Write the pages of all commands into this folder
      -h, --help           Print help
    ");
}

#[test]
fn the_version_is_data() {
    assert_snapshot!(run("--version"), @r"
    exit 0
    --- stdout
    kinset VERSION
    ");
}

#[test]
fn without_a_command_there_is_help_and_failure() {
    let help = run("--help").replace("exit 0\n--- stdout", "exit 1\n--- stderr");
    assert_eq!(run(""), help);
}

#[test]
fn misuse_exits_with_1_because_2_means_changes() {
    assert_snapshot!(run("paln"), @r"
    exit 1
    --- stderr
    error: unrecognized subcommand 'paln'

      tip: some similar subcommands exist: 'acl', 'man', 'plan'

    Usage: kinset [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --detailed-exit"), @r"
    exit 1
    --- stderr
    error: unexpected argument '--detailed-exit' found

      tip: a similar argument exists: '--detailed-exitcode'

    Usage: kinset plan --detailed-exitcode [NAME]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --format yaml"), @r"
    exit 1
    --- stderr
    error: invalid value 'yaml' for '--format <FORMAT>'
      [possible values: text, json]

    For more information, try '--help'.
    ");
    assert_snapshot!(run("config"), @r"
    exit 1
    --- stderr
    Write, check or show the configuration

    Usage: kinset config [OPTIONS] <COMMAND>

    Commands:
      init   Write a configuration to start from, in which every key is explained
      check  Read the configuration, tokens and analyses, and tell what is wrong
      show   Print the configuration in effect, defaults included
      help   Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>  The configuration file [default: `$KINSET_CONFIG`, else
                           `/etc/kinset/kinset.toml`]
      -h, --help           Print help
    ");
    assert_snapshot!(run("completions tcsh"), @r"
    exit 1
    --- stderr
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    ");
}

#[test]
fn a_plan_between_files_wants_both_and_nothing_of_a_tracker() {
    assert_snapshot!(run("plan --current a"), @r"
    exit 1
    --- stderr
    error: the following required arguments were not provided:
      --desired <FILE>

    Usage: kinset plan --current <FILE> --desired <FILE> [NAME]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --desired a"), @r"
    exit 1
    --- stderr
    error: the following required arguments were not provided:
      --current <FILE>

    Usage: kinset plan --desired <FILE> --current <FILE> [NAME]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan kernel --current a --desired b"), @r"
    exit 1
    --- stderr
    error: the argument '[NAME]...' cannot be used with '--current <FILE>'

    Usage: kinset plan --desired <FILE> <NAME>...

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --current a --desired b --out c"), @r"
    exit 1
    --- stderr
    error: the argument '--current <FILE>' cannot be used with '--out <FILE>'

    Usage: kinset plan --current <FILE> --desired <FILE> [NAME]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --current a --desired b --no-pull"), @r"
    exit 1
    --- stderr
    error: the argument '--current <FILE>' cannot be used with '--no-pull'

    Usage: kinset plan --current <FILE> --desired <FILE> [NAME]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --attach-limit 3"), @r"
    exit 1
    --- stderr
    error: the following required arguments were not provided:
      --desired <FILE>
      --current <FILE>

    Usage: kinset plan --desired <FILE> --current <FILE> --attach-limit <N> [NAME]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --current a --desired b --attach-limit 0"), @r"
    exit 1
    --- stderr
    error: invalid value '0' for '--attach-limit <N>': expected a whole number from 1 to 4294967295

    For more information, try '--help'.
    ");
    assert_snapshot!(run("plan --current a --desired b --attach-limit many"), @r"
    exit 1
    --- stderr
    error: invalid value 'many' for '--attach-limit <N>': expected a whole number from 1 to 4294967295

    For more information, try '--help'.
    ");
}

/// Runs a script in a shell, if that shell is there.
fn in_shell(shell: &str, script: &str) -> Option<String> {
    let output = Command::new(shell).args(["-c", script]).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn completions_for_bash_complete() {
    let place = Place::new();
    place.write("kinset.bash", place.data("completions bash"));
    let script = format!(
        "source {}; COMP_WORDS=(kinset pla); COMP_CWORD=1; _kinset kinset pla kinset; echo \"${{COMPREPLY[@]}}\"",
        place.path("kinset.bash").display()
    );
    if let Some(completed) = in_shell("bash", &script) {
        assert_eq!(completed, "plan\n");
    }
}

#[test]
fn completions_are_made_for_each_shell() {
    for (shell, first_line) in [
        ("bash", "_kinset() {"),
        ("zsh", "#compdef kinset"),
        (
            "fish",
            "# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.",
        ),
    ] {
        let script = Place::new().data(&format!("completions {shell}"));
        assert_eq!(script.lines().next(), Some(first_line), "{shell}");
        for word in ["plan", "apply", "unmatched", "detailed-exitcode"] {
            assert!(script.contains(word), "{word} in {shell}");
        }
    }
}

#[test]
fn the_manual_page_names_every_command() {
    let page = Place::new().data("man");
    assert!(page.contains(".TH kinset 1"), "{page}");
    for command in ["config", "pull", "plan", "apply", "relations", "simulate", "completions", "man"] {
        assert!(page.contains(&format!("kinset\\-{command}(1)")), "{command}");
    }
}

#[test]
fn the_manual_pages_of_all_commands_go_into_a_folder() {
    let place = Place::new();
    assert_snapshot!(place.run("man --out nowhere"), @r"
    exit 1
    --- stderr
    error: cannot write nowhere
      because: No such file or directory (os error 2)
      help: check that the folder exists and that this user may write there
    ");
    std::fs::create_dir(place.path("pages")).unwrap();
    assert_eq!(place.run("man --out pages"), "exit 0\n");
    for page in ["kinset.1", "kinset-plan.1", "kinset-relations-unmatched.1"] {
        assert!(place.read(&format!("pages/{page}")).contains(".SH NAME"), "{page}");
    }
}
