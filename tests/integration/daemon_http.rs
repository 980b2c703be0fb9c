//! What the daemon tells over HTTP, as a process.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use tokio::runtime::Runtime;

use crate::cli_support::{Place, Tracker, world};
use crate::support::daemon::{Daemon, is_told, place, told, told_each_second};
use crate::support::fedora::Table;
use crate::support::older::put_back_to_version_8;
use crate::support::service::serve;

/// An address that nobody listens at.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn how_things_stand_is_told_over_http_as_long_as_it_lives() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = place(&tracker, "plan-only", &told_each_second(), "1 2\n3 4\n");
    let daemon = Daemon::of(&place);
    let address = daemon.address();
    is_told(address, "/", "<h1>All is well</h1>");
    is_told(address, "/trackers/kernel", "1 write");
    is_told(address, "/readyz", "{\"ready\":true,\"reasons\":[]}");
    is_told(address, "/metrics", "kinset_waiting_plan_writes{tracker=\"kernel\"} 1.0");
    let labels = "subject=\"tracker\",name=\"kernel\",job=\"sync\",outcome=\"waiting\"";
    is_told(address, "/metrics", &format!("kinset_runs_total{{{labels}}} "));
    let config = place.read("kinset.toml").replace("policy", "polycy");
    place.write("kinset.toml", config);
    daemon.signal(Signal::HUP);
    is_told(address, "/metrics", "\nkinset_configuration_refused 1.0\n");
    is_told(address, "/", "refused, so the old one is in effect");
    daemon.stop();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_state_of_an_older_version_is_brought_up_to_date_at_once_and_told_of_before_the_first_run() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let address = free_address();
    let tables = format!("[tracker.schedule]\nsweep = \"0 0 1 1 *\"\n[daemon]\nlisten = \"{address}\"\n");
    let place = place(&tracker, "plan-only", &tables, "1 2\n3 4\n");
    place.data("pull");
    put_back_to_version_8(&place.path("state"));
    let daemon = Daemon::of(&place);
    daemon.hears("READY=1");
    let ready = told(address, "/readyz");
    assert!(ready.contains("{\"ready\":true,\"reasons\":[]}"), "{ready}");
    let page = told(address, "/trackers/kernel");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(place.path("state/kinset.sqlite3.v8.bak").exists());
    let log = daemon.stop();
    assert!(log.contains("the state was brought up to date from=8 to=10"), "{log}");
    assert!(!log.contains("outcome="), "{log}");
}

#[test]
fn requests_to_trackers_and_to_each_source_are_counted_by_what_came_of_them() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let runtime = Runtime::new().unwrap();
    let table = "version,codename,series,created\n24.04 LTS,Noble Numbat,noble,2023-10-12\n".to_owned();
    let table = runtime.block_on(serve(&Arc::new(Table(Mutex::new(table)))));
    let there = table.uri();
    let nowhere = format!("{}/nowhere", tracker.url());
    let distribution = format!(
        "[[distribution]]\nname = \"ubuntu\"\n[distribution.schedule]\npull = \"* * * * * *\"\n\
         [[distribution.source]]\nkind = \"distro-info\"\nname = \"dates\"\nurl = \"{there}/ubuntu.csv\"\n\
         [[distribution.source]]\nkind = \"bodhi\"\nname = \"lost\"\nurl = \"{nowhere}\"\nid_prefixes = [\"FEDORA\"]\n"
    );
    let place = place(&tracker, "plan-only", &(told_each_second() + &distribution), "1 2\n3 4\n");
    let daemon = Daemon::of(&place);
    let address = daemon.address();
    let of = |subject: &str, name: &str, job: &str, rest: &str| {
        format!("\nkinset_requests_total{{subject=\"{subject}\",name=\"{name}\",job=\"{job}\",{rest}}} ")
    };
    is_told(address, "/metrics", &of("tracker", "kernel", "sync", "outcome=\"success\""));
    for (source, outcome) in [("dates", "success"), ("dates", "unchanged"), ("lost", "refused")] {
        let rest = format!("source=\"{source}\",outcome=\"{outcome}\"");
        is_told(address, "/metrics", &of("distribution", "ubuntu", "pull", &rest));
    }
    let numbers = told(address, "/metrics");
    let first = of("distribution", "ubuntu", "pull", "source=\"dates\",outcome=\"success\"");
    assert!(
        numbers.contains(&format!("{first}1\n")),
        "read once, and unchanged from then on: {numbers}"
    );
    daemon.stop();
}

/// Has another configuration read, and returns what is said of that.
fn read_again(place: &Place, daemon: &Daemon, listen: &str) -> String {
    let config = place.read("kinset.toml");
    let before = config.lines().find(|line| line.starts_with("listen = ")).unwrap();
    place.write("kinset.toml", config.replace(before, &format!("listen = \"{listen}\"")));
    daemon.signal(Signal::HUP);
    daemon.hears("RELOADING=1");
    let mut said = String::new();
    loop {
        let more = daemon.hears("");
        said.push_str(&more);
        if more == "READY=1" {
            return said;
        }
    }
}

#[test]
fn another_address_is_gone_to_without_a_restart_unless_it_is_not_to_be_had() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let (first, second) = (free_address(), free_address());
    let tables = format!("[tracker.schedule]\nsweep = \"0 0 1 1 *\"\n[daemon]\nlisten = \"{first}\"\n");
    let place = place(&tracker, "plan-only", &tables, "1 2\n3 4\n");
    let daemon = Daemon::of(&place);
    daemon.hears("READY=1");
    assert!(told(first, "/healthz").starts_with("HTTP/1.1 200"));

    read_again(&place, &daemon, &second.to_string());
    assert!(TcpStream::connect(first).is_err());
    assert!(told(second, "/metrics").contains("\nkinset_configuration_reloads_total{outcome=\"taken\"} 1\n"));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = read_again(&place, &daemon, &taken.local_addr().unwrap().to_string());
    let refused = "STATUS=the daemon cannot tell how things stand; the old configuration stays in effect";
    assert!(said.contains(refused), "{said}");
    let page = told(second, "/");
    assert!(
        page.contains("refused, so the old one is in effect") && page.contains("cannot listen on"),
        "{page}"
    );

    let port = second.port();
    let neighbour = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let everywhere = format!("0.0.0.0:{port}");
    assert!(read_again(&place, &daemon, &everywhere).contains(refused));
    assert!(told(second, "/metrics").contains("\nkinset_configuration_refused 1.0\n"));
    drop(neighbour);
    assert!(!read_again(&place, &daemon, &everywhere).contains(refused));
    assert!(told(second, "/metrics").contains("\nkinset_configuration_refused 0.0\n"));

    read_again(&place, &daemon, "off");
    assert!(TcpStream::connect(second).is_err());
    let log = daemon.stop();
    let warning = format!("nobody has to say who they are address={everywhere}");
    assert_eq!(log.matches(&warning).count(), 1, "{log}");
}
