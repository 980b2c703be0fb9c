//! What names stand for: trackers and distributions of a configuration.

use kinset::config::{Config, Follows, Selection};
use kinset::remedy::Remedy as _;

use crate::config::{LEAST, least_with, parse};

pub(crate) fn two_trackers() -> Config {
    let second = least_with("kernel", "qemu").replace("alpha", "beta");
    parse(&format!("{LEAST}\n{second}"))
}

#[test]
fn trackers_are_selected_by_name_and_come_in_the_order_of_the_file() {
    let config = two_trackers();
    let selected = |names: &[&str]| -> Vec<String> {
        config
            .select(names)
            .unwrap()
            .iter()
            .map(|tracker| tracker.name.to_string())
            .collect()
    };
    assert_eq!(selected(&[]), ["kernel", "qemu"]);
    assert_eq!(selected(&["qemu"]), ["qemu"]);
    assert_eq!(selected(&["qemu", "kernel", "qemu"]), ["kernel", "qemu"]);
}

/// [`two_trackers`] and two distributions.
fn four_names() -> Config {
    let distribution = |name: &str| format!("[[distribution]]\nname = \"{name}\"\nfile = \"{name}.toml\"\n");
    let second = least_with("kernel", "qemu").replace("alpha", "beta");
    parse(&format!(
        "{LEAST}\n{second}\n{}{}",
        distribution("tidewater"),
        distribution("fenland")
    ))
}

#[test]
fn names_stand_for_trackers_and_distributions_and_where_only_trackers_will_do_for_those() {
    let config = four_names();
    let selected = |names: &[&str]| {
        let Selection { trackers, distributions } = config.select_any(names).unwrap();
        let trackers = trackers.iter().map(|tracker| tracker.name.to_string());
        trackers
            .chain(distributions.iter().map(|distribution| distribution.name.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(selected(&[]), ["kernel", "qemu", "tidewater", "fenland"]);
    assert_eq!(selected(&["fenland", "qemu"]), ["qemu", "fenland"]);
    assert_eq!(config.select::<&str>(&[]).unwrap().len(), 2);
    let error = config.select_any(&["fenlnad"]).unwrap_err();
    insta::assert_snapshot!(error, @"the configuration /etc/kinset/kinset.toml has no tracker or distribution `fenlnad` (did you mean `fenland`?)");
    insta::assert_snapshot!(error.remedy().unwrap(), @"the trackers and distributions it has: fenland, kernel, qemu, tidewater");
    let error = config.select(&["fenland"]).unwrap_err();
    insta::assert_snapshot!(error, @"the configuration /etc/kinset/kinset.toml has no tracker `fenland` (which is a distribution)");
    insta::assert_snapshot!(error.remedy().unwrap(), @"the trackers it has: kernel, qemu");
}

#[test]
fn no_tracker_is_needed_until_one_is_asked_for() {
    let config = parse("state_dir = \"state\"");
    insta::assert_snapshot!(config.select_any::<&str>(&[]).unwrap_err(), @"the configuration /etc/kinset/kinset.toml names no tracker or distribution");
    insta::assert_snapshot!(config.select_any::<&str>(&[]).unwrap_err().remedy().unwrap(), @"add a [[tracker]] or [[distribution]] table; `kinset config init` shows them with every key");
    insta::assert_snapshot!(config.select(&["kernel"]).unwrap_err(), @"the configuration /etc/kinset/kinset.toml has no tracker `kernel`");
    insta::assert_snapshot!(config.select(&["kernel"]).unwrap_err().remedy().unwrap(), @"it names no tracker at all; add a [[tracker]] table; `kinset config init` shows one with every key");
    let config = parse("[[distribution]]\nname = \"fenland\"\nfile = \"fenland.toml\"");
    let fenland = Follows::File("/etc/kinset/fenland.toml".into());
    assert_eq!(config.distributions[0].follows, fenland);
    insta::assert_snapshot!(config.select::<&str>(&[]).unwrap_err(), @"the configuration /etc/kinset/kinset.toml names no tracker");
    insta::assert_snapshot!(config.select::<&str>(&[]).unwrap_err().remedy().unwrap(), @"this command is about trackers, and not about distributions; add a [[tracker]] table; `kinset config init` shows one with every key");
}

#[test]
fn unknown_trackers_are_all_named_with_the_nearest_known_ones() {
    let error = two_trackers().select(&["kernle", "qemu", "u-boot"]).unwrap_err();
    insta::assert_snapshot!(error, @"the configuration /etc/kinset/kinset.toml has no tracker `kernle` (did you mean `kernel`?) and no tracker `u-boot`");
    insta::assert_snapshot!(error.remedy().unwrap(), @"the trackers it has: kernel, qemu");
}
