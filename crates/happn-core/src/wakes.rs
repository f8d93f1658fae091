//! Waking recipients once for all that one turn gives them.
//!
//! A client's requests arrive in batches. If its first event woke a recipient at once, another
//! core would write that event alone and be woken again for the next: a wake-up and a system call
//! per event instead of per batch.

use std::cell::RefCell;
use std::sync::Arc;

use tokio::sync::Notify;

/// Frames after which recipients are woken although the turn goes on: writing a large fan-out
/// need not wait until all of it is queued.
const FRAMES_MAX: usize = 1024;

thread_local! {
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// What a turn on this thread has queued; dropped, it wakes those who do not know of it yet.
#[derive(Default)]
struct Turn {
    unaware: Vec<Arc<Notify>>,
    frames: usize,
}

impl Turn {
    /// Notes a frame; the answer is what to drop.
    fn queued(&mut self, ready: &Arc<Notify>, wakes: bool) -> Option<Self> {
        if wakes {
            self.unaware.push(ready.clone());
        }
        self.frames += 1;
        (self.frames >= FRAMES_MAX).then(|| std::mem::take(self))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        for ready in self.unaware.drain(..) {
            ready.notify_one();
        }
    }
}

/// Runs `turn`, and wakes those whose outboxes it filled once at its end, or every thousand frames.
/// For code that handles several requests or events in a row.
pub fn in_one_turn<T>(turn: impl FnOnce() -> T) -> T {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            TURN.take();
        }
    }
    let begins = TURN.with_borrow_mut(|current| {
        let begins = current.is_none();
        current.get_or_insert_default();
        begins
    });
    // Not `then_some`: that would drop what it does not use, and so end the turn.
    let _ends = if begins { Some(Ends) } else { None };
    turn()
}

/// A frame was queued for whoever waits for `ready`, who has to be woken if `wakes`.
pub(crate) fn queued(ready: &Arc<Notify>, wakes: bool) {
    // Nobody is woken while the turn is borrowed: who knows what wakers do.
    let turn = TURN.with_borrow_mut(|turn| turn.as_mut().map(|turn| turn.queued(ready, wakes)));
    if turn.is_none() && wakes {
        ready.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_woken(ready: &Notify) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(ready.notified()).poll(&mut context).is_ready()
    }

    #[test]
    fn recipients_are_woken_when_the_turn_ends() {
        let ready = Arc::default();
        queued(&ready, true);
        assert!(is_woken(&ready), "without a turn at once");
        in_one_turn(|| {
            queued(&ready, true);
            in_one_turn(|| queued(&ready, false));
            assert!(!is_woken(&ready), "a turn within a turn ends nothing");
        });
        assert!(is_woken(&ready));
        in_one_turn(|| queued(&ready, false));
        assert!(!is_woken(&ready), "who is awake already");
    }

    #[test]
    fn a_large_fan_out_does_not_wait_for_the_end() {
        let (first, last) = (Arc::default(), Arc::default());
        in_one_turn(|| {
            queued(&first, true);
            for _ in 1..FRAMES_MAX {
                queued(&first, false);
            }
            assert!(is_woken(&first));
            queued(&last, true);
            assert!(!is_woken(&last));
        });
        assert!(is_woken(&last));
    }

    #[test]
    fn a_turn_that_fails_wakes_recipients_too() {
        let ready = Arc::default();
        let failed = catch_unwind(AssertUnwindSafe(|| {
            in_one_turn(|| {
                queued(&ready, true);
                panic!("as it must not");
            });
        }));
        assert!(failed.is_err() && is_woken(&ready));
        queued(&ready, true);
        assert!(is_woken(&ready), "the turn is over");
    }
}
