//! TLS: each mode, root and client certificate means the same on both drivers, against servers that are right, wrong or without TLS.

use crate::support::{execute, own_server};
use futures_util::future::join_all;
use pontoon::ErrorKind;
use pontoon::backend::{
    Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, StorageBackendExt, Target,
};
use pontoon::embedded::Embedded;
use pontoon::sql::{Params, Query};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// What a server shows for itself, in the order of the tables' letters.
const SERVERS: [&str; 5] = ["none", "good", "misnamed", "foreign", "expired"];

/// What becomes of a connection to each of [`SERVERS`]: p, plain; e, encrypted; -, refused. `@` stands for the folder of certificates.
const MODES: [(&str, &str); 14] = [
    ("", "peeee"),
    ("sslmode=disable", "ppppp"),
    ("sslmode=prefer", "peeee"),
    ("sslmode=prefer&sslrootcert=@ca.pem", "peeee"),
    ("sslmode=require", "-eeee"),
    ("sslmode=require&sslrootcert=@ca.pem", "-ee--"),
    ("sslmode=verify-ca&sslrootcert=@ca.pem", "-ee--"),
    ("sslmode=verify-full&sslrootcert=@ca.pem", "-e---"),
    ("sslmode=require&sslrootcert=@other.pem", "---e-"),
    ("sslmode=verify-ca&sslrootcert=@other.pem", "---e-"),
    ("sslmode=verify-full&sslrootcert=@other.pem", "---e-"),
    ("sslmode=verify-ca", "-----"),
    ("sslmode=verify-full", "-----"),
    ("sslmode=verify-full&sslrootcert=system", "-----"),
];

/// A server whose certificate is exchanged while it runs.
struct Server {
    embedded: Embedded,
    folder: PathBuf,
}

impl Server {
    fn start() -> Self {
        let embedded = own_server(Embedded::options().ephemeral().tcp());
        let folder = embedded.folder().join("certificates");
        fs::create_dir(&folder).unwrap();
        let server = Self { embedded, folder };
        server.certify();
        server
    }

    /// Writes every certificate that a test shows or trusts.
    fn certify(&self) {
        let (ca, other) = (authority("the CA"), authority("another CA"));
        self.write("ca.pem", &ca.0);
        self.write("other.pem", &other.0);
        let here = ["localhost", "127.0.0.1"];
        for (name, issuer, names, year) in [
            ("good", &ca.1, &here[..], 4000),
            ("misnamed", &ca.1, &["elsewhere.example"], 4000),
            ("foreign", &other.1, &here, 4000),
            ("expired", &ca.1, &here, 2001),
            ("client", &ca.1, &[], 4000),
            ("stranger", &other.1, &[], 4000),
        ] {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let mut params = CertificateParams::new(names).unwrap();
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(year, 1, 1);
            // What the method `cert` compares with the role's name.
            params
                .distinguished_name
                .push(DnType::CommonName, "certified");
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, issuer).unwrap();
            self.write(&format!("{name}.pem"), &certificate.pem());
            self.write(&format!("{name}.key"), &key.serialize_pem());
        }
    }

    /// Writes a file that is the server's own, as it demands of its key.
    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        let owner = fs::metadata(self.embedded.folder()).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        chown(&self.folder, Some(owner.uid()), Some(owner.gid())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Has the server show that certificate, or none, from the next connection on.
    fn show(&self, certificate: &str) {
        let folder = self.folder.display();
        let on = if certificate == "none" { "off" } else { "on" };
        self.reload(&[
            &format!("ALTER SYSTEM SET ssl_cert_file = '{folder}/{certificate}.pem'"),
            &format!("ALTER SYSTEM SET ssl_key_file = '{folder}/{certificate}.key'"),
            &format!("ALTER SYSTEM SET ssl_ca_file = '{folder}/ca.pem'"),
            &format!("ALTER SYSTEM SET ssl = {on}"),
        ]);
    }

    /// Runs the statements and waits until the server has read its files anew.
    fn reload(&self, statements: &[&str]) {
        let url = self.embedded.url("postgres");
        let loaded = || execute(&url, &["SELECT pg_conf_load_time()"]);
        let before = loaded();
        execute(&url, statements);
        execute(&url, &["SELECT pg_reload_conf()"]);
        let begun = Instant::now();
        while loaded() == before {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "the server did not read its files anew"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn url(&self, user: &str, host: &str, query: &str) -> String {
        let tcp = self.embedded.tcp_url("postgres").unwrap();
        let port = tcp.rsplit(':').next().unwrap();
        let query = query.replace('@', &format!("{}/", self.folder.display()));
        format!("postgres://{user}@{host}:{port}?{query}")
    }
}

/// A certificate that signs others, in PEM, and what signs with it.
fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), Issuer::new(params, key))
}

/// Each backend on that URL, under its word.
fn backends(url: &str) -> [Box<dyn StorageBackend>; 2] {
    let target: Target = url.parse().unwrap();
    let budget = || Budget::new(1);
    [
        Box::new(R2d2Backend::new(&target, Settings::default(), budget()).unwrap()),
        Box::new(SqlxBackend::new(&target, Settings::default(), budget()).unwrap()),
    ]
}

/// What the server says of a connection to `url`, by each backend: whether it is encrypted, and who the client's certificate names.
async fn outcomes(url: &str) -> [Result<(bool, Option<String>), ErrorKind>; 2] {
    let query = "SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let query = Query::numbered("test/tls", query).unwrap();
    let mut outcomes = Vec::new();
    for backend in backends(url) {
        let row = backend.fetch_one(&query, Params::none()).await;
        outcomes.push(match row {
            Ok(row) => Ok((row.get("ssl").unwrap(), row.get("client_dn").unwrap())),
            Err(error) => Err(error.kind()),
        });
        backend.close().await;
    }
    outcomes.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_accepts_the_same_servers_on_both_drivers() {
    let server = Server::start();
    for (place, shown) in SERVERS.into_iter().enumerate() {
        server.show(shown);
        let cases = MODES
            .iter()
            .flat_map(|mode| ["localhost", "127.0.0.1"].map(|host| (mode, host)));
        let checks = cases.map(async |((query, row), host)| {
            let expected = match row.as_bytes()[place] {
                b'p' => Ok((false, None)),
                b'e' => Ok((true, None)),
                _ => Err(ErrorKind::Unreachable),
            };
            let found = outcomes(&server.url("postgres", host, query)).await;
            let both = [expected.clone(), expected];
            assert_eq!(found, both, "{shown} server, host {host}, {query:?}");
        });
        join_all(checks).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_shows_its_certificate_on_both_drivers() {
    let server = Server::start();
    let url = server.embedded.url("postgres");
    let rules = &execute(&url, &["SHOW hba_file"])[0];
    let others = fs::read_to_string(rules).unwrap();
    fs::write(rules, format!("hostssl all certified all cert\n{others}")).unwrap();
    execute(&url, &["CREATE ROLE certified LOGIN"]);
    server.show("good");
    let named = || Ok((true, Some("/CN=certified".to_owned())));
    for (query, expected) in [
        ("sslmode=require", Err(ErrorKind::Unreachable)),
        (
            "sslmode=require&sslcert=@client.pem&sslkey=@client.key",
            named(),
        ),
        (
            "sslmode=prefer&sslcert=@client.pem&sslkey=@client.key",
            named(),
        ),
        (
            "sslmode=verify-full&sslrootcert=@ca.pem&sslcert=@client.pem&sslkey=@client.key",
            named(),
        ),
        (
            "sslmode=verify-ca&sslrootcert=@ca.pem&sslcert=@client.pem&sslkey=@client.key",
            named(),
        ),
        (
            "sslmode=require&sslcert=@stranger.pem&sslkey=@stranger.key",
            Err(ErrorKind::Unreachable),
        ),
    ] {
        let query = format!("dbname=postgres&{query}");
        let found = outcomes(&server.url("certified", "localhost", &query)).await;
        assert_eq!(found, [expected.clone(), expected], "{query}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_refused_alike() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("none.pem");
    let url = format!(
        "postgres://me@localhost/db?sslmode=verify-full&sslrootcert={}",
        root.display()
    );
    let target: Target = url.parse().unwrap();
    let blocking = R2d2Backend::new(&target, Settings::default(), Budget::new(1)).unwrap_err();
    let asynchronous = SqlxBackend::new(&target, Settings::default(), Budget::new(1)).unwrap_err();
    assert_eq!(blocking.kind(), ErrorKind::Config);
    assert!(
        blocking.message().contains("none.pem cannot be read"),
        "{blocking}"
    );
    assert_eq!(blocking.message(), asynchronous.message());
}
