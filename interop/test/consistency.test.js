import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { connect } from '../clients.js';
import { startServer } from '../peers/index.js';
import { recorder } from '../recorder.js';
import { same } from '../same.js';

let server;
let publisher;
let subscriber;

before(async () => {
  server = await startServer();
  publisher = await connect(server.port);
  subscriber = await connect(server.port);
});

after(async () => {
  await publisher?.disconnect();
  await subscriber?.disconnect();
  await server?.stop();
});

/// Sets with `consistency` and answers what the set and what `onPublished` got.
async function setAndHear(path, consistency) {
  let report;
  const heard = new Promise((resolve) => {
    report = (error, result) => resolve({ error, result });
  });
  const answer = await publisher.set(path, { v: 1 }, { consistency, onPublished: report });
  return { answer, ...(await heard) };
}

test('consistency 0 answers without waiting for subscribers', async () => {
  const answer = await publisher.set('/consistency/0', { v: 1 }, { consistency: 0 });
  assert.equal(answer._meta.published, false);
});

test('consistency 1 reports the publication afterwards', async () => {
  await subscriber.on('/consistency/1', () => {});
  const { answer, error, result } = await setAndHear('/consistency/1', 1);
  assert.equal(answer._meta.published, false);
  assert.equal(error, null);
  same(result, { successful: 1, failed: 0, skipped: 0, queued: 1 });
});

test('consistency 2 answers after publishing and can report the counters', async () => {
  await subscriber.on('/consistency/2', () => {});
  const answer = await publisher.set('/consistency/2', { v: 1 }, { consistency: 2, publishResults: true });
  assert.equal(answer._meta.published, true);
  same(answer._meta.publishResults, { successful: 1, failed: 0, skipped: 0, queued: 1 });
});

test('consistency 3 waits for the acknowledgement of every subscriber', async () => {
  const seen = recorder();
  await subscriber.on('/consistency/3', seen.handler);
  const { error, result } = await setAndHear('/consistency/3', 3);
  assert.equal(error, null);
  same(result, { successful: 1, failed: 0, skipped: 0, acknowledged: 1, queued: 1 });
  await seen.atLeast(1);
  assert.equal(seen.events[0].meta.consistency, 3);
  assert.equal(seen.events[0].meta.acknowledged, true);
});
