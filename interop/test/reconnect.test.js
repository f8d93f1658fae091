import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { connect } from '../clients.js';
import { startServer } from '../peers/index.js';
import { fence, recorder } from '../recorder.js';
import { same } from '../same.js';

let server;

before(async () => {
  server = await startServer();
});

after(() => server?.stop());

test('a client finds its way back after a restart and keeps its subscriptions', async () => {
  const client = await connect(server.port);
  const session = client.session.id;
  const seen = recorder();
  await client.on('/reconnect/exact', seen.handler);
  await client.on('/reconnect/star/*', seen.handler);
  const back = new Promise((resolve) => client.onEvent('reconnect-successful', resolve));

  await server.restart();
  await back;

  assert.notEqual(client.session.id, session);
  const publisher = await connect(server.port);
  await publisher.set('/reconnect/exact', { v: 1 }, {});
  await publisher.set('/reconnect/star/a', { v: 2 }, {});
  await fence(publisher, client);
  same(seen.data(), [{ v: 1 }, { v: 2 }]);
  await publisher.disconnect();
  await client.disconnect();
});
