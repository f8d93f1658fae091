// A JavaScript server with its MongoDB provider and a node of ours on one collection: what one
// writes, the other reads, in both directions.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { EJSON } from 'bson';
import { MongoClient } from 'mongodb';

import { connect } from '../clients.js';
import { peer } from '../peers/index.js';
import { startJavascriptServerOnMongo } from '../peers/javascript.js';
import { startRustCluster } from '../peers/rust.js';
import { same } from '../same.js';

const url = process.env.HAPPN_TEST_MONGO_URL;
if (!url && process.env.CI) throw new Error('HAPPN_TEST_MONGO_URL is not set');
const skip = peer === 'js' ? 'both servers are under test' : url ? false : 'HAPPN_TEST_MONGO_URL is not set';

const database = 'happn-interop';
const collection = `mixed-${process.pid}`;
const clients = {};
const servers = [];
const table = new Map();
let mongo;

before(async () => {
  if (skip) return;
  mongo = await MongoClient.connect(url);
  const settings = { url, database, collection };
  // Theirs first: it makes the index, ours finds it.
  const javascript = await startJavascriptServerOnMongo({ ...settings });
  servers.push(javascript);
  const [rust] = await startRustCluster(1, { name: 'mongo', provider: 'happn-db-provider-mongo', settings });
  servers.push(rust);
  clients.javascript = await connect(javascript.port);
  clients.rust = await connect(rust.port);
});

after(async () => {
  for (const client of Object.values(clients)) await client.disconnect();
  for (const server of servers) await server.stop();
  await mongo?.db(database).collection(collection).drop();
  await mongo?.close();
  for (const [what, directions] of table) console.log(`mixed collection: ${what}: ${directions.join(', ')}`);
});

/// The same test with the roles either way.
function both(what, body) {
  for (const [writer, reader] of [['javascript', 'rust'], ['rust', 'javascript']]) {
    test(`${what}: ${writer} writes, ${reader} reads`, { skip }, async () => {
      const base = `/mixed/${what.replace(/[^a-z0-9]+/gi, '-')}/${writer}`;
      await body(clients[writer], clients[reader], base);
      table.set(what, [...(table.get(what) ?? []), `${writer} → ${reader} ok`]);
    });
  }
}

const withoutMeta = ({ _meta, ...data }) => data;
const times = ({ _meta: { created, modified } }) => ({ created, modified });

const values = {
  'whole numbers': { zero: 0, one: 1, minus: -1, max: 2147483647, min: -2147483648 },
  'numbers beyond 32 bits': { over: 2147483648, under: -2147483649, safe: 9007199254740991 },
  fractions: { half: 0.5, tenth: 0.1, tiny: 5e-324, huge: 1.7976931348623157e308, round: 1e21 },
  text: { plain: 'text', empty: '', wide: '馬 🐎 \u2028', quoted: '"\\\n\u0001' },
  'true, false and null': { yes: true, no: false, nothing: null },
  lists: { empty: [], mixed: [1, 'a', null, [2.5, { deep: [] }]] },
  objects: { empty: {}, nested: { a: { b: { c: 1 } } } },
  'keys with dots and dollars': { 'a.b': 1, $c: 2, n: { 'd.e': 3, $f: 4 } },
  'keys of the envelope': { path: 'p', created: 1, modified: 2, _id: 'i', data: { q: 1 }, modifiedBy: 'm' },
  'key order': { z: 1, a: 2, m: 3 },
};

for (const [what, data] of Object.entries(values)) {
  both(`set of ${what}`, async (writer, reader, base) => {
    const written = await writer.set(`${base}/1`, data, {});
    const read = await reader.get(`${base}/1`);
    assert.equal(JSON.stringify(withoutMeta(read)), JSON.stringify(data));
    same(times(read), times(written));
  });
}

for (const value of [5, 2147483648, -0.5, 'text', true, null, [1, [2]]]) {
  both(`set of the bare ${JSON.stringify(value)}`, async (writer, reader, base) => {
    await writer.set(`${base}/1`, value, {});
    same(withoutMeta(await reader.get(`${base}/1`)), { value });
  });
}

test('both store the same types', { skip }, async () => {
  const stored = async (client, name, data) => {
    const path = `/mixed/types/${name}`;
    await client.set(path, data, {});
    const found = await mongo.db(database).collection(collection).findOne({ path }, { promoteValues: false });
    const kinds = Object.fromEntries(['created', 'modified'].map((field) => [field, found[field]._bsontype]));
    return EJSON.stringify({ data: found.data, kinds, fields: Object.keys(found) }, { relaxed: false });
  };
  for (const [what, data] of Object.entries(values)) {
    assert.equal(await stored(clients.rust, 'rust', data), await stored(clients.javascript, 'javascript', data), what);
  }
});

both('a second set', async (writer, reader, base) => {
  const first = await reader.set(`${base}/1`, { a: 1, gone: true }, {});
  const second = await writer.set(`${base}/1`, { a: 2 }, {});
  const read = await reader.get(`${base}/1`);
  same(withoutMeta(read), { a: 2 });
  assert.equal(read._meta.created, first._meta.created);
  assert.equal(read._meta.modified, second._meta.modified);
});

both('merge', async (writer, reader, base) => {
  await reader.set(`${base}/1`, { a: 1, n: { p: 1 }, 'x.y': 1 }, {});
  const merged = await writer.set(`${base}/1`, { b: 2, n: { q: 2 }, $d: 3 }, { merge: true });
  const expected = { a: 1, n: { q: 2 }, 'x.y': 1, b: 2, $d: 3 };
  same(withoutMeta(merged), expected);
  const read = await reader.get(`${base}/1`);
  assert.equal(JSON.stringify(withoutMeta(read)), JSON.stringify(expected));
  await writer.set(`${base}/new`, { only: 1 }, { merge: true });
  const made = await reader.get(`${base}/new`);
  assert.equal(made._meta.created, made._meta.modified);
});

both('increment', async (writer, reader, base) => {
  await writer.increment(`${base}/1`, 'g', 2);
  const total = await reader.increment(`${base}/1`, 'g', 3);
  assert.equal(total.value, 5);
  await writer.increment(`${base}/1`, 'h', 0.5);
  await writer.set(`${base}/2`, { a: 1 }, {});
  await writer.increment(`${base}/2`);
  const read = await reader.get(`${base}/1`);
  same(withoutMeta(read), { g: { value: 5 }, h: { value: 0.5 } });
  assert.equal(read._meta.created, undefined);
  same(withoutMeta(await reader.get(`${base}/2`)), { a: 1, counter: { value: 1 } });
});

both('lists, paths and counts', async (writer, reader, base) => {
  for (const name of ['b', 'a', 'c']) await writer.set(`${base}/${name}`, { name, n: name.charCodeAt(0) }, {});
  const sorted = { sort: { '_meta.path': 1 } };
  const list = await reader.get(`${base}/*`, sorted);
  same(list.map(({ name }) => name), ['a', 'b', 'c']);
  const paths = await reader.getPaths(`${base}/*`);
  same(paths.map(({ _meta }) => _meta.path).sort(), ['a', 'b', 'c'].map((name) => `${base}/${name}`));
  assert.equal((await reader.count(`${base}/*`)).value, 3);
  const criteria = { n: { $gte: 98 } };
  assert.equal((await reader.count(`${base}/*`, { criteria })).value, 2);
  const last = await reader.get(`${base}/*`, { criteria, options: { sort: { n: -1 }, limit: 1 } });
  same(last.map(withoutMeta), [{ name: 'c', n: 99 }]);
  const fields = await reader.get(`${base}/a`, { fields: { n: 1 } });
  same(withoutMeta(fields), { n: 97 });
  const aggregate = [{ $group: { _id: null, sum: { $sum: '$data.n' } } }];
  same((await reader.get(`${base}/*`, { aggregate })).value, [{ _id: null, sum: 294 }]);
  const upper = { criteria: { name: 'A' }, options: { collation: { locale: 'en', strength: 1 } } };
  same((await reader.get(`${base}/*`, upper)).map(withoutMeta), [{ name: 'a', n: 97 }]);
});

both('items between two times', async (writer, reader, base) => {
  const { _meta } = await writer.set(`${base}/1`, { a: 1 }, {});
  const found = await reader.getCreatedBetween(`${base}/*`, _meta.created, _meta.created);
  same(found.map(withoutMeta), [{ a: 1 }]);
});

both('remove', async (writer, reader, base) => {
  for (const name of ['x', 'y/1', 'y/2']) await reader.set(`${base}/${name}`, { name }, {});
  assert.equal((await writer.remove(`${base}/x`)).removed, 1);
  assert.equal(await reader.get(`${base}/x`), null);
  assert.equal((await writer.remove(`${base}/y/*`)).removed, 2);
  assert.equal((await reader.count(`${base}/*`)).value, 0);
  const again = await reader.set(`${base}/x`, { name: 'again' }, {});
  assert.equal(again._meta.created, again._meta.modified);
});

both('the author of a write', async (writer, reader, base) => {
  await writer.set(`${base}/1`, { a: 1 }, { modifiedBy: 'ann' });
  await reader.set(`${base}/1`, { a: 2 }, {});
  assert.equal((await reader.get(`${base}/1`))._meta.modifiedBy, 'ann');
});

test('three nodes on one collection are one system', { skip }, async () => {
  const settings = { url, database, collection: `${collection}-cluster` };
  const nodes = await startRustCluster(3, { name: 'mongo', provider: 'mongo', settings });
  const [first, second, third] = await Promise.all(nodes.map((node) => connect(node.port)));
  try {
    const heard = new Promise((resolve) => {
      third.on('/cluster/*', (data) => resolve(data)).then(() => first.set('/cluster/1', { a: 1 }, {}));
    });
    same(await heard, { a: 1 });
    same(withoutMeta(await second.get('/cluster/1')), { a: 1 });
    await Promise.all([first, second, third].map((client) => client.increment('/cluster/gauge', 'g', 1)));
    assert.equal((await first.get('/cluster/gauge')).g.value, 3);
  } finally {
    for (const client of [first, second, third]) await client.disconnect();
    for (const node of nodes) await node.stop();
    await mongo.db(database).collection(settings.collection).drop();
  }
});
