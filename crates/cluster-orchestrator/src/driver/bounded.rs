//! Waiting no longer than so long, by the injected clock.

use std::time::Duration;

use happn_core::Clock;

/// What `future` answers, or nothing if that takes longer than `limit`; it is dropped then.
pub(super) async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        // An answer that is there counts, even if the time is over, too.
        biased;
        answer = future => Some(answer),
        () = clock.sleep(limit) => None,
    }
}
