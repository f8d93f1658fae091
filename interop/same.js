// Comparing what came over the wire: as JSON, because the client hands out objects of another realm.

import assert from 'node:assert/strict';

export function same(actual, expected) {
  assert.deepEqual(JSON.parse(JSON.stringify(actual)), expected);
}
