//! How far the clocks of other nodes are from ours. Nothing is decided by it: it is for people.

use std::collections::BTreeMap;

use happn_core::Beat;

/// Records watched; a cluster is far smaller.
const RECORDS_MAX: usize = 1024;

/// How far another node's clock is from this one's, as far as its beats tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockSkew {
    /// The node's endpoint.
    pub endpoint: String,
    /// At least this many ms ahead; behind when negative.
    pub at_least_ms: i64,
    /// At most this many ms ahead.
    pub at_most_ms: i64,
}

impl ClockSkew {
    /// How far ahead it is for certain, in ms, behind when negative; 0 while both clocks may be
    /// right.
    #[must_use]
    pub fn certain_ms(&self) -> i64 {
        self.at_least_ms.max(0) + self.at_most_ms.min(0)
    }
}

/// Narrows down the skews with every read of the table. Pure.
///
/// A record that is new since the last read was written between the two: its mark, the writer's
/// wall clock, is bounded by ours at both reads. Every such pair of bounds must hold, so the
/// estimate gets better with time; bounds that exclude each other mean that a clock was set.
#[derive(Debug, Default)]
pub(crate) struct Skews {
    last_read: Option<i64>,
    records: BTreeMap<String, Watched>,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    mark: i64,
    bounds: Option<(i64, i64)>,
}

impl Skews {
    /// Takes what a read of the table showed, which began and ended at these times of our wall
    /// clock, in ms.
    pub(crate) fn observe(&mut self, beats: &[Beat], began: i64, ended: i64) {
        let last_read = self.last_read.replace(began);
        let mut records = BTreeMap::new();
        for beat in beats.iter().take(RECORDS_MAX) {
            let earlier = self.records.remove(&beat.endpoint);
            let watched = match earlier {
                Some(earlier) if earlier.mark == beat.mark => earlier,
                Some(earlier) => Watched {
                    mark: beat.mark,
                    bounds: last_read.map(|last| {
                        let fresh = (
                            beat.mark.saturating_sub(ended),
                            beat.mark.saturating_sub(last),
                        );
                        earlier.bounds.map_or(fresh, |known| narrowed(known, fresh))
                    }),
                },
                // It may be of any age.
                None => Watched {
                    mark: beat.mark,
                    bounds: None,
                },
            };
            records.insert(beat.endpoint.clone(), watched);
        }
        self.records = records;
    }

    /// The estimates there are.
    pub(crate) fn known(&self) -> Vec<ClockSkew> {
        let known = self.records.iter().filter_map(|(endpoint, watched)| {
            let (at_least_ms, at_most_ms) = watched.bounds?;
            Some(ClockSkew {
                endpoint: endpoint.clone(),
                at_least_ms,
                at_most_ms,
            })
        });
        known.collect()
    }
}

/// What both allow, or the newer one alone when they exclude each other.
fn narrowed(known: (i64, i64), fresh: (i64, i64)) -> (i64, i64) {
    let both = (known.0.max(fresh.0), known.1.min(fresh.1));
    match both.0 <= both.1 {
        true => both,
        false => fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(mark: i64) -> Vec<Beat> {
        vec![Beat {
            endpoint: "b:1".to_owned(),
            service: "s".to_owned(),
            cluster: None,
            name: None,
            instance: None,
            mark,
        }]
    }

    fn bounds(skews: &Skews) -> Option<(i64, i64)> {
        let known = skews.known();
        known
            .first()
            .map(|skew| (skew.at_least_ms, skew.at_most_ms))
    }

    #[test]
    fn every_beat_narrows_the_estimate() {
        // The other clock is 10 s ahead.
        let mut skews = Skews::default();
        skews.observe(&beat(10_000), 900, 901);
        assert_eq!(bounds(&skews), None, "the first may be of any age");
        skews.observe(&beat(11_200), 1900, 1901);
        assert_eq!(bounds(&skews), Some((9299, 10_300)));
        skews.observe(&beat(11_200), 2900, 2901);
        assert_eq!(bounds(&skews), Some((9299, 10_300)), "no news");
        skews.observe(&beat(13_800), 3900, 3901);
        assert_eq!(bounds(&skews), Some((9899, 10_300)));
        assert_eq!(skews.known()[0].certain_ms(), 9899);
    }

    #[test]
    fn a_skew_is_certain_only_when_the_clocks_cannot_agree() {
        for (at_least_ms, at_most_ms, certain) in
            [(-90, 4900, 0), (2, 40, 2), (-40, -3, -3), (0, 0, 0)]
        {
            let endpoint = "b:1".to_owned();
            let skew = ClockSkew {
                endpoint,
                at_least_ms,
                at_most_ms,
            };
            assert_eq!(skew.certain_ms(), certain);
        }
    }

    #[test]
    fn a_clock_that_was_set_is_estimated_anew() {
        let mut skews = Skews::default();
        for (mark, now) in [(0, 0), (1000, 1000), (62_000, 2000)] {
            skews.observe(&beat(mark), now, now);
        }
        assert_eq!(bounds(&skews), Some((60_000, 61_000)));
    }

    #[test]
    fn what_left_the_table_is_forgotten() {
        let mut skews = Skews::default();
        skews.observe(&beat(1), 0, 0);
        skews.observe(&beat(2), 1, 1);
        skews.observe(&[], 2, 2);
        assert_eq!(skews.known(), []);
    }
}
