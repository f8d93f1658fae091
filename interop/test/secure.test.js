// A secure node and the unmodified client: every kind of login, what permissions allow, and what a
// change of them does to who is connected.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';

import { connect, kind } from '../clients.js';
import { peer } from '../peers/index.js';
import { ADMIN_PASSWORD, startSecureJavascriptServer } from '../peers/javascript.js';
import { startRustCluster } from '../peers/rust.js';
import { fence, recorder } from '../recorder.js';
import { same } from '../same.js';
import { eventually } from '../waiting.js';

// Longer than the time after which a node looks whether somebody changed its directory.
const NOTICED_MS = 20_000;

const keys = crypto.generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const everything = { actions: ['get', 'set', 'on', 'remove'] };
const directory = {
  groups: [
    { name: 'STAFF', permissions: { '/staff/*': everything, '/fence/*': everything, '/staff/boss': { prohibit: ['*'] } } },
    { name: 'READERS', permissions: { '/news/*': { actions: ['get', 'on'] } } },
  ],
  users: [
    { username: 'ann', password: 'of ann', groups: ['STAFF'] },
    { username: 'bob', password: 'of bob', groups: ['READERS'] },
    { username: 'cleo', password: 'of cleo', publicKey: keys.publicKey, groups: ['READERS'] },
  ],
};

let server;
const open = new Set();

before(async () => {
  if (peer === 'js') {
    server = await startSecureJavascriptServer();
    await server.provision(directory);
  } else {
    [server] = await startRustCluster(1, undefined, { adminPassword: ADMIN_PASSWORD, provision: directory });
  }
});

after(async () => {
  for (const client of open) await client.disconnect();
  await server?.stop();
});

async function login(options) {
  const client = await connect(server.port, options);
  open.add(client);
  return client;
}

const loginOf = (username) => login({ username, password: `of ${username}` });
const admin = () => login({ username: '_ADMIN', password: ADMIN_PASSWORD });

const refused = (code, message) => (error) => {
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

for (const [who, options] of Object.entries({
  'a wrong password': { username: 'ann', password: 'of bob' },
  'an unknown user': { username: 'nobody', password: 'of nobody' },
  'a token that is none': { token: 'a.b.c' },
})) {
  test(`${who} is refused, and nothing is told of why`, async () => {
    await assert.rejects(login(options), refused(401, /^(AccessDenied: )?Invalid credentials/));
  });
}

test('a user may do what his group may, and nothing else', async () => {
  const ann = await loginOf('ann');
  await ann.set('/staff/1', { a: 1 }, {});
  assert.equal((await ann.get('/staff/1')).a, 1);
  for (const attempt of [
    () => ann.set('/other/1', { a: 1 }, {}),
    () => ann.get('/other/1'),
    () => ann.remove('/other/1', {}),
    () => ann.on('/other/1', () => {}),
    () => ann.get('/staff/boss'),
    () => ann.get('/_SYSTEM/_SECURITY/_USER/*'),
  ]) {
    await assert.rejects(attempt(), refused(403, /unauthorized/));
  }
});

test('a reader hears of news and cannot make them', async () => {
  const [bob, root] = [await loginOf('bob'), await admin()];
  const heard = recorder();
  await bob.on('/news/*', heard.handler);
  await root.set('/news/today', { text: 'sun' }, {});
  const [{ data }] = await heard.atLeast(1);
  same(data, { text: 'sun' });
  await assert.rejects(bob.set('/news/today', { text: 'rain' }, {}), refused(403, /unauthorized/));
});

test('an event tells who caused it', async () => {
  const ann = await loginOf('ann');
  const heard = recorder();
  await ann.on('/staff/2', heard.handler);
  await ann.set('/staff/2', { a: 2 }, {});
  const [{ meta }] = await heard.atLeast(1);
  assert.equal(meta.eventOrigin.username, 'ann');
  assert.equal(meta.eventOrigin.id, ann.session.id);
});

test('a token logs in its user without a password, until it is revoked', async () => {
  const first = await loginOf('bob');
  const { token } = first.session;
  const second = await login({ token });
  assert.deepEqual(await second.get('/news/none'), null);
  await assert.rejects(second.set('/news/1', {}, {}), refused(403, /unauthorized/));
  open.delete(first);
  await first.disconnect({ revokeToken: true });
  await assert.rejects(login({ token }), refused(403, /token has been revoked/));
});

test('a key logs in its user by a signed nonce', { skip: kind === 'browser' && 'pages have no private keys' }, async () => {
  const options = { username: 'cleo', loginType: 'digest', publicKey: keys.publicKey, privateKey: keys.privateKey };
  const cleo = await login(options);
  assert.deepEqual(await cleo.get('/news/none'), null);
  const other = crypto.generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await assert.rejects(login({ ...options, privateKey: other.privateKey }), refused(401, /Invalid credentials/));
});

test('a right that is taken away ends what is subscribed by it', async () => {
  const name = `BRIEF-${process.pid}`;
  const rule = { actions: ['on', 'get'] };
  await server.provision({
    groups: [{ name, permissions: { '/brief/*': rule, '/fence/*': everything } }],
    users: [{ username: 'dora', password: 'of dora', groups: [name] }],
  });
  const root = await admin();
  const dora = await eventually('dora can log in', NOTICED_MS, () => loginOf('dora').catch(() => null));
  const heard = recorder();
  await dora.on('/brief/*', heard.handler);
  await root.set('/brief/1', { n: 1 }, {});
  await heard.atLeast(1);
  await server.provision({ groups: [{ name, permissions: { '/brief/*': { ...rule, remove: true } } }] });
  await eventually('dora may not read any more', NOTICED_MS, () => dora.get('/brief/1').then(() => false, () => true));
  const before = heard.events.length;
  await root.set('/brief/2', { n: 2 }, {});
  await fence(root, dora);
  assert.equal(heard.events.length, before);
});

test('logins of two nodes are the same, and events cross between them', { skip: peer === 'js' && 'a cluster is ours' }, async () => {
  const nodes = await startRustCluster(2, undefined, { adminPassword: ADMIN_PASSWORD, provision: directory });
  const [here, there] = [
    await connect(nodes[0].port, { username: 'ann', password: 'of ann' }),
    await connect(nodes[1].port, { username: 'ann', password: 'of ann' }),
  ];
  const heard = recorder();
  await there.on('/staff/*', heard.handler);
  await here.set('/staff/1', { from: 'here' }, {});
  const [{ data, meta }] = await heard.atLeast(1);
  same(data, { from: 'here' });
  assert.equal(meta.eventOrigin.username, 'ann');
  const third = await connect(nodes[1].port, { token: here.session.token });
  assert.equal((await third.get('/staff/1')).from, 'here');
  for (const client of [here, there, third]) await client.disconnect();
  for (const node of nodes) await node.stop();
});
