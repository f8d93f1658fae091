//! Keys and certificates with which a node does not start, and what it says of them.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

use crate::failures::failure;
use crate::harness::{Folder, QUIET};

/// A folder with a key and a certificate of an authority that work, and all kinds that do not.
fn folder() -> Folder {
    let folder = Folder::new();
    let write = |name: &str, text: &str| std::fs::write(folder.0.join(name), text).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    write("ca.pem", &authority.pem());
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    write("key.pem", &key.serialize_pem());
    write(
        "cert.pem",
        &params.signed_by(&key, &authority).unwrap().pem(),
    );
    params.not_after = date_time_ymd(2001, 1, 1);
    write(
        "old.pem",
        &params.signed_by(&key, &authority).unwrap().pem(),
    );
    write("other.pem", &KeyPair::generate().unwrap().serialize_pem());
    write("empty.pem", "");
    let garbage = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    write("garbage.pem", garbage);
    let locked = garbage.replace("CERTIFICATE", "ENCRYPTED PRIVATE KEY");
    write("locked.pem", &locked);
    folder
}

/// The message of a node with these files in the section.
fn complaint(folder: &Folder, section: &str, files: &[(&str, &str)]) -> String {
    let settings: Vec<_> = files
        .iter()
        .map(|(name, file)| format!("services.{section}.config.{name}={file}"))
        .collect();
    let mut arguments = QUIET.to_vec();
    for setting in &settings {
        arguments.extend(["--set", setting]);
    }
    if section == "transport" {
        arguments.extend(["--set", "services.transport.config.mode=https"]);
    }
    arguments.extend(["--data", "happn.sqlite"]);
    failure(folder, &arguments)
}

const GOOD: [(&str, &str); 2] = [("keyPath", "key.pem"), ("certPath", "cert.pem")];

#[test]
fn a_key_or_certificate_of_no_use_is_named_with_its_setting() {
    let folder = folder();
    for section in ["proxy", "transport"] {
        let place = |name: &str, file: &str| format!("{file} (services.{section}.config.{name})");
        for (key, certificate, expected) in [
            (
                "none.pem",
                "cert.pem",
                format!("cannot read {}: No such file", place("keyPath", "none.pem")),
            ),
            (
                "other.pem",
                "cert.pem",
                format!(
                    "the private key in {} does not belong to the certificate in {}",
                    place("keyPath", "other.pem"),
                    place("certPath", "cert.pem")
                ),
            ),
            (
                "locked.pem",
                "cert.pem",
                format!(
                    "the private key in {} is encrypted; decrypt it first",
                    place("keyPath", "locked.pem")
                ),
            ),
            (
                "cert.pem",
                "cert.pem",
                format!(
                    "{} holds no private key: it has CERTIFICATE",
                    place("keyPath", "cert.pem")
                ),
            ),
            (
                "key.pem",
                "garbage.pem",
                format!("{} is not valid PEM", place("certPath", "garbage.pem")),
            ),
            (
                "key.pem",
                "empty.pem",
                format!(
                    "{} holds no certificate: it is empty",
                    place("certPath", "empty.pem")
                ),
            ),
            (
                "key.pem",
                "old.pem",
                format!(
                    "the certificate in {} cannot be used today: certificate expired",
                    place("certPath", "old.pem")
                ),
            ),
        ] {
            let files = [("keyPath", key), ("certPath", certificate)];
            let told = complaint(&folder, section, &files);
            assert!(told.starts_with(&expected), "{told}, not {expected}");
        }
    }
    assert!(
        !folder.0.join("happn.sqlite").exists(),
        "files are looked at before stores are made"
    );
}

#[test]
fn authorities_of_no_use_are_named_with_their_setting() {
    let folder = folder();
    let settings = [
        ("proxy", "clientCaPath"),
        ("transport", "clientCaPath"),
        ("transport", "caPath"),
    ];
    for (section, name) in settings {
        for (file, expected) in [
            ("key.pem", " holds no certificate: it has PRIVATE KEY"),
            ("empty.pem", " holds no certificate: it is empty"),
            ("garbage.pem", " is not valid PEM"),
        ] {
            let files = [&GOOD[..], &[(name, file)]].concat();
            let told = complaint(&folder, section, &files);
            let expected = format!("{file} (services.{section}.config.{name}){expected}");
            assert!(told.starts_with(&expected), "{told}, not {expected}");
        }
        let files = [&GOOD[..], &[(name, "none.pem")]].concat();
        let told = complaint(&folder, section, &files);
        let expected = format!("cannot read none.pem (services.{section}.config.{name}): No such");
        assert!(told.starts_with(&expected), "{told}");
    }
}
