import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { connect } from '../clients.js';
import { startServer } from '../peers/index.js';
import { same } from '../same.js';

let server;
let client;

before(async () => {
  server = await startServer();
  client = await connect(server.port);
});

after(async () => {
  await client?.disconnect();
  await server?.stop();
});

const withoutMeta = ({ _meta, ...data }) => data;

test('a set answers the stored document and its times', async () => {
  const answer = await client.set('/data/set', { a: 1, b: [2, { c: 3 }] }, {});
  same(withoutMeta(answer), { a: 1, b: [2, { c: 3 }] });
  assert.equal(answer._meta.path, '/data/set');
  assert.equal(answer._meta.published, true);
  assert.equal(answer._meta.status, 'ok');
  assert.equal(answer._meta.sessionId, client.session.id);
  assert.equal(answer._meta.created, answer._meta.modified);
});

test('a second set keeps the creation time', async () => {
  const first = await client.set('/data/twice', { a: 1 }, {});
  const second = await client.set('/data/twice', { a: 2 }, {});
  assert.equal(second._meta.created, first._meta.created);
  assert.ok(second._meta.modified >= first._meta.modified);
});

for (const value of [5, 0, -1.5, 'text', '', true, false, null, [1, 2], []]) {
  test(`${JSON.stringify(value)} is stored inside an object`, async () => {
    const answer = await client.set('/data/value', value, {});
    same(withoutMeta(answer), { value });
    same(withoutMeta(await client.get('/data/value', {})), { value });
  });
}

test('text of any script survives, line separators too', async () => {
  const text = 'žluťoučký 馬 🐎 \u2028 \u2029 "quoted" \\ \n';
  await client.set('/data/text', { text }, {});
  assert.equal((await client.get('/data/text', {})).text, text);
});

test('keys with dots and dollars come back unchanged', async () => {
  const data = { 'a.b': 1, $c: { 'd.e': 2 } };
  await client.set('/data/keys', data, {});
  same(withoutMeta(await client.get('/data/keys', {})), data);
});

test('nothing is null', async () => {
  assert.equal(await client.get('/data/nothing/here', {}), null);
});

test('a wildcard get answers documents by path', async () => {
  for (const name of ['b', 'a', 'c']) await client.set(`/data/many/${name}`, { name }, {});
  const found = await client.get('/data/many/*', {});
  same(found.map((item) => item.name), ['a', 'b', 'c']);
  assert.equal(found[0]._meta.path, '/data/many/a');
  same(await client.get('/data/nobody/*', {}), []);
});

test('getPaths answers paths only', async () => {
  await client.set('/data/paths/one', { x: 1 }, {});
  await client.set('/data/paths/two', { x: 2 }, {});
  const found = await client.getPaths('/data/paths/*', {});
  same(found.map((item) => item._meta.path), ['/data/paths/one', '/data/paths/two']);
  same(Object.keys(found[0]), ['_meta']);
});

test('count counts', async () => {
  for (const name of ['a', 'b', 'c']) await client.set(`/data/count/${name}`, { name }, {});
  assert.equal((await client.count('/data/count/*', {})).value, 3);
  assert.equal((await client.count('/data/count/a', {})).value, 1);
  assert.equal((await client.count('/data/uncounted/*', {})).value, 0);
});

test('remove answers how many there were', async () => {
  for (const name of ['a', 'b']) await client.set(`/data/remove/${name}`, { name }, {});
  assert.equal((await client.remove('/data/remove/*', {})).removed, 2);
  assert.equal((await client.remove('/data/remove/*', {})).removed, 0);
  assert.equal(await client.get('/data/remove/a', {}), null);
});

test('merge lays members over those stored', async () => {
  await client.set('/data/merge', { a: 1, b: { c: 1 } }, {});
  const answer = await client.set('/data/merge', { b: { d: 2 }, e: 3 }, { merge: true });
  same(withoutMeta(answer), { a: 1, b: { d: 2 }, e: 3 });
  same(withoutMeta(await client.get('/data/merge', {})), { a: 1, b: { d: 2 }, e: 3 });
});

test('merge into nothing creates', async () => {
  const answer = await client.set('/data/merge-new', { a: 1 }, { merge: true });
  same(withoutMeta(answer), { a: 1 });
});

test('noStore stores nothing', async () => {
  const answer = await client.set('/data/unstored', { a: 1 }, { noStore: true });
  same(withoutMeta(answer), { a: 1 });
  assert.equal(answer._meta.created, undefined);
  assert.equal(await client.get('/data/unstored', {}), null);
});

test('noDataResponse leaves the data out', async () => {
  const answer = await client.set('/data/silent', { a: 1 }, { noDataResponse: true });
  same(Object.keys(answer), ['_meta']);
  assert.equal(answer._meta.path, '/data/silent');
  assert.equal((await client.get('/data/silent', {})).a, 1);
});

test('increments add up, also concurrent ones', async () => {
  const first = await client.increment('/data/gauges', 'wheels', 2, {});
  same(withoutMeta(first), { value: 2, gauge: 'wheels' });
  await Promise.all(
    Array.from({ length: 20 }, () => client.increment('/data/gauges', 'wheels', 1, {}))
  );
  assert.equal((await client.increment('/data/gauges', 'wheels', -3, {})).value, 19);
  assert.equal((await client.get('/data/gauges', {})).wheels.value, 19);
});

test('a path outside the alphabet is refused', async () => {
  await assert.rejects(client.set('/data/semi;colon', {}, {}), /Bad path, can only contain/);
  await assert.rejects(client.set('/data/*', {}, {}), /cannot contain the \* wildcard/);
  await assert.rejects(client.remove('/data/semi;colon', {}), /Bad path, can only contain/);
});

test('what one client stored another one reads', async () => {
  const other = await connect(server.port);
  await client.set('/data/shared', { from: 'first' }, {});
  assert.equal((await other.get('/data/shared', {})).from, 'first');
  await other.disconnect();
});
