//! Which subscriptions hear of a publication: `cargo run -p happn-paths --example who_hears`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use happn_paths::{Channel, Depth, EventKind, StoreGlob, SubscriptionIndex};

const CHANNELS: [&str; 5] = [
    "/ALL@/orders/*/state",
    "/SET@/orders/7/state",
    "/REMOVE@/orders/*/state",
    "/ALL@/orders/**",
    "/ALL@*",
];

fn main() {
    // The seed makes hash collisions unpredictable; real callers draw it at random.
    let mut index = SubscriptionIndex::new([1, 2]);
    for (id, text) in (0..).zip(CHANNELS) {
        let channel = Channel::parse(text);
        index.insert(id, channel.action(), &channel.to_mask(), Depth::DEFAULT);
    }
    for (kind, path) in [
        (EventKind::Set, "/orders/7/state"),
        (EventKind::Remove, "/orders/8/state"),
        (EventKind::Set, "/orders/7/items/1"),
    ] {
        println!("{kind:?} {path} is heard by");
        index.for_each_match(kind, path, |id| println!("  {}", CHANNELS[id as usize]));
    }

    // Reading knows another star: there it stands for any run of characters.
    let glob = StoreGlob::new("/orders/*");
    println!(
        "{} names /orders/7/items/1: {}",
        glob.as_str(),
        glob.matches("/orders/7/items/1")
    );
}
