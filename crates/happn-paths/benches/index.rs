//! What the subscription index costs: `cargo bench -p happn-paths`.
//!
//! Prints, per mix of masks and per number of them, the time of a look-up, of
//! an unsubscribe and subscribe pair, and the memory of a mask, estimated and
//! as the growth of the process. Figures of a busy machine are upper bounds.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use happn_paths::{ActionFilter, Depth, EventKind, Mask, SubscriptionIndex};

const PATHS: usize = 200_000;
const PAIRS: usize = 200_000;
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<usize> = std::env::args()
        .filter_map(|text| text.parse().ok())
        .collect();
    if let [mix, count] = arguments[..] {
        return measure(&MIXES[mix], count);
    }
    println!(
        "{:<34} {:>9} {:>10} {:>7} {:>10} {:>9} {:>9}",
        "masks", "count", "look-up", "hits", "off + on", "estimate", "process"
    );
    for count in [10_000, 1_000_000] {
        for mix in 0..MIXES.len() {
            in_own_process(mix, count);
        }
    }
    crowd();
}

/// Memory freed by one mix would hide what the next one takes.
fn in_own_process(mix: usize, count: usize) {
    let run = std::env::current_exe().and_then(|program| {
        std::process::Command::new(program)
            .args([mix.to_string(), count.to_string()])
            .status()
    });
    if !run.is_ok_and(|status| status.success()) {
        println!("{}: did not run", MIXES[mix].name);
    }
}

/// A family of masks: for each, how many levels and which of them are stars.
struct Mix {
    name: &'static str,
    mask: fn(&mut Random, usize) -> String,
}

const MIXES: &[Mix] = &[
    Mix {
        name: "4 levels, literals",
        mask: |random, count| item(random, count, 4, 0),
    },
    Mix {
        name: "4 levels, 6 shapes",
        mask: |random, count| {
            let shape = [0, 0b1000, 0b100, 0b1100, 0b10, 0b1010][random.below(6)];
            item(random, count, 4, shape)
        },
    },
    Mix {
        name: "6 levels, 16 shapes",
        mask: |random, count| {
            let shape = random.below(16) << 2;
            item(random, count, 6, shape)
        },
    },
    Mix {
        name: "8 levels, 64 shapes",
        mask: |random, count| {
            let shape = random.below(64) << 2;
            item(random, count, 8, shape)
        },
    },
    Mix {
        name: "3 levels and **",
        mask: |random, count| item(random, count, 3, 0) + "/**",
    },
    Mix {
        name: "half literal, 4 shapes, some **",
        mask: |random, count| match random.below(8) {
            0..4 => item(random, count, 4, 0),
            4 => item(random, count, 4, 0b1000),
            5 => item(random, count, 4, 0b100),
            6 => item(random, count, 5, 0b10100),
            _ => item(random, count, 3, 0) + "/**",
        },
    },
];

/// A text such as `/tenant12/device3/s1/s0`, one of about `64 * count` for four
/// levels. Bits of `shape` make segments stars.
fn item(random: &mut Random, count: usize, levels: usize, shape: usize) -> String {
    let wide = (count as f64).sqrt() as usize;
    let mut text = String::new();
    for level in 0..levels {
        let written = match level {
            _ if shape >> level & 1 == 1 => write!(text, "/*"),
            0 => write!(text, "/tenant{}", random.below(wide)),
            1 => write!(text, "/device{}", random.below(wide)),
            _ => write!(text, "/s{}", random.below(8)),
        };
        written.unwrap_or_default();
    }
    text
}

/// Every other path is made to match some mask; the rest seldom do.
fn path(random: &mut Random, mix: &Mix, masks: &[String], at: usize) -> String {
    let mask = match at % 2 {
        0 => masks[random.below(masks.len())].clone(),
        _ => (mix.mask)(random, masks.len()),
    };
    let deep = "/s1".repeat(1 + random.below(5));
    mask.replace("/**", &deep).replace('*', "s0")
}

fn measure(mix: &Mix, count: usize) {
    let mut random = Random(count as u64);
    let texts: Vec<String> = (0..count).map(|_| (mix.mask)(&mut random, count)).collect();
    let paths: Vec<String> = (0..PATHS)
        .map(|at| path(&mut random, mix, &texts, at))
        .collect();
    let before = resident_bytes();
    let mut index = SubscriptionIndex::new([1, 2]);
    for (id, text) in (0..).zip(&texts) {
        index.insert(id, ActionFilter::All, &Mask::parse(text), Depth::DEFAULT);
    }
    let grown = resident_bytes().saturating_sub(before);
    let (look_up, hits) = look_ups(&index, &paths);
    let estimate = index.memory_bytes();
    let pair = pairs(&mut index, &texts, &mut random);
    println!(
        "{:<34} {count:>9} {look_up:>7} ns {:>7.2} {pair:>7} ns {:>7} B {:>7} B",
        mix.name,
        hits as f64 / PATHS as f64,
        estimate / count,
        grown / count,
    );
}

/// Nanoseconds per look-up in the best round, and all hits of one round.
fn look_ups(index: &SubscriptionIndex, paths: &[String]) -> (u128, usize) {
    let mut hits = 0;
    let round = || {
        hits = 0;
        for path in paths {
            index.for_each_match(EventKind::Set, path, |id| {
                black_box(id);
                hits += 1;
            });
        }
    };
    (best(round).as_nanos() / paths.len() as u128, hits)
}

/// Nanoseconds for taking a random subscription out and putting it back.
fn pairs(index: &mut SubscriptionIndex, texts: &[String], random: &mut Random) -> u128 {
    let picks: Vec<(u32, Mask)> = (0..PAIRS)
        .map(|_| random.below(texts.len()))
        .map(|at| (at as u32, Mask::parse(&texts[at])))
        .collect();
    let round = || {
        for (id, mask) in &picks {
            index.remove(*id, ActionFilter::All, mask, Depth::DEFAULT);
            index.insert(*id, ActionFilter::All, mask, Depth::DEFAULT);
        }
    };
    best(round).as_nanos() / PAIRS as u128
}

/// One mask with very many subscribers.
fn crowd() {
    const SUBSCRIBERS: u32 = 10_000;
    let mut index = SubscriptionIndex::new([1, 2]);
    let mask = Mask::parse("/news/*");
    for id in 0..SUBSCRIBERS {
        index.insert(id, ActionFilter::All, &mask, Depth::DEFAULT);
    }
    let look_up = best(|| {
        index.for_each_match(EventKind::Set, "/news/today", |id| {
            black_box(id);
        });
    });
    let pair = best(|| {
        for id in 0..SUBSCRIBERS {
            index.remove(id, ActionFilter::All, &mask, Depth::DEFAULT);
            index.insert(id, ActionFilter::All, &mask, Depth::DEFAULT);
        }
    });
    println!(
        "{SUBSCRIBERS} subscribers of one mask: look-up {look_up:?}, off + on {:?}",
        pair / SUBSCRIBERS
    );
}

#[allow(
    clippy::disallowed_methods,
    reason = "a benchmark is about the real clock"
)]
fn best(mut round: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round();
        best = best.min(start.elapsed());
    }
    best
}

/// Memory of this process in use, or 0 where the system does not say.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4096
}

/// Good enough to pick masks, and the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) as usize) % limit
    }
}
