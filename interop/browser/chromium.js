// A headless Chromium, driven through its DevTools protocol; nothing is downloaded.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

import WebSocket from 'ws';

const START_DEADLINE_MS = 30_000;
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const running = new Set();

// A failing test must not leave browsers behind.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

function findChromium() {
  const candidates = process.env.HAPPN_CHROMIUM ? [process.env.HAPPN_CHROMIUM] : NAMES;
  const found = candidates.find((name) => spawnSync(name, ['--version']).status === 0);
  if (!found) throw new Error(`no Chromium (tried ${candidates.join(', ')}); install it or set HAPPN_CHROMIUM`);
  return found;
}

export async function startChromium() {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'happn-chromium-'));
  const child = spawn(
    findChromium(),
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  );
  running.add(child);
  const devTools = await Devtools.connect(await devToolsAddress(child));
  return {
    openPage: (url) => openPage(devTools, url),
    async stop() {
      const ended = once(child, 'exit');
      await devTools.send('Browser.close').catch(() => child.kill('SIGKILL'));
      await ended;
      running.delete(child);
      await fs.rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

function devToolsAddress(child) {
  return new Promise((resolve, reject) => {
    const said = [];
    const fail = (why) => reject(new Error(`Chromium ${why}:\n${said.join('\n')}`));
    const timer = setTimeout(() => fail('did not start in time'), START_DEADLINE_MS);
    child.once('exit', (code) => fail(`ended with ${code}`));
    readline.createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      const address = line.match(/DevTools listening on (ws:\S+)/);
      if (!address) return;
      clearTimeout(timer);
      resolve(address[1]);
    });
  });
}

/// Opens `url`, with cookies of its own, and answers the page once it has loaded.
async function openPage(devTools, url) {
  const { browserContextId } = await devTools.send('Target.createBrowserContext');
  const { targetId } = await devTools.send('Target.createTarget', { url: 'about:blank', browserContextId });
  const { sessionId } = await devTools.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method, parameters) => devTools.send(method, parameters, sessionId);
  await send('Page.enable');
  await send('Runtime.enable');
  const loaded = devTools.next('Page.loadEventFired', sessionId);
  await send('Page.navigate', { url });
  await loaded;
  return {
    /// Runs `action(...values)` in the page and answers what it answers, through JSON.
    async run(action, ...values) {
      const expression = `(${action})(...${JSON.stringify(values)})`;
      const options = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await send('Runtime.evaluate', options);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    close: () => devTools.send('Target.disposeBrowserContext', { browserContextId }),
  };
}

/// Commands and events of the DevTools protocol.
class Devtools {
  static async connect(address) {
    const socket = new WebSocket(address);
    await once(socket, 'open');
    return new Devtools(socket);
  }

  constructor(socket) {
    this.socket = socket;
    this.lastId = 0;
    this.pending = new Map();
    this.awaited = [];
    socket.on('message', (text) => this.receive(JSON.parse(text)));
    socket.on('close', () => this.pending.forEach(({ reject }) => reject(new Error('Chromium is gone'))));
  }

  send(method, parameters = {}, sessionId = undefined) {
    this.lastId += 1;
    const id = this.lastId;
    this.socket.send(JSON.stringify({ id, method, params: parameters, sessionId }));
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
  }

  /// The next event `method` of a page.
  next(method, sessionId) {
    return new Promise((resolve) => this.awaited.push({ method, sessionId, resolve }));
  }

  receive({ id, method, params, result, error, sessionId }) {
    const request = this.pending.get(id);
    if (request) {
      this.pending.delete(id);
      if (error) request.reject(new Error(error.message));
      else request.resolve(result);
      return;
    }
    const isMeant = (one) => one.method === method && one.sessionId === sessionId;
    this.awaited.filter(isMeant).forEach((one) => one.resolve(params));
    this.awaited = this.awaited.filter((one) => !isMeant(one));
  }
}
