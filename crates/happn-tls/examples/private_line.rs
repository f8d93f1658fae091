//! Both ends of an encrypted stream: `cargo run -p happn-tls --example private_line`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use happn_tls::{Identity, TlsClient, TlsServer, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Nodes read theirs from files; this crate makes no certificates.
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let folder = std::env::temp_dir().join(format!("happn-private-line-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (key, certificate) = (folder.join("node.key"), folder.join("node.crt"));
    std::fs::write(&key, made.signing_key.serialize_pem())?;
    std::fs::write(&certificate, made.cert.pem())?;

    let server = TlsServer::new(Identity::files(key, certificate.clone()))?;
    let client = TlsClient::new(&Trust::file(certificate))?;
    let (near, far) = tokio::io::duplex(16 * 1024);
    let (listening, dialing) = tokio::join!(server.accept(near), client.connect("localhost", far));
    let (mut listening, mut dialing) = (listening?, dialing?);

    dialing.write_all(b"between us").await?;
    dialing.shutdown().await?;
    let mut heard = String::new();
    listening.read_to_string(&mut heard).await?;
    println!("the server hears {heard:?}");
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
