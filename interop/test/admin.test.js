// A secure node that is looked after from the command line, while the unmodified client uses it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { connect } from '../clients.js';
import { peer } from '../peers/index.js';
import { ADMIN_PASSWORD } from '../peers/javascript.js';
import { startRustCluster } from '../peers/rust.js';
import { fence, recorder } from '../recorder.js';
import { same } from '../same.js';
import { eventually } from '../waiting.js';

const SOON_MS = 10_000;
const skip = peer === 'js' && 'the JavaScript server has no command line';

let server;
const open = new Set();

before(async () => {
  if (skip) return;
  [server] = await startRustCluster(1, undefined, { adminPassword: ADMIN_PASSWORD, provision: {} });
  await administer('group add DESK');
  await administer('permission add /desk/* --group DESK --allow get,set,on');
  await administer('permission add /fence/* --group DESK --allow *');
});

after(async () => {
  for (const client of open) await client.disconnect();
  await server?.stop();
});

const administer = (line, secrets) => server.administer(line.split(' '), secrets);
const asked = async (line) => JSON.parse(await administer(`${line} --json`));

async function login(options) {
  const client = await connect(server.port, options);
  open.add(client);
  return client;
}

/// A new user of the group, logged in.
async function newcomer(username) {
  const password = `of ${username}`;
  await administer(`user add ${username} --group DESK`, { HAPPN_NEW_PASSWORD: password });
  return login({ username, password });
}

const root = () => login({ username: '_ADMIN', password: ADMIN_PASSWORD });

/// Complete when the server has told the client that it is thrown off.
function thrownOff(client) {
  let reason;
  client.onEvent('session-ended', (data) => (reason = data?.reason ?? 'no reason'));
  return () => eventually('the client is thrown off', SOON_MS, () => reason);
}

test('who was added may do what was allowed, and nothing else', { skip }, async () => {
  const ann = await newcomer('ann');
  await ann.set('/desk/1', { a: 1 }, {});
  assert.equal((await ann.get('/desk/1')).a, 1);
  await assert.rejects(ann.set('/other/1', { a: 1 }, {}), (error) => {
    assert.equal(error.code, 403);
    assert.match(error.message, /unauthorized/);
    return true;
  });
  await administer('permission add /other/* --user ann --allow set');
  await ann.set('/other/1', { a: 1 }, {});
  const { items } = await asked('user list ann');
  same(items.map((user) => [user.username, user.groups]), [['ann', ['DESK']]]);
});

test('a permission that is removed ends what is subscribed by it', { skip }, async () => {
  const [bob, admin] = [await newcomer('bob'), await root()];
  await administer('permission add /brief/* --user bob --allow get,on');
  const heard = recorder();
  await bob.on('/brief/*', heard.handler);
  await admin.set('/brief/1', { n: 1 }, {});
  await heard.atLeast(1);
  await administer('permission remove /brief/* --user bob');
  await assert.rejects(bob.get('/brief/1'), { code: 403 });
  await admin.set('/brief/2', { n: 2 }, {});
  await fence(admin, bob);
  assert.equal(heard.events.length, 1);
});

test('a session that is ended throws its client off, and its token is of no use', { skip }, async () => {
  const cleo = await newcomer('cleo');
  const { token } = cleo.session;
  const { items } = await asked('session list --user cleo');
  same(items.map((session) => session.id), [cleo.session.id]);
  const gone = thrownOff(cleo);
  await administer(`session end ${items[0].id}`);
  assert.match(await gone(), /revoked/);
  await assert.rejects(login({ token }), { code: 403 });
  same((await asked('session list --user cleo')).items, []);
});

test('a token logs in without a password until it is revoked', { skip }, async () => {
  await administer('user add dora --group DESK', { HAPPN_NEW_PASSWORD: 'of dora' });
  const token = (await administer('token add dora')).trim();
  const dora = await login({ token });
  await dora.set('/desk/2', { d: 2 }, {});
  const gone = thrownOff(dora);
  await server.administer(['token', 'revoke', '--file', '-', '--reason', 'lost'], {}, token);
  await gone();
  await assert.rejects(login({ token }), { code: 403 });
  const revoked = (await asked('token list')).items.filter((it) => it.username === 'dora');
  same(revoked.map((it) => it.reason), ['lost']);
});

test('a user who is removed is thrown off', { skip }, async () => {
  const eve = await newcomer('eve');
  const gone = thrownOff(eve);
  await administer('user remove eve');
  await gone();
  await assert.rejects(login({ username: 'eve', password: 'of eve' }), { code: 401 });
});
