//! Hosts on one machine: network namespaces with an address each, which can be cut off.

use super::fixture::{Shared, strata};
use super::postgresql::{Postgresql, is_root, which};
use super::{skip, test_name};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// A namespace with one link to the outside.
pub struct Host {
    name: String,
    outside: String,
}

/// Why this machine can't have hosts; nothing if it can.
pub fn obstacle() -> Option<String> {
    if !is_root() {
        return Some("network namespaces need root".to_owned());
    }
    if let Some(missing) = ["ip", "nsenter"].iter().find(|name| which(name).is_none()) {
        return Some(format!("there is no `{missing}`"));
    }
    let probe = format!("strata-probe-{}", std::process::id());
    let made = run(&["ip", "netns", "add", &probe]);
    let removed = run(&["ip", "netns", "delete", &probe]);
    let failed = made.and(removed).err()?;
    Some(format!("network namespaces can't be made: {failed}"))
}

impl Host {
    /// A host at `inside`, which reaches this machine at `outside`; both are 10.x.y.z.
    pub fn new(label: &str, outside: &str, inside: &str) -> Self {
        // Names of links have at most 15 letters.
        let id = format!("{label}{:x}", std::process::id() & 0xf_ffff);
        let host = Self {
            name: format!("strata-{id}"),
            outside: format!("so{id}"),
        };
        let link = format!("si{id}");
        let (name, end) = (host.name.as_str(), host.outside.as_str());
        let (outside, inside) = (format!("{outside}/30"), format!("{inside}/30"));
        for command in [
            &["ip", "netns", "add", name][..],
            &[
                "ip", "link", "add", end, "type", "veth", "peer", "name", &link, "netns", name,
            ],
            &["ip", "address", "add", &outside, "dev", end],
            &["ip", "link", "set", end, "up"],
            &["ip", "-n", name, "address", "add", &inside, "dev", &link],
            &["ip", "-n", name, "link", "set", &link, "up"],
            &["ip", "-n", name, "link", "set", "lo", "up"],
            &[
                "ip",
                "-n",
                name,
                "route",
                "add",
                "default",
                "via",
                outside.trim_end_matches("/30"),
            ],
        ] {
            run(command).unwrap();
        }
        host
    }

    /// A command that runs on the host.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", self.name))
            .arg("--")
            .arg(program);
        command
    }

    /// Cuts the host off, or connects it again.
    pub fn connect(&self, connected: bool) {
        let state = if connected { "up" } else { "down" };
        run(&["ip", "link", "set", &self.outside, state]).unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What runs there would keep it.
        let output = Command::new("ip")
            .args(["netns", "pids", &self.name])
            .output();
        let output = output.map(|output| output.stdout).unwrap_or_default();
        for process in String::from_utf8_lossy(&output).split_whitespace() {
            let _ = run(&["kill", "-s", "KILL", process]);
        }
        let _ = run(&["ip", "link", "delete", &self.outside]);
        let _ = run(&["ip", "netns", "delete", &self.name]);
    }
}

fn run(command: &[&str]) -> Result<(), String> {
    let output = Command::new(command[0]).args(&command[1..]).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", command.join(" "), said.trim()))
}

#[test]
fn a_host_that_is_cut_off_changes_nothing() {
    if let Some(why) = obstacle() {
        return skip(&test_name(), "namespaces", &why);
    }
    let host = Host::new("a", "10.98.0.1", "10.98.0.2");
    let Some(server) = Postgresql::start("127.0.0.1,10.98.0.1", &[]) else {
        return;
    };
    let shared = Shared::new(&server, "cut-off");
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let outside = strata(shared.folder.path());
    let mut command = host.command(&outside.get_program().to_string_lossy());
    command
        .current_dir(shared.folder.path())
        .env("PGPASSWORD", super::postgresql::PASSWORD)
        .arg("worker")
        .arg(server.url_at("10.98.0.1", &shared.run));
    let mut victim = shared.process(command, "victim");
    shared.wait_for_lease(0);
    host.connect(false);
    let _other = shared.worker("other");
    // Long enough for its lease of two seconds to run out and its work to be taken.
    thread::sleep(Duration::from_secs(4));
    host.connect(true);
    shared.ends_well(&mut controller, "runs");
    assert!(victim.wait().success(), "{}", victim.said());
    assert!(
        victim.said().contains("the run is over"),
        "{}",
        victim.said()
    );
}
