//! Workers as jobs of Slurm, on two nodes that are network namespaces of this machine.

use super::fixture::{LONG, Process, Shared, strata};
use super::hosts::{Host, obstacle};
use super::postgresql::{PASSWORD, Postgresql, which};
use super::{skip, test_name};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// This machine's addresses on the links to the nodes, and the nodes' own.
const LINKS: [(&str, &str); 2] = [("10.99.1.1", "10.99.1.2"), ("10.99.2.1", "10.99.2.2")];

/// A cluster of two nodes with two processors and two graphics cards each.
struct Cluster {
    // Dropped first: daemons before the hosts they run on.
    nodes: Vec<Process>,
    _daemons: Vec<Process>,
    hosts: Vec<Host>,
    folder: TempDir,
}

impl Cluster {
    fn start(shared: &Shared<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hosts = [("x", LINKS[0]), ("y", LINKS[1])];
        let hosts = hosts.map(|(label, (outside, inside))| Host::new(label, outside, inside));
        let mut cluster = Self {
            nodes: Vec::new(),
            _daemons: Vec::new(),
            hosts: hosts.into(),
            folder,
        };
        cluster.configure();
        let path = cluster.folder.path().to_owned();
        let mut munged = Command::new(which("munged").unwrap());
        munged
            .args(["--foreground", "--force", "--key-file"])
            .arg(path.join("munge.key"));
        for file in ["socket", "pid-file", "seed-file", "log-file"] {
            let place = path.join(format!("munge.{file}"));
            munged.arg(format!("--{file}={}", place.display()));
        }
        cluster._daemons.push(shared.process(munged, "munged"));
        wait("munged", || path.join("munge.socket").exists());
        let mut control = Command::new(which("slurmctld").unwrap());
        control
            .args(["-D", "-i", "-f"])
            .arg(cluster.configuration());
        cluster._daemons.push(shared.process(control, "slurmctld"));
        for (host, node) in cluster.hosts.iter().zip(["n1", "n2"]) {
            let mut daemon = host.command(which("slurmd").unwrap().to_str().unwrap());
            daemon
                .args(["-D", "-N", node, "-f"])
                .arg(cluster.configuration());
            cluster.nodes.push(shared.process(daemon, node));
        }
        wait("both nodes", || {
            cluster
                .says("sinfo", &["-h", "-t", "idle", "-o", "%D"])
                .trim()
                == "2"
        });
        cluster
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    fn configure(&self) {
        let folder = self.folder.path();
        for name in ["state", "spool"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        fs::write(folder.join("munge.key"), [7_u8; 128]).unwrap();
        restrict(&folder.join("munge.key"));
        let directory = folder.display().to_string();
        for card in ["gpu0", "gpu1"] {
            let made = Command::new("mknod")
                .arg(folder.join(card))
                .args(["c", "1", "3"])
                .status();
            assert!(made.unwrap().success());
        }
        let cards =
            format!("NodeName=n[1-2] Name=gpu Flags=nvidia_gpu_env File={directory}/gpu[0-1]\n");
        fs::write(folder.join("gres.conf"), cards).unwrap();
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let name = name.trim().split('.').next().unwrap();
        let nodes = [("n1", LINKS[0].1), ("n2", LINKS[1].1)].map(|(node, address)| {
            format!(
                "NodeName={node} NodeHostname=h{node} NodeAddr={address} Port=17001 CPUs=2 \
                 RealMemory=2000 Gres=gpu:2 State=UNKNOWN\n"
            )
        });
        let text = SLURM.replace("$DIR", &directory).replace("$HOST", name);
        let text = text.replace("$CONTROL", LINKS[0].0);
        fs::write(
            self.configuration(),
            format!("{text}{}", nodes.concat()) + PARTITION,
        )
        .unwrap();
    }

    /// What a program of Slurm says.
    fn says(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command
            .args(arguments)
            .env("SLURM_CONF", self.configuration())
            .output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    }
}

const SLURM: &str = "ClusterName=ci
SlurmctldHost=$HOST($CONTROL)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$DIR/munge.socket,cred_expire=5
SlurmUser=root
SlurmdUser=root
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=2
StateSaveLocation=$DIR/state
SlurmdSpoolDir=$DIR/spool/%n
SlurmctldPidFile=$DIR/ctld.pid
SlurmdPidFile=$DIR/slurmd-%n.pid
SlurmctldLogFile=$DIR/ctld.log
SlurmdLogFile=$DIR/slurmd-%n.log
SlurmctldPort=16817
SlurmctldTimeout=10
SlurmdTimeout=5
MessageTimeout=4
KillWait=2
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
";

const PARTITION: &str = "PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP\n";

fn restrict(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

fn wait(what: &str, mut is_there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < LONG, "{what}: never there");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Why this machine can't have a cluster; nothing if it can.
fn missing() -> Option<String> {
    let programs = [
        "slurmctld",
        "slurmd",
        "munged",
        "sbatch",
        "squeue",
        "scancel",
        "sinfo",
    ];
    let missing = programs.iter().find(|name| which(name).is_none());
    Some(format!("Slurm is not installed (no {})", missing?))
}

#[test]
fn workers_of_slurm_lose_a_node_and_change_nothing() {
    if let Some(why) = obstacle() {
        return skip(&test_name(), "namespaces", &why);
    }
    if let Some(why) = missing() {
        return skip(&test_name(), "slurm", &why);
    }
    let Some(server) = Postgresql::start("0.0.0.0", &[]) else {
        return;
    };
    let shared = Shared::new(&server, "slurm");
    let mut cluster = Cluster::start(&shared);
    let mut controller = shared.controller("runs");
    shared.wait_for_start();
    let mut launch = strata(shared.folder.path());
    launch
        .env("SLURM_CONF", cluster.configuration())
        .env("STRATA_TEST_SLEEP", "1")
        .env("PGPASSWORD", PASSWORD)
        .args(["launch", "slurm", "-n", "4", "--every", "0.5"])
        .arg(server.url_at(LINKS[0].0, &shared.run))
        .args(["--", "--gres=gpu:1", "--ntasks=1"]);
    let mut launcher = shared.process(launch, "launcher");
    // Each worker has a card of its own: two on each node.
    let devices = shared.folder.path().join("devices.log");
    let cards = ["n1 0", "n1 1", "n2 0", "n2 1"].map(str::to_owned);
    wait("work on every card", || {
        let seen = fs::read_to_string(&devices).unwrap_or_default();
        let seen: BTreeSet<String> = seen.lines().map(str::to_owned).collect();
        assert!(launcher.is_running(), "{}", launcher.said());
        seen == BTreeSet::from(cards.clone())
    });
    cluster.hosts[1].connect(false);
    cluster.nodes[1].kill();
    shared.ends_well(&mut controller, "runs");
    assert!(launcher.wait().success(), "{}", launcher.said());
    let left = cluster.says("squeue", &["-h", "-t", "PENDING,RUNNING", "-o", "%i"]);
    assert_eq!(left.trim(), "", "{}", launcher.said());
}
