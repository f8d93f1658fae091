//! Random inputs in random order, matching or not.

use happn_core::{Beat, ClusterInfo, ConnectError, PeerSession};
use proptest::prelude::*;

use super::tests::config;
use super::*;

const ENDPOINTS: [&str; 5] = [
    "10.0.0.1:57000", // our own
    "10.0.0.2:57000",
    "10.0.0.3:57000",
    "10.0.0.4:57000",
    "10.0.0.5:57000",
];

const NAMES: [&str; 4] = ["node-1", "node-2", "node-3", "node-4"];

fn endpoint() -> impl Strategy<Value = String> {
    prop::sample::select(&ENDPOINTS[..]).prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn service() -> impl Strategy<Value = String> {
    prop::sample::select(&["svc", "svc", "svc", "other"][..]).prop_map(str::to_owned)
}

fn cluster() -> impl Strategy<Value = String> {
    prop::sample::select(&["cluster-1", "cluster-1", "cluster-2"][..]).prop_map(str::to_owned)
}

fn beat() -> impl Strategy<Value = Beat> {
    let cluster = prop::option::of(cluster());
    let instance = prop::sample::select(&["instance-1", "instance-1", "0", "x"][..]);
    (endpoint(), service(), cluster, instance, 0..4i64).prop_map(
        |(endpoint, service, cluster, instance, mark)| Beat {
            endpoint,
            service,
            cluster,
            name: None,
            instance: Some(instance.to_owned()),
            mark,
        },
    )
}

fn session() -> impl Strategy<Value = PeerSession> {
    let info = (
        cluster(),
        prop::option::of(service()),
        prop::option::of(endpoint()),
        prop::option::of(name()),
    );
    (0..4u8, any::<bool>(), info).prop_map(|(session, is_subscribed, info)| {
        let (cluster_name, service_name, endpoint, name) = info;
        let info = ClusterInfo {
            cluster_name,
            service_name,
            endpoint,
            name,
            masks: None,
        };
        PeerSession {
            session_id: session.to_string().into(),
            info,
            is_subscribed,
        }
    })
}

fn connect_error() -> impl Strategy<Value = ConnectError> {
    (endpoint(), any::<bool>()).prop_map(|(endpoint, unreachable)| {
        let reason = String::new();
        match unreachable {
            true => ConnectError::Unreachable { endpoint, reason },
            false => ConnectError::NotHappn { endpoint, reason },
        }
    })
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => prop::collection::vec(beat(), 0..6).prop_map(Input::Beats),
        4 => (endpoint(), name()).prop_map(|(endpoint, name)| Input::Connected {
            endpoint,
            name,
            instance: None,
        }),
        4 => endpoint().prop_map(|endpoint| Input::Subscribed { endpoint }),
        2 => (endpoint(), connect_error())
            .prop_map(|(endpoint, error)| Input::ConnectFailed { endpoint, error }),
        1 => endpoint().prop_map(|endpoint| Input::LinkLost { endpoint }),
        2 => session().prop_map(|session| Input::PeerArrived {
            session_id: session.session_id,
            info: session.info,
        }),
        2 => (0..4u8).prop_map(|id| Input::PeerSubscribed { session_id: id.to_string().into() }),
        1 => (0..4u8).prop_map(|id| Input::SessionEnded { session_id: id.to_string().into() }),
        1 => prop::collection::vec(session(), 0..3).prop_map(Input::Sessions),
        2 => Just(Input::Tick),
    ]
}

/// What the driver of the roster has open, kept as its contract says.
#[derive(Debug, Default)]
struct Links(BTreeMap<String, Phase>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Dialing,
    Connected,
    Peer,
}

impl Links {
    /// Whether a driver could send `input` now.
    fn allows(&self, input: &Input) -> bool {
        match input {
            Input::Connected { endpoint, .. } | Input::ConnectFailed { endpoint, .. } => {
                self.0.get(endpoint) == Some(&Phase::Dialing)
            }
            Input::Subscribed { endpoint } => self.0.get(endpoint) == Some(&Phase::Connected),
            Input::LinkLost { endpoint } => {
                self.0.get(endpoint).is_some_and(|it| *it != Phase::Dialing)
            }
            _ => true,
        }
    }

    fn take_input(&mut self, input: &Input) {
        match input {
            Input::Connected { endpoint, .. } => {
                self.0.insert(endpoint.clone(), Phase::Connected);
            }
            Input::Subscribed { endpoint } => {
                self.0.insert(endpoint.clone(), Phase::Peer);
            }
            Input::ConnectFailed { endpoint, .. } | Input::LinkLost { endpoint } => {
                self.0.remove(endpoint);
            }
            _ => {}
        }
    }

    fn take_effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Dial { endpoint } => {
                assert_ne!(endpoint, ENDPOINTS[0], "dialed itself");
                let open = self.0.insert(endpoint.clone(), Phase::Dialing);
                assert_eq!(open, None, "dialed {endpoint}, which is open already");
            }
            Effect::Drop { endpoint, .. } => {
                let open = self.0.remove(endpoint);
                assert!(open.is_some(), "dropped {endpoint}, which is not open");
            }
            Effect::Subscribe { endpoint } => {
                assert_eq!(self.0.get(endpoint), Some(&Phase::Connected));
            }
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn links_and_members_agree_whatever_happens(
        steps in prop::collection::vec((0..4_000u64, input()), 1..200),
        minimum in 0..4u32,
    ) {
        let mut roster = Roster::new(Arc::new(config(minimum)), 7, Duration::ZERO);
        let mut links = Links::default();
        let mut now = Duration::ZERO;
        for (ms, input) in steps {
            now += Duration::from_millis(ms);
            if !links.allows(&input) {
                continue;
            }
            links.take_input(&input);
            for effect in roster.handle(now, input) {
                links.take_effect(&effect);
            }
            prop_assert_eq!(roster.state(), State::of(&roster.counts(now)));
            prop_assert!(roster.next_wake(now) > now);
            let members = roster.members(now);
            prop_assert!(members[0].is_self);
            for (endpoint, phase) in &links.0 {
                let member = members.iter().find(|member| member.endpoint == *endpoint);
                let is_peer = member.is_some_and(|member| member.is_peer);
                prop_assert_eq!(is_peer, *phase == Phase::Peer, "{} {:?}", endpoint, phase);
            }
            let peers = members.iter().filter(|member| member.is_peer && !member.is_self);
            let open = links.0.values().filter(|phase| **phase == Phase::Peer);
            prop_assert_eq!(peers.count(), open.count());
        }
    }

    #[test]
    fn inputs_that_fit_nothing_do_no_harm(
        steps in prop::collection::vec((0..4_000u64, input()), 1..200),
    ) {
        let mut roster = Roster::new(Arc::new(config(1)), 7, Duration::ZERO);
        let mut now = Duration::ZERO;
        for (ms, input) in steps {
            now += Duration::from_millis(ms);
            for effect in roster.handle(now, input) {
                let own = Effect::Dial { endpoint: ENDPOINTS[0].to_owned() };
                prop_assert_ne!(effect, own);
            }
            prop_assert_eq!(roster.state(), State::of(&roster.counts(now)));
        }
    }

    #[test]
    fn whatever_happened_a_lone_node_is_stable_again_in_bounded_time(
        steps in prop::collection::vec((0..4_000u64, input()), 1..100),
    ) {
        let mut roster = Roster::new(Arc::new(config(1)), 7, Duration::ZERO);
        let mut links = Links::default();
        let mut now = Duration::ZERO;
        for (ms, input) in steps {
            now += Duration::from_millis(ms);
            if links.allows(&input) {
                links.take_input(&input);
                roster.handle(now, input).iter().for_each(|effect| links.take_effect(effect));
            }
        }
        // From here on nobody answers, and only our own record is in the table.
        let own = Beat {
            endpoint: ENDPOINTS[0].to_owned(),
            service: "svc".to_owned(),
            cluster: None,
            name: None,
            instance: Some("instance-1".to_owned()),
            mark: 1,
        };
        roster.handle(now, Input::Beats(vec![own]));
        roster.handle(now + Duration::from_secs(11), Input::Tick);
        prop_assert_eq!(roster.state(), State::Stable);
    }

    #[test]
    fn equal_seeds_and_inputs_give_equal_effects(
        steps in prop::collection::vec((0..4_000u64, input()), 1..100),
        seed: u64,
    ) {
        let run = || {
            let mut roster = Roster::new(Arc::new(config(1)), seed, Duration::ZERO);
            let mut now = Duration::ZERO;
            let effects = steps.iter().map(|(ms, input)| {
                now += Duration::from_millis(*ms);
                roster.handle(now, input.clone())
            });
            effects.collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }
}
