use happn_paths::{RouteRule, Routes};
use serde::Deserialize;

use crate::load;

#[derive(Debug, Deserialize)]
struct Case {
    patterns: Vec<String>,
    path: String,
    route: Option<usize>,
}

#[test]
fn routes() {
    let cases: Vec<Case> = load::cases("routes");
    let mut strict_differs = 0;
    for case in &cases {
        assert_eq!(find(RouteRule::Loose, case), case.route, "{case:?}");
        strict_differs += usize::from(find(RouteRule::Strict, case) != case.route);
    }
    load::report("routes", cases.len(), 0);
    println!("routes: the strict rule answers {strict_differs} of them differently");
}

fn find(rule: RouteRule, case: &Case) -> Option<usize> {
    let mut routes = Routes::new(rule);
    for (at, pattern) in case.patterns.iter().enumerate() {
        routes.insert(pattern, at);
    }
    routes.find(&case.path).copied()
}
