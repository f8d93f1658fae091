// The client for browsers, loaded into Node as a page would load it: from our node, as served.

import vm from 'node:vm';

import WebSocket from 'ws';

import { startRustNode } from '../peers/rust.js';

let loading;

/// The `HappnClient` of the script that our node serves at `/browser_client`.
export function browserClient() {
  loading ??= load();
  return loading;
}

async function load() {
  const node = await startRustNode();
  const script = await fetchScript(node.port, '/browser_client');
  await node.stop();
  return run(script);
}

export async function fetchScript(port, path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  if (response.status !== 200) throw new Error(`${path} answers ${response.status}`);
  return response.text();
}

/// Runs the script in a world of its own, which has what browsers have and nothing of Node.
export function run(script, more = {}) {
  const world = { WebSocket, URL, setTimeout, clearTimeout, setInterval, clearInterval, console, ...more };
  world.self = world;
  vm.runInNewContext(script, world, { filename: 'browser_client' });
  return world.HappnClient;
}
