// Real pages in a real browser, on our node. The same steps are played with our client and with
// the JavaScript project's own, which then runs on the transport that our node serves.

import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import happn from 'happn-3';

import { startChromium } from '../browser/chromium.js';
import { startPages } from '../browser/pages.js';
import { ADMIN_PASSWORD, startJavascriptServer, startSecureJavascriptServer } from '../peers/javascript.js';
import { startRustNode } from '../peers/rust.js';

let chromium;
let pages;
let node;
let theirs;
let home;

before(async () => {
  // The JavaScript server keeps its bundle in the home folder, the browser its crash reports.
  home = await fs.mkdtemp(path.join(os.tmpdir(), 'happn-home-'));
  process.env.HOME = home;
  [chromium, pages, node, theirs] = await Promise.all([
    startChromium(),
    startPages(),
    startRustNode(),
    startJavascriptServer(),
  ]);
});

after(async () => {
  await chromium?.stop();
  await Promise.all([pages?.stop(), node?.stop(), theirs?.stop()]);
  await fs.rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

const scriptOf = (server, path) => `http://127.0.0.1:${server.port}${path}`;

const clients = {
  'our client on our node': () => ({ scripts: [scriptOf(node, '/browser_client')], server: node }),
  'our client on their server': () => ({ scripts: [scriptOf(node, '/browser_client')], server: theirs }),
  'their client on our node': () => ({ scripts: [scriptOf(theirs, '/browser_client')], server: node }),
  'their client on our node, with every script a page may list': () => ({
    scripts: [
      scriptOf(node, '/browser_primus.js'),
      scriptOf(node, '/browser_crypto.js'),
      scriptOf(theirs, '/browser_client'),
    ],
    server: node,
  }),
};

/// What a page does with its client; runs in the browser.
async function verbs(port) {
  const client = await window.HappnClient.create({ host: '127.0.0.1', port });
  window.client = client;
  const seen = [];
  const came = (count) =>
    new Promise((resolve, reject) => {
      const timer = setInterval(() => seen.length >= count && resolve(clearInterval(timer)), 10);
      setTimeout(() => reject(new Error(`came: ${JSON.stringify(seen)}`)), 10000);
    });
  await client.remove('/page/*', { noPublish: true });
  const handle = await client.on('/page/*', (data, meta) => seen.push([meta.path, data, meta.action.split('@')[0]]));
  await client.set('/page/a', { text: 'žluť 馬 \u2028' }, {});
  await client.set('/page/a', { more: 1 }, { merge: true });
  await client.set('/page/quiet', { v: 1 }, { noPublish: true });
  await client.publish('/page/b', { v: 2 }, {});
  await client.increment('/page/gauge', 'wheels', 2, {});
  const got = await client.get('/page/a', {});
  const paths = await client.getPaths('/page/*', {});
  const counted = await client.count('/page/*', {});
  const removed = await client.remove('/page/a', {});
  await came(5);
  await client.off(handle);
  const called = await new Promise((resolve, reject) => {
    client.get('/page/quiet', {}, (error, item) => (error ? reject(error) : resolve(item)));
  });
  const refused = await client.set('/page/*', {}, {}).catch((error) => error.message);
  return {
    seen,
    got: { text: got.text, more: got.more, path: got._meta.path },
    paths: paths.map((item) => item._meta.path).sort(),
    counted: counted.value,
    removed: removed.removed,
    called: called.v,
    refused,
    status: client.status,
    browser: client.session.info._browser,
    cookies: document.cookie,
  };
}

/// Subscribes and notes what happens until the page is asked for it; runs in the browser.
async function listen() {
  window.heard = [];
  window.events = [];
  await window.client.on('/outside/**', { depth: 7 }, (data, meta) => window.heard.push([meta.path, data]));
  ['connection-ended', 'reconnect-scheduled', 'reconnect-successful'].forEach((name) => {
    window.client.onEvent(name, () => window.events.push(name));
  });
}

/// Resolves when the page has heard `count` events; runs in the browser.
async function heard(count) {
  const end = Date.now() + 10000;
  while (window.heard.length < count && Date.now() < end) await new Promise((next) => setTimeout(next, 10));
  return window.heard;
}

/// Resolves when the page's client is back; runs in the browser.
async function back() {
  const end = Date.now() + 20000;
  const isBack = () => window.events.includes('reconnect-successful');
  while (!isBack() && Date.now() < end) await new Promise((next) => setTimeout(next, 20));
  return window.events;
}

async function publishOutside(server, path, data) {
  const publisher = await happn.client.create({ host: '127.0.0.1', port: server.port, utils: { logLevel: 'error' } });
  await publisher.set(path, data, {});
  await publisher.disconnect();
}

for (const [name, setting] of Object.entries(clients)) {
  describe(name, () => {
    let page;
    let server;
    let ours;

    before(async () => {
      const { scripts, server: chosen } = setting();
      server = chosen;
      ours = name.startsWith('our client');
      page = await chromium.openPage(pages.urlWith(scripts));
    });

    after(() => page?.close());

    test('a page uses every verb', async () => {
      const { refused, cookies, ...result } = await page.run(verbs, server.port);
      assert.deepEqual(result, {
        seen: [
          ['/page/a', { text: 'žluť 馬 \u2028' }, '/SET'],
          ['/page/a', { text: 'žluť 馬 \u2028', more: 1 }, '/SET'],
          ['/page/b', { v: 2 }, '/SET'],
          ['/page/gauge', { value: 2, gauge: 'wheels' }, '/SET'],
          ['/page/a', { removed: 1 }, '/REMOVE'],
        ],
        got: { text: 'žluť 馬 \u2028', more: 1, path: '/page/a' },
        paths: ['/page/a', '/page/gauge', '/page/quiet'],
        counted: 3,
        removed: 1,
        called: 1,
        status: 1,
        browser: true,
      });
      assert.match(refused, /cannot contain the \* wildcard/);
      if (ours) assert.equal(cookies, '');
    });

    test('a page hears others, before and after its server was restarted', async () => {
      await page.run(listen);
      await publishOutside(server, '/outside/one', { v: 1 });
      assert.deepEqual(await page.run(heard, 1), [['/outside/one', { v: 1 }]]);
      await server.restart();
      const events = await page.run(back);
      for (const event of ['connection-ended', 'reconnect-scheduled', 'reconnect-successful']) {
        assert.ok(events.includes(event), `${event} among ${events}`);
      }
      await publishOutside(server, '/outside/two', { v: 2 });
      assert.deepEqual((await page.run(heard, 2)).at(-1), ['/outside/two', { v: 2 }]);
    });
  });
}

test('the script works as a module of the node’s own pages', async () => {
  const page = await chromium.openPage(scriptOf(node, '/ping'));
  const answer = await page.run(async (port) => {
    await import('/browser_client');
    const client = await window.HappnClient.create({ port });
    const described = client.serverInfo.secure;
    await client.disconnect();
    return [described, client.status];
  }, node.port);
  assert.deepEqual(answer, [false, 2]);
  await page.close();
});

test('what the crypto script cannot do it says', async () => {
  const page = await chromium.openPage(pages.urlWith([scriptOf(node, '/browser_crypto.js')]));
  const message = await page.run(() => {
    try {
      return new window.Crypto().sign('nonce', 'key');
    } catch (error) {
      return error.message;
    }
  });
  assert.equal(message, 'browser_crypto.js of this server cannot sign: log in with a password or a token');
  await page.close();
});

test('a session with a token leaves it in a cookie, for other clients of the page', async () => {
  const secure = await startSecureJavascriptServer();
  const page = await chromium.openPage(pages.urlWith([scriptOf(node, '/browser_client')]));
  const seen = await page.run(
    async (port, password) => {
      const events = [];
      const cookieEventHandler = (event) => events.push(event);
      const came = async (count) => {
        const end = Date.now() + 5000;
        while (events.length < count && Date.now() < end) await new Promise((next) => setTimeout(next, 20));
      };
      const first = await window.HappnClient.create({ port, username: '_ADMIN', password, cookieEventHandler, interval: 500 });
      const written = document.cookie === `${first.session.cookieName}=${first.session.token}`;
      const second = await window.HappnClient.create({ port, useCookie: true });
      const user = second.session.user.username;
      await second.disconnect();
      await came(1);
      await first.disconnect({ deleteCookie: true });
      await came(2);
      window.HappnClient.clearCookieEventObjects();
      return { written, user, left: document.cookie, events };
    },
    secure.port,
    ADMIN_PASSWORD
  );
  await page.close();
  await secure.stop();
  assert.deepEqual(seen, { written: true, user: '_ADMIN', left: '', events: ['cookie-created', 'cookie-deleted'] });
});
