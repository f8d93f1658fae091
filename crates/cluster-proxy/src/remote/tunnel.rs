//! Websockets: after the upgrade, bytes.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;

use super::failure::{Answer, Failure};
use super::headers;
use super::request::Visit;

impl Visit {
    /// Passes an upgrade on. If the target agrees, bytes flow both ways until either side ends.
    pub(super) async fn tunnel(&self, mut request: Request<Incoming>) -> Result<Answer, Failure> {
        let ours = hyper::upgrade::on(&mut request);
        upgrading(request.headers_mut());
        let (request, pulse) = self.as_sent(request);
        let mut sender = self.shared.dial().await?;
        let mut response = self.send_on(&mut sender, request, &pulse).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self.as_answered(response));
        }
        let theirs = hyper::upgrade::on(&mut response);
        let stopping = self.shared.stopping.clone();
        self.shared.tasks.spawn(async move {
            tokio::select! {
                () = join(ours, theirs) => {}
                () = stopping.cancelled() => {}
            }
        });
        upgrading(response.headers_mut());
        Ok(response.map(|_| Either::Right(Full::<Bytes>::default())))
    }
}

/// Of what concerns the connection only the upgrade goes on.
fn upgrading(headers: &mut HeaderMap) {
    headers::end_to_end(headers);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

async fn join(ours: OnUpgrade, theirs: OnUpgrade) {
    let both: Result<(Upgraded, Upgraded), _> = tokio::try_join!(ours, theirs);
    let copied = match both {
        Ok((ours, theirs)) => {
            let (mut ours, mut theirs) = (TokioIo::new(ours), TokioIo::new(theirs));
            tokio::io::copy_bidirectional(&mut ours, &mut theirs).await
        }
        Err(error) => return tracing::debug!(%error, "an upgrade was not completed"),
    };
    if let Err(error) = copied {
        tracing::debug!(%error, "a websocket ended with an error");
    }
}
