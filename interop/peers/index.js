// What the JavaScript client is tested against. `HAPPN_PEER=js` runs the same tests against the
// JavaScript server: that proves the tests, and tells our faults from our misunderstandings.

import { startJavascriptServer } from './javascript.js';
import { startRustNode } from './rust.js';

export const peer = process.env.HAPPN_PEER ?? 'rust';

/// Starts one stand-alone server. It has `port` (where clients connect), `restart()`, `stop()`.
export function startServer() {
  return peer === 'js' ? startJavascriptServer() : startRustNode();
}
