// Logging in, as far as the protocol goes: our client on a secure JavaScript server.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browserClient } from '../browser/script.js';
import { ADMIN_PASSWORD, startSecureJavascriptServer } from '../peers/javascript.js';
import { fence, recorder } from '../recorder.js';
import { same } from '../same.js';

let server;
let HappnClient;
const open = [];

before(async () => {
  HappnClient = await browserClient();
  server = await startSecureJavascriptServer();
  const { security } = server.service.services;
  const permissions = { '/mine/*': { actions: ['*'] }, '/fence/**': { actions: ['*'] }, '/fence/*': { actions: ['*'] } };
  const group = await security.groups.upsertGroup({ name: 'people', permissions }, {});
  const user = await security.users.upsertUser({ username: 'bob', password: 'secret' }, {});
  await security.groups.linkGroup(group, user);
});

after(async () => {
  await Promise.all(open.map((client) => client.disconnect()));
  await server?.stop();
});

async function login(options) {
  const client = await HappnClient.create({ port: server.port, callTimeout: 10_000, ...options });
  open.push(client);
  return client;
}

const asBob = () => login({ username: 'bob', password: 'secret' });
const asAdmin = () => login({ username: '_ADMIN', password: ADMIN_PASSWORD });

test('a password opens what its user may do, and nothing else', async () => {
  const client = await asBob();
  assert.equal(client.session.user.username, 'bob');
  assert.equal((await client.set('/mine/a', { v: 1 })).v, 1);
  await assert.rejects(client.set('/others/a', { v: 1 }), { name: 'AccessDenied', code: 403, message: 'unauthorized' });
  await assert.rejects(client.on('/others/*', () => {}), { code: 403 });
});

test('a token opens the same', async () => {
  const { token } = (await asBob()).session;
  const client = await login({ token });
  assert.equal(client.session.user.username, 'bob');
  await client.set('/mine/b', { v: 1 });
});

for (const [what, options, expected] of [
  ['a wrong password', { username: 'bob', password: 'guessed' }, { code: 401, message: 'Invalid credentials' }],
  ['a token that is none', { token: 'nonsense' }, { code: 401 }],
  ['nobody', {}, { message: 'happn server is secure, please specify a username or token' }],
  ['a name alone', { username: 'bob' }, { message: 'happn server is secure, please specify a password' }],
  ['a key pair', { username: 'bob', publicKey: 'p', privateKey: 'q' }, { message: /cannot log in with a key pair \(digest\)/ }],
  ['a cookie outside of a browser', { useCookie: true }, { message: 'Logging in with cookie only valid in browser' }],
]) {
  test(`${what} is refused`, async () => {
    await assert.rejects(login(options), expected);
  });
}

test('a listener is heard no more once its permission is gone', async () => {
  const client = await asBob();
  const admin = await asAdmin();
  const seen = recorder();
  const { groups } = server.service.services.security;
  await groups.upsertGroup({ name: 'people', permissions: { '/lent/*': { actions: ['on'] } } }, {});
  await client.on('/lent/*', seen.handler);
  await admin.set('/lent/a', { v: 1 });
  await seen.atLeast(1);
  await groups.removePermission('people', '/lent/*', 'on');
  await fence(admin, client);
  await admin.set('/lent/a', { v: 2 });
  await fence(admin, client);
  same(seen.data(), [{ v: 1 }]);
});

test('a token that is revoked ends the sessions that use it', async () => {
  const client = await asBob();
  const other = await login({ token: client.session.token });
  const ended = new Promise((resolve) => other.onEvent('session-ended', resolve));
  await client.logout();
  same(await ended, { reason: 'token-revoked' });
  assert.equal(client.status, 2);
  await assert.rejects(login({ token: other.session.token }), { message: /token has been revoked/ });
});

test('sessions made with a token end with the session that made it', async () => {
  const client = await asBob();
  const child = await login({ token: client.session.token });
  const ended = new Promise((resolve) => child.onEvent('session-ended', resolve));
  await client.disconnect({ disconnectChildSessions: true });
  same(await ended, { reason: 'token-revoked' });
});

test('a changed password is the one that counts', async () => {
  const { users } = server.service.services.security;
  await users.upsertUser({ username: 'eve', password: 'before' }, {});
  const client = await login({ username: 'eve', password: 'before' });
  await assert.rejects(client.changePassword({ oldPassword: 'guessed', newPassword: 'x' }), /Invalid old password/);
  await client.changePassword({ oldPassword: 'before', newPassword: 'after' });
  await login({ username: 'eve', password: 'after' });
  await assert.rejects(login({ username: 'eve', password: 'before' }), { code: 401 });
});
