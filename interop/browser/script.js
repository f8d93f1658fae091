// The client for browsers, loaded into Node as a page would load it: from our node, as served.

import vm from 'node:vm';

import WebSocket from 'ws';

import { startRustNode } from '../peers/rust.js';

let fetching;
let client;

/// The `HappnClient` of the script that our node serves at `/browser_client`.
export async function browserClient() {
  client ??= run(await fetchClient());
  return client;
}

/// The script's text.
export function fetchClient() {
  fetching ??= fetchFromNode();
  return fetching;
}

async function fetchFromNode() {
  const node = await startRustNode();
  const response = await fetch(`http://127.0.0.1:${node.port}/browser_client`);
  const script = await response.text();
  await node.stop();
  if (response.status !== 200) throw new Error(`/browser_client answers ${response.status}`);
  return script;
}

/// Runs the script in a world of its own, which has what browsers have and nothing of Node.
export function run(script, more = {}) {
  const world = { WebSocket, URL, setTimeout, clearTimeout, setInterval, clearInterval, console, ...more };
  world.self = world;
  vm.runInNewContext(script, world, { filename: 'browser_client' });
  return world.HappnClient;
}
