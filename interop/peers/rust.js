// Our node, as a process of its own; `HAPPN_NODE_BIN` names the binary.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { eventually } from '../waiting.js';
import { freePorts } from './ports.js';

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 15_000;
const running = new Set();

// A failing test must not leave nodes behind.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export async function startRustNode() {
  const [node] = await startRustCluster(1);
  return node;
}

/// Starts `count` nodes on one SQLite file, or on the given store; complete when every one serves
/// clients. With `security`, its `adminPassword` and what there is to be (`provision`), they are
/// secure.
export async function startRustCluster(count, datastore, security) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'happn-interop-'));
  const ports = await freePorts(3 * count);
  const nodes = Array.from({ length: count }, (_, index) =>
    makeNode(folder, `node-${index + 1}`, count, ports.slice(3 * index, 3 * index + 3), datastore, security)
  );
  let left = count;
  for (const node of nodes) {
    const { stop } = node;
    node.stop = async () => {
      await stop();
      left -= 1;
      if (left === 0) await fs.rm(folder, { recursive: true, force: true });
    };
  }
  await Promise.all(nodes.map((node) => node.start()));
  return nodes;
}

function makeNode(folder, name, minimumPeers, [inner, proxy, admin], datastore, security) {
  const file = path.join(folder, `${name}.json`);
  const settings = configuration(folder, name, minimumPeers, { inner, proxy, admin }, datastore, security);
  let child;
  const node = {
    name,
    port: proxy,
    async start() {
      await fs.writeFile(file, JSON.stringify(settings));
      const wanted = security && (await writeProvision(folder, name, security.provision));
      child = spawnNode(['--config', file, ...(wanted ? ['--provision', wanted] : [])]);
      await eventually(`${name} serves clients on ${proxy}`, START_DEADLINE_MS, () => {
        if (child.exitCode !== null) throw new Error(`${name} ended:\n${child.transcript}`);
        return answers(proxy);
      });
    },
    /// Makes sure of users and groups while the cluster runs.
    async provision(wanted) {
      const provision = await writeProvision(folder, `${name}-later`, wanted);
      await promisify(execFile)(binary(), ['--config', file, 'provision', provision]);
    },
    /// Runs `cluster-node admin` as its administrator and answers what it prints. `secrets` are
    /// variables of its environment, `input` is what it reads.
    async administer(args, secrets = {}, input = '') {
      const env = { ...process.env, HAPPN_ADMIN_PASSWORD: security.adminPassword, ...secrets };
      const run = promisify(execFile)(binary(), ['--config', file, 'admin', ...args], { env });
      run.child.stdin.end(input);
      return (await run).stdout;
    },
    /// Ends the process with `signal` and answers its exit code, null if the signal ended it.
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      const ended = once(child, 'exit');
      child.kill(signal);
      const [code] = await ended;
      clearTimeout(timer);
      running.delete(child);
      return code;
    },
    async restart(signal = 'SIGTERM') {
      await node.end(signal);
      await node.start();
    },
    stop: () => node.end('SIGTERM'),
  };
  return node;
}

function binary() {
  const named = process.env.HAPPN_NODE_BIN;
  if (!named) throw new Error('HAPPN_NODE_BIN is not set; run `cargo xtask test`');
  return named;
}

async function writeProvision(folder, name, wanted) {
  const file = path.join(folder, `${name}.provision.json`);
  await fs.writeFile(file, JSON.stringify(wanted));
  return file;
}

function spawnNode(args) {
  const child = spawn(binary(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.transcript = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      child.transcript = (child.transcript + text).slice(-20_000);
    });
  }
  child.on('error', (error) => {
    child.transcript += `cannot run ${binary()}: ${error.message}`;
    child.exitCode ??= 127;
  });
  return child;
}

function configuration(folder, name, minimumPeers, { inner, proxy, admin }, datastore, security) {
  const settings = { filename: path.join(folder, 'happn.db') };
  const store = datastore ?? { name: 'main', provider: 'sqlite', isDefault: true, settings };
  return {
    name,
    secure: security !== undefined,
    host: '127.0.0.1',
    port: inner,
    announceHost: '127.0.0.1',
    admin: { port: admin },
    services: {
      data: { config: { datastores: [store] } },
      ...(security && { security: { config: { adminUser: { password: security.adminPassword } } } }),
      proxy: { config: { host: '127.0.0.1', port: proxy } },
      orchestrator: {
        config: {
          minimumPeers,
          deployment: 'interop',
          timing: { keepAlive: 300, memberRefresh: 200, keepAliveThreshold: 2000 },
        },
      },
    },
  };
}

// The proxy pends until the node is stable, so an answer to `/ping` means: clients are served.
function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('connect', () => socket.write('GET /ping HTTP/1.1\r\nHost: interop\r\n\r\n'));
    socket.on('data', (data) => {
      text += data;
      if (text.includes('pong')) finish(true);
    });
  });
}
