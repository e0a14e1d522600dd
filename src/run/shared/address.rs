//! Where a shared run is kept: a PostgreSQL database, and the run's name in it.
//!
//! An address is written `postgres://user@host:5432/database?run=name`. A password comes from the
//! address, from the environment or from a password file, in this order, and can't be printed: what is
//! shown of an address leaves it out.

use super::error::SharedError;
use super::passwords::{Place, find_password};
use super::tls;
use postgres::Config;
use postgres::config::{Host, SslMode};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long sent bytes may go unacknowledged before a connection counts as dead.
const SILENCE: Duration = Duration::from_secs(15);

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What the environment adds to an address, as PostgreSQL's own programs read it.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `PGUSER`, or else the name of whoever runs the program.
    pub user: Option<String>,
    /// `PGPASSWORD`.
    pub password: Option<Secret>,
    /// `PGPASSFILE`, or `.pgpass` in the home folder. It need not exist.
    pub password_file: Option<PathBuf>,
}

/// A run in a database, with all that is needed to reach it.
#[derive(Clone)]
pub struct Address {
    config: Config,
    /// As written, without the password and without `run`.
    base: String,
    parameters: Vec<String>,
    run: Option<String>,
    authorities: Option<PathBuf>,
    password: PasswordFrom,
}

/// Where a password came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordFrom {
    /// There is none.
    Nowhere,
    /// The address.
    Address,
    /// The environment.
    Environment,
    /// A password file.
    File,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is no address of a database, asks for what strata doesn't do, or a password file can be
    /// read by others.
    pub fn parse(text: &Secret, surroundings: &Surroundings) -> Result<Self, SharedError> {
        let ours = Parameters::take(text.reveal())?;
        let mut config: Config = ours.plain().parse().map_err(SharedError::address_of)?;
        if let Some(password) = &ours.password {
            config.password(decoded(password));
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(SharedError::Address(
                "it names no host; write `postgres://user@host/database?run=name`".to_owned(),
            ));
        }
        if config.get_user().is_none()
            && let Some(user) = &surroundings.user
        {
            config.user(user);
        }
        config.application_name("strata");
        config.connect_timeout(CONNECT_TIMEOUT);
        config.tcp_user_timeout(SILENCE);
        config.keepalives_idle(SILENCE);
        config.keepalives_interval(SILENCE / 3);
        config.keepalives_retries(3);
        config.ssl_mode(
            ours.encryption
                .unwrap_or_else(|| default_encryption(&config)),
        );
        let password = match &ours.password {
            Some(_) => PasswordFrom::Address,
            None => PasswordFrom::Nowhere,
        };
        let address = Self {
            config,
            base: ours.base,
            parameters: ours.kept,
            run: ours.run,
            authorities: ours.authorities,
            password,
        };
        address.with_password(surroundings)
    }

    /// The same database with this run.
    #[must_use]
    pub fn of_run(mut self, run: &str) -> Self {
        self.run = Some(run.to_owned());
        self
    }

    /// The run's name, if the address names one.
    pub fn run(&self) -> Option<&str> {
        self.run.as_deref()
    }

    /// Where the password came from, so that a process on another machine can be given it or not.
    pub fn password_from(&self) -> PasswordFrom {
        self.password
    }

    /// The password.
    pub fn password(&self) -> Option<Secret> {
        let password = self.config.get_password()?;
        Some(Secret::new(String::from_utf8_lossy(password)))
    }

    /// Makes a connection.
    pub(super) fn connect(&self) -> Result<postgres::Client, SharedError> {
        let tls = tls::connector(self.authorities.as_deref())?;
        self.config
            .connect(tls)
            .map_err(|source| SharedError::connect(self.to_string(), source))
    }

    fn with_password(mut self, surroundings: &Surroundings) -> Result<Self, SharedError> {
        if self.password == PasswordFrom::Address {
            return Ok(self);
        }
        if let Some(password) = &surroundings.password {
            self.config.password(password.reveal());
            self.password = PasswordFrom::Environment;
        } else if let Some(file) = &surroundings.password_file
            && let Some(password) = find_password(file, &self.place())?
        {
            self.config.password(password.reveal());
            self.password = PasswordFrom::File;
        }
        Ok(self)
    }

    fn place(&self) -> Place {
        let user = self.config.get_user().unwrap_or_default().to_owned();
        Place {
            host: self.host(),
            port: self.config.get_ports().first().copied().unwrap_or(5432),
            database: self.config.get_dbname().unwrap_or(&user).to_owned(),
            user,
        }
    }

    fn host(&self) -> String {
        match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            // As in PostgreSQL's password files, which call every socket's host this.
            #[cfg(unix)]
            Some(Host::Unix(_)) => "localhost".to_owned(),
            None => self
                .config
                .get_hostaddrs()
                .first()
                .map_or_else(String::new, ToString::to_string),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)?;
        let run = self.run.iter().map(|run| format!("run={run}"));
        let parameters: Vec<String> = run.chain(self.parameters.iter().cloned()).collect();
        if parameters.is_empty() {
            return Ok(());
        }
        write!(f, "?{}", parameters.join("&"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Whether a text is a name that a run may have: it is a folder's name too.
pub fn is_run_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=100).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

/// An address in its parts.
struct Parameters {
    /// Without password and parameters.
    base: String,
    /// As in an address: with escapes.
    password: Option<String>,
    run: Option<String>,
    encryption: Option<SslMode>,
    authorities: Option<PathBuf>,
    /// Every parameter but `run`.
    kept: Vec<String>,
    /// Those that PostgreSQL's client reads.
    foreign: Vec<String>,
}

impl Parameters {
    fn take(text: &str) -> Result<Self, SharedError> {
        let rest = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or_else(|| {
            SharedError::Address("it does not begin with `postgres://`".to_owned())
        })?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, password) = without_password(place);
        let mut parts = Self {
            base: format!("postgres://{place}"),
            password,
            run: None,
            encryption: None,
            authorities: None,
            kept: Vec::new(),
            foreign: Vec::new(),
        };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            parts.read(parameter)?;
        }
        Ok(parts)
    }

    fn read(&mut self, parameter: &str) -> Result<(), SharedError> {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let refused = |message: &str| Err(SharedError::Address(message.to_owned()));
        match key {
            "run" if is_run_name(value) => {
                self.run = Some(value.to_owned());
                return Ok(());
            }
            "run" => {
                return refused(
                    "`run` is a name of letters, digits, `-`, `_` and `.`, at most 100 of them, not \
                     beginning with `.`",
                );
            }
            "password" => {
                return refused(
                    "a password stands before the host (`user:password@host`), in PGPASSWORD, or \
                     best in a password file",
                );
            }
            "sslmode" => self.encryption = Some(encryption(value)?),
            "sslrootcert" => self.authorities = Some(Path::new(value).to_owned()),
            _ => self.foreign.push(parameter.to_owned()),
        }
        self.kept.push(parameter.to_owned());
        Ok(())
    }

    /// The address for PostgreSQL's client, without the password.
    fn plain(&self) -> String {
        if self.foreign.is_empty() {
            return self.base.clone();
        }
        format!("{}?{}", self.base, self.foreign.join("&"))
    }
}

/// `user:password@host/database` as `user@host/database` and the password. A host has no `@`, so the last
/// one before the path ends the password.
fn without_password(place: &str) -> (String, Option<String>) {
    let (authority, path) = match place.find('/') {
        // A password with a slash that was not escaped reaches beyond it.
        Some(slash) if !place[slash..].contains('@') => place.split_at(slash),
        _ => (place, ""),
    };
    let Some((login, host)) = authority.rsplit_once('@') else {
        return (place.to_owned(), None);
    };
    match login.split_once(':') {
        None => (place.to_owned(), None),
        Some((user, password)) => (format!("{user}@{host}{path}"), Some(password.to_owned())),
    }
}

/// A text without its `%xx`.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

fn encryption(value: &str) -> Result<SslMode, SharedError> {
    match value {
        "disable" => Ok(SslMode::Disable),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        _ => Err(SharedError::Address(
            "`sslmode` is `disable` or `verify-full`: strata encrypts and checks who answers, or does \
             neither; `sslrootcert=FILE` names the authority of your own that signed the certificate"
                .to_owned(),
        )),
    }
}

/// Connections that leave the machine are encrypted unless the address says otherwise.
fn default_encryption(config: &Config) -> SslMode {
    let named = |host: &Host| match host {
        Host::Tcp(name) => {
            let loopback = |address: IpAddr| address.is_loopback();
            name == "localhost" || name.parse().is_ok_and(loopback)
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    let local = config.get_hosts().iter().all(named)
        && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    if local {
        SslMode::Disable
    } else {
        SslMode::Require
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, SharedError> {
        Address::parse(&Secret::new(text), &Surroundings::default())
    }

    #[test]
    fn a_password_is_in_nothing_that_is_shown() {
        let address = parse("postgres://ada:hunter2@db.example:5433/nas?run=first").unwrap();
        assert_eq!(
            address.to_string(),
            "postgres://ada@db.example:5433/nas?run=first"
        );
        assert!(!format!("{address:?} {:?}", Secret::new("hunter2")).contains("hunter2"));
        assert_eq!(address.config.get_password(), Some(&b"hunter2"[..]));
        let escaped = parse("postgresql://ada:p%40ss%2fw@db/nas?sslmode=disable&run=a").unwrap();
        assert_eq!(
            escaped.to_string(),
            "postgres://ada@db/nas?run=a&sslmode=disable"
        );
        assert_eq!(escaped.config.get_password(), Some(&b"p@ss/w"[..]));
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_its_password() {
        for wrong in [
            "mysql://ada:hunter2@db/nas",
            "postgres://ada:hunter2@db:port/nas",
            "postgres://ada:hunter2@db/nas?run=../elsewhere",
            "postgres://ada:hunter2@db/nas?sslmode=prefer",
            "postgres://ada:hunter2@db/nas?password_of=hunter3",
            "postgres://ada:hunter2/3@db/nas?x=1",
            "postgres://ada@db/nas?password=hunter2",
            "postgres:///nas?run=first",
        ] {
            let error = parse(wrong).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter"), "{text}");
        }
    }

    #[test]
    fn connections_that_leave_the_machine_are_encrypted() {
        let mode = |text| parse(text).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://ada@localhost/nas"), SslMode::Disable);
        assert_eq!(mode("postgres://ada@[::1]/nas"), SslMode::Disable);
        assert_eq!(mode("postgres://ada@db.example/nas"), SslMode::Require);
        assert_eq!(
            mode("postgres://ada@db/nas?sslmode=disable"),
            SslMode::Disable
        );
    }

    #[test]
    fn a_password_comes_from_the_address_then_the_environment_then_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        crate::run::shared::passwords::write_private(&file, "db:*:nas:ada:third\n");
        let mut around = Surroundings {
            password_file: Some(file),
            ..Surroundings::default()
        };
        let password = |text: &str, around: &Surroundings| {
            let address = Address::parse(&Secret::new(text), around).unwrap();
            String::from_utf8(address.config.get_password().unwrap().to_vec()).unwrap()
        };
        assert_eq!(password("postgres://ada@db/nas", &around), "third");
        around.password = Some(Secret::new("second"));
        assert_eq!(password("postgres://ada@db/nas", &around), "second");
        assert_eq!(password("postgres://ada:first@db/nas", &around), "first");
    }
}
