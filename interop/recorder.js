// Collects events of a subscription and lets a test wait for them.

import { eventually } from './waiting.js';

const DEADLINE_MS = 10_000;

/// `handler` goes to `client.on`; the rest reads what came.
export function recorder() {
  const events = [];
  return {
    events,
    handler: (data, meta) => events.push({ data, meta }),
    data: () => events.map((event) => event.data),
    paths: () => events.map((event) => event.meta.path),
    async atLeast(count) {
      await eventually(`${count} events`, DEADLINE_MS, () => events.length >= count).catch((error) => {
        throw new Error(`${error.message}; came: ${JSON.stringify(events)}`);
      });
      return events;
    },
  };
}

let fences = 0;

/// Events of one publisher reach one subscriber in order. So when a marker published now has
/// arrived, everything that was published before it has arrived too, and "nothing came" is a fact.
export async function fence(publisher, subscriber) {
  fences += 1;
  const path = `/fence/${process.pid}/${fences}`;
  const marker = recorder();
  const handle = await subscriber.on(path, marker.handler);
  await publisher.publish(path, { fence: fences });
  await marker.atLeast(1);
  await subscriber.off(handle);
}
