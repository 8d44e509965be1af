//! TLS that means the same on both drivers: the blocking one is given a rustls configuration that does what sqlx's own does.

use super::parameters::wrong;
use super::target::{Mode, Roots, Target};
use crate::error::{Error, ErrorKind, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::error::Error as StdError;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What `postgres` is given: one type, whether TLS is on or not.
#[cfg(feature = "blocking")]
pub(crate) type Tls = tokio_postgres_rustls::MakeRustlsConnect;

/// The PEM files that a target's mode needs, as they were read.
pub(super) struct Files {
    /// The roots besides the built-in ones; nothing where there are none.
    pub(super) roots: Vec<u8>,
    /// The client's certificate and key.
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Files {
    pub(super) fn read(target: &Target) -> Result<Self> {
        let roots = match &target.roots {
            Roots::File(path) if target.mode >= Mode::VerifyCa => read("sslrootcert", path)?,
            _ => Vec::new(),
        };
        let wanted = target.client.as_ref();
        let client = match wanted.filter(|_| target.mode != Mode::Disable) {
            Some((certificate, key)) => Some((read("sslcert", certificate)?, read("sslkey", key)?)),
            None => None,
        };
        Ok(Self { roots, client })
    }

    /// The configuration that they make. It is made for either driver, so that both refuse the same files with the same words, before
    /// anything connects.
    pub(super) fn configure(&self, target: &Target) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match target.mode {
            Mode::Disable | Mode::Prefer | Mode::Require => {
                Arc::new(Unverified(Arc::clone(&provider)))
            }
            Mode::VerifyCa => Arc::new(AnyName(webpki(target, &self.roots, &provider)?)),
            Mode::VerifyFull => webpki(target, &self.roots, &provider)?,
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let (Some((certificate, key)), Some(paths)) = (&self.client, &target.client) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates("sslcert", &paths.0, certificate)?;
        let key = private_key(&paths.1, key)?;
        builder.with_client_auth_cert(chain, key).map_err(|error| {
            let (certificate, key) = (paths.0.display(), paths.1.display());
            wrong(format!(
                "sslcert {certificate} and sslkey {key} cannot be used together: {error}"
            ))
        })
    }
}

/// Sees to it that sqlx finds a crypto provider for `verify-ca`: that is the one place where it asks rustls for the process's default, and
/// where an embedding program brings two providers and chooses neither, rustls panics.
#[cfg(feature = "async")]
pub(super) fn settle_process_default() {
    if CryptoProvider::get_default().is_none() {
        // It fails where another thread was faster, which serves as well.
        let _ = ring::default_provider().install_default();
    }
}

/// Whether TLS is why no connection could be opened: the server offers none, or one side does not trust the other. Trying again does not
/// change that.
pub(crate) fn refused_tls(error: &Error) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        // What both drivers say of a server without TLS.
        if cause.is::<rustls::Error>() || cause.to_string() == "server does not support TLS" {
            return true;
        }
        // An I/O error gives out what is beneath the error that it holds, not that error.
        let held = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = held.map_or_else(|| cause.source(), |held| Some(held as _));
    }
    false
}

fn webpki(
    target: &Target,
    extra: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>> {
    let mut store = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Roots::File(path) = &target.roots {
        for certificate in certificates("sslrootcert", path, extra)? {
            store
                .add(certificate)
                .map_err(|error| wrong(format!("sslrootcert {}: {error}", path.display())))?;
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("TLS cannot be used: {error}"))
}

fn read(parameter: &str, path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        wrong(format!(
            "{parameter} {} cannot be read: {error}",
            path.display()
        ))
        .with_source(error)
    })
}

fn certificates(parameter: &str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| wrong(format!("{parameter} {}: {error}", path.display())))?;
    if read.is_empty() {
        return Err(wrong(format!(
            "{parameter} {} holds no certificate",
            path.display()
        ))
        .with_hint("it has to be a PEM file, with -----BEGIN CERTIFICATE-----"));
    }
    Ok(read)
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    let encrypted = [&b"ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"];
    if encrypted
        .iter()
        .any(|mark| pem.windows(mark.len()).any(|piece| piece == *mark))
    {
        return Err(
            wrong(format!("sslkey {} is encrypted", path.display())).with_hint(
                "neither driver decrypts a key; write it without a passphrase and protect the file",
            ),
        );
    }
    // The cause is left out: it could quote the key.
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        wrong(format!(
            "sslkey {} holds no private key in PEM",
            path.display()
        ))
    })
}

/// Takes any certificate, but has the server prove that it holds its key: `prefer` and `require`.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes a certificate that a root has signed, for whatever name: `verify-ca`.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match self
            .0
            .verify_server_cert(certificate, intermediates, name, ocsp, now)
        {
            // The name is looked at last, when all else was found right.
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn load(url: &str) -> Result<(Files, ClientConfig)> {
        let target = Target::parse_in(url, &|_| None)?;
        let files = Files::read(&target)?;
        let config = files.configure(&target)?;
        Ok((files, config))
    }

    /// A folder with a certificate, its key, another key, and files that are neither.
    fn folder() -> (tempfile::TempDir, impl Fn(&str) -> String) {
        let folder = tempfile::tempdir().unwrap();
        let signed = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        let key = signed.signing_key.serialize_pem();
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        for (name, text) in [
            ("cert", &signed.cert.pem()),
            ("key", &key),
            ("other", &other),
            ("encrypted", &encrypted),
            ("cut", &key[..key.len() / 2].to_owned()),
            ("empty", &String::new()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let root: PathBuf = folder.path().into();
        (folder, move |query: &str| {
            let query = query.replace('@', &format!("{}/", root.display()));
            format!("postgres://me@localhost/db?{query}")
        })
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let (_folder, url) = folder();
        for (query, expected) in [
            ("sslmode=verify-ca&sslrootcert=@none", "none cannot be read"),
            ("sslmode=require&sslrootcert=@none", "none cannot be read"),
            (
                "sslmode=verify-full&sslrootcert=@empty",
                "empty holds no certificate",
            ),
            (
                "sslmode=verify-full&sslrootcert=@key",
                "key holds no certificate",
            ),
            (
                "sslmode=prefer&sslcert=@none&sslkey=@key",
                "none cannot be read",
            ),
            (
                "sslmode=require&sslcert=@cert&sslkey=@none",
                "none cannot be read",
            ),
            (
                "sslmode=require&sslcert=@key&sslkey=@key",
                "key holds no certificate",
            ),
            (
                "sslmode=require&sslcert=@cert&sslkey=@cert",
                "cert holds no private key",
            ),
            (
                "sslmode=require&sslcert=@cert&sslkey=@cut",
                "cut holds no private key",
            ),
            (
                "sslmode=require&sslcert=@cert&sslkey=@encrypted",
                "encrypted is encrypted",
            ),
            (
                "sslmode=require&sslcert=@cert&sslkey=@other",
                "cannot be used together",
            ),
        ] {
            let error = load(&url(query)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config, "{query}");
            assert!(error.to_string().contains(expected), "{query}: {error}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_a_server_that_is_away() {
        let error = |source: io::Error| {
            let broke =
                Error::new(ErrorKind::Connection, "the connection broke").with_source(source);
            Error::new(ErrorKind::Unreachable, "no connection").with_source(broke)
        };
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert!(refused_tls(&error(io::Error::other(untrusted))));
        assert!(refused_tls(&error(io::Error::other(
            "server does not support TLS"
        ))));
        assert!(!refused_tls(&error(
            io::ErrorKind::ConnectionRefused.into()
        )));
        assert!(!refused_tls(&Error::new(ErrorKind::Unreachable, "")));
    }

    #[test]
    fn only_what_the_mode_needs_is_read() {
        let (_folder, url) = folder();
        for (query, roots, client) in [
            ("sslmode=disable&sslcert=@none&sslkey=@none", false, false),
            ("sslmode=prefer&sslrootcert=@none", false, false),
            ("sslmode=require&sslrootcert=@cert", true, false),
            (
                "sslmode=verify-full&sslrootcert=@cert&sslcert=@cert&sslkey=@key",
                true,
                true,
            ),
            (
                "sslmode=verify-full&sslrootcert=system&sslcert=@cert&sslkey=@key",
                false,
                true,
            ),
        ] {
            let (files, config) = load(&url(query)).unwrap();
            assert_eq!(!files.roots.is_empty(), roots, "{query}");
            assert_eq!(files.client.is_some(), client, "{query}");
            assert_eq!(
                config.client_auth_cert_resolver.has_certs(),
                client,
                "{query}"
            );
        }
    }
}
