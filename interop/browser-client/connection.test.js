import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { fetchClient, run } from '../browser/script.js';
import { makeStage } from '../browser/stage.js';
import { same } from '../same.js';

let stage;

beforeEach(async () => {
  stage = await makeStage();
});

/// A client that is connected and logged in.
async function connected(options = {}) {
  const creating = stage.HappnClient.create(options);
  await stage.clock.pass(0);
  stage.network.last.open();
  await stage.clock.pass(0);
  const client = await creating;
  const events = [];
  const names = 'connection-ended reconnect-scheduled reconnect reconnect-successful reconnect-error';
  for (const name of [...names.split(' '), 'session-ended', 'error']) {
    client.onEvent(name, (data) => events.push([name, data]));
  }
  return { client, events, link: stage.network.last };
}

const names = (events) => events.map(([name]) => name);

/// Lets the next attempt, `wait` ms away, happen and succeed.
async function comeBack(wait) {
  await stage.clock.pass(wait);
  stage.network.last.open();
  await stage.clock.pass(0);
}

test('a client says hello in three steps, on /primus of the given host', async () => {
  const { client, link } = await connected({ host: 'example.com', port: 1234, username: 'bob' });
  assert.match(link.url, /^ws:\/\/example\.com:1234\/primus\?_primuscb=\w+$/);
  same(link.sent.map(({ action }) => action), ['configure-session', 'describe', 'login']);
  same(link.sent[0].data.protocol, 'happn_4');
  same(link.sent[2].data, { username: 'bob', info: { _browser: false, _local: false }, protocol: 'happn_4' });
  assert.equal(client.status, 1);
});

for (const [options, start] of [
  [{}, 'ws://127.0.0.1:55000/primus?'],
  [{ host: 'localhost', port: 80 }, 'ws://127.0.0.1/primus?'],
  [{ protocol: 'https', host: 'h', port: 443 }, 'wss://h/primus?'],
  [{ url: 'https://h:1/ignored/path?kept=1' }, 'wss://h:1/primus?kept=1&'],
  [{ config: { host: 'inner', port: 2 }, port: 3 }, 'ws://inner:2/primus?'],
]) {
  test(`${JSON.stringify(options)} leads to ${start}`, async () => {
    const { link } = await connected(options);
    assert.ok(link.url.startsWith(`${start}_primuscb=`), link.url);
  });
}

test('a url that is none is refused by name', async () => {
  await assert.rejects(stage.HappnClient.create({ url: 'nowhere' }), /looks like http:\/\/host:port, not \[nowhere\]/);
});

test('a first connection that fails is an error, and nothing is tried again', async () => {
  const creating = assert.rejects(stage.HappnClient.create(), /cannot connect to ws:\/\/127\.0\.0\.1:55000/);
  await stage.clock.pass(0);
  stage.network.last.cut();
  await creating;
  await stage.clock.pass(1_000_000);
  assert.equal(stage.network.links.length, 1);
  assert.equal(stage.clock.timers.size, 0);
});

test('a first connection that hangs times out', async () => {
  const creating = assert.rejects(stage.HappnClient.create({ connectTimeout: 700 }), /connection timed out/);
  await stage.clock.pass(700);
  await creating;
  assert.ok(stage.network.last.closed);
  assert.equal(stage.clock.timers.size, 0);
});

test('attempts come at growing distances, up to a maximum, until one succeeds', async () => {
  const { client, events, link } = await connected({ reconnect: { max: 5000 } });
  link.cut();
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    waits.push(events.filter(([name]) => name === 'reconnect-scheduled').at(-1)[1].scheduled);
    assert.equal(client.status, 4);
    await stage.clock.pass(waits.at(-1));
    stage.network.last.cut();
  }
  assert.equal(waits[0], 500);
  assert.ok(waits[1] >= 1000 && waits[1] <= 2000, `${waits}`);
  assert.ok(waits[2] >= 2000 && waits[2] <= 4000, `${waits}`);
  same(waits.slice(4), [5000, 5000, 5000, 5000]);
  await comeBack(5000);
  assert.equal(client.status, 1);
  assert.equal(names(events).at(-1), 'reconnect-successful');
  assert.equal(names(events).filter((name) => name === 'connection-ended').length, 1);
});

test('retries can be limited', async () => {
  const { client, events, link } = await connected({ reconnect: { retries: 2 } });
  link.cut();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await stage.clock.pass(10_000);
    stage.network.last.cut();
  }
  assert.equal(client.status, 2);
  assert.equal(stage.clock.timers.size, 0);
  assert.equal(names(events).at(-1), 'connection-ended');
});

test('the network coming back ends the wait', async () => {
  const { client, link } = await connected();
  link.cut();
  stage.window.listeners.online.forEach((listener) => listener());
  stage.network.last.open();
  await stage.clock.pass(0);
  assert.equal(stage.network.links.length, 2);
  assert.equal(client.status, 1);
  await client.disconnect();
  same(stage.window.listeners.online, []);
});

test('a ping is answered, and a server that stops pinging is left', async () => {
  const { events, link } = await connected();
  link.say('primus::ping::17');
  await stage.clock.pass(44_000);
  assert.ok(link.sent.includes('primus::pong::17'));
  link.say('primus::ping::18');
  await stage.clock.pass(44_000);
  same(events, []);
  await stage.clock.pass(1_000);
  assert.ok(link.closed);
  same(names(events).slice(0, 2), ['connection-ended', 'reconnect-scheduled']);
});

test('a server that closes on purpose is not asked again', async () => {
  const { client, events, link } = await connected();
  link.say({ _meta: { type: 'system' }, data: { reason: 'token-revoked' }, eventKey: 'server-side-disconnect' });
  link.say('primus::server::close');
  await stage.clock.pass(1_000_000);
  same(events, [['session-ended', { reason: 'token-revoked' }], ['connection-ended', client.session.id]]);
  assert.equal(client.status, 2);
  assert.equal(stage.network.links.length, 1);
});

test('nonsense of the server is survived', async () => {
  const { client, events, link } = await connected();
  for (const text of ['nonsense', '', '5', 'null', '{}', '[]', '"primus::foo"', '{"_meta":{}}', '{"_meta":null}']) {
    link.sayText(text);
  }
  await stage.clock.pass(0);
  same(names(events), ['error', 'error']);
  same((await client.set('/a', { v: 1 })).v, 1);
  same(stage.clock.thrown, []);
});

test('requests fail with the connection they were sent on', async () => {
  const { client, link } = await connected();
  const waiting = assert.rejects(client.get('/a'), /connection was lost before the server answered/);
  link.cut();
  await waiting;
  const refused = await client.get('/a').catch((error) => error);
  assert.equal(refused.message, 'client not active');
  assert.equal(refused.detail, 'action: get, path: /a');
});

test('an answer that does not come is given up', async () => {
  const { client } = await connected({ callTimeout: 900 });
  const waiting = assert.rejects(client.get('/a'), { message: 'api request timed out path: /a action: get' });
  await stage.clock.pass(900);
  await waiting;
  const patient = assert.rejects(client.get('/a', { timeout: 2000 }), /timed out/);
  await stage.clock.pass(1999);
  assert.equal(stage.clock.timers.size, 2, 'the request and the watch over pings');
  await stage.clock.pass(1);
  await patient;
});

test('a login is repeated unless it is refused', async () => {
  for (const [error, expected] of [[{ name: 'AccessDenied', code: 401, message: 'Invalid credentials' }, 1], [{ name: 'Error', message: 'busy' }, 4]]) {
    const creating = stage.HappnClient.create().catch((failure) => failure);
    await stage.clock.pass(0);
    const link = stage.network.last;
    link.answers.login = () => ({ error });
    link.open();
    await stage.clock.pass(60_000);
    const failure = await creating;
    assert.equal(failure.message, error.message);
    assert.equal(failure.name, error.name);
    assert.equal(failure.code, error.code);
    assert.equal(link.requests('login').length, expected);
    assert.ok(link.closed);
    assert.equal(stage.clock.timers.size, 0);
  }
});

test('a login that is refused after a reconnect is tried again, ever less often', async () => {
  const { client, events, link } = await connected();
  link.cut();
  const refusals = () => events.filter(([name]) => name === 'reconnect-error');
  for (const wait of [1000, 2000, 4000]) {
    await stage.clock.pass(500);
    const retry = stage.network.last;
    retry.answers.login = () => ({ error: { name: 'AccessDenied', code: 403, message: 'Account locked out' } });
    retry.open();
    await stage.clock.pass(wait - 1);
    assert.equal(client.status, 3);
    assert.ok(!retry.closed, 'too early');
    await stage.clock.pass(1);
    assert.ok(retry.closed);
  }
  same(refusals().map(([, { reason, error }]) => [reason, error.code]), Array(3).fill(['authentication-failed', 403]));
  await comeBack(500);
  assert.equal(names(events).at(-1), 'reconnect-successful');
});

test('who disconnects while waiting to reconnect stays disconnected', async () => {
  const { client, link } = await connected();
  link.cut();
  await client.disconnect();
  await stage.clock.pass(1_000_000);
  assert.equal(stage.network.links.length, 1);
  assert.equal(stage.clock.timers.size, 0);
});

test('a client that was disconnected can connect again', async () => {
  const { client } = await connected();
  await client.disconnect();
  await assert.rejects(client.get('/a'), /client is disconnected/);
  const connecting = client.connect();
  await stage.clock.pass(0);
  stage.network.last.open();
  await connecting;
  assert.equal((await client.set('/a', { v: 1 })).v, 1);
});

test('event handlers are checked, called apart and taken off', async () => {
  const { client, link } = await connected();
  assert.throws(() => client.onEvent('', () => {}), /event name cannot be blank/);
  assert.throws(() => client.onEvent('connection-ended'), /event handler must be a function/);
  const called = [];
  client.onEvent('connection-ended', () => {
    throw new Error('of a handler');
  });
  const handle = client.onEvent('connection-ended', () => called.push('off'));
  client.onEvent('connection-ended', () => called.push('on'));
  client.offEvent(handle);
  client.offEvent('nothing|7');
  link.cut();
  await stage.clock.pass(0);
  same(called, ['on']);
  same(stage.clock.thrown.map((error) => error.message), ['of a handler']);
});

test('what bundles modules gets the client as one', async () => {
  const module = { exports: {} };
  run(await fetchClient(), { module });
  assert.equal(typeof module.exports.create, 'function');
});
