// Listeners come and go while the connection does too and the server takes its time: in the end
// the server knows exactly the subscriptions that somebody listens to, and each listener is called
// once. Every run is made of its seed, which a failure names.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeStage } from '../browser/stage.js';

const RUNS = 150;
const STEPS = 40;
const PATHS = ['/a', '/b', '/a/*', '/c/**'];

/// Numbers below `limit`, the same ones for the same seed.
function dice(seed) {
  let state = seed * 2654435761 + 1;
  return (limit) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * limit);
  };
}

/// A server that answers late and keeps account of what is subscribed on a link.
function attend(link, stage, roll) {
  link.subscribed = new Map();
  const later = (request, data) =>
    stage.clock.set(() => {
      const _meta = { type: 'response', status: 'ok', eventId: request.eventId };
      if (!link.closed) link.say({ data, _meta });
    }, roll(300));
  link.answers.on = (request, count) => {
    const id = `r${count}`;
    link.subscribed.set(id, request.path);
    later(request, { id });
  };
  link.answers.off = (request) => {
    const { referenceId } = request.options;
    if (referenceId) link.subscribed.delete(referenceId);
    else link.subscribed.clear();
    later(request, { removed: [] });
  };
}

async function play(seed) {
  const roll = dice(seed);
  const stage = await makeStage();
  const open = async () => {
    const link = stage.network.last;
    attend(link, stage, roll);
    link.open();
    await stage.clock.pass(0);
  };
  const creating = stage.HappnClient.create({ reconnect: { max: 500 } });
  await stage.clock.pass(0);
  await open();
  const client = await creating;

  const listeners = [];
  const listen = (path) => {
    const listener = { path, wanted: true, called: 0, handle: null };
    listeners.push(listener);
    client.on(path, () => (listener.called += 1)).then(
      (handle) => {
        listener.handle = handle;
        if (!listener.wanted) client.off(handle).catch(() => {});
      },
      // The connection was lost, or there was none: the application knows that nobody listens.
      () => (listener.wanted = false)
    );
  };
  const leave = (listener) => {
    listener.wanted = false;
    if (listener.handle !== null) client.off(listener.handle).catch(() => {});
  };

  for (let step = 0; step < STEPS; step += 1) {
    const wanted = listeners.filter((listener) => listener.wanted);
    switch (roll(7)) {
      case 0:
      case 1:
        listen(PATHS[roll(PATHS.length)]);
        break;
      case 2:
        if (wanted.length > 0) leave(wanted[roll(wanted.length)]);
        break;
      case 3:
        if (roll(3) === 0 && !stage.network.last.closed) stage.network.last.cut();
        break;
      case 4:
        await stage.clock.pass(500);
        if (stage.network.last.subscribed === undefined) await open();
        break;
      case 5: {
        const path = [undefined, '/b', '/a*'][roll(12)];
        if (path === undefined && roll(8) > 0) break;
        const isMeant = (listener) => path === undefined || listener.path.startsWith(path.replace('*', ''));
        wanted.filter(isMeant).forEach((listener) => (listener.wanted = false));
        (path === undefined ? client.offAll() : client.offPath(path)).catch(() => {});
        break;
      }
      default:
        await stage.clock.pass(roll(200));
    }
  }
  // Peace: the connection is there and everything is answered.
  await stage.clock.pass(500);
  if (stage.network.last.subscribed === undefined) await open();
  await stage.clock.pass(2000);

  const link = stage.network.last;
  assert.equal(client.status, 1);
  const wanted = listeners.filter((listener) => listener.wanted);
  const channels = [...new Set(wanted.map(({ path }) => `/ALL@${path}`))].sort();
  assert.deepEqual([...link.subscribed.values()].sort(), channels);
  listeners.forEach((listener) => (listener.called = 0));
  PATHS.forEach((path) => link.publish(`/ALL@${path}`, 1));
  await stage.clock.pass(0);
  for (const { path, wanted: isWanted, called } of listeners) assert.equal(called, isWanted ? 1 : 0, path);
  await client.disconnect();
  assert.equal(stage.clock.timers.size, 0, 'a timer outlives the client');
  assert.deepEqual(stage.clock.thrown, []);
}

test(`${RUNS} times turmoil ends in order`, async () => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    await play(seed).catch((error) => {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    });
  }
});
