//! A whole file of groups, users and tables at once.

use happn_security::provision::Provision;
use serde_json::json;

use super::call::Call;
use super::problem::Problem;
use super::route::{Outcome, Reply};

/// Checked as a whole before anything is written, and then carried through, also when whoever sent
/// it has gone.
pub(super) async fn apply(call: Call) -> Outcome {
    let text = std::str::from_utf8(&call.bytes);
    let text = text.map_err(|_| Problem::invalid("the body is no UTF-8 text"))?;
    let provision = Provision::parse(text).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string).collect();
        Problem::listed("nothing was changed, the file is not valid", problems)
    })?;
    let directory = call.directory();
    let applying = tokio::spawn(async move { provision.apply(&directory).await });
    let applied = applying.await;
    let applied = applied.map_err(|_| Problem::unavailable("the node is stopping"))?;
    Ok(Reply::ok(json!({ "changed": applied? })))
}
