// A secure JavaScript server and a secure node of ours on one collection: users, rules and tokens
// of one are good on the other, and so is what was taken away.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';

import { MongoClient } from 'mongodb';

import { connect, kind } from '../clients.js';
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

const keys = crypto.generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const directory = (name) => ({
  groups: [
    { name: `GROUP-${name}`, permissions: { [`/of/${name}/*`]: { actions: ['get', 'set'] } } },
    { name: `NARROW-${name}`, permissions: { [`/of/${name}/closed`]: { actions: [], prohibit: ['set'] } } },
  ],
  users: [
    { username: name, password: `of ${name}`, groups: [`GROUP-${name}`] },
    {
      username: `${name}-keyed`,
      password: `of ${name}`,
      publicKey: keys.publicKey,
      permissions: { [`/own/${name}`]: { actions: ['set'] } },
      groups: [`GROUP-${name}`, `NARROW-${name}`],
    },
    { username: `${name}-leaving`, password: `of ${name}`, groups: [`GROUP-${name}`] },
  ],
});

// The provider of the JavaScript server changes what it is given.
const settings = () => ({ url, database, collection });

before(async () => {
  if (skip) return;
  mongo = await MongoClient.connect(url);
  // Theirs first: it makes the administrator, ours finds him.
  servers.javascript = await startSecureJavascriptServer(settings());
  await servers.javascript.provision(directory('javascript'));
  const security = { adminPassword: ADMIN_PASSWORD, provision: directory('rust') };
  [servers.rust] = await startRustCluster(1, { name: 'mongo', provider: 'mongo', settings: settings() }, security);
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

  test(`what one group of ${maker} prohibits another one does not allow on ${other}`, { skip }, async () => {
    const client = await login(other, { username: `${maker}-keyed`, password: `of ${maker}` });
    await client.set(`/of/${maker}/open`, {}, {});
    await assert.rejects(client.set(`/of/${maker}/closed`, {}, {}), unauthorized);
  });

  test(`a rule of one user of ${maker} is his alone on ${other}`, { skip }, async () => {
    const keyed = await login(other, { username: `${maker}-keyed`, password: `of ${maker}` });
    await keyed.set(`/own/${maker}`, {}, {});
    const plain = await login(other, { username: maker, password: `of ${maker}` });
    await assert.rejects(plain.set(`/own/${maker}`, {}, {}), unauthorized);
  });

  const noKeys = kind === 'browser' && 'pages have no private keys';
  test(`a key of a user of ${maker} logs in on ${other}`, { skip: skip || noKeys }, async () => {
    const options = { username: `${maker}-keyed`, loginType: 'digest', ...keys };
    const client = await login(other, options);
    await client.set(`/own/${maker}`, { by: 'key' }, {});
    const stranger = crypto.generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    await assert.rejects(login(other, { ...options, privateKey: stranger.privateKey }), { code: 401 });
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

/// A token of a login on `maker`, after it was revoked there by its owner.
async function revokedOn(maker) {
  const client = await login(maker, { username: `${maker}-leaving`, password: `of ${maker}` });
  const { token } = client.session;
  const bystander = await login('rust', { token });
  open.delete(bystander);
  const over = new Promise((resolve) => bystander.onEvent('session-ended', resolve));
  open.delete(client);
  await client.disconnect({ revokeToken: true });
  return { token, over };
}

const revoked = (error) => error.code === 403 && /token has been revoked/.test(error.message);

// Our node looks for such a token every ten seconds.
test('a token revoked on javascript, which tells nobody, is refused on rust soon', { skip }, async () => {
  const { token, over } = await revokedOn('javascript');
  await over;
  await assert.rejects(login('rust', { token }), revoked);
});

test('a token revoked on rust is refused by every JavaScript server that starts', { skip }, async () => {
  const { token, over } = await revokedOn('rust');
  await over;
  await assert.rejects(login('rust', { token }), revoked);
  servers.another = await startSecureJavascriptServer(settings());
  await assert.rejects(login('another', { token }), revoked);
});
