// What applications call on the JavaScript client is there on ours.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import happn from 'happn-3';

import { browserClient } from '../browser/script.js';
import { startJavascriptServer } from '../peers/javascript.js';

/// Methods that serve the inside of their client, although their names do not say so.
const INSIDE = new Set([
  'clearTimeouts',
  'client',
  'createQueue',
  'delegate_handover',
  'getChannel',
  'getEventId',
  'handle_ack',
  'handle_data',
  'handle_end',
  'handle_error',
  'handle_publication',
  'handle_reconnect_scheduled',
  'handle_reconnect_timeout',
  'handle_response',
  'handle_response_array',
  'initialize',
  'log',
  'login',
  'reconnect',
]);

let server;
let theirs;
let ours;

before(async () => {
  server = await startJavascriptServer();
  const options = { host: '127.0.0.1', port: server.port, utils: { logLevel: 'error' } };
  theirs = await happn.client.create(options);
  ours = await (await browserClient()).create(options);
});

after(async () => {
  await theirs?.disconnect();
  await ours?.disconnect();
  await server?.stop();
});

const methodsOf = (client) => {
  const names = [];
  for (const name in client) if (typeof client[name] === 'function') names.push(name);
  return names.filter((name) => !name.startsWith('_') && !INSIDE.has(name));
};

test('every method is there', () => {
  const missing = methodsOf(theirs).filter((name) => typeof ours[name] !== 'function');
  assert.deepEqual(missing, []);
  assert.ok(methodsOf(theirs).length > 20, 'the list is the real one');
});

test('what applications read is there', () => {
  // Their log in Node is a function too; in a browser it is the object that ours is.
  for (const name of ['status', 'session', 'options', 'serverInfo', 'socket']) {
    assert.equal(typeof ours[name], typeof theirs[name], name);
  }
  assert.deepEqual(Object.keys(ours.session).sort(), Object.keys(theirs.session).sort());
  for (const name of ['url', 'host', 'port', 'callTimeout', 'loginRetry', 'defaultVariableDepth', 'reconnectWait']) {
    assert.equal(ours.options[name], theirs.options[name], name);
  }
});

test('a bad call fails with the same words', async () => {
  const words = (client, call) => call(client).then(() => 'no error', (error) => error.message);
  for (const call of [
    (client) => client.set('/a/*', 1, {}),
    (client) => client.set('/a;b', 1, {}),
    (client) => client.set(5, 1, {}),
    (client) => client.publish('/a*', 1, {}),
    (client) => client.remove('/a;b', {}),
    (client) => client.on('/a;b', {}, () => {}),
    (client) => client.on(null, {}, () => {}),
    (client) => client.off('x'),
    (client) => client.increment('/a', 'gauge', 'many', {}),
    (client) => client.getCreatedBetween('/a', 'then', 5),
    (client) => client.getCreatedBetween('/a', 5, 'now'),
    (client) => client.set('/a', 1, { consistency: 3 }),
    (client) => client.revokeToken(),
  ]) {
    assert.equal(await words(ours, call), await words(theirs, call), String(call));
  }
});

test('a good call answers the same', async () => {
  // Each client has a folder of its own, so that they do not see each other's documents.
  const answer = async (client, at, call) => {
    const text = JSON.stringify((await call(client, at)) ?? null);
    return JSON.parse(text.replaceAll(at, '/folder'));
  };
  const shape = (value) => {
    if (Array.isArray(value)) return value.map(shape);
    if (value === null || typeof value !== 'object') return value;
    const volatile = ['created', 'modified', 'timestamp', 'eventId', 'sessionId', 'id'];
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, volatile.includes(name) ? typeof inner : shape(inner)])
    );
  };
  for (const call of [
    (client, at) => client.remove(`${at}/*`),
    (client, at) => client.set(`${at}/a`, { v: 1 }),
    (client, at) => client.set(`${at}/b`, [1, 2]),
    (client, at) => client.set(`${at}/c`, 'text', { noStore: true }),
    (client, at) => client.set(`${at}/a`, { w: 2 }, { merge: true }),
    (client, at) => client.set(`${at}/d`, { v: 1 }, { noDataResponse: true }),
    (client, at) => client.publish(`${at}/e`, { v: 1 }),
    (client, at) => client.increment(`${at}/g`),
    (client, at) => client.remove(`${at}/g`),
    (client, at) => client.increment(`${at}/g`, 5),
    (client, at) => client.remove(`${at}/g`),
    (client, at) => client.increment(`${at}/g`, 'wheels', 4, {}),
    (client, at) => client.get(`${at}/a`),
    (client, at) => client.get(`${at}/nothing`),
    (client, at) => client.get(`${at}/*`),
    (client) => client.get('/nobody/*'),
    (client, at) => client.get(`${at}/*`, { fields: { v: 1 }, options: { limit: 1 } }),
    (client, at) => client.get(`${at}/*`, { criteria: { v: 1 } }),
    (client, at) => client.getPaths(`${at}/*`, {}),
    (client, at) => client.getCreatedBetween(`${at}/*`, 0, Date.now() + 1000),
    (client, at) => client.count(`${at}/*`),
    (client, at) => client.remove(`${at}/a`),
    (client, at) => client.remove(`${at}/*`),
  ]) {
    const [mine, others] = [await answer(ours, '/ours', call), await answer(theirs, '/theirs', call)];
    assert.deepEqual(shape(mine), shape(others), String(call));
  }
});
