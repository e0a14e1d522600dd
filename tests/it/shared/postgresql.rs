//! A PostgreSQL of a test's own, thrown away with it.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};
use strata::run::shared::{Address, Secret, Session, Surroundings};
use tempfile::TempDir;

/// The password of its only user.
pub const PASSWORD: &str = "correct-horse-battery";

/// A running server.
pub struct Postgresql {
    folder: TempDir,
    programs: PathBuf,
    user: Option<String>,
    listen: String,
    port: u16,
    process: Mutex<Option<Child>>,
}

static SHARED: Mutex<Weak<Postgresql>> = Mutex::new(Weak::new());

impl Postgresql {
    /// A server that tests share as long as one of them runs; nothing if the machine can't have one.
    pub fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start("127.0.0.1", &[])?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// A server of the test's own that listens at these addresses, parted by commas, and has these settings.
    pub fn start(listen: &str, settings: &[&str]) -> Option<Self> {
        Self::start_with(listen, settings, &[])
    }

    /// As [`start`](Self::start), with these files among its own.
    pub fn start_with(listen: &str, settings: &[&str], files: &[(&str, Vec<u8>)]) -> Option<Self> {
        let (programs, user) = match Self::requirements() {
            Ok(found) => found,
            Err(why) => {
                skip(&test_name(), "postgresql", &why);
                return None;
            }
        };
        let server = Self {
            folder: tempfile::tempdir().unwrap(),
            programs,
            user,
            listen: listen.to_owned(),
            port: free_port(),
            process: Mutex::new(None),
        };
        server.initialise(settings);
        for (name, content) in files {
            server.give(&server.data().join(name), content);
        }
        server.restart();
        Some(server)
    }

    /// The address of a run.
    pub fn url(&self, run: &str) -> String {
        self.url_at(self.host(), run)
    }

    /// As [`url`](Self::url), by another of the addresses that it listens at.
    pub fn url_at(&self, host: &str, run: &str) -> String {
        let port = self.port;
        format!("postgres://strata@{host}:{port}/postgres?run={run}&sslmode=disable")
    }

    fn host(&self) -> &str {
        self.listen.split(',').next().unwrap()
    }

    pub fn address(&self, run: &str) -> Address {
        let surroundings = Surroundings {
            password: Some(Secret::new(PASSWORD)),
            ..Surroundings::default()
        };
        Address::parse(&Secret::new(self.url(run)), &surroundings).unwrap()
    }

    pub fn session(&self) -> Session {
        Session::open(&self.address("any")).unwrap()
    }

    /// A connection without strata's own code between.
    pub fn client(&self) -> postgres::Client {
        let mut config: postgres::Config =
            self.url("x").split('?').next().unwrap().parse().unwrap();
        config.password(PASSWORD);
        config.connect(postgres::NoTls).unwrap()
    }

    /// Kills the server where it stands.
    pub fn crash(&self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill().unwrap();
            let status = process.wait().unwrap();
            assert_eq!(status.signal(), Some(9));
        }
    }

    /// Starts it, after a crash too.
    pub fn restart(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut process = self.spawn();
            while Instant::now() < deadline && process.try_wait().unwrap().is_none() {
                if TcpStream::connect((self.host(), self.port)).is_ok() && self.answers() {
                    *self.process.lock().unwrap() = Some(process);
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
            // Backends of the one that was killed may still hold its files.
            assert!(
                Instant::now() < deadline,
                "PostgreSQL doesn't start:\n{}",
                fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            let _ = process.kill();
            let _ = process.wait();
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn answers(&self) -> bool {
        let mut config: postgres::Config =
            self.url("x").split('?').next().unwrap().parse().unwrap();
        config.password(PASSWORD);
        config.connect(postgres::NoTls).is_ok()
    }

    /// Where its programs are and who may run them, or why they can't be run.
    fn requirements() -> Result<(PathBuf, Option<String>), String> {
        let programs = programs().ok_or("PostgreSQL is not installed (no initdb)")?;
        if !is_root() {
            return Ok((programs, None));
        }
        if which("setpriv").is_none() {
            return Err("PostgreSQL won't run as root, and there is no setpriv".to_owned());
        }
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let user = ["postgres", "nobody"]
            .into_iter()
            .find(|name| user_id(&known, name).is_some());
        match user {
            Some(user) => Ok((programs, Some(user.to_owned()))),
            None => Err("PostgreSQL won't run as root, and there is no other user".to_owned()),
        }
    }

    /// Puts a file where only the server can read it.
    fn give(&self, file: &Path, content: &[u8]) {
        fs::write(file, content).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        self.own(file);
    }

    /// Lets a file belong to the server's user.
    fn own(&self, file: &Path) {
        if let Some(user) = &self.user {
            let known = fs::read_to_string("/etc/passwd").unwrap();
            chown(file, user_id(&known, user), None).unwrap();
        }
    }

    fn initialise(&self, settings: &[&str]) {
        let folder = self.folder.path();
        let password = folder.join("password");
        self.own(folder);
        self.give(&password, PASSWORD.as_bytes());
        let mut initialise = self.command("initdb");
        initialise
            .args([
                "--no-sync",
                "-U",
                "strata",
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
            ])
            .arg("--locale=C")
            .arg("--pwfile")
            .arg(&password)
            .arg("-D")
            .arg(self.data());
        let output = initialise.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut text = fs::read_to_string(self.data().join("postgresql.conf")).unwrap();
        // A server that is killed loses nothing that it wrote; only a machine that goes down does.
        text.push_str("\nfsync = off\nmax_connections = 200\nshared_buffers = 32MB\n");
        for setting in settings {
            text.push_str(setting);
            text.push('\n');
        }
        fs::write(self.data().join("postgresql.conf"), text).unwrap();
        let access = self.data().join("pg_hba.conf");
        let mut text = fs::read_to_string(&access).unwrap();
        text.push_str("host all all 10.0.0.0/8 scram-sha-256\n");
        fs::write(&access, text).unwrap();
    }

    fn spawn(&self) -> Child {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .arg("-p")
            .arg(self.port.to_string())
            .arg("-c")
            .arg(format!("listen_addresses={}", self.listen))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command.spawn().unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match &self.user {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .args([&format!("--reuid={user}"), "--clear-groups"])
                    .arg(program);
                command
            }
        };
        command.current_dir(self.folder.path());
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Postgresql {
    fn drop(&mut self) {
        self.crash();
        // Its backends see that it is gone and end; their folder may go when they have.
        thread::sleep(Duration::from_millis(100));
    }
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    versions.sort();
    let newest = versions.pop();
    newest.or_else(|| Some(which("initdb")?.parent()?.to_owned()))
}

/// A program on the path.
pub fn which(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let mut folders: Vec<PathBuf> = std::env::split_paths(&paths).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders
        .iter()
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(Path::new("/proc/self")).is_ok_and(|own| own.uid() == 0)
}

fn user_id(passwd: &str, name: &str) -> Option<u32> {
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    line.split(':').nth(2)?.parse().ok()
}

fn free_port() -> u16 {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap().port()
}

/// Says that a test is skipped, past the capture of its output.
pub fn skip(test: &str, needs: &str, why: &str) {
    let required = std::env::var("STRATA_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name == needs),
        "{test} needs {needs}: {why}"
    );
    let _ = writeln!(std::io::stderr(), "skipped {test}: {why}");
}

/// The name of the test that runs.
pub fn test_name() -> String {
    let thread = std::thread::current();
    thread.name().unwrap_or("a test").to_owned()
}
