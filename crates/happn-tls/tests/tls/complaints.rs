//! What is said about keys and certificates that are of no use.

use happn_tls::{Clients, Identity, PemSource, TlsClient, TlsError, TlsServer, Trust};
use rcgen::date_time_ymd;

use crate::stage::{Authority, Folder, certificate};

fn complaint(identity: Identity) -> String {
    TlsServer::new(identity).unwrap_err().to_string()
}

#[test]
fn inline_text_works_like_files() {
    let made = certificate("localhost");
    let identity = Identity::inline(made.signing_key.serialize_pem(), made.cert.pem());
    assert!(!format!("{identity:?}").contains("BEGIN"));
    assert!(TlsServer::new(identity).is_ok());
}

#[test]
fn a_missing_file_is_named() {
    let folder = Folder::new("missing");
    let key = folder.0.join("absent.key");
    let told = complaint(Identity::files(&key, folder.0.join("absent.crt")));
    assert!(
        told.starts_with(&format!("cannot read {}", key.display())),
        "{told}"
    );
}

#[test]
fn a_folder_in_place_of_a_file_is_told() {
    let folder = Folder::new("folder");
    let told = complaint(Identity::files(&folder.0, &folder.0));
    assert!(told.ends_with("it is not a regular file"), "{told}");
}

#[test]
fn a_key_of_another_certificate_is_told_without_showing_it() {
    let (one, other) = (certificate("localhost"), certificate("localhost"));
    let identity = Identity::inline(one.signing_key.serialize_pem(), other.cert.pem());
    let told = TlsServer::new(identity).unwrap_err();
    assert!(matches!(told, TlsError::Mismatch { .. }), "{told}");
    assert!(!told.to_string().contains("BEGIN"));
}

#[test]
fn key_and_certificate_mixed_up_are_told() {
    let made = certificate("localhost");
    let told = complaint(Identity::inline(
        made.cert.pem(),
        made.signing_key.serialize_pem(),
    ));
    assert!(
        told.starts_with("the inline key holds no private key"),
        "{told}"
    );
}

#[test]
fn a_key_with_a_pass_phrase_is_told_in_every_format() {
    let made = certificate("localhost");
    for text in [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n",
    ] {
        let told = complaint(Identity::inline(text, made.cert.pem()));
        assert_eq!(
            told,
            "the private key in the inline key is encrypted; decrypt it first"
        );
    }
}

#[test]
fn what_a_file_holds_instead_is_told_without_showing_it() {
    let made = certificate("localhost");
    let key = made.signing_key.serialize_pem();
    for (text, expected) in [
        ("", "it is empty"),
        (" \n\n", "it is empty"),
        ("hunter2", "it has no PEM section"),
        (key.as_str(), "it has PRIVATE KEY"),
    ] {
        let told = complaint(Identity::inline(key.as_str(), text));
        let expected = format!(
            "the inline certificate holds no certificate: {expected}; expected PEM sections CERTIFICATE"
        );
        assert_eq!(told, expected);
    }
    let told = complaint(Identity::inline(made.cert.pem(), made.cert.pem()));
    assert!(
        told.starts_with("the inline key holds no private key: it has CERTIFICATE; expected"),
        "{told}"
    );
}

#[test]
fn a_certificate_of_another_time_is_told() {
    let authority = Authority::new();
    let old = authority.certify(|params| params.not_after = date_time_ymd(2001, 1, 1));
    let early = authority.certify(|params| params.not_before = date_time_ymd(4000, 1, 1));
    for (identity, expected) in [(old, "expired"), (early, "not valid yet")] {
        let told = complaint(identity);
        assert!(
            told.starts_with("the certificate in the inline certificate cannot be used today: "),
            "{told}"
        );
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn complaints_name_file_and_setting() {
    let folder = Folder::new("settings");
    let made = certificate("localhost");
    let key = folder.write("node.key", &made.signing_key.serialize_pem());
    let empty = folder.write("empty.crt", "");
    let identity = || {
        let key = PemSource::file(&key).configured_as("a.keyPath");
        Identity::new(key, PemSource::file(&empty).configured_as("a.certPath"))
    };
    let expected = format!(
        "{} (a.certPath) holds no certificate: it is empty",
        empty.display()
    );
    assert!(complaint(identity()).starts_with(&expected));
    let text = PemSource::text("").configured_as("a.key");
    let inline = Identity::new(text, PemSource::text("").configured_as("a.cert"));
    assert!(complaint(inline).starts_with("a.key holds no private key: it is empty"));

    let authorities = || vec![PemSource::file(&key).configured_as("a.caPath")];
    let expected = format!(
        "{} (a.caPath) holds no certificate: it has PRIVATE KEY",
        key.display()
    );
    let trust = Trust::Authorities(authorities());
    let told = TlsClient::new(&trust).unwrap_err().to_string();
    assert!(told.starts_with(&expected), "{told}");
    for clients in [
        Clients::MayShow(authorities()),
        Clients::MustShow(authorities()),
    ] {
        let identity = folder.identity(&made);
        let told = TlsServer::admitting(identity, clients).unwrap_err();
        assert!(told.to_string().starts_with(&expected), "{told}");
    }
}

#[test]
fn a_list_of_no_authorities_at_all_is_told() {
    let identity = Authority::new().certify(|_| {});
    let told = TlsServer::admitting(identity, Clients::MustShow(Vec::new())).unwrap_err();
    let told = told.to_string();
    assert!(
        told.starts_with("an empty list of authorities cannot be used"),
        "{told}"
    );
}

#[test]
fn garbage_between_the_markers_is_no_pem() {
    let made = certificate("localhost");
    let text = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let told = complaint(Identity::inline(made.signing_key.serialize_pem(), text));
    assert!(
        told.starts_with("the inline certificate is not valid PEM"),
        "{told}"
    );
}

#[test]
fn a_certificate_that_is_none_is_told() {
    let made = certificate("localhost");
    let text = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let told = complaint(Identity::inline(made.signing_key.serialize_pem(), text));
    assert!(
        told.starts_with("the inline certificate cannot be used"),
        "{told}"
    );
}
