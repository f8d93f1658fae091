import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { makeStage } from '../browser/stage.js';
import { same } from '../same.js';

let clock;
let network;
let client;
let link;

beforeEach(async () => {
  const stage = await makeStage();
  ({ clock, network } = stage);
  const creating = stage.HappnClient.create();
  await clock.pass(0);
  link = network.last;
  link.open();
  await clock.pass(0);
  client = await creating;
});

const asked = (from = link) => from.sent.filter(({ action }) => action === 'on' || action === 'off')
  .map(({ action, path, options }) => [action, path, options.referenceId ?? null]);

async function reconnect() {
  network.last.cut();
  await clock.pass(500);
}

test('listeners that want the same share one subscription', async () => {
  const seen = [];
  const first = await client.on('/a', (data) => seen.push(['first', data]));
  const second = await client.on('/a', (data) => seen.push(['second', data]));
  const other = await client.on('/a', { event_type: 'set' }, () => {});
  link.publish('/ALL@/a', { v: 1 });
  await clock.pass(0);
  same(seen, [['first', { v: 1 }], ['second', { v: 1 }]]);
  await client.off(first);
  await client.off(second);
  await client.off(other);
  await client.off(other);
  same(asked(), [
    ['on', '/ALL@/a', null],
    ['on', '/SET@/a', null],
    ['off', '/ALL@/a', 'reference-1'],
    ['off', '/SET@/a', 'reference-2'],
  ]);
});

test('a subscription that is refused fails every listener that waits for it', async () => {
  link.answers.on = () => ({ error: { name: 'AccessDenied', code: 403, message: 'unauthorized' } });
  const both = [client.on('/a', () => {}), client.on('/a', () => {})];
  for (const one of both) await assert.rejects(one, { name: 'AccessDenied', code: 403, message: 'unauthorized' });
  assert.equal(asked().length, 1);
  link.answers.on = () => ({ data: { id: 'later' } });
  await client.on('/a', () => {});
});

test('after a reconnect everything is subscribed once, as it was', async () => {
  const seen = [];
  await client.on('/a/**', { depth: 3, event_type: 'set', meta: { of: 'mine' } }, (data) => seen.push(data));
  await client.on('/b', (data) => seen.push(data));
  await client.on('/b', (data) => seen.push(data));
  await reconnect();
  network.last.open();
  await clock.pass(0);
  const [deep, flat, ...rest] = network.last.requests('on');
  same(rest, []);
  same([deep.path, deep.options.depth, deep.options.meta], ['/SET@/a/**', 3, { of: 'mine' }]);
  assert.equal(flat.path, '/ALL@/b');
  network.last.publish('/ALL@/b', 1);
  await clock.pass(0);
  same(seen, [1, 1]);
});

test('initial values are not asked for again', async () => {
  const initial = [{ v: 1, _meta: { path: '/a' } }];
  link.answers.on = () => ({ data: initial });
  const heard = [];
  await client.on('/a', { initialEmit: true }, (data, meta) => heard.push([data.v, meta.path]));
  const values = await new Promise((resolve) => {
    client.on('/a', { initialCallback: true }, () => {}, (_error, handle, items) => resolve([handle, items]));
  });
  same(heard, [[1, '/a']]);
  same(values, [1, initial]);
  await reconnect();
  network.last.open();
  await clock.pass(0);
  for (const { options } of network.last.requests('on')) {
    assert.ok(!('initialEmit' in options || 'initialCallback' in options));
  }
});

test('a listener that may not listen any more is forgotten', async () => {
  await client.on('/closed', () => {});
  await client.on('/open', () => {});
  const ended = new Promise((resolve) => client.onEvent('reconnect-successful', resolve));
  await reconnect();
  network.last.answers.on = ({ path }) =>
    path.endsWith('closed') ? { error: { name: 'AccessDenied', code: 403, message: 'unauthorized' } } : { data: { id: 'r' } };
  network.last.open();
  await clock.pass(0);
  await ended;
  await reconnect();
  network.last.open();
  await clock.pass(0);
  same(asked(network.last).map(([, path]) => path), ['/ALL@/open']);
});

test('a listener taken off while disconnected does not come back', async () => {
  const handle = await client.on('/a', () => {});
  network.last.cut();
  await client.off(handle);
  await clock.pass(500);
  network.last.open();
  await clock.pass(0);
  same(asked(network.last), []);
});

test('a listener taken off before the server answered is taken off there too', async () => {
  let answer;
  link.answers.on = (request) => {
    answer = () => link.say({ data: { id: 'late' }, _meta: { type: 'response', status: 'ok', eventId: request.eventId } });
    return null;
  };
  const subscribing = client.on('/a', () => {});
  await clock.pass(0);
  const taking = client.offPath('/a');
  answer();
  await Promise.all([subscribing, taking]);
  same(asked(), [['on', '/ALL@/a', null], ['off', '/ALL@/a', 'late']]);
});

test('offPath covers paths as its stars say', async () => {
  for (const path of ['/a/b', '/a/b/c', '/a/*', '/x/b', '/a']) await client.on(path, () => {});
  const gone = async (mask) => {
    const before = asked().length;
    await client.offPath(mask);
    return asked().slice(before).map(([, channel]) => channel.split('@')[1]);
  };
  same(await gone('/x'), []);
  same(await gone('/*/b'), ['/a/b', '/x/b']);
  same(await gone('/a/*'), ['/a/b/c', '/a/*']);
  same(await gone(undefined), ['/a']);
});

test('counted listeners stop by themselves', async () => {
  const seen = [];
  await client.on('/a', { count: 2 }, (data) => seen.push(data));
  await client.once('/a', (data) => seen.push(`once ${data}`));
  for (const v of [1, 2, 3]) link.publish('/ALL@/a', v);
  await clock.pass(0);
  same(seen, [1, 'once 1', 2]);
  assert.equal(asked().filter(([action]) => action === 'off').length, 2);
});

test('an event that reaches deeper than a listener asked for is not for it', async () => {
  const seen = [];
  await client.on('/a/**', { depth: 2 }, (data) => seen.push(['two', data]));
  await client.on('/a/**', { depth: 6 }, (data) => seen.push(['six', data]));
  await client.on('/a/**', (data) => seen.push(['default', data]));
  link.publish('/ALL@/a/**', 1, { depth: 2 });
  link.publish('/ALL@/a/**', 2, { depth: 6 });
  await clock.pass(0);
  same(seen, [['two', 1], ['six', 1], ['default', 1], ['six', 2]]);
});

test('each handler gets a copy of its own, and its errors are its own', async () => {
  const seen = [];
  await client.on('/a', (data) => {
    data.changed = true;
    throw new Error('of a handler');
  });
  await client.on('/a', function (data) {
    seen.push([data, this === client]);
  });
  link.publish('/ALL@/a', { v: 1 });
  await clock.pass(0);
  same(seen, [[{ v: 1 }, true]]);
  same(clock.thrown.map((error) => error.message), ['of a handler']);
});

test('an event that asks for it is acknowledged before it is handed over', async () => {
  const seen = [];
  await client.on('/a', (data, meta) => seen.push([data, meta.acknowledged]));
  link.publish('/ALL@/a', 1, { consistency: 3, publicationId: 'p-1' });
  await clock.pass(0);
  same(link.requests('ack').map(({ data }) => data), ['p-1']);
  same(seen, [[1, true]]);
});

test('onPublished is called once, with the report or without one', async () => {
  const reports = [];
  const onPublished = (error, result) => reports.push([error?.message, result]);
  await assert.rejects(client.set('/a', 1, { consistency: 3 }), /onPublished handler in options is missing/);
  await client.set('/a', {}, { consistency: 3, onPublished });
  await client.set('/a', {}, { consistency: 1, onPublished });
  await client.set('/a', {}, { consistency: 1, onPublished, onPublishedTimeout: 100 });
  const ids = link.requests('set').map(({ eventId }) => `${client.session.id}-${eventId}`);
  const report = (id, more) => link.say({ id, action: 'publication-ack', _meta: { type: 'ack' }, result: { queued: 1 }, ...more });
  report(ids[0], { status: 'error', error: 'unacknowledged publication' });
  report(ids[1], { status: 'ok' });
  report(ids[1], { status: 'ok' });
  await clock.pass(100);
  same(reports, [['unacknowledged publication', { queued: 1 }], [null, { queued: 1 }], ['publish timed out', null]]);
});

test('what cannot be listened to is refused by name', async () => {
  await assert.rejects(client.on('/a'), /cannot subscribe without passing in a subscription callback/);
  await assert.rejects(client.on(5, () => {}), /Bad path \[5\], must be a string/);
  await assert.rejects(client.on('/a;b', () => {}), /Bad path, can only contain/);
  await assert.rejects(client.off(null), /handle cannot be null/);
  await assert.rejects(client.off('x'), /handle must be a number/);
  const error = await new Promise((resolve) => client.on('', {}, () => {}, resolve));
  assert.match(error.message, /Bad path, can only contain/);
});

test('permissions taken away end what they allowed, prohibitions at once', async () => {
  for (const path of ['/a/*', '/b', '/c']) await client.on(path, () => {});
  link.answers.on = () => ({ error: { name: 'AccessDenied', code: 403, message: 'unauthorized' } });
  const change = (whatHappnd, changedData) =>
    link.say({ _meta: { type: 'system' }, eventKey: 'security-data-changed', data: { whatHappnd, changedData } });
  change('permission-removed', { groupName: 'g', path: '/a/*', action: 'on' });
  change('permission-removed', { groupName: 'g', path: '/b', action: 'set' });
  change('upsert-group', { name: 'g', permissions: { '/c': { prohibit: ['on'] } } });
  change('delete-group', {});
  await clock.pass(0);
  same(asked().slice(3), [['off', '/ALL@/a/*', 'reference-1'], ['on', '/ALL@/a/*', null]]);
  const seen = [];
  link.publish('/ALL@/c', 1);
  await reconnect();
  network.last.open();
  await clock.pass(0);
  same(asked(network.last).map(([, path]) => path), ['/ALL@/b']);
  same(seen, []);
});
