// Three of our nodes on one store, a JavaScript client at the front door of each.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { connect } from '../clients.js';
import { peer } from '../peers/index.js';
import { startRustCluster } from '../peers/rust.js';
import { recorder } from '../recorder.js';
import { same } from '../same.js';

// happn-3 alone forms no cluster, so there is nothing to compare with.
if (peer === 'rust') declare();

function declare() {
  let nodes = [];
  let clients = [];

  before(async () => {
    nodes = await startRustCluster(3);
    clients = await Promise.all(nodes.map((node) => connect(node.port)));
  });

  after(async () => {
    await Promise.all(clients.map((client) => client.disconnect()));
    await Promise.all(nodes.map((node) => node.stop()));
  });

  /// Subscribes every client to `path` and answers the recorders, in the order of the nodes.
  const listenEverywhere = (path, options = {}) =>
    Promise.all(
      clients.map(async (client) => {
        const seen = recorder();
        await client.on(path, options, seen.handler);
        return seen;
      })
    );

  /// A marker from the same client passes through the same links, so nothing can come after it.
  async function settled(from) {
    const markers = await listenEverywhere('/cluster/marker');
    await clients[from].publish('/cluster/marker', { marker: true }, {});
    await Promise.all(markers.map((marker) => marker.atLeast(1)));
    await Promise.all(clients.map((client) => client.offPath('/cluster/marker')));
  }

  test('what one node stores every node reads', async () => {
    await clients[0].set('/cluster/read', { v: 1 }, {});
    for (const client of clients) assert.equal((await client.get('/cluster/read', {})).v, 1);
  });

  test('an event set on any node arrives once on every node, with the same meta', async () => {
    const everywhere = await listenEverywhere('/cluster/each/*');
    for (const [from, client] of clients.entries()) {
      await client.set(`/cluster/each/${from}`, { from }, { meta: { custom: from } });
      await settled(from);
    }
    for (const seen of everywhere) {
      const events = seen.events.toSorted((a, b) => a.data.from - b.data.from);
      same(events.map((event) => event.data.from), [0, 1, 2]);
      for (const { data, meta } of events) {
        assert.equal(meta.action, `/SET@/cluster/each/${data.from}`);
        assert.equal(meta.sessionId, clients[data.from].session.id);
        assert.equal(meta.custom, data.from);
        assert.ok(meta.created > 0);
      }
    }
  });

  test('events of one client arrive in order on the other nodes', async () => {
    const everywhere = await listenEverywhere('/cluster/order');
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    for (const n of numbers) await clients[1].set('/cluster/order', { n }, {});
    await settled(1);
    for (const seen of everywhere) same(seen.data().map((data) => data.n), numbers);
  });

  test('removals, merges and publishes cross too', async () => {
    const everywhere = await listenEverywhere('/cluster/kinds/**');
    await clients[2].set('/cluster/kinds/a', { a: 1 }, {});
    await clients[2].set('/cluster/kinds/a', { b: 2 }, { merge: true });
    await clients[2].publish('/cluster/kinds/b', { c: 3 }, {});
    await clients[2].remove('/cluster/kinds/*', {});
    await settled(2);
    for (const seen of everywhere) {
      same(seen.data(), [{ a: 1 }, { a: 1, b: 2 }, { c: 3 }, { removed: 1 }]);
      assert.equal(seen.events[3].meta.action, '/REMOVE@/cluster/kinds/*');
    }
  });

  test('overlapping masks hear a remote event once each', async () => {
    const wide = await listenEverywhere('/cluster/overlap/*');
    const exact = await listenEverywhere('/cluster/overlap/a');
    await clients[0].set('/cluster/overlap/a', { v: 1 }, {});
    await settled(0);
    for (const seen of [...wide, ...exact]) assert.equal(seen.events.length, 1);
  });

  test('noCluster and targetClients stay on their node', async () => {
    const everywhere = await listenEverywhere('/cluster/local');
    await clients[0].set('/cluster/local', { v: 1 }, { noCluster: true });
    await clients[0].set('/cluster/local', { v: 2 }, { targetClients: [clients[0].session.id] });
    await settled(0);
    same(everywhere.map((seen) => seen.events.length), [2, 0, 0]);
  });

  test('a client of a restarted node hears the others again', async () => {
    const seen = recorder();
    await clients[2].on('/cluster/restart', seen.handler);
    const back = new Promise((resolve) => clients[2].onEvent('reconnect-successful', resolve));
    await nodes[2].restart();
    await back;
    await settled(0);
    await clients[0].set('/cluster/restart', { v: 1 }, {});
    await settled(0);
    same(seen.data(), [{ v: 1 }]);
  });
}
