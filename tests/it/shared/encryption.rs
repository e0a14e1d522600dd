//! Connections to PostgreSQL that are encrypted, and checked.

use super::postgresql::{PASSWORD, Postgresql, which};
use super::{skip, test_name};
use std::fs;
use std::path::Path;
use std::process::Command;
use strata::run::shared::{Address, Secret, Session, SharedError, Surroundings};

/// Makes an authority (`ca.pem`) and a certificate for `localhost` that it signed.
fn certificates(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.current_dir(folder).args(arguments.split(' '));
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority -days 2",
    );
    openssl("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 \
         -extfile names",
    );
}

#[test]
fn the_servers_certificate_is_checked() {
    if which("openssl").is_none() {
        return skip(&test_name(), "openssl", "there is no openssl");
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let files = [
        ("server.pem", read("server.pem")),
        ("server.key", read("server.key")),
    ];
    let settings = [
        "ssl = on",
        "ssl_cert_file = 'server.pem'",
        "ssl_key_file = 'server.key'",
    ];
    let Some(server) = Postgresql::start_with("localhost", &settings, &files) else {
        return;
    };
    let open = |parameters: &str| {
        let url = server.url("x").replace("&sslmode=disable", parameters);
        let surroundings = Surroundings {
            password: Some(Secret::new(PASSWORD)),
            ..Surroundings::default()
        };
        Session::open(&Address::parse(&Secret::new(url), &surroundings).unwrap())
    };
    let authority = folder.path().join("ca.pem");
    let checked = format!("&sslmode=verify-full&sslrootcert={}", authority.display());
    let mut session = open(&checked).unwrap();
    assert!(session.run("x").names().unwrap().is_empty());
    let used = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'strata'";
    assert!(
        server
            .client()
            .query_one(used, &[])
            .unwrap()
            .get::<_, bool>(0)
    );
    let error = open("&sslmode=verify-full").err().unwrap();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(
        matches!(error, SharedError::Connect { passing: false, .. }),
        "{error:?}"
    );
}
