import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { connect } from '../clients.js';
import { startServer } from '../peers/index.js';
import { fence, recorder } from '../recorder.js';
import { same } from '../same.js';

let server;
let publisher;
let subscriber;
let seen;

before(async () => {
  server = await startServer();
  publisher = await connect(server.port);
  subscriber = await connect(server.port);
});

after(async () => {
  await publisher?.disconnect();
  await subscriber?.disconnect();
  await server?.stop();
});

beforeEach(async () => {
  await subscriber?.offAll();
  seen = recorder();
});

const settled = () => fence(publisher, subscriber);

test('an exact subscription gets the event with its meta', async () => {
  await subscriber.on('/sub/exact', seen.handler);
  const answer = await publisher.set('/sub/exact', { v: 1 }, {});
  await publisher.set('/sub/other', { v: 2 }, {});
  await settled();
  assert.equal(seen.events.length, 1);
  const [{ data, meta }] = seen.events;
  same(data, { v: 1 });
  same(meta, {
    action: '/SET@/sub/exact',
    type: 'data',
    sessionId: publisher.session.id,
    consistency: 2,
    publicationId: `${publisher.session.id}-${answer._meta.eventId}`,
    path: '/sub/exact',
    created: answer._meta.created,
    modified: answer._meta.modified,
    channel: '/ALL@/sub/exact',
  });
});

test('a star stands for one segment', async () => {
  await subscriber.on('/sub/star/*', seen.handler);
  await publisher.set('/sub/star/a', 1, {});
  await publisher.set('/sub/star/a/b', 2, {});
  await publisher.set('/sub/star', 3, {});
  await settled();
  same(seen.paths(), ['/sub/star/a']);
});

test('two stars stand for as many segments as the depth allows', async () => {
  await subscriber.on('/sub/deep/**', { depth: 2 }, seen.handler);
  for (const path of ['a', 'a/b', 'a/b/c']) await publisher.set(`/sub/deep/${path}`, {}, {});
  await settled();
  same(seen.paths(), ['/sub/deep/a', '/sub/deep/a/b']);
});

test('two stars mean five levels unless told otherwise', async () => {
  await subscriber.on('/sub/five/**', seen.handler);
  await publisher.set('/sub/five/1/2/3/4/5', {}, {});
  await publisher.set('/sub/five/1/2/3/4/5/6', {}, {});
  await settled();
  same(seen.paths(), ['/sub/five/1/2/3/4/5']);
});

test('a lone star hears everything', async () => {
  await subscriber.onAll(seen.handler);
  await publisher.set('/sub/everything/at/all', 1, {});
  await seen.atLeast(1);
  assert.ok(seen.paths().includes('/sub/everything/at/all'));
});

test('event types tell sets from removals', async () => {
  const removals = recorder();
  await subscriber.on('/sub/kinds', { event_type: 'set' }, seen.handler);
  await subscriber.on('/sub/kinds', { event_type: 'remove' }, removals.handler);
  await publisher.set('/sub/kinds', { v: 1 }, {});
  await publisher.remove('/sub/kinds', {});
  await settled();
  same(seen.data(), [{ v: 1 }]);
  same(removals.data(), [{ removed: 1 }]);
  assert.equal(removals.events[0].meta.action, '/REMOVE@/sub/kinds');
});

test('a removal by mask is one event', async () => {
  await publisher.set('/sub/mass/a', 1, {});
  await publisher.set('/sub/mass/b', 1, {});
  await subscriber.on('/sub/mass/*', seen.handler);
  await publisher.remove('/sub/mass/*', {});
  await settled();
  same(seen.data(), [{ removed: 2 }]);
  same(seen.paths(), ['/sub/mass/*']);
});

test('count ends a subscription by itself', async () => {
  await subscriber.on('/sub/once', { count: 1 }, seen.handler);
  await publisher.set('/sub/once', 1, {});
  await publisher.set('/sub/once', 2, {});
  await settled();
  same(seen.data(), [{ value: 1 }]);
});

test('initialCallback hands over what is there', async () => {
  await publisher.set('/sub/initial/a', { v: 'a' }, {});
  await publisher.set('/sub/initial/b', { v: 'b' }, {});
  const values = await new Promise((resolve, reject) => {
    subscriber.on('/sub/initial/*', { initialCallback: true }, seen.handler, (error, handle, items) =>
      error ? reject(error) : resolve(items ?? handle)
    );
  });
  same(values.map((item) => item.v), ['a', 'b']);
  await publisher.set('/sub/initial/c', { v: 'c' }, {});
  await settled();
  same(seen.paths(), ['/sub/initial/c']);
});

test('initialEmit calls the handler with what is there', async () => {
  await publisher.set('/sub/emit/a', { v: 'a' }, {});
  await subscriber.on('/sub/emit/*', { initialEmit: true }, seen.handler);
  await publisher.set('/sub/emit/b', { v: 'b' }, {});
  await settled();
  same(seen.data().map((data) => data.v), ['a', 'b']);
});

test('off takes one subscription away', async () => {
  const kept = recorder();
  const handle = await subscriber.on('/sub/off/one', seen.handler);
  await subscriber.on('/sub/off/*', kept.handler);
  await subscriber.off(handle);
  await publisher.set('/sub/off/one', 1, {});
  await settled();
  assert.equal(seen.events.length, 0);
  assert.equal(kept.events.length, 1);
});

test('offPath takes all subscriptions on a path away', async () => {
  await subscriber.on('/sub/off/path', seen.handler);
  await subscriber.on('/sub/off/path', { event_type: 'set' }, seen.handler);
  await subscriber.offPath('/sub/off/path');
  await publisher.set('/sub/off/path', 1, {});
  await settled();
  assert.equal(seen.events.length, 0);
});

test('offAll takes everything away', async () => {
  await subscriber.on('/sub/off/all', seen.handler);
  await subscriber.on('/sub/off/**', seen.handler);
  await subscriber.offAll();
  await publisher.set('/sub/off/all', 1, {});
  await settled();
  assert.equal(seen.events.length, 0);
});

test('overlapping masks get one frame each', async () => {
  const wide = recorder();
  await subscriber.on('/sub/overlap/*', wide.handler);
  await subscriber.on('/sub/overlap/a', seen.handler);
  await publisher.set('/sub/overlap/a', 1, {});
  await settled();
  assert.equal(seen.events.length, 1);
  assert.equal(wide.events.length, 1);
});

test('a publish reaches subscribers and no store', async () => {
  await subscriber.on('/sub/publish', seen.handler);
  await publisher.publish('/sub/publish', { v: 1 }, {});
  await settled();
  same(seen.data(), [{ v: 1 }]);
  assert.equal(seen.events[0].meta.created, undefined);
  assert.equal(await subscriber.get('/sub/publish', {}), null);
});

test('noPublish stores in silence', async () => {
  await subscriber.on('/sub/silent', seen.handler);
  const answer = await publisher.set('/sub/silent', { v: 1 }, { noPublish: true });
  await settled();
  assert.equal(answer._meta.published, false);
  assert.equal(seen.events.length, 0);
  assert.equal((await subscriber.get('/sub/silent', {})).v, 1);
});

test('an increment is an event with the new value', async () => {
  await subscriber.on('/sub/gauge', seen.handler);
  await publisher.increment('/sub/gauge', 'g', 3, {});
  await settled();
  same(seen.data(), [{ value: 3, gauge: 'g' }]);
});

test('a merge subscriber gets the change, others the whole', async () => {
  const whole = recorder();
  const other = await connect(server.port);
  await publisher.set('/sub/merge', { a: 1 }, {});
  await subscriber.on('/sub/merge', { merge: true }, seen.handler);
  await other.on('/sub/merge', whole.handler);
  await publisher.set('/sub/merge', { b: 2 }, { merge: true });
  await settled();
  await fence(publisher, other);
  same(seen.data(), [{ b: 2 }]);
  same(whole.data(), [{ a: 1, b: 2 }]);
  await other.disconnect();
});

test('target clients are the only ones who hear', async () => {
  const bystander = await connect(server.port);
  const unheard = recorder();
  await subscriber.on('/sub/target', seen.handler);
  await bystander.on('/sub/target', unheard.handler);
  await publisher.set('/sub/target', { v: 1 }, { targetClients: [subscriber.session.id] });
  await settled();
  await fence(publisher, bystander);
  assert.equal(seen.events.length, 1);
  assert.equal(unheard.events.length, 0);
  await bystander.disconnect();
});

test('meta of the publisher travels, reserved names do not', async () => {
  await subscriber.on('/sub/meta', seen.handler);
  await publisher.set('/sub/meta', { v: 1 }, { meta: { mine: { a: 1 }, path: '/forged' } });
  await settled();
  same(seen.events[0].meta.mine, { a: 1 });
  assert.equal(seen.events[0].meta.path, '/sub/meta');
});

test('primitives and null arrive inside an object', async () => {
  await subscriber.on('/sub/value', seen.handler);
  for (const value of [5, 'text', null, [1]]) await publisher.set('/sub/value', value, {});
  await settled();
  same(seen.data(), [{ value: 5 }, { value: 'text' }, { value: null }, { value: [1] }]);
});

test('events of one publisher keep their order', async () => {
  await subscriber.on('/sub/order/*', seen.handler);
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  await Promise.all(numbers.map((n) => publisher.publish(`/sub/order/${n % 7}`, { n }, {})));
  await settled();
  same(seen.data().map((data) => data.n), numbers);
});
