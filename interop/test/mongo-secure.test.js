// A secure JavaScript server and a secure node of ours on one collection: users, rules and tokens
// of one are good on the other.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { MongoClient } from 'mongodb';

import { connect } from '../clients.js';
import { peer } from '../peers/index.js';
import { ADMIN_PASSWORD, startSecureJavascriptServer } from '../peers/javascript.js';
import { startRustCluster } from '../peers/rust.js';
import { eventually } from '../waiting.js';

const url = process.env.HAPPN_TEST_MONGO_URL;
if (!url && process.env.CI) throw new Error('HAPPN_TEST_MONGO_URL is not set');
const skip = peer === 'js' ? 'both servers are under test' : url ? false : 'HAPPN_TEST_MONGO_URL is not set';

const database = 'happn-interop';
const collection = `mixed-secure-${process.pid}`;
const servers = {};
const open = new Set();
let mongo;

const directory = (name) => ({
  groups: [{ name: `GROUP-${name}`, permissions: { [`/of/${name}/*`]: { actions: ['get', 'set'] } } }],
  users: [{ username: name, password: `of ${name}`, groups: [`GROUP-${name}`] }],
});

before(async () => {
  if (skip) return;
  mongo = await MongoClient.connect(url);
  const settings = { url, database, collection };
  // Theirs first: it makes the administrator, ours finds him.
  servers.javascript = await startSecureJavascriptServer({ ...settings });
  await servers.javascript.provision(directory('javascript'));
  const security = { adminPassword: ADMIN_PASSWORD, provision: directory('rust') };
  [servers.rust] = await startRustCluster(1, { name: 'mongo', provider: 'mongo', settings }, security);
});

after(async () => {
  for (const client of open) await client.disconnect();
  for (const server of Object.values(servers)) await server.stop();
  await mongo?.db(database).collection(collection).drop();
  await mongo?.close();
});

async function login(server, options) {
  const client = await connect(servers[server].port, options);
  open.add(client);
  return client;
}

const unauthorized = (error) => error.code === 403 && /unauthorized/.test(error.message);

for (const [maker, other] of [['javascript', 'rust'], ['rust', 'javascript']]) {
  test(`a user made on ${maker} has his rights on ${other}`, { skip }, async () => {
    const client = await login(other, { username: maker, password: `of ${maker}` });
    await client.set(`/of/${maker}/1`, { on: other }, {});
    assert.equal((await client.get(`/of/${maker}/1`)).on, other);
    await assert.rejects(client.set('/of/nobody/1', {}, {}), unauthorized);
    await assert.rejects(login(other, { username: maker, password: 'wrong' }), { code: 401 });
  });

  test(`a token of ${maker} logs in on ${other}`, { skip }, async () => {
    const first = await login(maker, { username: maker, password: `of ${maker}` });
    const second = await login(other, { token: first.session.token });
    await second.set(`/of/${maker}/2`, { by: 'token' }, {});
    assert.equal((await first.get(`/of/${maker}/2`)).by, 'token');
  });

  test(`the administrator of ${maker} is that of ${other}`, { skip }, async () => {
    const admin = await login(other, { username: '_ADMIN', password: ADMIN_PASSWORD });
    const user = await admin.get(`/_SYSTEM/_SECURITY/_USER/${maker}`);
    assert.equal(user.username, maker);
  });
}

test('the stronger hash that ours makes at a login is good on theirs', { skip }, async () => {
  const credentials = { username: 'javascript', password: 'of javascript' };
  const users = mongo.db(database).collection(collection);
  const hash = async () => {
    const user = await users.findOne({ path: '/_SYSTEM/_SECURITY/_USER/javascript' });
    return user.data.password.split('$');
  };
  await login('rust', credentials);
  await eventually('the hash takes more work', 20_000, async () => Number((await hash())[1]) > 10_000);
  const [, , , salt, digest] = await hash();
  assert.deepEqual([salt.length, digest], [128, 'sha512']);
  for (const server of ['javascript', 'rust']) {
    await login(server, credentials);
    await assert.rejects(login(server, { ...credentials, password: 'wrong' }), { code: 401 });
  }
});
